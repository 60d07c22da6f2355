"""What every request must satisfy before an operation sees it, in the order of RFC 8011 section 4.1 and RFC 3196 section 3.1.

The first failure wins and is raised as IppError.  The steps, as dispatch.py takes them: header (version, operation, request-id),
groups and attribute names, charset and language, over-long values, target, [rights, by the caller], operation attributes' values.
What only one operation needs (last-document, states, template attributes) is that operation's.
"""

from firmware.ipp import attributes, codec, status, tags
from firmware.ipp.status import IppError
from hal.compat import const

# What an operation is directed at.
PRINTER = const(0)
JOB = const(1)
PRINTER_OR_JOB = const(2)  # job-id is optional
SYSTEM = const(3)
PRINTER_OR_SYSTEM = const(4)
SYSTEM_PATH = "/ipp/system"

_SCHEMES = ("ipp", "ipps", "http", "https")
_MAX_JOB_DIGITS = const(10)
ANONYMOUS = "anonymous"
# (uri scheme, uri-security, uri-authentication) of each way to reach a printer without TLS
PLAIN = (("ipp", "none", "requesting-user-name"),)


def answer_version(version, supported):
    """The version to answer with: the client's, else the greatest of its major version, else the greatest.

    supported: ascending list of (major, minor)."""
    best = None
    for candidate in supported:
        if candidate == version:
            return version
        if candidate[0] == version[0]:
            best = candidate
    return best or supported[-1]


def check_header(request, operations):
    """Version, operation (a key of `operations`), request-id.  Versions 1.x and 2.x are taken, whatever their minor number."""
    if request.version[0] not in (1, 2):
        raise IppError(status.VERSION_NOT_SUPPORTED, "Only IPP/1.x and IPP/2.x are known.")
    if request.operation not in operations:
        raise IppError(status.OPERATION_NOT_SUPPORTED, "Operation 0x%04X is not supported." % request.operation)
    if not 0 < request.request_id < 0x80000000:
        raise IppError(status.BAD_REQUEST, "The request-id is not between 1 and 2147483647.")


def operation_attributes(request):
    """Checks groups, names, charset, language and lengths.  Returns {name: [(tag, value), ...]} of the operation group."""
    groups = request.groups
    if not groups or groups[0][0] != tags.OPERATION_GROUP:
        raise IppError(status.BAD_REQUEST, "The operation attributes do not come first.")
    last = 0
    for tag, members in groups:
        if tag == tags.UNSUPPORTED_GROUP:
            raise IppError(status.BAD_REQUEST, "Unsupported attributes belong into answers only.")
        if tag < last or (tag == last and tag <= tags.PRINTER_GROUP):
            raise IppError(status.BAD_REQUEST, "The attribute groups are repeated or out of order.")
        last = tag
        if tag <= tags.SYSTEM_GROUP:
            _check_names(members)
    first = groups[0][1]
    _expect(first, 0, "attributes-charset", tags.CHARSET)
    _expect(first, 1, "attributes-natural-language", tags.LANGUAGE)
    if first[0][1][0][1].lower() not in (b"utf-8", b"us-ascii"):
        raise IppError(status.CHARSET_NOT_SUPPORTED, "Only the charsets utf-8 and us-ascii are supported.")
    if request.too_long:
        unsupported = []
        if request.too_long.find("\0") < 0:
            unsupported.append(codec.attribute(tags.UNSUPPORTED, request.too_long, []))
        raise IppError(status.VALUE_TOO_LONG, "'%s' is longer than its syntax allows." % request.too_long, unsupported)
    op = {}
    for name, values in first:
        op[name] = values
    return op


def _check_names(members):
    seen = set()
    for name, _ in members:
        if name in seen:
            raise IppError(status.BAD_REQUEST, "'%s' occurs twice in a group." % name)
        seen.add(name)


def _expect(members, index, name, tag):
    if len(members) > index:
        found, values = members[index]
        if found == name and len(values) == 1 and values[0][0] == tag:
            return
    raise IppError(status.BAD_REQUEST, "'%s' is not operation attribute number %d." % (name, index + 1))


def split_uri(uri):
    """(scheme, host with port, path without query) of bytes, or None.  Scheme and host come in lower case."""
    try:
        text = str(uri, "utf-8")
    except UnicodeError:
        return None
    scheme, colon, rest = text.partition("://")
    scheme = scheme.lower()
    if not colon or scheme not in _SCHEMES:
        return None
    host, slash, path = rest.partition("/")
    if not host:
        return None
    for c in rest:
        if c <= " " or c == "\x7f":
            return None
    return scheme, host.lower(), slash + path.split("?")[0].split("#")[0]


def job_number(text):
    """The job-id that decimal `text` names, or None."""
    if not text or len(text) > _MAX_JOB_DIGITS or text[0] == "0":
        return None
    for c in text:
        if not "0" <= c <= "9":
            return None
    return int(text)


