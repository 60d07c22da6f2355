"""Registry rows of a document's attributes (PWG 5100.5, 5100.13, 5100.21): data for firmware/ipp/attributes.py, which has the columns.

A job has one document, so most of what it says is its job's: the last column names the job's attribute where it has another name.
"""

ROWS = """
D;document-name;name(MAX);PWG5100.5;R;~
S;attributes-charset;charset;PWG5100.5;R;
S;attributes-natural-language;naturalLanguage;PWG5100.5;R;
S;chamber-temperature-actual;1setOf integer(-273:MAX);PWG5100.21;C;
S;compression;type2 keyword;PWG5100.5;o;~
S;date-time-at-completed;dateTime | no-value;PWG5100.5;o;
S;date-time-at-creation;dateTime;PWG5100.5;o;
S;date-time-at-processing;dateTime | no-value;PWG5100.5;o;
S;document-format;mimeMediaType;PWG5100.5;R;~
S;document-job-id;integer(1:MAX);PWG5100.5;R;~
S;document-job-uri;uri;PWG5100.5;R;~
S;document-number;integer(1:MAX);PWG5100.5;R;~
S;document-printer-uri;uri;PWG5100.5;R;~
S;document-state;type1 enum;PWG5100.5;R;~
S;document-state-message;text(MAX);PWG5100.5;o;~
S;document-state-reasons;1setOf type2 keyword;PWG5100.5;R;~
S;document-uuid;uri;PWG5100.13;o;~
S;k-octets;integer(0:MAX);PWG5100.5;o;~
S;last-document;boolean;PWG5100.5;R;~
S;materials-col-actual;1setOf collection;PWG5100.21;R;
S;platform-temperature-actual;1setOf integer(-273:MAX);PWG5100.21;C;
S;print-accuracy-actual;collection;PWG5100.21;R;
S;print-base-actual;1setOf type2 keyword;PWG5100.21;R;
S;print-supports-actual;1setOf type2 keyword;PWG5100.21;R;
S;printer-up-time;integer(1:MAX);PWG5100.5;R;~
S;time-at-completed;integer(MIN:MAX) | no-value;PWG5100.5;R;
S;time-at-creation;integer(MIN:MAX);PWG5100.5;R;
S;time-at-processing;integer(MIN:MAX) | no-value;PWG5100.5;R;
"""
