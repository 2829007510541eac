"""A reading taken while a rule was breached -> what people are shown: processes, sockets, the kernel's last lines.

Pure. Text for people, in lines: `<redact>` is applied and what cannot be printed is escaped, so that it may stand in
a mail or on a terminal; HTML escapes it again. At most LONGEST bytes each, whole lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Final

from poller.findings.processes import busiest
from poller.findings.redact import Redactor
from poller.model import (
    EvidencePart,
    KernelMessage,
    Reading,
    Section,
    SectionStatus,
    Socket,
    SocketCount,
    Watch,
)

# What a request for evidence asks for: sections, and how much of them.
SECTIONS: Final = ("kernel", "sockets", "top")
PROCESSES: Final = 15
KERNEL_LINES: Final = 40
PEERS: Final = 20
LONGEST: Final = 16 * 1024
_MIB: Final = 1 << 20
_ERROR: Final = 3  # priority of syslog(3): what is as bad or worse is marked

Clean = Callable[[str], str]
# A column: its heading, and whether it is a number.
Columns = Sequence[tuple[str, bool]]


def evidence(before: Reading | None, now: Reading, watch: Watch, at_ms: int) -> tuple[EvidencePart, ...]:
    """One part for each section that came. `before` is what CPU percentages are counted from, as for the report."""
    redact = Redactor(watch.redactions)

    def clean(text: str) -> str:
        return printable(redact(text))

    sections = {section.name: section for section in now.sections}
    made: list[tuple[str, str, Callable[[Section], Iterator[str]]]] = [
        ("processes", "top", lambda _: _processes(before, now, watch, clean)),
        ("sockets", "sockets", lambda section: _sockets(section, clean)),
        ("kernel", "kernel", lambda section: _kernel(section, clean)),
    ]
    return tuple(
        EvidencePart(part, at_ms, _bounded(_told(sections[name], lines, clean)))
        for part, name, lines in made
        if name in sections
    )


def printable(text: str) -> str:
    """Control characters and those that change the direction of text as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode() for char in text
    )


def _told(section: Section, lines: Callable[[Section], Iterator[str]], clean: Clean) -> Iterator[str]:
    """What could not be read is said as text."""
    if section.status is SectionStatus.OK:
        yield from lines(section)
    if section.status is not SectionStatus.OK or section.reason:
        yield clean(f"{section.status}: {section.reason}" if section.reason else str(section.status))


def _bounded(lines: Iterator[str]) -> str:
    kept: list[str] = []
    room = LONGEST - len("...\n")
    for line in lines:
        room -= len(line.encode("utf-8", "backslashreplace")) + 1
        if room < 0:
            return "".join(f"{one}\n" for one in (*kept, "..."))
        kept.append(line)
    return "".join(f"{one}\n" for one in kept) or "nothing\n"


def _processes(before: Reading | None, now: Reading, watch: Watch, clean: Clean) -> Iterator[str]:
    """The busiest by what they used since the report before, then the largest."""
    rows = [
        (
            "-" if percent is None else f"{percent:.1f}",
            f"{size / _MIB:.1f}",
            str(pid),
            clean(user or str(uid)),
            clean(command or name),
        )
        for pid, name, uid, user, percent, size, command in busiest(before, now, replace(watch, top=PROCESSES))
    ]
    columns = (("CPU %", True), ("MiB", True), ("PID", True), ("USER", False), ("COMMAND", False))
    yield from _table(columns, rows[: 2 * PROCESSES])


def _sockets(section: Section, clean: Clean) -> Iterator[str]:
    """How many in which state, then whom most connections go to and what waits in their queues."""
    counts = [row for row in section.rows if isinstance(row, SocketCount)]
    counts.sort(key=lambda row: (-row.count, row.protocol, row.state))
    yield ", ".join(f"{row.protocol} {clean(row.state)} {row.count}" for row in counts) or "no sockets"
    talks: Counter[tuple[str, str, str, str]] = Counter()
    waiting: Counter[tuple[str, str, str, str]] = Counter()
    for row in section.rows:
        if isinstance(row, Socket):
            talk = (row.protocol, *_ends(row), row.process)
            talks[talk] += 1
            waiting[talk] += row.send_queue + row.receive_queue
    busiest_first = sorted(talks, key=lambda talk: (-talks[talk], -waiting[talk], talk))
    rows = [
        (str(talks[talk]), str(waiting[talk]), talk[0], clean(talk[1]), clean(talk[2]), clean(talk[3]) or "-")
        for talk in busiest_first[:PEERS]
    ]
    columns = (
        *(("COUNT", True), ("QUEUED", True), ("PROTOCOL", False)),
        *(("HERE", False), ("THERE", False), ("PROGRAM", False)),
    )
    if rows:
        yield ""
        yield from _table(columns, rows)
    if len(talks) > PEERS:
        yield f"and {len(talks) - PEERS} more"


def _ends(row: Socket) -> tuple[str, str]:
    """The port of the service is the lower one; the other is another for each connection and says nothing."""
    here, there = row.local_address, row.remote_address
    if row.local_port <= row.remote_port:
        return _end(here, row.local_port), there
    return here, _end(there, row.remote_port)


def _end(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _kernel(section: Section, clean: Clean) -> Iterator[str]:
    """By the host's own clock."""
    for row in section.rows:
        if isinstance(row, KernelMessage):
            mark = "!" if row.priority <= _ERROR else " "
            yield f"{_instant(row.at)} {mark} {clean(row.text)}"


def _instant(at: float) -> str:
    try:
        return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return "-"


def _table(columns: Columns, rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Numbers to the right, the last column as long as it is."""
    lines = [tuple(heading for heading, _ in columns), *rows]
    widths = [max(len(line[number]) for line in lines) for number in range(len(columns))]
    for line in lines:
        cells = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, (_, right) in zip(line, widths, columns, strict=True)
        )
        yield "  ".join(cells).rstrip()
