"""Who is told, how and when: contacts, channels, windows of time, and what is told again or to somebody else."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from poller.model.secret import Secret
from poller.model.severity import Severity

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Hours:
    """Weekly hours by the clock of `zone` (IANA name): on `days` (0 Monday), from `begin` to `end`.

    `begin` and `end` are minutes after midnight; an `end` not after `begin` is on the day after. `end` may be 1440.
    """

    days: frozenset[int] = frozenset(range(7))
    begin: int = 0
    end: int = 1440
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Downtime:
    """`<downtime>`: nobody is told of `hosts` (globs), `groups` or `tags` (any of them; none named: all hosts).

    Either `hours`, every week, or from `from_ms` to `until_ms` once.
    """

    name: str
    hosts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    hours: Hours | None = None
    from_ms: int = 0
    until_ms: int = 0
    comment: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Escalation:
    """`<escalate>`: who is told, too, of an alert that nobody has acknowledged `after` so many seconds."""

    after: float
    notify: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contact:
    """Who is told. An empty `severities` means all of them, empty `groups` hosts of any group or none.

    `channels` are tried in this order: `mail` is the mail server of config.xml, others are names of `<channel>`.
    Outside `hours` nothing is sent; what is still true then is told when they begin.
    """

    name: str
    mail: str = ""
    severities: frozenset[Severity] = frozenset()
    channels: tuple[str, ...] = ("mail",)
    groups: frozenset[str] = frozenset()
    hours: tuple[Hours, ...] = ()


@dataclass(frozen=True, slots=True)
class MailServer:
    """`quota`: so many messages a day (UTC), 0 for any number; the rest of the day comes as one digest."""

    server: str
    port: int
    sender: str
    security: Literal["none", "starttls", "tls"] = "starttls"
    user: str | None = None
    password: Secret | None = None
    ca_file: Path | None = None
    timeout: float = 15.0
    quota: int = 0


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """`<channel>`: another way to reach people than mail, one of three kinds.

    `apprise`: `url` says where the URL of Apprise is, since it holds the secret. `webhook`: a POST of JSON to `address`
    (or what `url` says), signed by HMAC-SHA256 with `secret`. `command`: a program and its arguments, without a shell;
    it gets the JSON on its standard input.
    """

    name: str
    kind: Literal["apprise", "webhook", "command"]
    url: Secret | None = None
    address: str = field(default="", repr=False)
    secret: Secret | None = None
    command: tuple[str, ...] = field(default=(), repr=False)
    timeout: float = 15.0
    quota: int = 0
    where: str = ""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """`<heartbeat>`: where a watcher of the poller is told that a round begins, and how it ended."""

    address: str = field(default="", repr=False)
    url: Secret | None = None
    timeout: float = 10.0
