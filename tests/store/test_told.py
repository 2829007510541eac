"""Peers, log lines, processes and series are stored as they were told, and so are events."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from poller.model import Check, Event, Findings, MetricValue, Severity, Unit
from poller.store import Journal
from poller.store.kinds import PATIENCE_MS
from poller.store.samples import Samples
from tests.store.conftest import Ask
from tests.store.machines import START_MS
from tests.store.watching import MINUTE_MS, TABLES, connection, fill, line, read, seen, store, talk

DAY_MS = 86_400_000
PEERS = "SELECT peer, name FROM (SELECT address AS peer, name FROM peers) ORDER BY peer"


def at(minute: int) -> int:
    return START_MS + minute * MINUTE_MS


def name_address(path: Path, address: str, name: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT OR REPLACE INTO address_name VALUES (?, ?, 1)", (address, name))


def test_a_poll_can_bring_a_row_of_every_table(journal: Journal, ask: Ask) -> None:
    fill(journal, "web1", 1, 2, 3)
    for table in TABLES:
        assert ask(f"SELECT COUNT(*) FROM {table}")[0][0] > 0, table


def test_what_was_moved_is_there_by_poll_and_by_day(journal: Journal, ask: Ask) -> None:
    night = (DAY_MS - START_MS % DAY_MS) // MINUTE_MS  # the first minute of the next day begins within it
    for minute in (1, 2, night + 1):
        talks = (talk(opened=minute), talk("192.0.2.8", sent=None, received=None))
        store(journal, seen("web1", minute), Findings(talks=talks))
    rows = ask("SELECT at_ms, sent_bytes, opened FROM peer_samples WHERE address = '198.51.100.4'")
    assert rows == [(at(1), 1000, 1), (at(2), 1000, 2), (at(night + 1), 1000, night + 1)]
    days = ask("SELECT at, sent_bytes, received_bytes, opened FROM peer_days ORDER BY address, at_ms")
    assert days == [
        ("2025-10-09 00:00:00", 0, 0, 2), ("2025-10-10 00:00:00", 0, 0, 1),
        ("2025-10-09 00:00:00", 2000, 1000, 3), ("2025-10-10 00:00:00", 1000, 500, night + 1),
    ]  # fmt: skip
    assert ask("SELECT sent_bytes, day_sent_bytes, seconds FROM peers ORDER BY address") == [
        (None, 0, 60.0), (1000, 1000, 60.0),
    ]  # fmt: skip


def test_a_peer_has_the_name_that_was_looked_up_last(journal: Journal, ask: Ask, path: Path) -> None:
    store(journal, seen("web1", 1), Findings(talks=(talk(),)))
    assert ask(PEERS) == [("198.51.100.4", "")]
    for minute, name in ((2, "a.example.org"), (3, ""), (4, "b.example.org")):
        name_address(path, "198.51.100.4", name)
        store(journal, seen("web1", minute), Findings(talks=(talk(scope="local", listed=True),)))
        if not name:
            assert ask(PEERS) == [("198.51.100.4", "a.example.org")], "no answer takes no name away"
    assert ask(PEERS) == [("198.51.100.4", "b.example.org")]
    assert ask("SELECT scope, listed FROM peer") == [("local", 1)]


def test_lines_keep_their_order_also_when_two_polls_bear_one_instant(journal: Journal, ask: Ask) -> None:
    for number in (1, 2):
        one = seen("web1", 1, number=number)
        store(journal, one, Findings(lines=tuple(line(i, text=f"{number}.{i}") for i in range(3))))
    rows = ask("SELECT number, message FROM log_line ORDER BY seen_ms, number")
    assert rows == [(i, f"{1 + i // 3}.{i % 3}") for i in range(6)]


def test_numbers_and_texts_that_no_column_holds_do_not_stop_a_line(journal: Journal, ask: Ask) -> None:
    odd = line(text="a\udc80b", pid=10**30, count=10**30, priority=None, at_ms=-(10**30))
    store(journal, seen("web1", 1), Findings(lines=(odd, line(pid=None))))
    assert ask("SELECT message, pid, repeats, at_ms FROM log_line") == [
        ("a\\udc80b", 2**63 - 1, 2**63 - 1, -(2**63) + 1), ("m0", None, 1, 1_760_000_000_000),
    ]  # fmt: skip


def test_what_a_unit_and_a_check_said_last(journal: Journal, ask: Ask) -> None:
    unit, check = Unit("a.service", "loaded", "failed", "failed", "A"), Check("disk", 2, "CRITICAL", "/=9", 0.1)
    store(journal, seen("web1", 1, read("units", unit), read("checks", check)))
    store(
        journal,
        seen("web1", 2, read("units", replace(unit, active="active")), read("checks", replace(check, status=0))),
    )
    assert ask("SELECT unit, active, first_seen_ms, last_seen_ms FROM units") == [("a.service", "active", at(1), at(2))]
    assert ask("SELECT name, status, output FROM service_checks") == [("disk", 0, "CRITICAL")]


def series(value: float, label: str = "sshd") -> MetricValue:
    return MetricValue("process.count", value, (("name", label),))


def test_each_series_has_its_own_history_and_the_newest_value_is_found(journal: Journal, ask: Ask) -> None:
    for minute in (1, 2):
        store(journal, seen("web1", minute), found=[series(minute), series(0, "cron"), MetricValue("usb.devices", 3)])
    assert ask("SELECT label, at_ms, value FROM series_samples ORDER BY label, at_ms") == [
        ("cron", at(1), 0), ("cron", at(2), 0), ("sshd", at(1), 1), ("sshd", at(2), 2),
    ]  # fmt: skip
    latest = "SELECT metric, label, value, at_ms FROM metric_latest WHERE metric IN ('process.count', 'usb.devices')"
    assert sorted(ask(latest)) == [
        ("process.count", "cron", 0, at(2)), ("process.count", "sshd", 2, at(2)), ("usb.devices", "", 3, at(2)),
    ]  # fmt: skip
    store(journal, seen("web1", 100), found=[series(7)])
    assert sorted(ask(latest))[:2] == [("process.count", "cron", 0, at(2)), ("process.count", "sshd", 7, at(100))]
    store(journal, seen("web1", 200), found=[])
    assert sorted(ask(latest)) == [("process.count", "sshd", 7, at(100))], "one that is long gone is not now"


def test_a_series_is_written_down_again_every_ten_minutes(journal: Journal, ask: Ask) -> None:
    for minute in range(1, 15):
        store(journal, seen("web1", minute), found=[series(minute)])
    assert ask("SELECT first_seen_ms, last_seen_ms FROM series") == [(at(1), at(1) + PATIENCE_MS)]
    assert ask("SELECT COUNT(*) FROM series_sample") == [(14,)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_no_sample(value: float) -> None:
    assert Samples([series(value)]).series == {}


def test_on_a_disk_that_is_nearly_full_only_events_and_lines_are_kept(journal: Journal, ask: Ask) -> None:
    journal._polls.bulk = False
    found = Findings(
        events=(Event("mounted", at(1), Severity.LOW, "/mnt"),), talks=(talk(),), connections=(connection(),),
        lines=(line(),), processes=((1, "init", 0, "root", 0.1, 1, ""),),
    )  # fmt: skip
    journal._polls.store(seen("web1", 1, read("traffic")), [series(1)], None, found, journal.before(["web1"])["web1"])
    kept = {table: ask(f"SELECT COUNT(*) FROM {table}")[0][0] for table in TABLES if "_" in table or table in ("peer",)}
    assert {table for table, count in kept.items() if count} == {"log_line", "section_state"}
    assert ask("SELECT COUNT(*) FROM connection") == [(0,)]
    assert ("mounted",) in ask("SELECT kind FROM event")
