"""Log lines as they were read -> lines understood: time, program, pid, priority, how often.

Anybody who may write to a file writes what he likes: `logger -t sshd` in a file cannot be told from sshd, and such
lines are not `trusted`. Of an entry of the journal that is, nobody but root can have chosen the name in `program`, or a
service of the system whose unit begins with that name; any other name stands with what journald knows of who wrote it:
`sshd (uid 1000, session-3.scope)`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from poller.findings.redact import Redactor
from poller.findings.syslog import Lines, Parsed
from poller.findings.zone import Zone
from poller.model import JournalEntry, LogLine, LogSource, LogText, MetricValue, Reading, Severity, System, Watch

_REPEATED: Final = re.compile(r"message repeated (\d{1,6}) times: \[ ?(.*)\]$", re.DOTALL)
_LAST: Final = re.compile(r"last message repeated (\d{1,6}) times?$")
_SEVERITIES: Final = (*[Severity.HIGH] * 4, Severity.MEDIUM, *[Severity.LOW] * 3)
# The names by which a host may call itself in a header.
_OWN: Final = frozenset({"", "-", "localhost"})
# A program's name is not longer in the `log_line` table.
_NAME: Final = 200


def lines(now: Reading, watch: Watch, at_ms: int) -> tuple[tuple[LogLine, ...], tuple[MetricValue, ...]]:
    """The lines, redacted, and the numbers `log.*`."""
    sources = [row for row in now.rows(LogSource) if isinstance(row, LogSource)]
    if not sources:
        return (), ()
    reader = _Reader(now, watch, sources[0].zone, at_ms)
    texts = [reader.text(row) for row in now.rows(LogText) if isinstance(row, LogText)]
    entries = [reader.entry(row) for row in now.rows(JournalEntry) if isinstance(row, JournalEntry)]
    return (*texts, *entries), _numbers(sources)


def _numbers(sources: list[LogSource]) -> tuple[MetricValue, ...]:
    """A log is readable when one of its files is."""
    values = []
    for log in dict.fromkeys(source.log for source in sources):
        own = [source for source in sources if source.log == log]
        label = (("log", log),)
        readable = any(source.state in ("ok", "behind") for source in own)
        values.append(MetricValue("log.readable", float(readable), label))
        values.append(MetricValue("log.behind_bytes", float(sum(source.behind for source in own)), label))
    return tuple(values)


class _Reader:
    """Keeps the line before of each file, for those that only say that it came again."""

    def __init__(self, now: Reading, watch: Watch, zone: str, at_ms: int) -> None:
        self._at_ms = at_ms
        self._lines = Lines(Zone(zone, now.clock), now.clock - now.uptime)
        self._redacted = Redactor(watch.redactions)
        self._before: dict[tuple[str, str], LogLine] = {}
        names = [row.hostname for row in now.rows(System) if isinstance(row, System)]
        self._own = _OWN.union(name.lower() for full in names for name in (full, full.partition(".")[0]))
        self._knows = bool(names)

    def text(self, row: LogText) -> LogLine:
        parsed = self._lines.parse(row.text)
        at_ms = self._at_ms if parsed.at is None else round(parsed.at * 1000)
        message = parsed.text
        count = 1
        if "repeated" in message and (last := _LAST.match(message)):
            count = int(last[1])
            before = self._before.get((row.log, row.path))
            if before:
                return replace(before, at_ms=at_ms, count=count)
        program = parsed.program
        if parsed.host not in self._own:
            program = self._elsewhere(parsed)
        return self._line(row.log, row.path, at_ms, program, parsed.pid, parsed.priority, count, False, message)

    def entry(self, row: JournalEntry) -> LogLine:
        program = row.program
        trusted = bool(row.trusted)
        if trusted and row.uid and not _serves(row.unit, program):
            program = f"{program} (uid {row.uid}, {row.unit or 'no unit'})"
        at_ms = round(row.at * 1000)
        priority = min(row.priority, 7)
        return self._line(row.log, "journal", at_ms, program, row.pid or None, priority, 1, trusted, row.text)

    def _line(
        self,
        log: str,
        path: str,
        at_ms: int,
        program: str,
        pid: int | None,
        priority: int | None,
        count: int,
        trusted: bool,
        text: str,
    ) -> LogLine:
        """Redacted; a message that says how often it came stands for itself so many times."""
        if text.startswith("message repeated ") and (repeated := _REPEATED.match(text)):
            count, text = int(repeated[1]), repeated[2]
        severity = Severity.LOW if priority is None else _SEVERITIES[priority]
        text = self._redacted(text)
        line = LogLine(log, path, at_ms, program[:_NAME], pid, priority, severity, count, trusted, text)
        self._before[log, path] = line
        return line

    def _elsewhere(self, parsed: Parsed) -> str:
        """With the name of another host before it: this log is fed from there, too."""
        host = parsed.host.lower()
        if not self._knows or host in self._own or host.partition(".")[0] in self._own:
            self._own |= {parsed.host}
            return parsed.program
        return f"{parsed.host[:64]}/{parsed.program}"


def _serves(unit: str, program: str) -> bool:
    """Whether a unit of the system is that of the program. Users run what they like, but only in units of their own."""
    return bool(program) and unit.startswith(program) and unit.endswith(".service") and not unit.startswith("user@")
