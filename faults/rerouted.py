"""N1 beyond mail: webhooks and commands that are slow, dead, unwilling or false, and the channel after them."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from faults import canned
from faults.deliveries import MINUTE_MS, START_MS
from faults.journals import ask
from faults.lab import Lab
from poller.model import ChannelSettings, Config, Contact, Secret
from poller.notify.channels import open_channels
from poller.notify.deliver import deliver
from poller.notify.grouping import Grouping
from poller.store import Journal
from tests.notify.servers import Mail, Tls, dead_port, hostile_server, mail_server
from tests.notify.web import Site, answering, web_server

PATIENCE: Final = 1.0
NAMES: Final = ("web1", "web2")
KEY, TOKEN = "k3y-of-the-hook", "t0ken-in-the-path"
_PASS_SECONDS: Final = 5


@dataclass
class Place:
    """Where a webhook points; `heard` is what its server was sent, however little it made of it."""

    url: str
    heard: Callable[[], bytes] = field(default=lambda: b"")


Server = Callable[[Tls, Tls], AbstractContextManager[Place]]


@contextmanager
def _dead(right: Tls, wrong: Tls) -> Iterator[Place]:
    yield Place(f"http://127.0.0.1:{dead_port()}/{TOKEN}")


def _drips(connection: Any) -> None:
    """An answer that never comes to its end, though each of its bytes is in time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        connection.sendall(b".")
        time.sleep(PATIENCE / 4)


def _playing(behave: Callable[[Any], None]) -> Server:
    @contextmanager
    def server(right: Tls, wrong: Tls) -> Iterator[Place]:
        with hostile_server(behave) as (port, received):
            yield Place(f"http://127.0.0.1:{port}/{TOKEN}", lambda: b"".join(received))

    return server


def _saying(status: int, **headers: str) -> Server:
    @contextmanager
    def server(right: Tls, wrong: Tls) -> Iterator[Place]:
        with web_server(answering(status, b"no", **headers)) as site:
            yield Place(site.url(f"/{TOKEN}"), lambda: b"".join(one.body for one in site.requests))

    return server


@contextmanager
def _false(right: Tls, wrong: Tls) -> Iterator[Place]:
    """TLS with a certificate by somebody else: nothing at all may be said to it."""
    with web_server(Site(), tls=wrong.context) as site:

        def heard() -> bytes:
            assert not site.requests, "a request to a server with a false certificate"
            return b""

        yield Place(site.url(f"/{TOKEN}"), heard)


KEPT: Final[dict[str, Server]] = {
    "dead": _dead,
    "silent": _playing(lambda connection: None),
    "drips": _playing(_drips),
    "429": _saying(429),
    "500": _saying(500),
    "503": _saying(503),
    "false certificate": _false,
}
# A redirect is not followed: it would take the message, and its signature, to who knows whom.
REFUSED: Final[dict[str, Server]] = {
    "301": _saying(301, Location="/elsewhere"),
    "404": _saying(404),
    "410": _saying(410),
}
# A command's last words, and whether what it was told is kept for it.
COMMANDS: Final[dict[str, tuple[str, bool]]] = {
    "exit 75": ("exit 75", True),
    "hangs": ("sleep 60", True),
    "exit 1": ("echo no >&2; exit 1", False),
    "killed": ("kill -9 $$", False),
}


def rerouted(lab: Lab, right: Tls, wrong: Tls) -> str:
    """A contact with a webhook and then a command; and one with a command and then a webhook."""
    stage = _Stage(lab, right, wrong)
    for name, server in {**KEPT, **REFUSED}.items():
        stage.webhook(name, server, kept=name in KEPT)
    for name, (words, later) in COMMANDS.items():
        stage.command(name, words, kept=later)
    stage.nobody()
    assert stage.longest < PATIENCE + 3 and stage.told < 60
    late = _patient(lab)
    kept = len(KEPT) + sum(later for _, later in COMMANDS.values())
    others = len(REFUSED) + len(COMMANDS) + len(KEPT) - kept
    return (
        f"webhook and command: {len(KEPT) + len(REFUSED) + len(COMMANDS)} troubles, rounds <= {stage.longest:.1f} s, "
        f"{kept} kept and told <= {stage.told:.1f} s after the return, {others} told by the other channel in the same "
        f"round; passes each {_PASS_SECONDS} s: told {late:.0f} s after the return"
    )


