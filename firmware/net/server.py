"""The printer's server: one task a connection, HTTP around IPP, time-outs.

Streams come from hal's Net (hal/api.Stream); client.py awaits them.  Time-outs use the wall clock: a sweeper cancels the task of a
connection whose deadline has passed, because a timer for every read would cost more than the read.
Nothing here knows an operation; firmware/ipp/dispatch.py answers, `web` serves everything outside the printer's resource paths.
"""

from firmware.ipp import codec
from firmware.ipp.checks import PLAIN, job_number
from firmware.ipp.codec import Response
from firmware.ipp.dispatch import Context
from firmware.ipp.status import BAD_REQUEST, INTERNAL_ERROR, BodyError, IppError, Refusal
from firmware.net import hosts, http1
from firmware.net.client import Body, Client
from hal import compat
from hal.compat import const

_TEXT = ("Content-Type", "text/plain; charset=utf-8")
_IPP_HEADERS = (("Content-Type", "application/ipp"), ("Cache-Control", "no-cache"))
_RETRY_AFTER_S = const(5)
_MAX_REFUSED = const(2)


class Settings:
    """Ceilings of the server, by what the machine has.

    connections: at once
    peer_connections: of one other computer; this one may have them all
    read_bytes: of one read, and so of one piece of a document
    send_bytes: what an answer may gather before it is sent; a longer one goes out in chunks
    drain_bytes: of a body that nobody wanted, read and dropped to keep the connection
    head_ms: for a whole head, or to drop such a body
    idle_ms: between requests
    body_ms: for each body_bytes of a body, waiting for the printer apart
    send_ms: until a client took an answer's piece
    linger_ms: for a refused client to finish before it is told, and once more to take the answer before the connection closes
    evict_ms: idle time after which a connection gives way to a new one when all are taken
    sweep_ms: how often deadlines are looked at
    quick_answers: how many answers are kept whole (quick.py), 0: none
    pieces_a_turn: attributes of an answer between two turns of the others
    patient: a request is worked on in steps, between which the others have a turn and garbage can go
    """

    def __init__(self, connections=4):
        self.connections = connections
        self.peer_connections = max(2, connections // 2)
        self.read_bytes = 1024
        self.send_bytes = 1024
        self.drain_bytes = 65536
        self.head_ms = 10000
        self.idle_ms = 60000
        self.body_ms = 60000
        self.body_bytes = 2048
        self.send_ms = 30000
        self.linger_ms = 2000
        self.evict_ms = 1000
        self.sweep_ms = 500
        self.quick_answers = 0
        self.pieces_a_turn = 4
        self.patient = True
        self.http = http1.Limits()
        self.ipp = codec.Limits()


def desktop_settings(connections=256):
    """Settings for a machine with memory to spare."""
    settings = Settings(connections)
    settings.read_bytes = settings.send_bytes = 65536
    settings.drain_bytes = 1 << 20
    settings.quick_answers = 64
    settings.pieces_a_turn = 64
    settings.patient = False
    settings.http = http1.Limits(8190, 32768, 100)
    settings.ipp = codec.Limits(65536, 4096)
    return settings


def _parts(piece, most, rest):
    """Generator: the piece in parts of at most so many bytes, then the rest."""
    for at in range(0, len(piece), most):
        yield piece[at : at + most]
    yield from rest


class Server:
    """dispatcher: firmware/ipp/dispatch.Dispatcher; names: container of own names and addresses, in lower case, looked at per
    request; web(request) -> None or (status, [(header, value), ...], bytes): everything but IPP; access: firmware/security/access.Access,
    or None: everybody may do everything."""

    def __init__(self, dispatcher, settings, names=(), web=None, access=None):
        self._dispatcher = dispatcher
        self._settings = settings
        self._names = names
        self._web = web
        self._access = access
        self._clients = []
        self._refused = []  # those that are told so at this moment
        self._known_host = None  # the last Host field that was ours
        self._date_s = 0
        self._date = None
        self._quick = {}  # (offers, tls, from this computer): quick.Answers

    async def run(self):
        """Task: ends connections whose deadline has passed.  Connections come by `await net.serve(server.handle)`."""
        while True:
            await compat.sleep_ms(self._settings.sweep_ms)
            now = compat.ticks_ms()
            for client in self._clients + self._refused:
                if client.deadline is not None and compat.ticks_diff(now, client.deadline) >= 0:
                    client.overdue()

    def close(self):
        """Ends all connections."""
        for client in self._clients + self._refused:
            client.overdue()

    @property
    def connections(self):
        """Number of open connections."""
        return len(self._clients)

    async def handle(self, stream, peer, tls):
        """One connection, from accept to close."""
        client = Client(stream, peer, tls, self._settings)
        if not self._has_room(client):
            await self._refuse(client)
            return
        self._clients.append(client)
        if self._settings.quick_answers and stream.at_once is not None:
            client.quick = self._quick_answers(peer, tls)  # pyright: ignore[reportAttributeAccessIssue]
        try:
            while await self._request(client):
                pass
        except (http1.HttpError, BodyError) as e:
            # an idle client is not told
            if not client.http.idle:
                await self._goodbye(client, e.status, e.message)
        except OSError:
            pass
        except compat.CancelledError:
            if not client.cancelled:
                raise
        except Exception as e:
            compat.print_exception(e)
        finally:
            self._clients.remove(client)
            client.close()

    def _quick_answers(self, peer, tls):
        from firmware.net.quick import Answers  # code that a board need not hold

        key = (PLAIN if self._access is None else self._access.offers(peer, tls), tls, hosts.is_loopback(peer))
        found = self._quick.get(key)
        if found is None:
            found = self._quick[key] = Answers(self._dispatcher.printer, self._settings.quick_answers)
        return found

    def _has_room(self, client):
        """Room for one more, in all and for its peer, if need be made by ending an idle connection."""
        peer = client.peer
        if not hosts.is_loopback(peer):
            count = 0
            for other in self._clients:
                count += other.peer == peer
            if count >= self._settings.peer_connections:
                return self._evict(peer)
        return len(self._clients) < self._settings.connections or self._evict()

    def _evict(self, peer=None):
        """Makes room by ending the connection, of a peer or of all, that has been idle longest."""
        now = compat.ticks_ms()
        victim = None
        longest = self._settings.evict_ms
        for client in self._clients:
            if client.idle_since is not None and not client.cancelled and (peer is None or client.peer == peer):
                idle = compat.ticks_diff(now, client.idle_since)
                if idle >= longest:
                    victim = client
                    longest = idle
        if victim is None:
            return False
        victim.overdue()
        return True

    async def _refuse(self, client):
        text = b"All connections are taken.\n"
        headers = [_TEXT, ("Retry-After", str(_RETRY_AFTER_S))]
        lingers = len(self._refused) < _MAX_REFUSED
        if lingers:
            self._refused.append(client)
        try:
            await client.send(http1.head(503, headers, len(text), False) + text)
            if lingers:
                await client.linger()
        except OSError:
            pass
        finally:
            if lingers:
                self._refused.remove(client)
            client.close()

    # One request

    async def _request(self, client):
        """Reads and answers one request.  True when the connection goes on."""
        http = client.http
        request = await client.head()
        if request is None:
            return False
        status = self._check(request)
        if status:
            return await self._plain(client, request, status)
        try:
            if self._access is not None:
                self._access.check_transport(request, client.peer, client.tls)
            if request.method == "POST" and self._is_printer(request.path):
                return await self._ipp(client, request)
        except Refusal as e:
            return await self._refusal(client, request, e)
        if self._is_printer(request.path):
            allow = ("Allow", "POST, OPTIONS")
            return await self._plain(client, request, 200 if request.method == "OPTIONS" else 405, [allow])
        allow = ("Allow", "GET, HEAD, OPTIONS")
        if request.method == "OPTIONS":
            return await self._plain(client, request, 200, [allow])
        page = self._web(request) if self._web is not None else None
        if page is None:
            return await self._plain(client, request, 404)
        if request.method not in ("GET", "HEAD"):
            return await self._plain(client, request, 405, [allow])
        status, headers, body = page
        keep = self._keeps(request, http)
        head = http1.head(status, self._dated(headers), len(body) if status != 304 else -1, keep)
        await client.send(head if request.method == "HEAD" or status == 304 else head + body)
        return await self._finish(client, keep)

    def _check(self, request):
        """HTTP status of a request that is refused whatever it asks for, or 0."""
        host = request.host
        if host is None:
            if request.version == (1, 1):
                return 400
        elif host != self._known_host:
            if not hosts.allowed(host, self._names):
                return 400
            self._known_host = host
        encoding = request.headers.get("content-encoding")
        if encoding is not None and encoding.lower() != b"identity":
            return 415
        if not request.has_body and request.method in ("POST", "PUT", "PATCH"):
            return 411
        return 0

    def _is_printer(self, path):
        for printer in self._dispatcher.paths:
            if path == printer:
                return True
            if path.startswith(printer + "/") and job_number(path[len(printer) + 1 :]) is not None:
                return True
        return False

    async def _ipp(self, client, request):
        kind = request.headers.get("content-type", b"").split(b";")[0].strip().lower()
        if kind != b"application/ipp":
            return await self._plain(client, request, 415)
        access = self._access
        identity = None
        if access is not None:
            # before the body is asked for: what is wrong already needs no document
            identity = await access.identify(request.headers.get("authorization"), client.peer, client.tls)
        decoder = codec.Decoder(self._settings.ipp)
        body = Body(client, request)
        error = None
        try:
            while True:
                piece = await body.read()
                if not piece:
                    decoder.end()
                if decoder.feed(piece):
                    break
        except IppError as e:
            error = e
        message = decoder.request
        if message is None:
            return await self._plain(client, request, 400)
        body.rest = decoder.rest
        decoder = None
        host = request.host if request.host is not None else b"localhost"
        ctx = Context(client.peer, client.tls, str(host, "utf-8"), body)
        ctx.patient = self._settings.patient
        if access is not None and identity is not None:
            ctx.identified(identity.name, identity.role)
            ctx.offers = access.offers(client.peer, client.tls)
        keep_answer = client.quick.learn(client.begun, request, message) if client.quick is not None and error is None else None
        response = await self._dispatcher.answer(ctx, message, error)
        if access is not None:
            access.note(ctx, response.status)
        keep = self._keeps(request, client.http)
        if keep and response.status >= BAD_REQUEST and client.http.left != 0:
            # some clients miss an answer that comes while they send
            keep = await client.drain_body(self._settings.linger_ms)
        await ctx.turn()
        version = self._dispatcher.version(message)
        keep = await self._send_ipp(client, request, response, version, message.request_id, keep, keep_answer)
        return await self._finish(client, keep)

    async def _send_ipp(self, client, request, response, version, request_id, keep, keep_answer=None):
        """Sends an answer in one piece when it is small, else chunk by chunk.  True when the connection may go on.

        keep_answer: told of an answer in one piece (quick.Answers.learn), or None."""
        limit = self._settings.send_bytes
        headers = self._dated(_IPP_HEADERS)
        out = []
        size = 0
        count = 0
        chunked = None
        pieces = response.pieces(version, request_id)
        while True:
            try:
                piece = next(pieces, None)
            except Exception as e:
                compat.print_exception(e)
                if chunked is not None:
                    return False
                pieces = Response(INTERNAL_ERROR, "The printer failed; its log says more.").pieces(version, request_id)
                out = []
                size = 0
                continue
            if piece is None:
                break
            if len(piece) > limit:
                # what is kept encoded may be longer than a small heap has room for once more
                pieces = _parts(piece, limit, pieces)
                continue
            out.append(piece)
            size += len(piece)
            count += 1
            if count % self._settings.pieces_a_turn == 0:
                # a list of a thousand jobs must not hold up the machine
                await compat.sleep_ms(0)
            if size >= limit:
                if chunked is None:
                    chunked = request.version == (1, 1)
                    # without chunks only the end of the connection says where the answer ends
                    keep = keep and chunked
                    await client.send(http1.head(200, headers, None, keep, request.version))
                data = b"".join(out)
                await client.send(http1.chunk(data) if chunked else data)
                out = []
                size = 0
        if chunked is None:
            out.insert(0, http1.head(200, headers, size, keep, request.version))
        elif chunked:
            if size:
                out = [http1.chunk(b"".join(out))]
            out.append(http1.LAST_CHUNK)
        data = b"".join(out)
        if keep_answer is not None and chunked is None and keep:
            keep_answer(data, response)
        await client.send(data)
        return keep

    async def _plain(self, client, request, status, headers=()):
        """Answers with a sentence, or nothing to 200."""
        text = b"" if status == 200 else b"%d\n" % status
        keep = self._keeps(request, client.http)
        head = http1.head(status, self._dated([_TEXT] + list(headers)), len(text), keep, request.version)
        await client.send(head if request.method == "HEAD" else head + text)
        return await self._finish(client, keep)

    async def _refusal(self, client, request, refusal):
        keep = self._keeps(request, client.http)
        if keep and client.http.left != 0:
            # as with IPP's errors: some clients miss an answer that comes while they send
            keep = not request.expect_continue and await client.drain_body(self._settings.linger_ms)
        if not keep:
            request.keep_alive = False
        return await self._plain(client, request, refusal.status, refusal.headers)

    async def _goodbye(self, client, status, message):
        """The last answer of a connection whose message boundary is lost."""
        text = (message + "\n").encode()
        try:
            await client.send(http1.head(status, self._dated([_TEXT]), len(text), False) + text)
            await client.linger()
        except OSError:
            pass

    def _keeps(self, request, http):
        """True when the connection can go on after this answer."""
        left = http.left
        if http.broken or (left is not None and left > self._settings.drain_bytes):
            return False
        if request.expect_continue and left != 0:
            return False
        return request.keep_alive

    async def _finish(self, client, keep):
        """Reads what is left of the body.  True when the next request may begin."""
        if not keep:
            if client.http.left != 0:
                await client.linger()
            return False
        if not await client.drain_body(self._settings.head_ms):
            await client.linger()
            return False
        client.http.next_request()
        return True

    def _dated(self, headers):
        now = compat.unix_s()
        if now is None:
            return headers
        if now != self._date_s:
            self._date_s = now
            self._date = ("Date", http1.date(now))
        return list(headers) + [self._date]
