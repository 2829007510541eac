"""N1: mail servers that are down, silent, unwilling or false, and what is owed meanwhile.

Everybody has a webhook as well: it is told at once what the mail server refuses for good, and nothing else.
"""

from __future__ import annotations

import base64
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from faults import canned
from faults.journals import ask
from faults.lab import Lab
from faults.rerouted import rerouted
from poller.model import ChannelSettings, Config, Contact, MailServer, Secret
from tests.notify.servers import (
    PASSWORD,
    USER,
    Mail,
    Tls,
    dead_port,
    hostile_server,
    login_with_password,
    mail_server,
    make_tls,
)
from tests.notify.web import Site, web_server

# Seconds until a server that says nothing is given up.
PATIENCE: Final = 1.0

NAMES: Final = ("web1", "web2")
EITHER: Final = Contact("ops", "ops@example.org", channels=("mail", "hook"))


@dataclass(frozen=True, slots=True)
class Trouble:
    """`server` makes one for a block: its port, and what it was sent. `kept`: for the same channel, later."""

    server: Callable[[Tls, Tls], AbstractContextManager[tuple[int, list[bytes]]]]
    security: Literal["none", "starttls"] = "none"
    kept: bool = True


@contextmanager
def _down(right: Tls, wrong: Tls) -> Iterator[tuple[int, list[bytes]]]:
    yield dead_port(), []


def _playing(behave: Callable[[socket.socket], None]) -> Callable[..., AbstractContextManager[tuple[int, list[bytes]]]]:
    return lambda right, wrong: hostile_server(behave)


def _answering(**answers: str) -> Callable[..., AbstractContextManager[tuple[int, list[bytes]]]]:
    @contextmanager
    def server(right: Tls, wrong: Tls) -> Iterator[tuple[int, list[bytes]]]:
        handler = Mail(answers={command: partial(_always, answer) for command, answer in answers.items()})
        with mail_server(handler) as port:
            yield port, []

    return server


def _always(answer: str, told: str) -> str:
    return answer


def _stripped(connection: socket.socket) -> None:
    """A server, or somebody between, that does not know STARTTLS and takes everything else."""
    connection.sendall(b"220 mail.example.org\r\n")
    while line := connection.recv(4096):
        seen.append(line)
        connection.sendall(
            b"250-mail.example.org\r\n250 AUTH PLAIN LOGIN\r\n" if line[:4] == b"EHLO" else b"250 ok\r\n"
        )


def _refusing(connection: socket.socket) -> None:
    """STARTTLS is promised, and refused."""
    connection.sendall(b"220 hello\r\n")
    seen.append(connection.recv(4096))
    connection.sendall(b"250-mail.example.org\r\n250 STARTTLS\r\n")
    seen.append(connection.recv(4096))
    connection.sendall(b"454 TLS not available\r\n")


# What the servers that play a part were sent while they did.
seen: list[bytes] = []


@contextmanager
def _false(right: Tls, wrong: Tls) -> Iterator[tuple[int, list[bytes]]]:
    """TLS with a certificate by somebody else."""
    with mail_server(Mail(), tls_context=wrong.context) as port:
        yield port, []


TROUBLES: Final[dict[str, Trouble]] = {
    "down": Trouble(_down),
    "silent": Trouble(_playing(lambda connection: None)),
    "greeting 554": Trouble(_playing(lambda connection: connection.sendall(b"554 no service for you\r\n"))),
    "4xx to RCPT": Trouble(_answering(RCPT="451 greylisted")),
    "4xx to DATA": Trouble(_answering(DATA="452 no space")),
    "421": Trouble(_answering(RCPT="421 shutting down")),
    "5xx": Trouble(_answering(RCPT="550 no such user"), kept=False),
    "STARTTLS stripped": Trouble(_playing(_stripped), "starttls"),
    "STARTTLS refused": Trouble(_playing(_refusing), "starttls"),
    "false certificate": Trouble(_false, "starttls"),
}


