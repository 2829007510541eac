"""What config.xml says, merged and checked: immutable, with defaults filled in and paths made absolute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from poller.model.alerting import ChannelSettings, Contact, Downtime, Escalation, Heartbeat, MailServer
from poller.model.rule import AnyRule, Rule
from poller.model.secret import Secret
from poller.model.threshold import Hold, Threshold
from poller.model.watching import Watch

# The name under which the poller keeps its own trouble, as if it were a host; none of config.xml may have it.
POLLER: Final = "poller"
# Hosts of one config.xml: a range with a digit too many is a mistake.
MOST_HOSTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Ssh:
    """How to log in. `None` leaves the value to ssh_config, then to OpenSSH's default."""

    user: str | None = None
    port: int | None = None
    identity_files: tuple[Path, ...] = ()
    passphrase: Secret | None = None
    password: Secret | None = None
    agent: bool = False
    known_hosts: tuple[Path, ...] = ()
    host_key_policy: Literal["strict", "accept-new"] = "strict"
    ssh_config: Path | None = None
    proxy_jump: str | None = None


@dataclass(frozen=True, slots=True)
class PollSettings:
    """When a host is polled and how long that may take, in seconds."""

    interval: float = 60.0
    deadline: float = 30.0
    down_after: Hold = field(default_factory=lambda: Hold(polls=3))


@dataclass(frozen=True, slots=True)
class Retention:
    """How long history is kept, in seconds. `cores` is the shorter life of per-core rows.

    `fives` and `hours`: roll-ups of samples by five minutes and by one hour.
    """

    samples: float = 14 * 86400.0
    fives: float = 90 * 86400.0
    hours: float = 730 * 86400.0
    cores: float = 2 * 86400.0
    logs: float = 30 * 86400.0
    connections: float = 7 * 86400.0
    events: float = 730 * 86400.0
    polls: float = 90 * 86400.0


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """Where history lives when not in the journal. A `sqlite` archive has a `path`, a `mysql` one the rest.

    `socket` wins over `host` and `port`. `timeout` bounds connecting, each statement and each answer, in seconds.
    """

    kind: Literal["mysql", "sqlite"]
    path: Path | None = None
    host: str = "localhost"
    port: int = 3306
    socket: Path | None = None
    user: str = ""
    database: str = ""
    password: Secret | None = None
    tls: Literal["off", "require", "verify"] = "verify"
    ca: Path | None = None
    timeout: float = 30.0

    def __str__(self) -> str:
        """For people, without the password."""
        if self.kind == "sqlite":
            return f"sqlite:{self.path}"
        place = f"{self.host}:{self.port}" if self.socket is None else str(self.socket)
        return f"mysql://{self.user}@{place}/{self.database}"


@dataclass(frozen=True, slots=True)
class Host:
    """One machine to poll. `address` "local" is the poller's own machine, reached without SSH.

    `remind` and `escalations` are those of its thresholds and rules that say nothing of their own. `cold`: a daemon
    holds no session there between polls. `live`: a daemon is told of devices, mounts and contacts as they happen.
    """

    name: str
    address: str
    ssh: Ssh = Ssh()
    poll: PollSettings = PollSettings()
    python: str = "python3"
    become: Literal["no", "sudo"] = "no"
    group: str = ""
    tags: frozenset[str] = frozenset()
    thresholds: tuple[Threshold, ...] = ()
    rules: tuple[Rule, ...] = ()
    notify: tuple[str, ...] = ()
    via: Literal["ssh", "ping"] = "ssh"
    parent: str = ""
    remind: tuple[float, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    watch: Watch = field(default_factory=Watch)
    cold: bool = False
    live: bool = False
    where: str = ""

    @property
    def local(self) -> bool:
        return self.address == "local"

    @property
    def judged(self) -> tuple[AnyRule, ...]:
        """All that this host is judged by."""
        return self.thresholds + self.rules


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration. `origins[host][attribute]` is the `file:line` that set a merged value.

    `journal_bound` is how many bytes the journal may take while the archive is away. `thresholds` are those on the
    poller's own numbers. `group_wait` and `group_interval` are seconds that a daemon collects before it tells;
    `processes` how many workers share its hosts (1: none, its own threads poll), `socket` where it listens for the
    command line (None: beside the journal).
    """

    path: Path
    journal: Path
    journal_bound: int = 1 << 30
    archive: ArchiveSettings | None = None
    hosts: tuple[Host, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    at_once: int = 200
    retention: Retention = Retention()
    mail: MailServer | None = None
    contacts: tuple[Contact, ...] = ()
    channels: tuple[ChannelSettings, ...] = ()
    downtimes: tuple[Downtime, ...] = ()
    heartbeat: Heartbeat | None = None
    group_wait: float = 30.0
    group_interval: float = 300.0
    processes: int = 1
    socket: Path | None = None
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))

    def channel(self, name: str) -> ChannelSettings | None:
        """The `<channel>` of that name."""
        return next((channel for channel in self.channels if channel.name == name), None)

    def host(self, name: str) -> Host | None:
        """The host of that name."""
        return next((host for host in self.hosts if host.name == name), None)

    def contact(self, name: str) -> Contact | None:
        """The contact of that name; a `mailto:` reference is a contact of its own."""
        if name.startswith("mailto:"):
            return Contact(name=name, mail=name.removeprefix("mailto:"))
        return next((contact for contact in self.contacts if contact.name == name), None)
