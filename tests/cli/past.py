"""A journal with a past, for the commands that show it: web1 was busy, lab1 quiet; some texts are hostile."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from poller.model import Event, LogLine, Severity
from poller.store import Journal
from poller.store.work import Work
from tests.config.files import write
from tests.store import watched
from tests.store.machines import failed, poll, values

CONFIG: Final = """<poller><journal path="poller.db"/><poll interval="60s" deadline="30s"/>
<host name="web1" address="local"/><host name="lab1" address="local"/><host name="new1" address="local"/></poller>"""
# What a hostile host may send: colours and cursor moves, line ends, text that is turned round, a formula.
HOSTILE: Final = "=cmd|'x'!A1 \x1b[2J\x1b]0;title\x07 \r\nfake line \u202e\u2066 \u2028 \x9b31m ]]> \U000e0041"
MINUTES_AGO: Final = (90, 61, 2, 1)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def fill(folder: Path) -> Path:
    """config.xml and the journal beside it; returns the journal."""
    write(folder, CONFIG)
    journal = folder / "poller.db"
    now = now_ms()
    with Journal.open(journal, now_ms=now) as opened, opened.transaction() as work:
        for ago in MINUTES_AGO:
            _poll(work, "web1", now - ago * 60_000, ago)
        work.store_poll(replace(failed("lab1"), id="lab1-down", at_ms=now - 30_000), ())
        work.store_events("", [Event("gap", now - 30_000, Severity.HIGH, "samples were left out")])
    return journal


def poll_once(journal: Path, host: str, at_ms: int, number: int, *extra: LogLine) -> None:
    """One more poll of a host, with a stick in it, an event and two lines, and whatever is given."""
    with Journal.open(journal, now_ms=at_ms) as opened, opened.transaction() as work:
        _poll(work, host, at_ms, number, *extra)


def _poll(work: Work, host: str, at_ms: int, number: int, *extra: LogLine) -> None:
    one = replace(poll(host, 200 - number, number=number), at_ms=at_ms, id=f"{host}-{at_ms}")
    one = watched.with_sections(one, watched.quiet() if number == 90 else watched.busy())
    found = watched.findings(at_ms)
    events = (Event("usb_attached", at_ms, Severity.MEDIUM, f"storage 0951:1666 number {number} {HOSTILE}"),)
    lines = (*found.lines, watched.line(at_ms - 500, f"odd {HOSTILE}", program=HOSTILE), *extra)
    numbers = (*values(number), *watched.heat(40 + number))
    work.store_poll(one, numbers, findings=replace(found, events=events, lines=lines))


def inert(text: str) -> bool:
    """Nothing in it moves a cursor, ends a line that is not ours, or turns text round."""
    return not any(sign in text for sign in "\x1b\x07\r\x9b\u202e\u2066\u2028\U000e0041")
