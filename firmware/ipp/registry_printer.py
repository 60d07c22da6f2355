"""Registry rows of the printer's attributes: data for firmware/ipp/attributes.py, which has the columns.

The last column says where the value comes from:

    =a,b    constant, in the notation of its syntax
    *       computed at start and after a change of settings (firmware/ipp/printer_values.py)
    +       depends on the material that is loaded
    @       contains the printer's address as the client wrote it (firmware/ipp/printer.py)
    ~       encoded anew for each answer (firmware/ipp/printer.py)
"""

ROWS = """
T;copies-default;integer(1:MAX);rfc8011;o;=1
T;copies-supported;rangeOfInteger(1:MAX);rfc8011;o;=1-1
T;job-hold-until-default;type2 keyword | name(MAX);rfc8011;o;=no-hold
T;job-hold-until-supported;1setOf (type2 keyword | name(MAX));rfc8011;o;*
T;job-hold-until-time-supported;rangeOfInteger(0:MAX);PWG5100.7;C;*
T;job-priority-default;integer(1:100);rfc8011;o;=50
T;job-priority-supported;integer(1:100);rfc8011;o;=100
T;multiple-document-handling-default;type2 keyword;rfc8011;R;=separate-documents-collated-copies
T;multiple-document-handling-supported;1setOf type2 keyword;rfc8011;R;=separate-documents-collated-copies,\
separate-documents-uncollated-copies,single-document
T;print-quality-default;type2 enum;rfc8011;R;=4
T;print-quality-supported;1setOf type2 enum;rfc8011;R;=4
T;materials-col-default;1setOf collection;PWG5100.21;R;+
T;materials-col-ready;1setOf collection;PWG5100.21;R;+
T;materials-col-supported;1setOf keyword;PWG5100.21;R;=material-color,material-diameter,material-fill-density,material-key,\
material-name,material-nozzle-diameter,material-purpose,material-shell-thickness,material-temperature,material-type
T;materials-col-database;1setOf collection;PWG5100.21;r;*
T;platform-temperature-default;integer(-273:MAX);PWG5100.21;C;+
T;platform-temperature-supported;1setOf (integer(-273:MAX) | rangeOfInteger(-273:MAX));PWG5100.21;C;*
T;chamber-temperature-default;integer(-273:MAX) | no-value;PWG5100.21;C;+
T;chamber-temperature-supported;1setOf (integer(-273:MAX) | rangeOfInteger(-273:MAX));PWG5100.21;C;*
T;print-accuracy-default;collection;PWG5100.21;R;*
T;print-accuracy-supported;collection;PWG5100.21;R;*
T;print-base-default;type2 keyword;PWG5100.21;R;=none
T;print-base-supported;1setOf type2 keyword;PWG5100.21;R;=none
T;print-supports-default;type2 keyword;PWG5100.21;R;=none
T;print-supports-supported;1setOf type2 keyword;PWG5100.21;R;=none
D;accuracy-units-supported;1setOf type2 keyword;PWG5100.21;R;=nm,um
D;charset-configured;charset;rfc8011;R;=utf-8
D;charset-supported;1setOf charset;rfc8011;R;=utf-8,us-ascii
D;color-supported;boolean;rfc8011;R;=false
D;compression-supported;1setOf type2 keyword;rfc8011;R;=none,deflate,gzip
D;document-creation-attributes-supported;1setOf keyword;PWG5100.5;o;=compression,document-format,document-name
D;document-format-default;mimeMediaType;rfc8011;R;=text/x-gcode
D;document-format-supported;1setOf mimeMediaType;rfc8011;R;=text/x-gcode,application/vnd.pwg-safe-gcode,model/3mf,application/octet-stream
D;generated-natural-language-supported;1setOf naturalLanguage;rfc8011;R;=en
D;identify-actions-default;1setOf type2 keyword;PWG5100.13;R;*
D;identify-actions-supported;1setOf type2 keyword;PWG5100.13;R;*
D;ipp-features-supported;1setOf type2 keyword;PWG5100.13;R;=ipp-3d,subscription-object
D;ippget-event-life;integer(15:MAX);rfc3996;o;=60
D;ipp-versions-supported;1setOf type2 keyword;rfc8011;R;=1.1,2.0
D;job-creation-attributes-supported;1setOf keyword;PWG5100.7;R;*
D;job-ids-supported;boolean;PWG5100.7;R;=true
D;job-k-octets-supported;rangeOfInteger(0:MAX);rfc8011;o;*
D;job-privacy-attributes;1setOf type2 keyword;IPPPRIVACY10;o;*
D;job-privacy-scope;type2 keyword;IPPPRIVACY10;o;=owner
D;material-diameter-supported;1setOf (integer(0:MAX) | rangeOfInteger(0:MAX));PWG5100.21;C;*
D;material-nozzle-diameter-supported;1setOf (integer(0:MAX) | rangeOfInteger(0:MAX));PWG5100.21;C;*
D;material-purpose-supported;1setOf type2 keyword;PWG5100.21;R;=all,base,in-fill,shell,support
D;material-shell-thickness-supported;1setOf (integer(0:MAX) | rangeOfInteger(0:MAX));PWG5100.21;R;=0-MAX
D;material-temperature-supported;1setOf (integer(-273:MAX) | rangeOfInteger(-273:MAX));PWG5100.21;C;*
D;material-type-supported;1setOf type2 keyword;PWG5100.21;R;*
D;max-materials-col-supported;integer(1:MAX);PWG5100.21;R;*
D;multiple-document-jobs-supported;boolean;rfc8011;R;=false
D;multiple-operation-time-out;integer(1:MAX);rfc8011;R;*
D;multiple-operation-time-out-action;type2 keyword;PWG5100.13;R;=abort-job
D;natural-language-configured;naturalLanguage;rfc8011;R;=en
D;notify-attributes-supported;1setOf keyword;rfc3995;o;=job-name,job-state-message,printer-state-message,\
printwright-job-layer,printwright-job-progress,printwright-job-time-left,queued-job-count
D;notify-events-default;1setOf type2 keyword;rfc3995;o;=job-completed
D;notify-events-supported;1setOf type2 keyword;rfc3995;o;=job-completed,job-config-changed,job-created,job-progress,job-state-changed,\
job-stopped,none,printer-config-changed,printer-queue-order-changed,printer-restarted,printer-state-changed,printer-stopped
D;notify-lease-duration-default;integer(0:67108863);rfc3995;o;=3600
D;notify-lease-duration-supported;1setOf (integer(0:67108863) | rangeOfInteger(0:67108863));rfc3995;o;*
D;notify-max-events-supported;integer(2:MAX);rfc3995;o;=16
D;notify-pull-method-supported;1setOf type2 keyword;rfc3995;o;=ippget
D;operations-supported;1setOf type2 enum;rfc8011;R;*
D;pdl-override-supported;type2 keyword;rfc8011;R;=attempted
D;platform-shape;type2 keyword;PWG5100.21;r;*
D;preferred-attributes-supported;boolean;PWG5100.13;o;=false
D;print-objects-supported;1setOf keyword;PWG5100.21;o;=document-number,object-offset,object-size,object-uuid,printwright-object-name
D;printer-contact-col;collection | unknown;PWG5100.22;o;*
D;printer-current-time;dateTime | unknown;rfc8011;o;~
D;printer-device-id;text(1023);PWG5107.2;o;*
D;printer-dns-sd-name;name(63);PWG5100.13;o;*
D;printer-geo-location;uri | unknown;PWG5100.13;R;*
D;printer-get-attributes-supported;1setOf keyword;PWG5100.13;R;=document-format
D;printer-icons;1setOf uri;PWG5100.13;R;@
D;printer-info;text(127);rfc8011;R;*
D;printer-location;text(127);rfc8011;R;*
D;printer-make-and-model;text(127);rfc8011;R;*
D;printer-name;name(127);rfc8011;R;*
D;printer-organization;1setOf text(MAX);PWG5100.13;R;*
D;printer-organizational-unit;1setOf text(MAX);PWG5100.13;R;*
D;printer-strings-languages-supported;1setOf naturalLanguage;PWG5100.13;o;=en,de,fr,es,ja
D;printer-strings-uri;uri | no-value;PWG5100.13;o;@
D;printer-volume-supported;collection;PWG5100.21;R;*
D;printer-xri-supported;1setOf collection;rfc3380;R;@
D;pwg-safe-gcode-supported;1setOf text(MAX);PWG5199.7;o;*
D;requesting-user-uri-supported;boolean;PWG5100.13;o;=true
D;uri-authentication-supported;1setOf type2 keyword;rfc8011;R;@
D;uri-security-supported;1setOf type2 keyword;rfc8011;R;@
D;which-jobs-supported;1setOf type2 keyword;PWG5100.7;R;=completed,not-completed,aborted,all,canceled,pending,pending-held,processing,\
processing-stopped
S;chamber-temperature-current;integer(-273:MAX) | unknown;PWG5100.21;C;~
S;device-uuid;uri;PWG5100.13;o;*
S;job-settable-attributes-supported;1setOf keyword;rfc3380;o;*
S;printer-alert;1setOf octetString(MAX);PWG5100.9;o;~
S;printer-alert-description;1setOf text(MAX);PWG5100.9;o;~
S;printer-config-change-date-time;dateTime | unknown;PWG5100.13;R;~
S;printer-config-change-time;integer(1:MAX);PWG5100.13;R;~
S;printer-id;integer(1:65535);PWG5100.22;o;=1
S;printer-service-type;type2 keyword;PWG5100.22;o;=print3d
S;printer-firmware-name;1setOf name(MAX);PWG5100.13;o;=printwright
S;printer-firmware-patches;1setOf text(MAX);PWG5100.13;o;=
S;printer-firmware-string-version;1setOf text(MAX);PWG5100.13;o;*
S;printer-firmware-version;1setOf octetString(MAX);PWG5100.13;o;*
S;printer-is-accepting-jobs;boolean;rfc8011;R;~
S;printer-message-date-time;dateTime;rfc3380;o;~
S;printer-message-from-operator;text(127);rfc8011;o;*
S;printer-message-time;integer(MIN:MAX);rfc3380;o;~
S;printer-more-info;uri;rfc8011;R;@
S;printer-settable-attributes-supported;1setOf keyword;rfc3380;o;=materials-col-ready,printer-contact-col,printer-geo-location,\
printer-info,printer-location,printer-message-from-operator,printer-name,printer-organization,printer-organizational-unit,\
printwright-platform-clearing
S;printer-state;type1 enum;rfc8011;R;~
S;printer-state-change-date-time;dateTime;rfc3995;R;~
S;printer-state-change-time;integer(1:MAX);rfc3995;R;~
S;printer-state-message;text(MAX);rfc8011;R;~
S;printer-state-reasons;1setOf type2 keyword;rfc8011;R;~
S;printer-supply;1setOf octetString(MAX);PWG5100.13;o;+
S;printer-supply-description;1setOf text(MAX);PWG5100.13;o;+
S;printer-supply-info-uri;uri;PWG5100.13;o;@
S;printer-up-time;integer(1:MAX);rfc8011;R;~
S;printer-uri-supported;1setOf uri;rfc8011;R;@
S;printer-uuid;uri;PWG5100.13;R;*
S;queued-job-count;integer(0:MAX);rfc8011;R;~
S;xri-authentication-supported;1setOf type2 keyword;rfc3380;R;@
S;xri-security-supported;1setOf type2 keyword;rfc3380;R;@
S;xri-uri-scheme-supported;1setOf uriScheme;rfc3380;R;@
D;printwright-platform-clearing;type2 keyword;printwright;V;*
D;printwright-platform-clearing-supported;1setOf type2 keyword;printwright;V;*
S;printwright-position;collection | unknown;printwright;V;~
S;printwright-temperatures;1setOf collection;printwright;V;~
"""
