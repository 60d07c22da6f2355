"""The printer's key and self-signed certificate: made once, kept in a folder, loaded for TLS (RFC 7472).

Clients trust the certificate at first use, so it stays: it is made again only when its files are gone.  Names in it are for
the reader; who pins does not look at them.
"""

import datetime
import ipaddress
import os
import socket

from hal.errors import HalError

CERTIFICATE = "certificate.pem"
KEY = "key.pem"
_YEARS = 20
# ECDHE with ECDSA P-256 only, as a board has it; TLS 1.3 has suites of its own
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


def ensure(folder: str) -> tuple[str, str]:
    """(certificate, key): paths of PEM files in the folder, made when one of them is missing.  Raises HalError."""
    paths = os.path.join(folder, CERTIFICATE), os.path.join(folder, KEY)
    if not all(os.path.exists(path) for path in paths):
        try:
            os.makedirs(folder, exist_ok=True)
            certificate, key = make(own_names())
            write_private(paths[1], key)
            write_private(paths[0], certificate)
        except OSError as error:
            raise HalError("%s: cannot be written: %s" % (error.filename or folder, error.strerror)) from None
    return paths


def context(folder: str):
    """ssl.SSLContext of a server with the certificate in the folder; TLS 1.2 and 1.3.  Raises HalError."""
    import ssl

    certificate, key = ensure(folder)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.num_tickets = 0  # Debian's ipptool (CUPS 2.4) takes a session ticket for the end of the answer
    made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    made.set_ciphers(_CIPHERS)
    try:
        os.chmod(key, 0o600)
        made.load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError, too
        text = "%s and %s: cannot be used (%s); remove both to have new ones made, which clients must then trust again"
        raise HalError(text % (certificate, key, error.strerror or error)) from None
    return made


def own_names() -> list[str]:
    """Names and addresses of this computer, for subjectAltName."""
    name = socket.gethostname().split(".")[0].lower() or "localhost"
    return list(dict.fromkeys(["localhost", name, name + ".local", "127.0.0.1", "::1"]))


def make(names: list[str]) -> tuple[bytes, bytes]:
    """(certificate, key) as PEM: ECDSA P-256, valid from yesterday on, since clocks differ."""
    # takes its time to load, and is needed once
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * _YEARS))
        .add_extension(x509.SubjectAlternativeName([_general(x509, name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    certificate = builder.sign(key, hashes.SHA256())
    encoded = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(serialization.Encoding.PEM), encoded


def _general(x509, name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def write_private(path: str, data: bytes) -> None:
    """A file that only its owner reads, there wholly or not at all, and durable.  Raises OSError."""
    part = path + ".new"
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(handle, 0o600)
        os.write(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(part, path)
