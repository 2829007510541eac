"""The newest rows of each section of a host as one compact JSON text, and back: what the next poll is compared with."""

from __future__ import annotations

import json
import logging
import math
import sqlite3
from collections.abc import Callable
from dataclasses import fields, replace
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, get_args

from poller.model import PASSING, Before, FileSystem, Logins, Process, Reading, Row, Section, SectionStatus
from poller.store.alerts import open_names
from poller.store.sql import statements

_log = logging.getLogger(__name__)

_KINDS: Final[tuple[type[Row], ...]] = tuple(kind for kind in get_args(Row) if kind not in PASSING)
_BY_NAME: Final[dict[str, Callable[..., Row]]] = {kind.__name__: kind for kind in _KINDS}
# Their name among the fields makes the getter give a tuple for a kind with one field, too.
_VALUES: Final[dict[type[Row], Callable[[Any], tuple[Any, ...]]]] = {
    kind: attrgetter("__class__.__name__", *(field.name for field in fields(kind))) for kind in _KINDS
}
# Of processes only what the time they used is counted from.
_SHORT: Final = "Used"
_VALUES[Process] = lambda row: (_SHORT, row.pid, row.started, row.cpu)
_BY_NAME[_SHORT] = lambda pid, started, cpu: Process(pid, "", 0, "", "", 0, started, cpu, 0, "")
_encoder: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_STATUS: Final = {str(status): status for status in SectionStatus}


def remembered(before: Reading | None, now: Reading) -> Reading:
    """The newest rows of every section: those of `now`, and of before for a section that was not read this time.

    Rows that are told once and never compared are left out. A section from before has its own uptime; one from before
    a reboot has an infinite one, so that no time can be counted from it.
    """
    sections = {
        section.name: _lasting(section, before) for section in now.sections if section.status is SectionStatus.OK
    }
    for section in before.sections if before else ():
        if before and section.name not in sections and section.status is SectionStatus.OK:
            sections[section.name] = _older(section, before, now)
    for section in now.sections:
        if section.name not in sections:
            sections[section.name] = _lasting(section, before)
    return replace(now, sections=tuple(sections.values()))


def _lasting(section: Section, before: Reading | None) -> Section:
    """Where they are as before, with the very same rows: of those nothing is encoded anew."""
    if PASSING.isdisjoint(map(type, section.rows)):
        return section
    rows = tuple(row for row in section.rows if type(row) not in PASSING)
    was = before.section(section.name) if before else None
    return replace(section, rows=was.rows if was is not None and was.rows == rows else rows)


def _older(section: Section, before: Reading, now: Reading) -> Section:
    if before.boot_id != now.boot_id:
        return replace(section, uptime=math.inf)
    return section if section.uptime is not None else replace(section, uptime=before.uptime)


# section -> its rows, and their text
Texts = dict[str, tuple[tuple[Row, ...], str]]


def encode(reading: Reading, texts: Texts | None = None) -> str:
    """`[clock, uptime, boot_id, [[section, status, reason, seconds, [[kind, field, ...], ...], uptime], ...]]`.

    `texts` are those of rows that were encoded before and stayed the very same; what is new of them is added.
    """
    known: Texts = {} if texts is None else texts
    sections = ",".join(_section_text(section, known) for section in reading.sections)
    return f"[{_number(reading.clock)},{_number(reading.uptime)},{_encoder(reading.boot_id)},[{sections}]]"


def _section_text(section: Section, known: Texts) -> str:
    rows, text = known.get(section.name, ((), "[]"))
    if rows is not section.rows:
        text = _encoder([_VALUES[type(row)](row) for row in section.rows])
        known[section.name] = section.rows, text
    uptime = "null" if section.uptime is None else _number(section.uptime)
    head = _head(section.name, section.status.value, section.reason)
    return f"[{head},{_number(section.seconds)},{text},{uptime}]"


@lru_cache(maxsize=4096)
def _head(*words: str) -> str:
    return ",".join(map(_encoder, words))


def _number(value: float) -> str:
    """As the encoder writes it, which takes ten times as long to begin."""
    return repr(value) if math.isfinite(value) else _encoder(value)