class _Stage:
    """`longest` round and `told` after a return, in seconds."""

    def __init__(self, lab: Lab, right: Tls, wrong: Tls) -> None:
        self._lab, self._right, self._wrong = lab, right, wrong
        self.longest = self.told = 0.0
        self._key = lab.folder("hook-secret") / "hook.key"
        self._key.touch(0o600)
        self._key.write_text(lab.secret(KEY))
        before = os.environ.get("SSL_CERT_FILE")
        lab.ends(lambda: _environment("SSL_CERT_FILE", before))
        _environment("SSL_CERT_FILE", str(right.ca_file))

    def webhook(self, name: str, server: Server, *, kept: bool) -> None:
        config = self._config(f"hook-{name}", ("hook", "wall"))
        wall = self._wall(config)
        with server(self._right, self._wrong) as place:
            self._round(config, place.url, f"cat > {wall}")
            assert KEY.encode() not in place.heard(), f"{name}: the secret went out"
        self._judge(config, name, kept=kept)
        assert wall.exists() != kept, f"{name}: the other channel"
        with web_server(Site(), tls=self._right.context) as back:
            self._return(config, back.url(f"/{TOKEN}"), f"cat > {wall}")
            assert len(back.requests) == kept, f"{name}: {len(back.requests)} messages when it is back"
        _complete(back.requests[0].body if kept else wall.read_bytes(), name)

    def command(self, name: str, words: str, *, kept: bool) -> None:
        config = self._config(f"command-{name}", ("wall", "hook"))
        wall = self._wall(config)
        with web_server(Site(), tls=self._right.context) as site:
            self._round(config, site.url(f"/{TOKEN}"), words)
            self._judge(config, name, kept=kept)
            assert len(site.requests) == (not kept), f"{name}: the other channel"
            self._return(config, site.url(f"/{TOKEN}"), f"cat > {wall}")
            assert wall.exists() == kept, f"{name}: when it is back"
            _complete(wall.read_bytes() if kept else site.requests[0].body, name)

    def nobody(self) -> None:
        """All channels refuse for good: that is on record as failed, which `poller.undelivered` counts."""
        config = self._config("nobody", ("hook", "wall"))
        with web_server(answering(410)) as site:
            self._round(config, site.url(f"/{TOKEN}"), "exit 1")
        states = ask(config.journal, "SELECT state, channel, count(*) FROM notification GROUP BY 1, 2")
        assert states == [("failed", "wall", len(NAMES))], states

    def _config(self, name: str, channels: tuple[str, ...]) -> Config:
        folder = self._lab.folder(name.replace(" ", "-"))
        contacts = (Contact("ops", channels=channels),)
        return replace(canned.configuration(folder, 0, NAMES, contacts=contacts), mail=None)

    @staticmethod
    def _wall(config: Config) -> Path:
        return config.path.parent / "wall"

    def _with(self, config: Config, url: str, words: str) -> Config:
        hook = ChannelSettings("hook", "webhook", address=url, secret=Secret("file", str(self._key)), timeout=PATIENCE)
        wall = ChannelSettings("wall", "command", command=("/bin/sh", "-c", words), timeout=PATIENCE)
        return replace(config, channels=(hook, wall))

    def _round(self, config: Config, url: str, words: str) -> None:
        begun = time.monotonic()
        canned.a_round(self._with(config, url, words), 90.0)
        self.longest = max(self.longest, time.monotonic() - begun)

    def _return(self, config: Config, url: str, words: str) -> None:
        begun = time.monotonic()
        canned.a_round(self._with(config, url, words), 90.0)
        self.told = max(self.told, time.monotonic() - begun)
        states = ask(config.journal, "SELECT DISTINCT state FROM notification")
        assert states == [("delivered",)], f"{config.path.parent.name}: {states}"

    def _judge(self, config: Config, name: str, *, kept: bool) -> None:
        polls = ask(config.journal, "SELECT count(*) FROM poll WHERE outcome = 'ok'")
        assert polls == [(len(NAMES),)], f"{name}: polls suffer"
        rows = ask(config.journal, "SELECT DISTINCT state, error FROM notification")
        assert [state for state, _ in rows] == ["owed" if kept else "delivered"], f"{name}: {rows}"
        assert TOKEN not in str(rows) and KEY not in str(rows), f"{name}: a secret is on record"


def _environment(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _complete(body: bytes, name: str) -> None:
    told = {one["alert"]["host"] for one in json.loads(body)["notifications"]}
    assert told == set(NAMES), f"{name}: only {told}"


def _patient(lab: Lab) -> float:
    """A process that tries again and again, by a clock of ours: the server is away for most of an hour. The seconds
    from its return until people are told.
    """
    inbox = Mail(answers={"RCPT": lambda address: "451 not now"})
    tries: list[int] = []
    with mail_server(inbox) as port:
        config = canned.configuration(lab.folder("patient"), port, NAMES)
        canned.a_round(config, 90.0, at_ms=START_MS)
        back_ms = START_MS + lab.size(short=10, full=50) * MINUTE_MS
        with closing(Journal.open(config.journal, now_ms=START_MS)) as journal:
            for at_ms in range(START_MS, back_ms + 2 * MINUTE_MS, _PASS_SECONDS * 1000):
                if at_ms >= back_ms:
                    inbox.answers.clear()
                outbox = journal.outbox()
                with open_channels(config, threading.Event()) as channels:
                    grouping = Grouping(30.0, 300.0, outbox.last_sent())
                    done = deliver(outbox, config, channels, at_ms, grouping=grouping)
                outbox.close()
                tries += [at_ms] if done.errors else []
                if done.sent:
                    waits = [later - earlier for earlier, later in pairwise(tries)]
                    assert max(waits) <= MINUTE_MS, f"{max(waits) / 1000:g} s between two tries"
                    assert len(tries) <= (back_ms - START_MS) / MINUTE_MS + 4, f"{len(tries)} tries are a storm"
                    assert at_ms - back_ms <= MINUTE_MS, f"told {(at_ms - back_ms) / 1000:g} s after the return"
                    return (at_ms - back_ms) / 1000
    raise AssertionError("never told")
