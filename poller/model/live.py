"""What a watched host says by itself, the moment it happens; and how a poller that stays stands with its hosts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from poller.model.poll import Event, Poll
from poller.model.report import Reading


@dataclass(frozen=True, slots=True)
class Encounter:
    """Somebody a watched host began to talk with: a TCP connection that starts, or the first datagram of a UDP flow.

    `inbound` 1 when the other side began. `seen_by` is `packet` or `sock_diag`.
    """

    protocol: str
    local_address: str
    local_port: int
    remote_address: str
    remote_port: int
    inbound: int
    seen_by: str


@dataclass(frozen=True, slots=True)
class Hint:
    """A uevent of the kernel as it came, before anything was read: subsystem usb or block, `action` add or remove."""

    subsystem: str
    action: str
    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Push:
    """One event frame. An empty one is a sign of life, sent each second.

    `sequence` rises by one from 1. `at_ms` is the centre's instant of arrival. `reading` holds only sections that were
    read anew because something changed (usb, devices, mounts), wholly as in a report; None when nothing did.
    `coverage` are words for how the host sees devices (`uevent`, `set-difference`, `none`), mounts (`mountinfo`,
    `set-difference`, `none`) and contacts (`packet`, `sock_diag`, `none`), in this order; a fourth says why it is less
    than it could be. `lost` counts what had to be left out since the frame before.
    """

    host: str
    sequence: int
    at_ms: int
    reading: Reading | None = None
    encounters: tuple[Encounter, ...] = ()
    hints: tuple[Hint, ...] = ()
    coverage: tuple[str, ...] = ()
    lost: int = 0


class Link(str, Enum):
    """How a poller that stays stands with a host: `cold` hosts are held only while they are polled."""

    WAITING = "waiting"
    CONNECTED = "connected"
    LOST = "lost"
    COLD = "cold"

    __str__ = str.__str__


@dataclass(frozen=True, slots=True)
class LinkState:
    """How things are with one host. `reason` is why its last session was lost (stage/code: sentence), "" never.

    `tries` counts attempts to get it back; `next_ms` is when it is polled next, `heard_ms` when anything last came.
    """

    host: str
    link: Link
    since_ms: int
    heard_ms: int = 0
    next_ms: int = 0
    tries: int = 0
    reason: str = ""
    live: bool = False


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What came from the hosts since it was asked last, each kind in the order in which it came."""

    polls: tuple[Poll, ...] = ()
    pushes: tuple[Push, ...] = ()
    links: tuple[LinkState, ...] = ()


@dataclass(frozen=True, slots=True)
class Sighted:
    """An event of a watched host for the screen: `id` stays the same while more is learned about it within a second.

    `stored` once it stands in the `event` table.
    """

    id: str
    host: str
    event: Event
    stored: bool = False


class Light(str, Enum):
    """How a host looks from here: `amber` after two seconds of silence, `dark` after five. `cold`: held by nobody."""

    WAITING = "waiting"
    CONNECTED = "connected"
    AMBER = "amber"
    DARK = "dark"
    COLD = "cold"

    __str__ = str.__str__


@dataclass(frozen=True, slots=True)
class Seat:
    """One host that is watched: since when it looks so, and why. `coverage` as in Push, "" entries never."""

    host: str
    light: Light
    since_ms: int
    words: str = ""
    coverage: tuple[str, ...] = ()
