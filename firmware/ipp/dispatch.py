"""From a decoded request to its answer: checks once, one handler per operation, every failure a status code.

No I/O here: the body is read by handlers through `ctx.body`, the answer is sent by firmware/net/server.py.
"""

from firmware.ipp import checks, status
from firmware.ipp.checks import PLAIN
from firmware.ipp.codec import Response
from firmware.ipp.status import BodyError, IppError, Refusal
from firmware.security.roles import OPERATOR
from hal import compat


class Context:
    """What a handler knows of a request.

    peer: address; tls: bool; host: the Host field as str (a name or address of this printer, with its port); auth_user: authenticated
    name or None; role: of firmware/security/roles; offers: ((uri scheme, uri-security, uri-authentication), ...), the ways this client
    may reach the printer; body: `async readinto(buf) -> n`, 0 at the end, `async read() -> bytes-like`, b"" at the end, valid until
    the next call; both raise BodyError when the client vanishes, is too slow or breaks its framing.

    From the request: `request` (codec.Request), `op` {name: [(tag, value), ...]}, `job` (the target job or None), `user` (str), `uri`
    (scheme, host, path): how the client reached the printer, for URIs in answers; `printer`; `unsupported`: encoded attributes that
    go into the answer's unsupported group whatever the handler answers.
    """

    def __init__(self, peer, tls, host, body, auth_user=None):
        self.peer = peer
        self.tls = tls
        self.host = host
        self.body = body
        self.auth_user = auth_user
        self.role = 0
        self.sees_all = True
        self.offers = PLAIN
        self.request = None
        self.op = None
        self.job = None
        self.user = auth_user or checks.ANONYMOUS
        self.uri = None
        self.printer = None
        self.unsupported = []
        self.patient = False  # as in net/server.Settings

    async def turn(self):
        """Gives the others a turn, where memory is short."""
        if self.patient:
            await compat.sleep_ms(0)

    def identified(self, name, role):
        """Says who the client is: an authenticated name or None, and a role."""
        self.auth_user = name
        self.role = role
        self.sees_all = role >= OPERATOR
        if name is not None:
            self.user = name

    def hides(self, job):
        """True when the client may not know whose that job is and what it is called: it is neither its owner nor an operator."""
        return not self.sees_all and job.user != self.user

    def group(self, tag):
        """Attributes [(name, values), ...] of the request's first group `tag`; [] without one."""
        return (self.request and self.request.group(tag)) or []


class Dispatcher:
    """operations: dict operation-id -> (async handler(ctx) -> Response, PRINTER | JOB | PRINTER_OR_JOB); printer: handed to
    handlers; find_job(id) -> job or None; syntaxes: dict of operation attributes (checks.check_values); versions: ascending list of
    (major, minor); paths: tuple of resource paths; authorize(ctx): raises IppError or Refusal, or None."""

    def __init__(self, operations, printer, find_job, syntaxes, versions=((1, 1), (2, 0)), paths=("/ipp/print3d",), authorize=None):
        self.operations = operations
        self.printer = printer
        self.find_job = find_job
        self.syntaxes = syntaxes
        self.versions = versions
        self.paths = paths
        self.authorize = authorize

    def version(self, request):
        """The version of the answer."""
        return checks.answer_version(request.version, self.versions)

    async def answer(self, ctx, request, error=None):
        """The Response to a request.

        error: the IppError that the decoder raised, when the attributes are not complete; a wrong version or operation is
        answered before it.  Raises only BodyError, which leaves nobody to answer, Refusal and compat.CancelledError.
        """
        ctx.request = request
        ctx.printer = self.printer
        try:
            checks.check_header(request, self.operations)
            if error is not None:
                raise error
            await ctx.turn()
            entry = self.operations[request.operation]  # which may be loaded for it
            await ctx.turn()
            handler = self._check(ctx, request, entry)
            await ctx.turn()
            response = await handler(ctx)
        except IppError as e:
            response = Response(e.status, e.message)
            response.unsupported.extend(e.unsupported)
        except (BodyError, Refusal):
            raise
        except MemoryError as e:
            compat.collect()
            compat.print_exception(e)
            response = Response(status.TEMPORARY_ERROR, "The printer is short of memory.")
        except Exception as e:
            compat.print_exception(e)
            response = Response(status.INTERNAL_ERROR, "The printer failed; its log says more.")
        if ctx.unsupported:
            response.unsupported = ctx.unsupported + response.unsupported
            if response.status == status.OK:
                response.status = status.OK_IGNORED
        return response

    def _check(self, ctx, request, entry):
        handler, kind = entry[:2]
        op = ctx.op = checks.operation_attributes(request)
        path, job_id = checks.target(op, kind, self.paths)
        ctx.uri = ("ipps" if ctx.tls else "ipp", ctx.host, path)
        if job_id is not None:
            ctx.job = self.find_job(job_id)
            if ctx.job is None:
                raise IppError(status.NOT_FOUND, "There is no job %d." % job_id)
        name = checks.user_name(op)
        if ctx.auth_user is None:
            ctx.user = name
        if self.authorize is not None:
            self.authorize(ctx)
        ctx.unsupported.extend(checks.check_values(op, self.syntaxes))
        checks.check_template(request)
        return handler
