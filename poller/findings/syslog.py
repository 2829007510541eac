"""A line of a log -> its time, program, pid, priority and message. Never raises; what is not known is None.

Formats: RFC 3164 and RFC 5424 syslog, the RFC 3339 stamps of rsyslog and of programs, JSON, the kernel's `[  123.456]`,
access and error logs of nginx and Apache. Text is the probe's: a backslash stands twice. What of a line is only its
syslog header is not part of the message; other lines are kept whole.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from poller.findings.zone import MONTHS, Zone, midnight


class Parsed(NamedTuple):
    """`at` epoch seconds by the host's clock; `host` who the header says wrote it, "" when it does not say."""

    at: float | None
    host: str
    program: str
    pid: int | None
    priority: int | None
    text: str


_CLOCK: Final = r"(\d\d):(\d\d):(\d\d(?:[.,]\d{1,9})?)"
_EAST: Final = r"(Z|z|UTC|[+-]\d\d:?\d\d)"
_PRI: Final = re.compile(r"<(\d{1,3})>")
_RFC3164: Final = re.compile(rf"([A-Z][a-z][a-z])  ?(\d\d?) {_CLOCK} (.*)", re.DOTALL)
_ISO: Final = re.compile(rf"(\d{{4}})[-/](\d\d)[-/](\d\d)([T ]){_CLOCK} ?{_EAST}?[]:,]? *(.*)", re.DOTALL)
_RFC5424: Final = re.compile(r"1 (\S+) (\S+) (\S+) (\S+) (\S+) (?:-|(?:\[(?:[^\]\\]|\\\\.)*\])+)(?: (.*)|$)", re.DOTALL)
_TAGGED: Final = re.compile(r"(\S+) ([^\s\[:]{1,64})(?:\[(\d{1,9})\])?: ?(.*)", re.DOTALL)
_UNTAGGED: Final = re.compile(r"(\S+) (.*)", re.DOTALL)
_KERNEL: Final = re.compile(r"\[ *(\d{1,10}\.\d{1,9})\] (.*)", re.DOTALL)
_ACCESS: Final = re.compile(rf"\S+ \S+ [^\[]{{1,256}}\[(\d\d)/([A-Z][a-z][a-z])/(\d{{4}}):{_CLOCK} {_EAST}\] ")
_APACHE: Final = re.compile(
    rf"\[[A-Z][a-z][a-z] ([A-Z][a-z][a-z]) (\d\d) {_CLOCK} (\d{{4}})\] \[(?:\w*:)?(\w+)\](?: \[pid (\d{{1,9}}))?"
)
_NGINX: Final = re.compile(r"\[(\w+)\] (\d{1,9})#")
_WORD: Final = re.compile(r"[A-Za-z]+")
# Characters of `Nov 21 10:00:00 `.
_STAMP: Final = 16
# How far behind the time the word that says how bad it is may stand.
_NEAR: Final = 48

_WORDS: Final = {
    word: number
    for number, words in enumerate(
        (
            "emerg emergency panic",
            "alert",
            "crit critical fatal",
            "err error severe",
            "warn warning",
            "notice",
            "info information informational",
            "debug trace verbose",
        )
    )
    for word in words.split()
}
# Levels of pino, bunyan and other programs that count upwards.
_NUMBERS: Final = ((60, 2), (50, 3), (40, 4), (30, 6), (10, 7))
_TIMES: Final = ("time", "ts", "timestamp", "@timestamp")
_LEVELS: Final = ("level", "severity", "log.level", "lvl")
_PROGRAMS: Final = ("program", "logger", "app", "service")
# Epoch numbers below this are seconds, milliseconds, microseconds; nanoseconds above.
_UNITS: Final = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))


