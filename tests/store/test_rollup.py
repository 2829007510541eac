"""Roll-ups are what their definition says, however they came about; late polls, crashes and clocks change nothing."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poller.store.rollup import RolledUp, roll_up
from poller.store.rollup_ledger import SqliteLedger
from poller.store.rollup_span import LATE_AT_ONCE, UNITS_AT_ONCE
from poller.store.rollup_sql import FIVE_MS, HOUR_MS, ROLLED
from tests.store import rolling
from tests.store.rolling import START_MS, Samples, Watched

MINUTE = 60_000


@pytest.fixture(scope="module")
def shared() -> Iterator[sqlite3.Connection]:
    with closing(rolling.database()) as connection:
        yield connection


@pytest.fixture
def site(shared: sqlite3.Connection) -> sqlite3.Connection:
    rolling.empty(shared)
    return shared


def roll(site: sqlite3.Connection, now_ms: int, *, closed_ms: int = 0, seconds: float = 60.0) -> RolledUp:
    return roll_up(SqliteLedger(site), closed_ms, now_ms, threading.Event(), seconds)


# Values as hosts have them: nothing at all, whole ones, tiny and huge ones, and such as do not add up exactly.
_VALUES = st.one_of(st.none(), st.integers(0, 1 << 53).map(float), st.floats(0, 1e6), st.sampled_from([0.1, 33.3]))
# Gaps: regular ones with jitter, two polls at once, and hours in which nobody looked or the host was down.
_GAPS = st.one_of(st.integers(59_000, 61_000), st.integers(1, 999), st.integers(MINUTE, 3 * HOUR_MS))


@st.composite
def histories(draw: st.DrawFn) -> Samples:
    """Of four disks of two hosts, which are polled at the same instants, with numbers of their own."""
    found: dict[int, dict[int, float | None]] = {}
    for host in (1, 2):
        at_ms = START_MS + draw(st.integers(0, HOUR_MS))
        instants = []
        for gap in draw(st.lists(_GAPS, min_size=1, max_size=30)):
            instants.append(at_ms)
            at_ms += gap
        for disk in (10 * host, 10 * host + 1):
            found[disk] = {instant: draw(_VALUES) for instant in instants}
    return found


def fill(site: sqlite3.Connection, samples: Samples) -> int:
    """Stores it with the polls; returns an instant when all of it is over."""
    rolling.empty(site)
    rolling.store(site, samples)
    for host in (1, 2):
        for at_ms in samples[10 * host]:
            rolling.poll(site, host, at_ms)
    return max(max(found) for found in samples.values()) + 2 * HOUR_MS


@given(histories())
@settings(max_examples=60, deadline=None)
def test_least_mean_and_greatest_are_those_of_the_definition(shared: sqlite3.Connection, samples: Samples) -> None:
    end_ms = fill(shared, samples)
    roll(shared, end_ms, closed_ms=end_ms)
    fives = list(rolling.expected_fives(samples, end_ms - end_ms % FIVE_MS))
    hours = list(rolling.expected_hours(fives, end_ms - end_ms % HOUR_MS))
    for table, wanted in (("disk_5m", fives), ("disk_1h", hours)):
        found = rolling.of_disks(shared, table)
        assert [row[:3] for row in found] == [row[:3] for row in wanted]
        for row, want in zip(found, wanted, strict=True):
            assert list(row[3:]) == [None if cell is None else pytest.approx(cell, rel=1e-9) for cell in want[3:]]
            assert row[4] is None or row[4] <= row[5] <= row[6], "a mean is never outside"


@given(histories(), st.lists(st.integers(0, 60 * 60_000), max_size=12))
@settings(max_examples=40, deadline=None)
def test_bit_by_bit_gives_the_same_as_all_at_once_and_twice_changes_nothing(
    shared: sqlite3.Connection, samples: Samples, steps: list[int]
) -> None:
    end_ms = fill(shared, samples)
    now_ms = START_MS
    for step in steps:
        now_ms += step
        roll(shared, now_ms, closed_ms=now_ms)
    roll(shared, end_ms, closed_ms=end_ms)
    bit_by_bit = rolling.rolled(shared)
    assert roll(shared, end_ms, closed_ms=end_ms) == RolledUp()
    fill(shared, samples)
    roll(shared, end_ms, closed_ms=end_ms)
    assert rolling.rolled(shared) == bit_by_bit
    shared.execute("UPDATE rolled_up SET fives_ms = 0, hours_ms = 0")
    assert roll(shared, end_ms, closed_ms=end_ms).windows > 0
    assert rolling.rolled(shared) == bit_by_bit


def hour(site: sqlite3.Connection, hosts: tuple[int, ...] = (1, 2, 3), minutes: int = 150) -> int:
    """Polls once a minute; returns the end."""
    for minute in range(minutes):
        for host in hosts:
            rolling.polled(site, host, START_MS + minute * MINUTE + host * 1000, float(minute % 7))
    return START_MS + minutes * MINUTE


def test_killed_anywhere_it_goes_on_and_comes_to_the_same(site: sqlite3.Connection) -> None:
    end_ms = hour(site)
    roll(site, end_ms)
    wanted = rolling.rolled(site)
    statements, died = 0, True
    while died:
        site.execute("DELETE FROM rolled_up")
        for table in ROLLED:
            site.execute(f"DELETE FROM {table.fives}")
            site.execute(f"DELETE FROM {table.hours}")
        died = False
        try:
            roll_up(Watched(site, statements), 0, end_ms, threading.Event())
        except KeyboardInterrupt:
            died = True
        roll(site, end_ms)
        assert rolling.rolled(site) == wanted
        statements += 1
    assert statements > 12


def test_a_window_is_made_when_its_host_was_polled_behind_it_and_not_before(site: sqlite3.Connection) -> None:
    for minute in (0, 1, 4):
        rolling.polled(site, 1, START_MS + minute * MINUTE)
    roll(site, START_MS + 3 * HOUR_MS)
    assert rolling.of_disks(site, "disk_5m") == []
    rolling.polled(site, 1, START_MS + 5 * MINUTE)
    roll(site, START_MS + 3 * HOUR_MS)
    assert [row[:3] for row in rolling.of_disks(site, "disk_5m")] == [(10, START_MS, 3), (11, START_MS, 3)]


def test_a_host_that_is_silent_is_rolled_up_an_hour_later_when_others_go_on(site: sqlite3.Connection) -> None:
    rolling.polled(site, 1, START_MS + MINUTE)
    rolling.polled(site, 2, START_MS + HOUR_MS)
    roll(site, START_MS + 9 * HOUR_MS)
    assert rolling.of_disks(site, "disk_5m") == []
    rolling.polled(site, 2, START_MS + HOUR_MS + FIVE_MS)
    roll(site, START_MS + 9 * HOUR_MS)
    assert {row[:2] for row in rolling.of_disks(site, "disk_5m")} >= {(10, START_MS), (11, START_MS)}


def test_a_poll_that_comes_late_makes_its_window_and_its_hour_again(site: sqlite3.Connection) -> None:
    end_ms = hour(site)
    roll(site, end_ms)
    rolling.polled(site, 2, START_MS + 12 * MINUTE + 30_000, 99.0)
    rolling.polled(site, 2, START_MS + 12 * MINUTE + 31_000, None)
    assert site.execute("SELECT host_id, at_ms FROM late_window").fetchall() == [(2, START_MS + 10 * MINUTE)]
    roll(site, end_ms)
    assert site.execute("SELECT COUNT(*) FROM late_window").fetchone() == (0,)
    again = rolling.rolled(site)
    assert {row[6] for row in rolling.of_disks(site, "disk_1h") if row[:2] == (20, START_MS)} == {99.0}
    site.execute("DELETE FROM rolled_up")
    roll(site, end_ms)
    assert rolling.rolled(site) == again, "as if it had been there in time"


def test_what_comes_too_late_for_raw_history_spoils_no_roll_up(site: sqlite3.Connection) -> None:
    end_ms = hour(site)
    roll(site, end_ms)
    before = rolling.rolled(site)
    site.execute("UPDATE history_bound SET from_ms = ? WHERE resolution = 'raw'", (START_MS + HOUR_MS,))
    site.execute("DELETE FROM disk_sample WHERE at_ms < ?", (START_MS + HOUR_MS,))
    rolling.polled(site, 1, START_MS + 12 * MINUTE + 30_000, 99.0)
    roll(site, end_ms)
    assert rolling.rolled(site) == before


def late(site: sqlite3.Connection, from_ms: int, windows: int) -> None:
    """So many windows of host 1 got a poll each after they were made, as after a copy from another database."""
    site.execute(
        f"WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {windows - 1})"
        " INSERT INTO late_window (host_id, at_ms) SELECT 1, ? + ? * i FROM n",
        (from_ms, FIVE_MS),
    )


def late_windows(site: sqlite3.Connection) -> int:
    count: int = site.execute("SELECT COUNT(*) FROM late_window").fetchone()[0]
    return count


def test_however_many_windows_are_late_few_are_read_at_a_time(site: sqlite3.Connection) -> None:
    end_ms = hour(site)
    roll(site, end_ms)
    late(site, START_MS - 20_000 * FIVE_MS, 20_000)
    ledger = Watched(site)
    roll_up(ledger, 0, end_ms, threading.Event(), budget_seconds=0)
    assert (max(ledger.brought) <= LATE_AT_ONCE < 20_000, late_windows(site)) == (True, 20_000)
    roll_up(ledger, 0, end_ms, threading.Event(), budget_seconds=0.1)
    assert max(ledger.brought) <= LATE_AT_ONCE
    assert 0 < late_windows(site) < 20_000, "as soon as its time is over it stops, wherever it is"


def test_late_windows_of_several_pages_are_made_in_one_roll_up(
    site: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poller.store.rollup_span.LATE_AT_ONCE", 2)
    end_ms = hour(site)
    roll(site, end_ms)
    for host in (1, 2, 3):
        for minute in (2, 12, 62, 92):
            rolling.polled(site, host, START_MS + minute * MINUTE + 30_000, 99.0)
    assert late_windows(site) == 12
    ledger = Watched(site)
    roll_up(ledger, 0, end_ms, threading.Event())
    again = rolling.rolled(site)
    assert (late_windows(site), len(ledger.changed)) == (0, 6 + 2)
    site.execute("DELETE FROM rolled_up")
    roll(site, end_ms)
    assert rolling.rolled(site) == again


def test_late_windows_whose_samples_are_gone_are_forgotten_bit_by_bit(site: sqlite3.Connection) -> None:
    end_ms = hour(site)
    roll(site, end_ms)
    made = rolling.rolled(site)
    late(site, START_MS - 20_000 * FIVE_MS, 20_000)
    site.execute("UPDATE history_bound SET from_ms = ? WHERE resolution = 'raw'", (START_MS,))
    rolling.polled(site, 2, START_MS + 12 * MINUTE + 30_000, 99.0)
    ledger = Watched(site)
    done = roll_up(ledger, 0, end_ms, threading.Event())
    assert (late_windows(site), done.windows) == (0, 1)
    assert max(ledger.changed) <= LATE_AT_ONCE
    assert {name for name, rows in rolling.rolled(site).items() if rows != made[name]} >= {"disk_5m", "disk_1h"}


def test_a_clock_that_was_ahead_for_a_while_costs_nothing_of_what_comes_then(site: sqlite3.Connection) -> None:
    end_ms = hour(site)
    ahead = end_ms + 400 * 24 * HOUR_MS
    rolling.polled(site, 1, ahead)
    roll(site, ahead, closed_ms=ahead)
    site.execute("UPDATE history_bound SET from_ms = ?", (ahead - ahead % HOUR_MS,))
    for minute in range(150, 400):
        rolling.polled(site, 2, START_MS + minute * MINUTE, 3.0)
        if minute == 152:
            roll(site, START_MS + minute * MINUTE)
    roll(site, START_MS + 400 * MINUTE)
    made = {row[1] for row in rolling.of_disks(site, "disk_5m") if row[0] == 20}
    assert {START_MS + minute * MINUTE for minute in range(155, 395, 5)} <= made
    assert all(at_ms <= START_MS + 152 * MINUTE for (at_ms,) in site.execute("SELECT from_ms FROM history_bound"))


def test_no_transaction_makes_more_than_its_share_however_far_behind(site: sqlite3.Connection) -> None:
    end_ms = hour(site, minutes=600)
    ledger = Watched(site)
    done = roll_up(ledger, 0, end_ms, threading.Event())
    assert len(ledger.changed) > 5
    assert max(ledger.changed) <= UNITS_AT_ONCE + 3, "one row for each window of a thing, and how far each host is"
    assert (done.behind_ms, done.windows) == (0, 3 * (119 + 9))
    assert done.rows == sum(map(len, rolling.rolled(site).values()))


def test_out_of_time_or_told_to_stop_it_says_how_far_behind_it_is_and_goes_on(site: sqlite3.Connection) -> None:
    end_ms = hour(site, minutes=600)
    assert roll(site, end_ms, seconds=0) == RolledUp(0, 0, 595 * MINUTE)
    stopped = threading.Event()
    stopped.set()
    assert roll_up(SqliteLedger(site), 0, end_ms, stopped).windows == 0
    assert roll(site, end_ms).behind_ms == 0


def test_long_times_without_a_sample_cost_no_transactions(site: sqlite3.Connection) -> None:
    rolling.polled(site, 1, START_MS)
    rolling.polled(site, 1, START_MS + 500 * 24 * HOUR_MS)
    ledger = Watched(site)
    roll_up(ledger, 0, START_MS + 501 * 24 * HOUR_MS, threading.Event())
    assert len(ledger.changed) < 8
    assert len(rolling.of_disks(site, "disk_5m")) == 2


def test_the_tables_have_what_the_catalogue_has(site: sqlite3.Connection) -> None:
    for table in ROLLED:
        for name in (table.fives, table.hours):
            assert [row[1] for row in site.execute(f"PRAGMA table_info({name})")] == rolling.names(table)
