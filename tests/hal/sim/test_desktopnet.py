"""TLS and plain text at one port, and what comes that is neither."""

import asyncio
import os
import socket
import ssl
import stat

import pytest

from hal.errors import HalError
from hal.sim import desktopnet
from hal.sim.desktopnet import DesktopNet
from tools import certificates


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tmp_path_factory.mktemp("certificate"))


def trusting(**options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for name, value in options.items():
        setattr(context, name, value)
    return context


def serving(folder, client, handler=None):
    """Runs client(net) while a net with TLS serves, and looks that nothing is left over."""

    async def echo(stream, peer, tls):
        while data := await stream.read(100):
            stream.write(data + (b" tls" if tls else b" plain"))
            await stream.drain()

    async def main():
        net = DesktopNet(("127.0.0.1",), 0, lambda: certificates.context(folder))
        assert net.tls
        await net.serve(handler or echo)
        try:
            await asyncio.wait_for(client(net), 30)
        finally:
            net.close()
        for _ in range(300):
            if not net._waiting and not net._tasks:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("left over: %r %r" % (net._waiting, net._tasks))

    asyncio.run(main())


async def says(net, data, context=None):
    """What comes back until the other side says no more (or, to good data, at once)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", net.port, ssl=context)
    writer.write(data)
    try:
        return await reader.read(1000)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def test_both_at_one_port(folder):
    async def client(net):
        for _ in range(3):
            assert await says(net, b"hello") == b"hello plain"
            assert await says(net, b"hello", trusting()) == b"hello tls"

    serving(folder, client)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions(folder, version):
    async def client(net):
        reader, writer = await asyncio.open_connection("127.0.0.1", net.port, ssl=trusting(maximum_version=version))
        assert writer.get_extra_info("ssl_object").version() == version.name.replace("v1_", "v1.")
        writer.write(bytes(70000))
        assert await reader.readexactly(100) == bytes(100)
        writer.close()

    serving(folder, client)


def test_old_versions_are_refused(folder):
    async def client(net):
        with pytest.warns(DeprecationWarning):
            old = trusting(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.raises(OSError):
            await says(net, b"hello", old)
        assert await says(net, b"hello", trusting()) == b"hello tls"

    serving(folder, client)


@pytest.mark.parametrize("rubbish", [b"\x16", b"\x16\x03\x01\x00\x05hello", b"\x16" * 5000, b"\x16\x03\x01\xff\xff" + bytes(70000)])
def test_rubbish_instead_of_a_handshake(folder, rubbish, caplog):
    async def client(net):
        reader, writer = await asyncio.open_connection("127.0.0.1", net.port)
        writer.write(rubbish)
        writer.write_eof()
        try:
            assert b"plain" not in await reader.read()
        except ConnectionError:
            pass
        writer.close()
        assert await says(net, b"hello", trusting()) == b"hello tls"

    serving(folder, client)
    assert not caplog.records, caplog.text


def test_one_that_hangs_up_silently(folder):
    async def client(net):
        for _ in range(10):
            _, writer = await asyncio.open_connection("127.0.0.1", net.port)
            writer.close()
        assert await says(net, b"hello") == b"hello plain"

    serving(folder, client)


def test_silent_ones_and_slow_handshakes_have_their_time(folder, monkeypatch):
    monkeypatch.setattr(desktopnet, "_FIRST_BYTE_S", 0.2)
    monkeypatch.setattr(desktopnet, "_HANDSHAKE_S", 0.2)

    async def client(net):
        for data in (b"", b"\x16\x03"):
            assert await says(net, data) == b""

    serving(folder, client)


def test_the_peer_with_the_most_loses_its_oldest(folder, monkeypatch):
    monkeypatch.setattr(desktopnet, "_WAITING_MAX", 10)

    async def client(net):
        loop = asyncio.get_running_loop()
        links = []
        # another address of this computer
        for source in ["127.0.0.2"] * 3 + ["127.0.0.1"] * 12:
            link = socket.create_connection(("127.0.0.1", net.port), source_address=(source, 0))
            link.setblocking(False)
            links.append(link)
            await asyncio.sleep(0.01)
        for i, link in enumerate(links):
            if 3 <= i < 8:
                assert await loop.sock_recv(link, 100) == b"", i
            else:
                await loop.sock_sendall(link, b"hello")
                assert await loop.sock_recv(link, 100) == b"hello plain", i
            link.close()

    serving(folder, client)


def test_a_rush_of_handshakes_waits_its_turn(folder, monkeypatch):
    monkeypatch.setattr(desktopnet, "_BURST", 2)
    started = []
    start = desktopnet._Waiting.start

    def noted(waiting, context):
        if context is not None:
            started.append(len(waiting._net._queue))
        start(waiting, context)

    monkeypatch.setattr(desktopnet._Waiting, "start", noted)

    async def client(net):
        assert await asyncio.gather(*[says(net, b"hello", trusting()) for _ in range(8)]) == [b"hello tls"] * 8

    serving(folder, client)
    assert len(started) == 8 and max(started) > 0


def test_open_connections_outlive_the_listener(folder):
    async def client(net):
        reader, writer = await asyncio.open_connection("127.0.0.1", net.port, ssl=trusting())
        silent, other = await asyncio.open_connection("127.0.0.1", net.port)
        await asyncio.sleep(0.05)
        net.close()
        writer.write(b"hello")
        assert await reader.read(100) == b"hello tls"
        assert await silent.read() == b""
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", net.port)
        writer.close()
        other.close()

    serving(folder, client)


# Certificates


def test_key_and_certificate_are_made_once_and_private(tmp_path):
    folder = str(tmp_path / "state")
    paths = certificates.ensure(folder)
    before = [open(path, "rb").read() for path in paths]
    for path in paths:
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert certificates.ensure(folder) == paths and [open(path, "rb").read() for path in paths] == before
    os.remove(paths[0])
    certificates.ensure(folder)
    assert [open(path, "rb").read() == old for path, old in zip(paths, before)] == [False, False]


def test_what_the_certificate_says(tmp_path):
    from cryptography import x509

    path, _ = certificates.ensure(str(tmp_path))
    found = x509.load_pem_x509_certificate(open(path, "rb").read())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert "127.0.0.1" in [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    assert found.public_key().curve.name == "secp256r1"


@pytest.mark.parametrize("name", [certificates.KEY, certificates.CERTIFICATE])
def test_broken_files_are_told(tmp_path, name):
    certificates.ensure(str(tmp_path))
    (tmp_path / name).write_text("rubbish")
    with pytest.raises(HalError, match="remove both"):
        certificates.context(str(tmp_path))