class Lines:
    """Understands the lines of one host. `booted` is when it did, in epoch seconds."""

    def __init__(self, zone: Zone, booted: float) -> None:
        self._zone = zone
        self._booted = booted
        self._midnights: dict[tuple[str, str, str], int | None] = {}
        self._moments: dict[str, float] = {}
        self._forms: dict[str, tuple[Callable[[str], Parsed | None], ...]] = {
            "{": (self._json,),
            "[": (self._kernel, self._apache),
            **dict.fromkeys("0123456789", (self._iso, self._access)),
            **dict.fromkeys({month[0] for month in MONTHS}, (self._rfc3164, self._access)),
        }

    def parse(self, text: str) -> Parsed:
        pri = _PRI.match(text) if text.startswith("<") else None
        priority = int(pri[1]) & 7 if pri and int(pri[1]) < 192 else None
        rest = text[pri.end() :] if pri and priority is not None else text
        if priority is not None and rest.startswith("1 "):
            found = self._rfc5424(rest)
        else:
            found = None
            for form in self._forms.get(rest[:1], (self._access,)):
                found = found or form(rest)
        if found is None:
            return Parsed(None, "", "", None, priority, rest)
        return found if priority is None else found._replace(priority=priority)

    def _rfc3164(self, text: str) -> Parsed | None:
        known = self._moments.get(text[:_STAMP])
        if known is not None:  # many lines have the same
            return _header(known, text[_STAMP:])
        match = _RFC3164.match(text)
        if not match:
            return None
        month, day, hours, minutes, seconds, rest = match.groups()
        passed = _passed(hours, minutes, seconds)
        at = None if passed is None else self._zone.nearest(month, day, passed)
        if at is None:
            return None
        if match.start(6) == _STAMP:
            self._moments[text[:_STAMP]] = at
        return _header(at, rest)

    def _iso(self, text: str) -> Parsed | None:
        match = _ISO.match(text)
        if not match:
            return None
        year, month, day, middle, hours, minutes, seconds, east, rest = match.groups()
        at = self._at((year, month, day), (hours, minutes, seconds), east)
        if at is None:
            return None
        if middle == "T" and east:
            found = _header(at, rest)
            if found.program and found.host.lower() not in _WORDS:
                return found
        nginx = _NGINX.match(rest)
        if nginx:
            return Parsed(at, "", "nginx", int(nginx[2]), _WORDS.get(nginx[1].lower()), text)
        return Parsed(at, "", "", None, _level(rest[:_NEAR]), text)

    def _rfc5424(self, text: str) -> Parsed | None:
        match = _RFC5424.match(text)
        if not match:
            return None
        stamp, host, program, pid, _, rest = match.groups()
        when = self._iso(stamp)
        host, program = ("" if word == "-" else word for word in (host, program))
        number = int(pid) if pid.isascii() and pid.isdigit() and len(pid) < 10 else None
        return Parsed(when.at if when else None, host, program, number, None, (rest or "").removeprefix("\ufeff"))

    def _kernel(self, text: str) -> Parsed | None:
        match = _KERNEL.match(text)
        return Parsed(self._booted + float(match[1]), "", "kernel", None, None, match[2]) if match else None

    def _access(self, text: str) -> Parsed | None:
        match = _ACCESS.match(text)
        if not match:
            return None
        day, month, year, hours, minutes, seconds, east = match.groups()
        at = self._at((year, str(MONTHS.get(month, 0)), day), (hours, minutes, seconds), east)
        return None if at is None else Parsed(at, "", "", None, None, text)

    def _apache(self, text: str) -> Parsed | None:
        match = _APACHE.match(text)
        if not match:
            return None
        month, day, hours, minutes, seconds, year, level, pid = match.groups()
        at = self._at((year, str(MONTHS.get(month, 0)), day), (hours, minutes, seconds), None)
        return Parsed(at, "", "", int(pid) if pid else None, _WORDS.get(level.lower()), text)

    def _json(self, text: str) -> Parsed | None:
        try:
            found = json.loads(text.replace("\\\\", "\\"))
        except (ValueError, RecursionError):
            return None  # cut, or none
        if not isinstance(found, dict):
            return None
        pid = found.get("pid")
        number = pid if isinstance(pid, int) and 0 <= pid < 1 << 31 and pid is not True else None
        program = _first(found, _PROGRAMS)
        name = program[:64] if isinstance(program, str) and program.isprintable() else ""
        return Parsed(self._stamp(_first(found, _TIMES)), "", name, number, _rank(_first(found, _LEVELS)), text)

    def _stamp(self, value: object) -> float | None:
        """Epoch seconds of a text, or of a number in whatever unit."""
        if isinstance(value, str):
            parsed = self._iso(value) or self._rfc3164(value + " ")
            return parsed.at if parsed else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _UNITS[-1][0]:
            return None
        return next(value / unit for bound, unit in _UNITS if value < bound)

    def _at(self, date: tuple[str, str, str], clock: tuple[str, str, str], east: str | None) -> float | None:
        if date not in self._midnights:
            self._midnights[date] = midnight(int(date[0]), int(date[1]), int(date[2]))
        begin, passed = self._midnights[date], _passed(*clock)
        if begin is None or passed is None:
            return None
        if east is None:
            return self._zone.epoch(begin + passed)
        return begin + passed - _east(east)


def _header(at: float, rest: str) -> Parsed:
    """HOST PROGRAM[PID]: TEXT"""
    match = _TAGGED.match(rest)
    if match:
        host, program, pid, text = match.groups()
        return Parsed(at, host, program, int(pid) if pid else None, None, text)
    match = _UNTAGGED.match(rest)
    return Parsed(at, match[1], "", None, None, match[2]) if match else Parsed(at, "", "", None, None, rest)


def _passed(hours: str, minutes: str, seconds: str) -> float | None:
    """Seconds since midnight; a leap second is the first of the next minute."""
    past = float(seconds.replace(",", "."))
    if int(hours) > 23 or int(minutes) > 59 or past >= 61:
        return None
    return int(hours) * 3600 + int(minutes) * 60 + past


def _east(text: str) -> int:
    if text[0] not in "+-":
        return 0
    seconds = int(text[1:3]) * 3600 + int(text[-2:]) * 60
    return -seconds if text[0] == "-" else seconds


def _level(text: str) -> int | None:
    """The first word that is a level."""
    return next((_WORDS[word.lower()] for word in _WORD.findall(text) if word.lower() in _WORDS), None)


def _rank(value: object) -> int | None:
    if isinstance(value, str):
        return _WORDS.get(value.lower())
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return int(value) if value < 8 else next((rank for least, rank in _NUMBERS if value >= least), 7)


def _first(found: dict[str, Any], names: tuple[str, ...]) -> object:
    return next((found[name] for name in names if found.get(name) is not None), None)
