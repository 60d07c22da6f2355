"""Registry rows of the operation attributes that requests may carry: data for firmware/ipp/attributes.py, which has the columns.

The last column: "create" for those that shape a job (listed in job-creation-attributes-supported).
"""

ROWS = """
O;attributes-charset;charset;rfc8011;R;
O;attributes-natural-language;naturalLanguage;rfc8011;R;
O;compression;type2 keyword;rfc8011;R;create
O;document-format;mimeMediaType;rfc8011;R;create
O;document-name;name(MAX);rfc8011;R;create
O;document-number;integer(1:MAX);PWG5100.5;o;
O;first-index;integer(1:MAX);PWG5100.13;R;
O;identify-actions;1setOf type2 keyword;PWG5100.13;R;
O;ipp-attribute-fidelity;boolean;rfc8011;R;create
O;job-hold-until;type2 keyword | name(MAX);rfc8011;o;
O;job-hold-until-time;dateTime;PWG5100.7;o;
O;job-id;integer(1:MAX);rfc8011;R;
O;job-ids;1setOf integer(1:MAX);PWG5100.7;R;
O;job-k-octets;integer(0:MAX);rfc8011;o;create
O;job-mandatory-attributes;1setOf keyword;PWG5100.7;R;create
O;job-message-from-operator;text(127);rfc3380;o;
O;job-name;name(MAX);rfc8011;R;create
O;job-uri;uri;rfc8011;R;
O;last-document;boolean;rfc8011;R;
O;limit;integer(1:MAX);rfc8011;R;
O;message;text(127);rfc8011;o;
O;my-jobs;boolean;rfc8011;R;
O;my-subscriptions;boolean;rfc3995;o;
O;notify-job-id;integer(1:MAX);rfc3995;o;
O;notify-lease-duration;integer(0:67108863);rfc3995;o;
O;notify-sequence-numbers;1setOf integer(1:MAX);rfc3996;o;
O;notify-subscription-id;integer(1:MAX);rfc3995;o;
O;notify-subscription-ids;1setOf integer(1:MAX);rfc3996;o;
O;notify-wait;boolean;rfc3996;o;
O;predecessor-job-id;integer(1:MAX);rfc3998;o;
O;printer-message-from-operator;text(127);rfc3380;o;
O;printer-geo-location;uri;PWG5100.22;o;
O;printer-id;integer(1:65535);PWG5100.22;o;
O;printer-ids;1setOf integer(1:65535);PWG5100.22;o;
O;printer-location;text(127);PWG5100.22;o;
O;printer-service-type;1setOf type2 keyword;PWG5100.22;o;
O;printer-uri;uri;rfc8011;R;
O;requested-attributes;1setOf type2 keyword;rfc8011;R;
O;requesting-user-name;name(MAX);rfc8011;R;
O;requesting-user-uri;uri;PWG5100.13;R;
O;resource-format;mimeMediaType;PWG5100.22;o;
O;resource-formats;1setOf mimeMediaType;PWG5100.22;o;
O;resource-id;integer(1:MAX);PWG5100.22;o;
O;resource-ids;1setOf integer(1:MAX);PWG5100.22;o;
O;resource-k-octets;integer(0:MAX);PWG5100.22;o;
O;resource-natural-language;naturalLanguage;PWG5100.22;o;
O;resource-patches;text(MAX) | no-value;PWG5100.22;o;
O;resource-signature;1setOf octetString(MAX);PWG5100.22;o;
O;resource-states;1setOf type1 enum;PWG5100.22;o;
O;resource-string-version;text(MAX) | no-value;PWG5100.22;o;
O;resource-type;type2 keyword;PWG5100.22;o;
O;resource-types;1setOf type2 keyword;PWG5100.22;o;
O;resource-version;octetString(64) | no-value;PWG5100.22;o;
O;system-uri;uri;PWG5100.22;o;
O;which-printers;type2 keyword;PWG5100.22;o;
O;which-jobs;type2 keyword;rfc8011;R;
"""
