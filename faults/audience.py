"""Who is told in an experiment: contacts behind real servers of every kind, and what each of them heard, in order.

`ops` has mail, `net` has mail that is refused for good and then a webhook, `boss` a webhook that is gone and then a
command. What they hear is read from headers and documents, so that all kinds look alike.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from faults import canned
from faults.lab import Lab
from poller.model import ChannelSettings, Config, Contact, Secret
from tests.notify.servers import Mail, mail_server
from tests.notify.web import Answer, Site, web_server

NAMES: Final = ("ops", "net", "boss")
CONTACTS: Final = (
    Contact("ops", "ops@example.org"),
    Contact("net", "net@example.org", channels=("mail", "hook")),
    Contact("boss", channels=("gone", "wall")),
)
KEY: Final = "k3y-of-the-hook"
TOKEN: Final = "t0ken-in-the-path"


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as it was accepted, with the ids of its notifications."""

    at_ns: int
    channel: str
    contact: str
    message: str
    notifications: tuple[str, ...]


@dataclass
class _Stamped(Mail):
    """Also keeps when each mail was accepted."""

    at_ns: list[int] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        self.at_ns += [time.time_ns()] * (len(self.messages) - len(self.at_ns))
        return answer


class Audience:
    """While `away`, nobody takes anything for now."""

    def __init__(self, lab: Lab, name: str) -> None:
        self._mail = _Stamped(answers={"RCPT": self._recipient})
        self._port = lab.enter(mail_server(self._mail))
        self._at_ns: list[int] = []
        self._web = lab.enter(web_server(Site(self._answer)))
        self._folder = lab.folder(f"{name}-told")
        self._closed = lab.folder(f"{name}-secret") / "closed"
        self._key = self._closed.with_name("hook.key")
        self._key.touch(0o600)
        self._key.write_text(lab.secret(KEY))
        lab.secret(TOKEN)

    @property
    def away(self) -> bool:
        return self._closed.exists()

    @away.setter
    def away(self, away: bool) -> None:
        if away:
            self._closed.touch()
        else:
            self._closed.unlink(missing_ok=True)

    def _recipient(self, address: str) -> str | None:
        if self.away:
            return "451 not now"
        return "550 no such user" if address.startswith("net@") else None

    def _answer(self, path: str) -> Answer:
        self._at_ns.append(time.time_ns())
        if path.startswith("/gone"):
            return 404, {}, b"no such hook"
        return (503, {}, b"not now") if self.away else (200, {}, b"")

    @property
    def channels(self) -> tuple[ChannelSettings, ...]:
        part = self._folder / "part"
        keep = f'[ ! -e {self._closed} ] || exit 75; cat > {part} && mv {part} "{self._folder}/$(date +%s%N)"'
        return (
            ChannelSettings(
                "hook", "webhook", address=self._web.url(f"/{TOKEN}"), secret=Secret("file", str(self._key))
            ),
            ChannelSettings("gone", "webhook", address=self._web.url("/gone")),
            ChannelSettings("wall", "command", command=("/bin/sh", "-c", keep)),
        )

    def configuration(self, folder: Path, *names: str, **options: Any) -> Config:
        """`options` as for `canned.configuration`."""
        config = canned.configuration(folder, self._port, names, contacts=CONTACTS, **options)
        return replace(config, channels=self.channels)

    def forget(self) -> None:
        for kept in (self._mail.messages, self._mail.at_ns, self._web.requests, self._at_ns):
            kept.clear()
        for path in self._folder.iterdir():
            path.unlink()

    def heard(self) -> list[Heard]:
        """All that was accepted, in the order in which it was. What breaks off is nothing."""
        mails = [
            Heard(
                at_ns,
                "mail",
                mail["To"].partition("@")[0],
                mail["Message-ID"].strip("<>").partition("@")[0],
                tuple(mail["Poller-Notifications"].split()),
            )
            for mail, at_ns in zip(self._mail.messages, self._mail.at_ns, strict=True)
        ]
        posts = [
            _document(at_ns, "hook", request.body)
            for request, at_ns in zip(self._web.requests, self._at_ns, strict=True)
            if not request.path.startswith("/gone") and len(request.body) == int(request.headers["Content-Length"])
        ]
        runs = [_document(int(path.name), "wall", path.read_bytes()) for path in self._folder.glob("[0-9]*")]
        return sorted([*mails, *posts, *runs], key=lambda one: one.at_ns)


def _document(at_ns: int, channel: str, body: bytes) -> Heard:
    told = json.loads(body)
    return Heard(at_ns, channel, told["contact"], told["id"], tuple(one["id"] for one in told["notifications"]))