def unwilling(lab: Lab) -> str:
    """N1: per trouble a round that opens alerts, then one when the server is back, with TLS and a login."""
    folder = lab.folder("mail")
    right, wrong = make_tls(folder), make_tls(lab.folder("other"))
    password = folder / "password"
    password.touch(0o600)
    password.write_text(lab.secret(PASSWORD))
    kept = 0
    _quiet(lab)
    polled = delivered = 0.0
    for name, trouble in TROUBLES.items():
        config = canned.configuration(lab.folder(name.replace(" ", "-")), 0, NAMES, contacts=(EITHER,))
        seen.clear()
        with trouble.server(right, wrong) as (port, received), web_server(Site()) as hook:
            config = replace(config, channels=(ChannelSettings("hook", "webhook", address=hook.url()),))
            begun = time.monotonic()
            canned.a_round(_asking(config, port, trouble, right, password), 90.0)
            polled = max(polled, time.monotonic() - begun)
            _nothing_clear(b"".join([*received, *seen]), trouble, name)
        assert ask(config.journal, "SELECT count(*) FROM poll WHERE outcome = 'ok'") == [(2,)], f"{name}: polls suffer"
        states = {state for (state,) in ask(config.journal, "SELECT state FROM notification")}
        assert states == ({"owed"} if trouble.kept else {"delivered"}), f"{name}: {states}"
        assert len(hook.requests) == (not trouble.kept), f"{name}: {len(hook.requests)} messages by the webhook"
        begun = time.monotonic()
        messages = _back(config, right, password)
        delivered = max(delivered, time.monotonic() - begun)
        assert len(messages) == trouble.kept, f"{name}: {len(messages)} mails when the server is back"
        kept += trouble.kept
    assert polled < PATIENCE + 3 and delivered < 60
    waited = _killed_while_waiting(lab)
    others = rerouted(lab, right, wrong)
    return (
        f"mail: {len(TROUBLES)} troubles, rounds <= {polled:.1f} s, {kept} kept and told <= {delivered:.1f} s after "
        f"the return, {len(TROUBLES) - kept} (5xx) told by webhook in the same round; the next round while one waits: "
        f"{waited:.1f} s; nothing in clear text; {others}"
    )


def _nothing_clear(told: bytes, trouble: Trouble, name: str) -> None:
    """No password ever; and no word of a mail where encryption was asked for."""
    for form in (
        PASSWORD.encode(),
        base64.b64encode(PASSWORD.encode()),
        base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()),
    ):
        assert form not in told, f"{name}: the password went out in clear text"
    if trouble.security != "none":
        for word in (b"MAIL FROM", b"RCPT TO", b"Subject", b"AUTH"):
            assert word.lower() not in told.lower(), f"{name}: {word!r} went out in clear text"


def _quiet(lab: Lab) -> None:
    """What aiosmtpd logs about the clients that turn away from it is what is wanted here."""
    handler, logger = logging.NullHandler(), logging.getLogger("mail.log")
    logger.addHandler(handler)
    lab.ends(lambda: logger.removeHandler(handler))


def _asking(config: Config, port: int, trouble: Trouble, tls: Tls, password: Path) -> Config:
    login: dict[str, Any] = {}
    if trouble.security != "none":
        login = {"user": USER, "password": Secret("file", str(password)), "ca_file": tls.ca_file}
    mail = MailServer("127.0.0.1", port, "poller@example.org", security=trouble.security, timeout=PATIENCE, **login)
    return replace(config, mail=mail)


def _back(config: Config, tls: Tls, password: Path) -> list[EmailMessage]:
    """What arrives in the next round at a server that is as it should be."""
    mail = Mail()
    options: dict[str, Any] = {"tls_context": tls.context, "auth_required": True, "authenticator": login_with_password}
    with mail_server(mail, **options) as port:
        canned.a_round(_asking(config, port, Trouble(_down, "starttls"), tls, password), 90.0)
    return mail.messages


def _killed_while_waiting(lab: Lab) -> float:
    """A round hangs at a silent server; the next one polls meanwhile; kill -9; what is owed is owed. Its seconds."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        config = canned.configuration(lab.folder("waiting"), silent.getsockname()[1], NAMES, timeout=30.0)
        child = canned.started(config, 90.0)
        connection, _ = silent.accept()
        begun = time.monotonic()
        canned.a_round(config, 90.0)
        seconds = time.monotonic() - begun
        os.kill(child, signal.SIGKILL)
        assert canned.ended(child) == -signal.SIGKILL, "the first round did not wait"
        connection.close()
    assert ask(config.journal, "SELECT count(*) FROM poll") == [(4,)]
    assert ask(config.journal, "SELECT DISTINCT state FROM notification") == [("owed",)], "lost with the process"
    inbox = lab.mail()
    canned.a_round(canned.configuration(config.path.parent, inbox.port, NAMES), 90.0)
    assert len(inbox.mail.messages) == 1
    return seconds