def decode(text: str | None) -> Reading | None:
    """None when there is none, or when another version of the poller wrote it: rates then start afresh."""
    if text is None:
        return None
    try:
        clock, uptime, boot_id, sections = json.loads(text)
        return Reading(clock, uptime, boot_id, tuple(_section(*section) for section in sections))
    except (ValueError, TypeError, KeyError) as error:
        _log.info("a stored reading is not usable: %r", error)
        return None


def _section(
    name: str, status: str, reason: str, seconds: float, rows: list[list[Any]], uptime: float | None = None
) -> Section:
    """Without an uptime as schema 2 had it: all sections were of one report."""
    found = tuple(_BY_NAME[kind](*values) for kind, *values in rows)
    return Section(name, _STATUS[status], reason, seconds, found, uptime)


def stuck_mounts(reading: Reading) -> str | None:
    """JSON list of the mount points that did not respond; None when this reading cannot say."""
    if not any(section.name == "filesystem" and section.rows for section in reading.sections):
        return None
    stuck = [row.mountpoint for row in reading.rows(FileSystem) if isinstance(row, FileSystem) and row.state == "stuck"]
    return _encoder(stuck)


_Number = int | None
_MemoryRow = tuple[
    str | None, str | None, str | None, int, _Number, _Number, _Number, _Number, str | None, str, _Number
]


class Recall:
    """Reads what is remembered of hosts. What `ahead` read is not decoded again when the poll comes back.

    With `keeps`, for a poller that stays, the newest reading of each host is kept with its text: nothing is decoded
    again, nor is the text of sections made anew that are the very same. The text in the database always decides.
    """

    def __init__(self, connection: sqlite3.Connection, *, keeps: bool = False) -> None:
        self._connection = connection
        self._keeps = keeps
        self._known: dict[str, tuple[str | None, Reading | None]] = {}
        self._texts: dict[str, Texts] = {}

    def ahead(self, host: str) -> Before:
        """For the request, before the poll."""
        before, text = self._recalled(host)
        self._known[host] = text, before.reading
        return before

    def before(self, host: str) -> Before:
        """As it stands in the database now; the default for a host never polled."""
        before, text = self._recalled(host)
        if self._keeps:
            self._known[host] = text, before.reading
        else:
            self._known.pop(host, None)
        return before

    def encoded(self, host: str, reading: Reading) -> str:
        """The text to store. Whether that succeeds shows when it is read again."""
        if not self._keeps:
            return encode(reading)
        known = self._texts.get(host, {})
        # Of sections that are no longer remembered nothing stays.
        texts = self._texts[host] = {one.name: known[one.name] for one in reading.sections if one.name in known}
        text = encode(reading, texts)
        self._known[host] = text, reading
        return text

    def _recalled(self, host: str) -> tuple[Before, str | None]:
        row = self._row(host)
        if row is None:
            return Before(), None
        text, reading = self._known.get(host, (None, None))
        if row[0] != text:
            reading = decode(row[0])
        return self._before(host, row, reading), row[0]

    def _row(self, host: str) -> _MemoryRow | None:
        row: _MemoryRow | None = self._connection.execute(statements()["find_memory"], {"name": host}).fetchone()
        return row

    def _before(self, host: str, row: _MemoryRow, reading: Reading | None) -> Before:
        _, stuck, address, failures, sudo_denied_until_ms, refused, retry_at_ms = row[:7]
        report_ms, host_key, trouble, skewed = row[7:]
        return Before(
            reading=reading,
            stuck=tuple(json.loads(stuck)) if stuck else (),
            address=address,
            failures=failures,
            sudo_denied_until_ms=sudo_denied_until_ms or 0,
            logins=Logins(refused or 0, retry_at_ms or 0),
            asked_ms=self._pairs("find_asked", host),
            cursors=self._pairs("find_cursors", host),
            open=open_names(self._connection, host),
            report_ms=report_ms or 0,
            host_key=host_key or "",
            trouble=trouble.strip("/"),
            skewed=bool(skewed),
        )

    def _pairs(self, statement: str, host: str) -> MappingProxyType[str, Any]:
        return MappingProxyType(dict(self._connection.execute(statements()[statement], {"name": host}).fetchall()))
