"""Registry rows of a job's attributes: data for firmware/ipp/attributes.py, which has the columns.

Group T is the ticket (job template), answered as the client gave it; D and S are encoded by firmware/ipp/job.py.
"""

ROWS = """
T;chamber-temperature;integer(-273:MAX);PWG5100.21;C;
T;copies;integer(1:MAX);rfc8011;o;
T;job-hold-until;type2 keyword | name(MAX);rfc8011;o;
T;job-hold-until-time;dateTime;PWG5100.7;o;
T;job-priority;integer(1:100);rfc8011;o;
T;materials-col;1setOf collection;PWG5100.21;R;
T;multiple-document-handling;type2 keyword;rfc8011;R;
T;platform-temperature;integer(-273:MAX);PWG5100.21;C;
T;print-accuracy;collection;PWG5100.21;R;
T;print-base;type2 keyword;PWG5100.21;R;
T;print-objects;1setOf collection;PWG5100.21;o;
T;print-quality;type2 enum;rfc8011;R;
T;print-supports;type2 keyword;PWG5100.21;R;
D;job-message-from-operator;text(127);rfc8011;o;
D;job-name;name(MAX);rfc8011;R;
S;attributes-charset;charset;rfc8011;R;
S;attributes-natural-language;naturalLanguage;rfc8011;R;
S;chamber-temperature-actual;1setOf integer(-273:MAX);PWG5100.21;C;
S;compression-supplied;type2 keyword;PWG5100.7;R;
S;date-time-at-completed;dateTime | no-value;rfc8011;R;
S;date-time-at-creation;dateTime;rfc8011;R;
S;date-time-at-processing;dateTime | no-value;rfc8011;R;
S;document-format-supplied;mimeMediaType;PWG5100.7;R;
S;document-name-supplied;name(MAX);PWG5100.7;R;
S;job-id;integer(1:MAX);rfc8011;R;
S;job-k-octets;integer(0:MAX);rfc8011;o;
S;job-originating-user-name;name(MAX);rfc8011;R;
S;job-printer-up-time;integer(1:MAX);rfc8011;R;
S;job-printer-uri;uri;rfc8011;R;
S;job-state;type1 enum | unknown;rfc8011;R;
S;job-state-message;text(MAX);rfc8011;R;
S;job-state-reasons;1setOf type2 keyword;rfc8011;R;
S;job-uri;uri;rfc8011;R;
S;job-uuid;uri;PWG5100.13;R;
S;materials-col-actual;1setOf collection;PWG5100.21;R;
S;number-of-documents;integer(0:MAX);rfc8011;o;
S;number-of-intervening-jobs;integer(0:MAX);rfc8011;o;
S;platform-temperature-actual;1setOf integer(-273:MAX);PWG5100.21;C;
S;print-accuracy-actual;collection;PWG5100.21;R;
S;print-base-actual;1setOf type2 keyword;PWG5100.21;R;
S;print-supports-actual;1setOf type2 keyword;PWG5100.21;R;
S;time-at-completed;integer(MIN:MAX) | no-value;rfc8011;R;
S;time-at-creation;integer(MIN:MAX);rfc8011;R;
S;time-at-processing;integer(MIN:MAX) | no-value;rfc8011;R;
S;printwright-job-baby-step;integer(-2000:2000);printwright;V;
S;printwright-job-flow;integer(50:150);printwright;V;
S;printwright-job-layer;integer(0:MAX);printwright;V;
S;printwright-job-progress;integer(0:100);printwright;V;
S;printwright-job-speed;integer(10:300);printwright;V;
S;printwright-job-time-left;integer(0:MAX) | unknown;printwright;V;
"""
