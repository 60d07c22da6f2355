"""Who a client is and what it may do: the one place that decides, for HTTP and for IPP.

A peer on this computer that does not say who it is has every role, unless credentials are required; everybody else is nobody until an
authenticator (basic.py; others join by the same interface) says otherwise.  Credentials and everything from the network are taken
over TLS only.  Refusals that HTTP has a status for are `status.Refusal`, the others IppError.

Failed attempts are counted by peer; one that has failed too often waits, longer each time.  No I/O here but the log.
"""

from firmware.ipp.checks import PLAIN
from firmware.ipp.status import NOT_AUTHORIZED, OK_CONFLICTING, IppError, Refusal
from firmware.net import hosts
from firmware.security import roles
from hal.compat import const, ticks_diff, ticks_ms

_FREE_FAILURES = const(5)
_FIRST_WAIT_MS = const(1000)
_LONGEST_WAIT_MS = const(60000)
_FORGET_MS = const(600000)  # a peer that has not failed for so long begins anew
_PEERS_MAX = const(64)

UPGRADE = [("Upgrade", "TLS/1.2, HTTP/1.1"), ("Connection", "Upgrade")]  # RFC 2817 section 4.2


class Identity:
    """name: str, or None for somebody who did not say; role: of roles."""

    def __init__(self, name, role):
        self.name = name
        self.role = role


class Access:
    """accounts: Accounts; authenticators: list, in order of preference; tls: connections can be encrypted; required: everybody needs
    credentials; log(text): told of failed attempts and of what operators and administrators do."""

    def __init__(self, accounts, authenticators, tls, required=False, log=None):
        self._accounts = accounts
        self._authenticators = authenticators
        self._tls = tls
        self._required = required
        self._log = log
        self._attempts = Attempts()
        self._challenges = [("WWW-Authenticate", authenticator.challenge) for authenticator in authenticators]
        self._nobody = Identity(None, roles.NONE)
        self._local = Identity(None, roles.ADMINISTRATOR)
        trusting = ("ipps", "tls", "requesting-user-name")
        self._trusting = (trusting,)
        self._trusting_plain = (trusting, PLAIN[0])
        self._asking = tuple([("ipps", "tls", authenticator.keyword) for authenticator in authenticators])

    def _trusts(self, peer):
        return not self._required and hosts.is_loopback(peer)

    def offers(self, peer, tls):
        """Context.offers of a connection: how this peer may reach the printer."""
        if not self._tls:
            return PLAIN
        if not self._trusts(peer):
            return self._asking
        return self._trusting if tls else self._trusting_plain

    def check_transport(self, request, peer, tls):
        """Raises Refusal when nothing is to be had without TLS."""
        if tls or hosts.is_loopback(peer):
            return
        if request.method in ("GET", "HEAD") and request.host is not None:
            query = "?" + request.query if request.query else ""
            raise Refusal(301, [("Location", "https://" + str(request.host, "utf-8") + request.path + query)])
        raise Refusal(426, UPGRADE)

    async def identify(self, authorization, peer, tls):
        """The Identity of a request.  authorization: the field's value as bytes, or None.  Raises Refusal."""
        if authorization is None:
            return self._local if self._trusts(peer) else self._nobody
        if not tls:
            raise Refusal(426, UPGRADE)
        scheme, _, credentials = authorization.partition(b" ")
        scheme = scheme.lower()
        credentials = credentials.strip()
        for authenticator in self._authenticators:
            if authenticator.scheme == scheme:
                break
        else:
            raise Refusal(401, self._challenges)
        account = authenticator.recall(credentials)
        if account is None:
            # counted before it is looked at, or a hundred at once would be one
            wait_ms = self._attempts.begin(peer)
            if wait_ms:
                raise Refusal(429, [("Retry-After", str(wait_ms // 1000 + 1))])
            account = await authenticator.identify(credentials)
            if account is None:
                self._told("%s failed to say who it is (%s)" % (peer, authenticator.keyword))
                raise Refusal(401, self._challenges)
            self._attempts.succeeded(peer)
        return Identity(account.name, account.role)

    def authorize(self, ctx):
        """Dispatcher's hook: may ctx.auth_user, with ctx.role, do this?  Raises Refusal, IppError."""
        need = roles.minimum(ctx.request.operation)
        role = ctx.role
        if role >= need:
            others = ctx.job is not None and ctx.job.user != ctx.user and not _only_looks(ctx.request.operation)
            if role >= roles.OPERATOR or not others:
                return
        if role != roles.NONE:
            raise IppError(NOT_AUTHORIZED, "This needs the role of %s." % roles.NAMES[max(need, roles.OPERATOR)])
        if not ctx.tls:
            raise Refusal(426, UPGRADE)
        if need == roles.ADMINISTRATOR and not self._accounts.has_administrator():
            raise Refusal(403)
        raise Refusal(401, self._challenges)

    def note(self, ctx, code):
        """Writes down what an operator or an administrator did, and with which status code."""
        if self._log is None or ctx.request is None or roles.minimum(ctx.request.operation) < roles.OPERATOR:
            return
        who = "%r" % ctx.user if ctx.auth_user is not None else "%r (not verified)" % ctx.user
        result = "done" if code <= OK_CONFLICTING else "refused"
        self._told("%s, %s: operation 0x%04X %s (0x%04X)" % (ctx.peer, who, ctx.request.operation, result, code))

    def _told(self, text):
        if self._log is not None:
            self._log(text)


def _only_looks(operation):
    # Get-Job-Attributes, Get-Document-Attributes, Get-Documents
    return operation in (0x09, 0x34, 0x35)


class Attempts:
    """Failed attempts by peer."""

    def __init__(self):
        self._peers = {}  # network: [failures, ticks of the last one]

    def begin(self, peer):
        """0 when the peer may try now, and the try counts as failed until succeeded(); else how many ms it has to wait."""
        network = _network(peer)
        now = ticks_ms()
        entry = self._peers.get(network)
        if entry is not None:
            since_ms = ticks_diff(now, entry[1])
            if since_ms < 0 or since_ms > _FORGET_MS:
                entry = None
            elif entry[0] >= _FREE_FAILURES:
                wait_ms = min(_FIRST_WAIT_MS << min(entry[0] - _FREE_FAILURES, 10), _LONGEST_WAIT_MS)
                if since_ms < wait_ms:
                    return wait_ms - since_ms
        if entry is None:
            self._peers.pop(network, None)
            while len(self._peers) >= _PEERS_MAX:
                self._peers.pop(self._oldest(now))
            self._peers[network] = [1, now]
        else:
            entry[0] += 1
            entry[1] = now
        return 0

    def succeeded(self, peer):
        self._peers.pop(_network(peer), None)

    def _oldest(self, now):
        oldest = None
        longest_ms = 0
        for network, entry in self._peers.items():
            age_ms = ticks_diff(now, entry[1])
            if oldest is None or age_ms > longest_ms:
                longest_ms = age_ms
                oldest = network
        return oldest


def _network(peer):
    """Who counts as one: an IPv4 address, an IPv6 network (of 64 bits, when written out)."""
    return ":".join(peer.split(":")[:4]) if ":" in peer else peer
