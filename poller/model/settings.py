"""What config.xml says, merged and checked: immutable, with defaults filled in and paths made absolute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from poller.model.severity import Severity
from poller.model.watching import Watch

# The name under which the poller keeps its own trouble, as if it were a host; none of config.xml may have it.
POLLER: Final = "poller"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret by reference: `kind` says where it is read from when it is used; it is never kept here."""

    kind: Literal["file", "env"]
    reference: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.reference}"


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
class Hold:
    """How long something must last before it counts: for `seconds`, and for `polls` polls in a row."""

    seconds: float = 0.0
    polls: int = 1

    def __str__(self) -> str:
        if self.seconds:
            return f"for {self.seconds:g}s"
        return f"for {self.polls} polls" if self.polls > 1 else ""


@dataclass(frozen=True, slots=True)
class PollSettings:
    """When a host is polled and how long that may take, in seconds."""

    interval: float = 60.0
    deadline: float = 30.0
    down_after: Hold = Hold(polls=3)


@dataclass(frozen=True, slots=True)
class Threshold:
    """One limit on one metric. `labels` maps label names to globs; a label not named matches every value.

    Exactly one of `above` and `below` is set. Once breached it stays so until the value passes `clear`
    (default: the limit itself). `notify` names contacts or holds `mailto:` addresses, merged already.
    """

    metric: str
    labels: tuple[tuple[str, str], ...] = ()
    above: float | None = None
    below: float | None = None
    clear: float | None = None
    hold: Hold = Hold()
    severity: Severity = Severity.MEDIUM
    notify: tuple[str, ...] = ()
    where: str = ""

    @property
    def limit(self) -> float:
        """The number that is compared with."""
        limit = self.above if self.above is not None else self.below
        if limit is None:
            raise ValueError(f"a threshold on {self.metric} needs above= or below=")
        return limit

    @property
    def key(self) -> str:
        """Tells two limits on one metric apart, and survives editing of the rest."""
        return f"{'above' if self.above is not None else 'below'} {self.limit:g} {self.severity}"

    @property
    def sign(self) -> str:
        return ">" if self.above is not None else "<"

    def covers(self, metric: str, labels: tuple[tuple[str, str], ...]) -> bool:
        """Whether it judges that metric with those label values."""
        if metric != self.metric:
            return False
        values = dict(labels)
        return all(name in values and fnmatchcase(values[name], glob) for name, glob in self.labels)

    def __str__(self) -> str:
        return " ".join(part for part in (self.sign, spelled(self.limit), str(self.hold)) if part)


def spelled(limit: float) -> str:
    """A limit with every digit before the point: never an exponent, which nobody reads as bytes."""
    return f"{limit:g}" if abs(limit) < 1e6 else f"{limit:.0f}"


@dataclass(frozen=True, slots=True)
class Contact:
    """Who is told. An empty `severities` means all of them."""

    name: str
    mail: str
    severities: frozenset[Severity] = frozenset()


@dataclass(frozen=True, slots=True)
class MailServer:
    server: str
    port: int
    sender: str
    security: Literal["none", "starttls", "tls"] = "starttls"
    user: str | None = None
    password: Secret | None = None
    ca_file: Path | None = None
    timeout: float = 15.0


@dataclass(frozen=True, slots=True)
class Retention:
    """How long history is kept, in seconds. `cores` is the shorter life of per-core rows."""

    samples: float = 14 * 86400.0
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
    """One machine to poll. `address` "local" is the poller's own machine, reached without SSH."""

    name: str
    address: str
    ssh: Ssh = Ssh()
    poll: PollSettings = PollSettings()
    python: str = "python3"
    become: Literal["no", "sudo"] = "no"
    group: str = ""
    tags: frozenset[str] = frozenset()
    thresholds: tuple[Threshold, ...] = ()
    notify: tuple[str, ...] = ()
    watch: Watch = field(default_factory=Watch)
    where: str = ""

    @property
    def local(self) -> bool:
        return self.address == "local"


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration. `origins[host][attribute]` is the `file:line` that set a merged value.

    `journal_bound` is how many bytes the journal may take while the archive is away. `thresholds` are those on the
    poller's own numbers.
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
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))

    def contact(self, name: str) -> Contact | None:
        """The contact of that name; a `mailto:` reference is a contact of its own."""
        if name.startswith("mailto:"):
            return Contact(name=name, mail=name.removeprefix("mailto:"))
        return next((contact for contact in self.contacts if contact.name == name), None)
