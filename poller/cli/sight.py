"""What of a host can be seen, for `poller doctor`: which systems are supported how, what was denied, who may see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from poller.model import Check, Listener, LogSource, SectionStatus, System, TextFile, Traffic
from remote_probe.collectors import ELSEWHERE

if TYPE_CHECKING:
    from poller.model import Reading, Section

SYSTEMS: Final = (
    "Linux: every section; other Unix systems (FreeBSD, macOS, ...) with psutil for their Python: "
    f"{' '.join(ELSEWHERE)}, and checks, textfiles and logs; Windows: no"
)
# The part of `sockets` that most logins do not see.
NAMES: Final = "names of programs"
_SUDO: Final = 'become="sudo"'
_GROUPS: Final = {
    "kernel": "adm or systemd-journal",
    "logs": "adm or systemd-journal",
    "people": "utmp",
}
_HIDDEN: Final = "the group in gid= of the mount of /proc"
# Status of a check that says neither that all is well nor what is wrong.
_UNKNOWN: Final = 3
# Sections that /proc, mounted with hidepid=, keeps from others than root.
_OF_PROCESSES: Final = ("processes", "top", "sockets")


@dataclass(frozen=True, slots=True)
class Denial:
    """Something that the login may not read: `what`, why, and who may (groups; "" for root alone)."""

    what: str
    reason: str
    groups: str

    @property
    def fix(self) -> str:
        who = f"make the account a member of {self.groups}, or set {_SUDO}" if self.groups else f"set {_SUDO}"
        return f"{who}: docs/security.md#what-a-login-sees"


def system(now: Reading) -> tuple[str, str]:
    """Which system it is and what is read there; and what to do when that is less than could be."""
    row = next((row for section in now.sections for row in section.rows if isinstance(row, System)), None)
    name = f"{row.kernel} {row.release}" if row else "a system that does not tell its name"
    if now.boot_id.startswith("boot-"):
        return f"{name}, without /proc: what psutil tells", ""
    if now.boot_id == "unknown" and not now.uptime:
        reasons = dict.fromkeys(section.reason for section in now.sections if "psutil" in section.reason)
        return f"{name}, without /proc", next(iter(reasons), "look at /proc there: it cannot be read")
    return name, ""


def denials(now: Reading) -> Iterator[Denial]:
    """What was denied, whole sections first, then parts of some."""
    for section in now.sections:
        if section.status is SectionStatus.DENIED:
            yield Denial(f"section {section.name}", section.reason, _groups(section))
    for section in now.sections:
        for row in section.rows:
            if isinstance(row, LogSource) and row.state == "denied":
                group = "adm or systemd-journal" if row.path == "journal" else "adm, or whichever group may read it"
                yield Denial(f"log {row.log}", f"{row.path}: {row.reason}", group)
        listeners = [row for row in section.rows if isinstance(row, Listener)]
        nameless = sum(not row.process for row in listeners)
        # Who sees a program of root's sees all there are: the kernel itself and other containers listen, too.
        if nameless and not any(row.process and not row.uid for row in listeners):
            yield Denial(NAMES, f"no program is known of {nameless} that listen", "")


def trouble(now: Reading) -> Iterator[tuple[str, str, str]]:
    """What config.xml asks for and the host cannot give: what, why, and what to do."""
    for section in now.sections:
        for row in section.rows:
            if isinstance(row, LogSource) and row.state in ("absent", "failed"):
                name = "<journal>" if row.path == "journal" else "path= of <log>"
                yield f"log {row.log}", f"{row.state}: {row.path}: {row.reason}", f"look at {name} in config.xml"
            elif isinstance(row, Check) and row.status == _UNKNOWN:
                fix = "run its command by hand there, as this login: docs/watching.md#processes-and-services"
                yield f"check {row.check}", f"unknown: {row.output or 'it says nothing'}", fix
            elif isinstance(row, TextFile) and row.reason:
                yield f"textfile {row.file}", row.reason, "look at path= of <textfile> and at the file there"


def _groups(section: Section) -> str:
    if section.name in _OF_PROCESSES and "hidepid" in section.reason:
        return _HIDDEN
    return _GROUPS.get(section.name, "")


def traffic_source(section: Section) -> str:
    """How traffic was learned, and why not better."""
    for row in section.rows:
        if isinstance(row, Traffic):
            return f", from {row.source}" + (f" ({row.why})" if row.why else "")
    return ""
