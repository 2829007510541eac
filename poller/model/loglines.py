"""Log lines as a probe reports them. Field names equal the XML attributes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogSource:
    """Section `logs`, element `log`: one file, or one query of the journal, and how far it was read.

    `log` is the name in config.xml, `path` the file ("journal" for the journal). `state` is ok, behind (there is more
    than one poll may bring), absent, denied or failed. `began` is the cursor that the request held for it ("" none),
    `cursor` the one to go on with; both are the probe's own. `behind` bytes are left to read (the journal does not tell
    and says 0), `lost` bytes are known to be gone unread. `zone` is the host's time zone over the past year: seconds
    east of UTC, then (epoch second, seconds east from then on) as often as it changed, all separated by blanks.
    """

    log: str
    path: str
    state: str
    reason: str
    began: str
    cursor: str
    behind: int
    lost: int
    zone: str = ""


@dataclass(frozen=True, slots=True)
class LogText:
    """Section `logs`, element `line`: one line of a file as it stands there. `number` counts up within its section."""

    number: int
    log: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """Section `logs`, element `entry`: one of the journal (systemd.journal-fields(7)). `at` epoch seconds.

    `trusted` 1: `unit`, `pid` and `uid` were added by journald itself; a client cannot forge them.
    """

    number: int
    log: str
    at: float
    program: str
    pid: int
    uid: int
    unit: str
    priority: int
    trusted: int
    text: str
