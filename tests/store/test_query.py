"""Every question of the cookbook is answered right, by `poller query` and by whoever pastes it into a shell."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poller.errors import StoreError, UsageError
from poller.metrics import SAMPLE_TABLES
from poller.model import (
    Acknowledgement,
    Alert,
    Change,
    ChangeKind,
    Comparison,
    Findings,
    Message,
    MetricValue,
    Notification,
    Retention,
    Severity,
    Silence,
)
from poller.store import Journal, alerting
from poller.store.query import FUNCTIONS, ask, ask_sql, containing, cookbook, find, like, parse
from tests.store import watched
from tests.store.machines import GIB, START_MS, failed, poll

MINUTE = 60_000
HOURS = 3_600_000


def numbers(cpu: float, used_gib: float, received: float) -> tuple[MetricValue, ...]:
    """Just enough of a machine to give every question something to answer."""
    root, eth0, sda = (("mountpoint", "/"),), (("interface", "eth0"),), (("device", "sda"),)
    return (
        MetricValue("cpu.percent", cpu),
        MetricValue("cpu.iowait_percent", 2.0),
        MetricValue("cpu.steal_percent", 0.5),
        MetricValue("load.1m_per_cpu", cpu / 50),
        MetricValue("memory.percent", cpu / 2),
        MetricValue("memory.total_bytes", float(16 * GIB)),
        MetricValue("memory.available_bytes", float((100 - used_gib) * (GIB >> 4))),
        MetricValue("swap.percent", 1.0),
        MetricValue("swap.in_bytes_per_second", 0.0),
        MetricValue("pressure.memory_some_percent", 0.25),
        MetricValue("disk.percent", used_gib, root),
        MetricValue("disk.used_bytes", used_gib * GIB, root),
        MetricValue("disk.available_bytes", (100 - used_gib) * GIB, root),
        MetricValue("disk.total_bytes", 100.0 * GIB, root),
        MetricValue("disk.inodes_percent", 7.0, root),
        MetricValue("network.receive_bytes_per_second", received, eth0),
        MetricValue("network.transmit_bytes_per_second", received / 4, eth0),
        MetricValue("network.receive_errors_per_second", 0.0, eth0),
        MetricValue("network.receive_dropped_per_second", 1.5, eth0),
        MetricValue("network.transmit_errors_per_second", 0.0, eth0),
        MetricValue("network.transmit_dropped_per_second", 0.0, eth0),
        MetricValue("block.busy_percent", cpu / 10, sda),
        MetricValue("block.read_bytes_per_second", 1000.0, sda),
        MetricValue("block.write_bytes_per_second", 2000.0, sda),
        MetricValue("block.read_seconds", 0.004, sda),
        MetricValue("block.write_seconds", 0.008, sda),
    )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """web1 fills its disk by 1 GiB an hour, lab1 is busy and was away twice; the last poll was at minute 120."""
    path = tmp_path_factory.mktemp("filled") / "poller.db"
    with Journal.open(path, now_ms=START_MS) as journal:
        with journal.transaction() as work:
            for minute in (0, 60, 120):
                brought = numbers(20 + minute / 6, 40 + minute / 60, 1e6) + watched.heat(40 + minute / 60)
                sections = watched.busy() if minute == 60 else watched.quiet()
                if minute == 120:
                    sections |= {"units": (watched.BROKEN,), "checks": watched.CHECKS}
                one = watched.with_sections(poll("web1", minute), sections)
                found = watched.findings(one.at_ms) if minute else Findings()
                work.store_poll(one, brought, findings=found)
            for minute in (0, 60):
                work.store_poll(failed("lab1", minute, "connect", "timeout"), ())
            boot = "9d1c0b1e-0000-4000-8000-000000000000"
            work.store_poll(replace(poll("lab1", 90, boot_id=boot), seconds=2.5), numbers(95, 80, 5e6))
            last = watched.with_sections(poll("lab1", 120), {"usb": (watched.STICK,)})
            work.store_poll(last, numbers(85, 80, 3e6))
        high = Alert("a1", "lab1", "cpu.percent", (), Severity.HIGH, 85.0, "> 80 for 60s", START_MS + 90 * MINUTE,
                     START_MS + 120 * MINUTE, START_MS + 90 * MINUTE)  # fmt: skip
        old = replace(high, id="a0", metric="disk.percent", labels=(("mountpoint", "/"),), severity=Severity.LOW,
                      opened_ms=START_MS, closed_ms=START_MS + 30 * MINUTE)  # fmt: skip
        with journal.transaction() as work:
            changes = (Change(ChangeKind.CLOSED, old, ""), Change(ChangeKind.OPENED, high, ""))
            work.store_comparison("lab1", Comparison((), (high,), changes))
        tell(journal, high, old)
        # As if nothing of that time could come any more.
        journal.roll_up(Retention(samples=1.0), START_MS + 4 * HOURS)
    yield path


def tell(journal: Journal, high: Alert, old: Alert) -> None:
    """ops were told of both, boss of none; somebody takes care of what is open, and a silence is lifted, one not."""
    notes = [Notification(f"n{alert.id}-{who}", alert, ChangeKind.OPENED, who, 1, alert.opened_ms)
             for alert in (high, old) for who in ("ops", "boss")]  # fmt: skip
    with journal.transaction() as work:
        work.enqueue(notes)
    outbox = journal.outbox()
    outbox.delivered(Message("m0", "ops", "mail", START_MS, "old", ("na0-ops",)))
    outbox.delivered(Message("m1", "ops", "sms", START_MS + 90 * MINUTE, "high", ("na1-ops",), digest=True))
    outbox.hold(["na1-boss"], "hours")
    outbox.suppress(["na0-boss"], "short", START_MS)
    outbox.close()
    alerting.acknowledge(journal.path, Acknowledgement("k1", "a1", START_MS + 91 * MINUTE, "ops", "on it"))
    quiet = Silence("s1", START_MS, START_MS + 600 * MINUTE, START_MS, "ops", "cabling", "lab*")
    for silence in (quiet, replace(quiet, id="s2", host="web1"), replace(quiet, id="s3", until_ms=START_MS + MINUTE)):
        alerting.add_silence(journal.path, silence)
    alerting.end_silence(journal.path, "s2", "net", START_MS + MINUTE)


FIRST = "2025-10-09 08:53:20"
HOUR = "2025-10-09 09:53:20"
LAST = "2025-10-09 10:53:20"
LAST_MS = START_MS + 120 * MINUTE
DAY_MS = START_MS - START_MS % (24 * HOURS)
STICK = ("0951", "1666", "Kingston", "DataTraveler", "60A44C41", "1-2.1", "sdb")
REBOOTED = "up for 7200 s, boot id 0b6a4f9e-1111-4222-8333-444455556666, before 9d1c0b1e-0000-4000-8000-000000000000"
CLOCK_MS = START_MS - START_MS % HOURS
MONTH_MS = START_MS - START_MS % (30 * 24 * HOURS)
ANSWERS: dict[str, list[tuple[Any, ...]]] = {
    "load-by-hour": [
        (CLOCK_MS, "web1", 20.0, 20.0, 10.0, 10.0, None, None, 1),
        (CLOCK_MS + HOURS, "web1", 30.0, 30.0, 15.0, 15.0, None, None, 1),
        (CLOCK_MS + 2 * HOURS, "lab1", 90.0, 95.0, 45.0, 47.5, None, None, 2),
        (CLOCK_MS + 2 * HOURS, "web1", 40.0, 40.0, 20.0, 20.0, None, None, 1),
    ],
    "disk-growth-by-month": [
        ("lab1", "/", MONTH_MS, 80.0 * GIB, 80 * GIB, None, 1),
        ("web1", "/", MONTH_MS, 41.0 * GIB, 42 * GIB, None, 3),
    ],
    "hosts-now": [
        ("lab1", "ok", LAST, 85.0, 42.5, 1.7, 80.0, "/", 0, ""),
        ("web1", "ok", LAST, 40.0, 20.0, 0.8, 42.0, "/", 0, ""),
    ],
    "cpu-top": [("lab1", 90.0, 95.0, 2.0, 0.5, 1.9, 2), ("web1", 30.0, 40.0, 2.0, 0.5, 0.8, 3)],
    "disk-fullest": [
        ("lab1", "/", "/dev/sda0", "ext4", 80.0, 20 * GIB, 100 * GIB, 7.0),
        ("web1", "/", "/dev/sda0", "ext4", 42.0, 58 * GIB, 100 * GIB, 7.0),
    ],
    "disk-growth": [
        ("web1", "/", 42.0, 2 * GIB, 24 * GIB, round(58 / 24, 1)),
        ("lab1", "/", 80.0, 0, 0.0, None),
    ],
    "memory-pressure": [
        ("lab1", 45.0, 47.5, 1.0, 0.0, 0.3, int(1.25 * GIB)),
        ("web1", 15.0, 20.0, 1.0, 0.0, 0.3, int(58 / 16 * GIB)),
    ],
    "outages": [("lab1", "connect", "timeout", 2, 50.0, FIRST, "2025-10-09 09:53:20")],
    "slowest-polls": [
        ("lab1", 4, 0.683, 2.5, 0.005, 0.035, 0.021, 0.03, 0.09, 0.081),
        ("web1", 3, 0.212, 0.212, 0.001, 0.035, 0.021, 0.03, 0.09, 0.081),
    ],
    "network-top": [
        ("lab1", "eth0", 4e6, 1e6, 5e6, 1.25e6, 1.5, 0.0),
        ("web1", "eth0", 1e6, 0.25e6, 1e6, 0.25e6, 1.5, 0.0),
    ],
    "disk-busy": [
        ("lab1", "sda", "SAMSUNG MZ7LH480", 9.0, 9.5, 1000.0, 2000.0, 0.004, 0.008),
        ("web1", "sda", "SAMSUNG MZ7LH480", 3.0, 4.0, 1000.0, 2000.0, 0.004, 0.008),
    ],
    "reboots": [
        ("lab1", LAST, REBOOTED),
    ],
    "events": [
        (LAST, "lab1", "rebooted", "medium", REBOOTED),
        (FIRST, "lab1", "first_seen", "low", "the host was polled for the first time"),
        (FIRST, "web1", "first_seen", "low", "the host was polled for the first time"),
    ],
    "usb-history": [
        ("lab1", "storage", *STICK, LAST, LAST, None),
        ("web1", "storage", *STICK, HOUR, HOUR, LAST),
        ("web1", "keyboard", "046d", "c31c", "Logitech, Inc.", "Keyboard K120", "", "1-1", "", FIRST, LAST, None),
    ],
    "usb-now": [
        ("lab1", "storage", *STICK, LAST),
        ("web1", "keyboard", "046d", "c31c", "Logitech, Inc.", "Keyboard K120", "", "1-1", "", FIRST),
    ],
    "sticks-on-several-hosts": [
        ("60A44C41", "0951", "1666", "DataTraveler", 2, "web1", 1, HOUR, HOUR),
        ("60A44C41", "0951", "1666", "DataTraveler", 2, "lab1", 1, LAST, LAST),
    ],
    "talkers": [
        ("web1", "out", "198.51.100.7", "", "internet", "tcp", 443, 1000, 2000, 100_000, 2, LAST_MS),
        ("web1", "in", "192.0.2.99", "", "local", "tcp", 22, 1000, 600, 400, 2, LAST_MS),
        ("web1", "out", "203.0.113.5", "", "internet", "tcp", 53, 1000, None, None, 2, LAST_MS),
    ],
    "traffic-by-day": [
        (DAY_MS, "web1", "internet", 2000, 100_000, 4, 2),
        (DAY_MS, "web1", "local", 600, 400, 2, 1),
    ],
    "new-listeners": [(HOUR, "web1", "tcp", "192.0.2.10", 8080, "python3", 1000, LAST, 0)],
    "log-search": [
        (at, "web1", "syslog", program, 812, severity, 1, message)
        for when in ("10:53", "09:53")
        for at, program, severity, message in (
            (f"2025-10-09 {when}:19", "kernel", "high", "I/O error, dev sdb, sector 100%_5"),
            (f"2025-10-09 {when}:18", "sshd", "low", "Failed password for root from 198.51.100.9 port 4711 ssh2"),
        )
    ],
    "logs-unreadable": [("web1", "auth", "/var/log/auth.log", "denied", "Permission denied", 0, 0, LAST)],
    "logins": [("web1", "ann", "tty1", "", "2025-10-09 08:55:23", HOUR, LAST)],
    "disk-forecast": [
        ("web1", "/", 42.0, 58 * GIB, float(24 * GIB), round(58 / 24, 1),
         pytest.approx(LAST_MS + 58 / 24 * 86_400_000, abs=1), 3),
        ("lab1", "/", 80.0, 20 * GIB, 0.0, None, None, 2),
    ],
    "failed-units-and-checks": [
        ("web1", "check", "http", "critical", "HTTP CRITICAL - refused", LAST),
        ("web1", "unit", "backup.service", "failed", "Nightly backup", LAST),
    ],
    "hottest": [("web1", "coretemp/Core 0", 41.0, 42.0, 42.0, 3)],
    "process-top": [
        ("web1", "firefox", "ann", 97.5, 97.5, 1 << 30, 2),
        ("web1", "systemd", "root", None, None, 12 << 20, 2),
    ],
    "changes": [
        (LAST_MS, "lab1", "rebooted", "", "medium", REBOOTED),
        (START_MS, "lab1", "first_seen", "", "low", "the host was polled for the first time"),
        (START_MS, "web1", "first_seen", "", "low", "the host was polled for the first time"),
    ],
    "alerts-now": [
        ("lab1", "cpu.percent", "", "high", 85.0, "> 80 for 60s", "2025-10-09 10:23:20", 1, 0, 1, "hours"),
    ],
    "silences-now": [("lab*", "*", "*", "ops", "cabling", FIRST, "2025-10-09 18:53:20")],
    "messages-by-day": [(DAY_MS, "ops", "mail", 1, 0, 1), (DAY_MS, "ops", "sms", 1, 1, 1)],
    "noisiest-rules": [("cpu.percent", 1, 1, 1, None, 1, 0), ("disk.percent", 1, 1, 0, 30.0, 1, 1)],
    "alert-history": [("lab1", "cpu.percent", "", 1, 0.5, 1), ("lab1", "disk.percent", "/", 1, 0.5, 0)],
    "inventory": [
        (name, "Debian 12", "6.1.0-25-amd64", "x86_64", 8, 16 * GIB, "192.0.2.10", "3.11.2", FIRST, FIRST)
        for name in ("lab1", "web1")
    ],
}  # fmt: skip
# About people, patterns and rules.
NOT_BY_HOST = {"messages-by-day", "silences-now", "noisiest-rules"}
PERIOD = {"since_ms": START_MS - 1, "until_ms": START_MS + 120 * MINUTE}


def period(name: str) -> dict[str, int]:
    return {key: value for key, value in PERIOD.items() if key in cookbook()[name].given}


def same(found: Any, expected: list[tuple[Any, ...]]) -> None:
    assert len(found) == len(expected)
    for row, wanted in zip(found, expected, strict=True):
        assert row == tuple(pytest.approx(cell) if isinstance(cell, float) else cell for cell in wanted)


def test_every_query_has_an_expected_answer_here() -> None:
    assert set(ANSWERS) == set(cookbook())


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_a_query_answers_right(filled: Path, name: str) -> None:
    same(ask(filled, find(name), period(name)).rows, ANSWERS[name])


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_a_query_pasted_into_a_shell_answers_the_same(filled: Path, name: str) -> None:
    """With the moment of the defaults moved to the end of the data, as if it were pasted then."""
    with closing(sqlite3.connect(filled)) as connection:
        now = PERIOD["until_ms"]
        connection.execute(
            f"CREATE TEMP VIEW moment AS SELECT {now} AS now_ms, {now - HOURS} AS hour_ago_ms,"
            f" {now - 24 * HOURS} AS day_ago_ms, {now - 168 * HOURS} AS week_ago_ms"
        )
        same(connection.execute(find(name).text).fetchall(), ANSWERS[name])


@pytest.mark.parametrize("name", sorted(ANSWERS.keys() - NOT_BY_HOST))
def test_a_query_can_be_asked_of_some_hosts_only(filled: Path, name: str) -> None:
    query = find(name)
    place = ask(filled, query, period(name)).columns.index("host")
    everyone = ask(filled, query, period(name)).rows
    some = ask(filled, query, period(name) | {"host_like": like("w*b?")}).rows
    assert some == tuple(row for row in everyone if row[place] == "web1")


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_no_query_reads_a_whole_sample_table(filled: Path, name: str) -> None:
    with closing(sqlite3.connect(filled)) as connection:
        plan = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + find(name).text)]
    scanned = {step.split()[1] for step in plan if step.startswith("SCAN")}
    growing = {"poll", "oldest", "newest", "log_line", "peer_sample", "peer_day", "process_sample", "connection"}
    assert not scanned & {*SAMPLE_TABLES, *growing}, plan


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_a_query_is_portable_and_explained(name: str) -> None:
    query = find(name)
    sql = re.sub(r"--.*", "", query.text)
    called = {word.lower() for word in re.findall(r"(\w+)\(", sql)}
    assert called <= FUNCTIONS | {"as", "in"}, called
    assert not re.search(r"[?:@]|\|\||\blimit\b|datetime|strftime|json", sql, re.IGNORECASE)
    assert query.title.endswith(".")
    assert query.explanation
    assert set(query.given) <= {"since_ms", "until_ms", "host_like", "text_like"}


def test_a_limit_cuts_and_says_so(filled: Path) -> None:
    result = ask(filled, find("hosts-now"), {}, limit=1)
    assert [row[0] for row in result.rows] == ["lab1"]
    assert result.more
    assert not ask(filled, find("hosts-now"), {}, limit=2).more


def test_what_a_query_has_no_place_for_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing like --since") as caught:
        find("hosts-now").bound({"since_ms": 1})
    assert "--host" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "found"),
    [("100%_5", 2), ("100%", 2), ("_5", 2), ("%5 ", 0), ("failed", 0), ("Failed p", 2), ("!", 0), ("100!%", 0)],
)
def test_words_are_looked_for_as_they_are_typed(filled: Path, text: str, found: int) -> None:
    values = period("log-search") | {"text_like": containing(text)}
    assert len(ask(filled, find("log-search"), values).rows) == found


@pytest.mark.parametrize(("since", "until", "who"), [(0, 59, 0), (50, 60, 1), (61, 119, 1), (121, 200, 0)])
def test_who_had_a_stick_between_two_instants(filled: Path, since: int, until: int, who: int) -> None:
    """web1 had it from minute 60 on; that it was gone is known since minute 120."""
    given = {"since_ms": START_MS + since * MINUTE, "until_ms": START_MS + until * MINUTE, "host_like": "web1"}
    rows = ask(filled, find("usb-history"), given).rows
    assert [row[1] for row in rows].count("storage") == who


def test_an_unknown_query_is_told_which_was_meant() -> None:
    with pytest.raises(UsageError) as caught:
        find("cpu-topp")
    assert caught.value.hint == "did you mean cpu-top?"


@pytest.mark.parametrize("glob", ["web[12]", "100%", "a_b", "a\\b"])
def test_globs_that_cannot_be_translated_are_refused(glob: str) -> None:
    with pytest.raises(UsageError):
        like(glob)


def test_a_page_without_its_parts_is_not_a_query() -> None:
    with pytest.raises(ValueError, match="given"):
        parse("bad", "-- Title\nSELECT 1;")


def test_ones_own_question(filled: Path) -> None:
    result = ask_sql(filled, "-- mine\nSELECT name FROM host ORDER BY name;", limit=1)
    assert (result.columns, result.rows, result.more) == (("name",), (("lab1",),), True)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM host", "DROP TABLE poll", "", "PRAGMA user_version = 3", "ATTACH 'x.db' AS x",
        "SELECT nonsense FROM host", "SELEC 1",
        "SELECT 1; DELETE FROM host", "WITH a AS (SELECT 1) DELETE FROM host", "SELECT ?", "SELECT (1",
    ],
)  # fmt: skip
def test_a_question_that_is_none_is_a_mistake_and_changes_nothing(filled: Path, sql: str) -> None:
    with pytest.raises(UsageError):
        ask_sql(filled, sql)
    assert ask_sql(filled, "SELECT COUNT(*) FROM host").rows == ((2,),)


def test_without_a_database_it_says_how_to_get_one(path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        ask(path, find("hosts-now"), {})
    assert "poller run" in caught.value.hint