def target(op, kind, paths):
    """Finds what the request is directed at.

    kind: PRINTER, JOB, PRINTER_OR_JOB, SYSTEM or PRINTER_OR_SYSTEM; paths: tuple of the resource paths that there are.
    Returns (path, job-id or None): only paths are compared, since a client may know the printer by any name.
    """
    if kind >= SYSTEM:
        system_uri = op.get("system-uri") or (op.get("printer-uri") if kind == PRINTER_OR_SYSTEM else None)
        if system_uri is not None:
            path = _path("system-uri", system_uri)
            if len(path) > 1 and path[-1] == "/":
                path = path[:-1]
            if path not in paths or (kind == SYSTEM and path != SYSTEM_PATH):
                raise IppError(status.NOT_FOUND, "There is no such system.")
            return path, None
        if kind == SYSTEM:
            raise IppError(status.BAD_REQUEST, "The request has no 'system-uri'.")
    job_uri = op.get("job-uri")
    if job_uri is not None and kind != PRINTER:
        path = _path("job-uri", job_uri)
        printer_path, _, number = path.rpartition("/")
        job_id = job_number(number)
        if printer_path not in paths or printer_path == SYSTEM_PATH or job_id is None:
            raise IppError(status.NOT_FOUND, "There is no such job.")
        return printer_path, job_id
    printer_uri = op.get("printer-uri")
    if printer_uri is None:
        raise IppError(status.BAD_REQUEST, "The request has no target URI.")
    path = _path("printer-uri", printer_uri)
    if len(path) > 1 and path[-1] == "/":
        path = path[:-1]
    if path not in paths or path == SYSTEM_PATH:
        raise IppError(status.NOT_FOUND, "There is no such printer.")
    if kind == PRINTER:
        return path, None
    values = op.get("job-id")
    if values is None:
        if kind == PRINTER_OR_JOB:
            return path, None
        raise IppError(status.BAD_REQUEST, "The request names no job.")
    if len(values) != 1 or values[0][0] != tags.INTEGER:
        raise IppError(status.BAD_REQUEST, "'job-id' is not one integer.")
    return path, values[0][1]


def _path(name, values):
    if len(values) != 1 or values[0][0] != tags.URI:
        raise IppError(status.BAD_REQUEST, "'%s' is not one URI." % name)
    parts = split_uri(values[0][1])
    if parts is None:
        raise IppError(status.BAD_REQUEST, "'%s' is not a URI of a printer." % name)
    return parts[2]


def user_name(op):
    """requesting-user-name as str, "anonymous" without one.  Raises as check_values does."""
    values = op.get("requesting-user-name")
    if values is None:
        return ANONYMOUS
    tag, value = values[0]
    if len(values) != 1 or tag not in (tags.NAME, tags.NAME_LANG):
        raise IppError(status.BAD_REQUEST, "'requesting-user-name' is not one name.")
    check_text("requesting-user-name", values)
    text = str(value[1] if tag == tags.NAME_LANG else value, "utf-8").strip()
    return text or ANONYMOUS


def check_text(name, values):
    """Text and names are UTF-8, names without control characters; collections are looked into.  Raises IppError."""
    for tag, value in values:
        if tag == tags.COLLECTION:
            for member, member_values in value:
                check_text(member, member_values)
        elif tag in (tags.TEXT, tags.NAME, tags.TEXT_LANG, tags.NAME_LANG):
            text = value[1] if tag == tags.TEXT_LANG or tag == tags.NAME_LANG else value
            try:
                str(text, "utf-8")
            except UnicodeError:
                raise IppError(status.BAD_REQUEST, "'%s' is not UTF-8." % name)
            if text and (tag == tags.NAME or tag == tags.NAME_LANG) and min(text) < 32:
                raise IppError(status.BAD_REQUEST, "'%s' has a control character." % name)


def check_values(op, syntaxes):
    """Values of the operation attributes against their syntaxes.

    syntaxes: dict name -> syntax in the registry's notation (attributes.problem).  Returns the unsupported attributes, encoded: those
    that no operation of this printer knows.  Raises IppError for a value of a wrong type, too long or out of range.
    """
    unsupported = []
    for name, values in op.items():
        syntax = syntaxes.get(name)
        if syntax is None:
            if name:
                unsupported.append(codec.attribute(tags.UNSUPPORTED, name, []))
            continue
        check_text(name, values)
        problem = attributes.problem(syntax, values)
        if problem is None or (problem == attributes.OUT_OF_RANGE and name == "job-id"):
            continue  # the operation says that there is no such job
        if problem == attributes.OUT_OF_RANGE:
            raise IppError(status.NOT_SUPPORTED, "'%s' is out of range." % name, [codec.attribute_of(name, values)])
        if problem == attributes.TOO_LONG:
            unsupported = [codec.attribute(tags.UNSUPPORTED, name, [])]
            raise IppError(status.VALUE_TOO_LONG, "'%s' is longer than its syntax allows." % name, unsupported)
        raise IppError(status.BAD_REQUEST, "'%s' has a value of another syntax, or too many." % name)
    return unsupported


def check_template(request):
    """Text of the attributes outside the operation group.  Raises IppError."""
    for tag, members in request.groups:
        if tags.OPERATION_GROUP < tag <= tags.SYSTEM_GROUP:
            for name, values in members:
                check_text(name, values)
