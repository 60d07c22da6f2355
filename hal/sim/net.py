"""Incoming connections over asyncio streams, as every runtime has them.  Plain text only; with TLS: hal/sim/desktopnet."""

from hal.api import Net, Stream
from hal.compat import print_exception, start_server
from hal.errors import E_BUSY, HalError
from hal.files import EADDRINUSE

_BACKLOG = 128


class SimStream(Stream):
    def __init__(self, reader, writer):
        self._writer = writer
        self.read = reader.read
        self.write = writer.write
        self.drain = writer.drain
        self.at_once = getattr(reader, "at_once", None)
        if hasattr(reader, "readinto"):
            self.readinto = reader.readinto

    def close(self):
        try:
            self._writer.close()
        except OSError:
            pass

    def abort(self):
        transport = getattr(self._writer, "transport", None)
        if transport is None:
            self.close()
        else:
            transport.abort()


class SimNet(Net):
    """hosts: addresses to listen on, all at the same port; port 0: a free one.  A host that this computer lacks is left out, if
    another one works."""

    def __init__(self, hosts=("127.0.0.1",), port=8631):
        self._hosts = hosts
        self._wanted = port
        self._servers = []
        self.port = None

    async def serve(self, handler):
        self._handler = handler
        port = self._wanted
        missing = None
        for host in self._hosts:
            try:
                server = await self._listen(host, port)
            except OSError as error:
                if self._busy(error):
                    self.close()
                    text = "port %d is in use: another program listens on it, perhaps another simulated printer; choose another port"
                    raise HalError(text % port, E_BUSY)
                missing = error
                continue
            self._servers.append(server)
            port = self._port_of(server, port)
        if not self._servers:
            raise HalError("cannot listen on %s, port %d: %s" % (", ".join(self._hosts), port, missing))
        self.port = port

    async def _listen(self, host, port):
        return await start_server(self._accepted, host, port, _BACKLOG)

    def _busy(self, error):
        return error.errno == EADDRINUSE

    def _port_of(self, server, port):
        # where the runtime tells which port 0 became
        return getattr(server, "port", port)

    async def _accepted(self, reader, writer, secure=False):
        stream = SimStream(reader, writer)
        try:
            await self._handler(stream, _peer(writer), secure)
        except OSError:
            pass  # the peer is gone
        except Exception as error:
            print_exception(error)
        finally:
            stream.close()

    def close(self):
        for server in self._servers:
            server.close()
        self._servers = []


def _peer(writer):
    try:
        name = writer.get_extra_info("peername")
    except (AttributeError, OSError):
        return ""
    return name[0] if isinstance(name, tuple) and name else str(name or "")
