"""Mail servers on loopback: real ones by aiosmtpd, and a hostile one that says what a test tells it to."""

from __future__ import annotations

import asyncio
import datetime
import email
import email.policy
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from poller.model import MailServer

USER, PASSWORD = "poller", "s3cret-Passw0rd"


@dataclass
class Mail:
    """aiosmtpd's handler: keeps what it accepts. `answers` maps RCPT or DATA to an answer to give instead."""

    messages: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Any] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)
    answers: dict[str, Callable[[str], str | None]] = field(default_factory=dict)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        refusal = self.answers["RCPT"](address) if "RCPT" in self.answers else None
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        refusal = self.answers["DATA"]("") if "DATA" in self.answers else None
        if refusal is None:
            self.messages.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
            self.envelopes.append(envelope)
            self.sessions.add(id(session))
        return refusal or "250 OK"


class Weary(Mail):
    """Hangs up on a client that asks whether it is still there."""

    async def handle_NOOP(self, server: Any, session: Any, envelope: Any, arg: str) -> str:  # noqa: N802
        server.transport.abort()
        return "421 too late"


@contextmanager
def mail_server(handler: Mail, *, port: int = 0, wrap: ssl.SSLContext | None = None, **options: Any) -> Iterator[int]:
    """A real SMTP server for the block; yields its port. `wrap` is TLS from the first byte."""
    loop = asyncio.new_event_loop()
    ready: list[Any] = []
    started = threading.Event()

    def run() -> None:
        def factory() -> SMTP:
            return SMTP(handler, hostname="localhost", loop=loop, enable_SMTPUTF8=False, **options)

        ready.append(loop.run_until_complete(loop.create_server(factory, "127.0.0.1", port, ssl=wrap)))
        started.set()
        loop.run_forever()
        ready[0].close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield ready[0].sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@contextmanager
def hostile_server(behave: Callable[[socket.socket], None]) -> Iterator[tuple[int, list[bytes]]]:
    """Runs `behave` for each connection and then holds it open; yields the port and everything that was received."""
    listener = socket.create_server(("127.0.0.1", 0))
    received: list[bytes] = []
    connections: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        try:
            behave(connection)
            while chunk := connection.recv(65536):
                received.append(chunk)
        except OSError:
            pass

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1], received
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in connections:
            connection.close()


def text_of(message: EmailMessage) -> str:
    """What a mail says to people, as text."""
    part = message.get_body(("plain",))
    assert part is not None, "a mail without text"
    return str(part.get_content()).replace("\r\n", "\n")


def dead_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def login_with_password(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    good = data.login == USER.encode() and data.password == PASSWORD.encode()
    return AuthResult(success=good, handled=good)  # not handled: aiosmtpd answers 535


def settings(port: int, **fields: Any) -> MailServer:
    chosen: dict[str, Any] = {"security": "none", "timeout": 5.0, **fields}
    return MailServer(server="127.0.0.1", port=port, sender="poller@example.org", **chosen)


@dataclass(frozen=True)
class Tls:
    """An authority of its own, and a server context with a certificate by it."""

    ca_file: Path
    context: ssl.SSLContext


def make_tls(folder: Path, *, address: str = "127.0.0.1") -> Tls:
    """The certificate is for `address` alone."""
    authority, authority_key = _certificate("Test authority", None, None, ())
    certificate, key = _certificate(
        "Mail server", authority, authority_key, (x509.IPAddress(ipaddress.ip_address(address)),)
    )
    ca_file, chain = folder / "ca.pem", folder / "server.pem"
    ca_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return Tls(ca_file, context)


def _certificate(
    name: str,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey | None,
    names: tuple[x509.GeneralName, ...],
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer is None:
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    else:
        signer = issuer.public_key()
        assert isinstance(signer, ec.EllipticCurvePublicKey)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key or key, hashes.SHA256()), key
