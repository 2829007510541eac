"""History never shows a time twice and never leaves one out, however it is rolled up, pruned, shipped or copied."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from poller.model import ArchiveSettings, Retention
from poller.store import Journal
from poller.store.aging import LOG_LINE, ROLLUPS, SAMPLES
from poller.store.archive import copying, roll_up_archive, trim, verifying
from poller.store.archive.mysql import MysqlArchive
from poller.store.archive.places import open_archive
from poller.store.archive.sqlite import SqliteArchive
from poller.store.archive.tables import TABLES
from poller.store.mysql import connect
from poller.store.prune import prune
from poller.store.rollup import roll_up
from poller.store.rollup_ledger import SqliteLedger
from poller.store.rollup_sql import FIVE_MS, HOUR_MS, ROLLED
from poller.store.slicing import lots
from poller.store.sql import migrations
from tests.mariadb import Database, MariaDb, make_database, remove_database
from tests.store import rolling
from tests.store.rolling import START_MS

MINUTE = 60_000
DAY_MS = 24 * HOUR_MS
SHORT = Retention(samples=2 * 3600.0, fives=12 * 3600.0, hours=3 * 86400.0)
LENGTHS = {"raw": 0, "5m": FIVE_MS, "1h": HOUR_MS}


@pytest.fixture
def site() -> Iterator[sqlite3.Connection]:
    with closing(rolling.database()) as connection:
        yield connection


def shown(site: sqlite3.Connection, disk: int) -> list[tuple[int, str, int]]:
    """(instant, resolution, samples) of a disk in the view, in order of time."""
    text = "SELECT at_ms, resolution, samples FROM disk_history WHERE device = ? ORDER BY at_ms"
    return site.execute(text, (f"sd{disk}",)).fetchall()


def test_over_days_of_polls_and_prunes_every_sample_is_shown_once(site: sqlite3.Connection) -> None:
    instants: list[int] = []
    for number in range(1, 5 * 24 * 20 + 1):  # every three minutes, and with an outage once a day
        at_ms = START_MS + number * 3 * MINUTE
        if number % 480 < 440:
            rolling.polled(site, 1, at_ms)
            instants.append(at_ms)
        if number % 25 == 0:
            now_ms = at_ms + 20_000
            roll_up(SqliteLedger(site), now_ms - 2 * HOUR_MS, now_ms, threading.Event())
            prune(site, SHORT, now_ms)
            check(site, instants, now_ms)
    assert {row[1] for row in shown(site, 10)} == {"raw", "5m", "1h"}
    assert shown(site, 10)[0][0] <= instants[-1] - 70 * HOUR_MS


def check(site: sqlite3.Connection, instants: list[int], now_ms: int) -> None:
    found = shown(site, 10)
    kept_ms = found[0][0]
    assert sum(samples for _, _, samples in found) == sum(at_ms >= kept_ms for at_ms in instants)
    for (at_ms, resolution, _), (following, _, _) in pairwise(found):
        assert at_ms + LENGTHS[resolution] <= following
    ages = {"raw": 2 * HOUR_MS + FIVE_MS, "5m": 13 * HOUR_MS, "1h": 73 * HOUR_MS}
    assert all(at_ms >= now_ms - ages[resolution] for at_ms, resolution, _ in found)
    for resolution, table in (("raw", "disk_sample"), ("5m", "disk_5m"), ("1h", "disk_1h")):
        (from_ms,) = site.execute("SELECT from_ms FROM history_bound WHERE resolution = ?", (resolution,)).fetchone()
        assert from_ms % (FIVE_MS if resolution == "raw" else HOUR_MS) == 0
        assert site.execute(f"SELECT COUNT(*) FROM {table} WHERE at_ms < ?", (from_ms,)).fetchone() == (0,)


def test_what_is_not_rolled_up_is_not_pruned(site: sqlite3.Connection) -> None:
    for minute in range(0, 600, 5):
        rolling.polled(site, 1, START_MS + minute * MINUTE)
    now_ms = START_MS + 10 * DAY_MS
    before = shown(site, 10)
    prune(site, SHORT, now_ms)
    assert shown(site, 10) == before
    roll_up(SqliteLedger(site), now_ms - 2 * HOUR_MS, now_ms, threading.Event())
    assert prune(site, SHORT, now_ms).rows["disk_sample"] == 2 * len(before)


def test_a_late_poll_is_rolled_up_before_it_goes(site: sqlite3.Connection) -> None:
    for minute in range(0, 600, 5):
        rolling.polled(site, 1, START_MS + minute * MINUTE)
    now_ms = START_MS + 10 * HOUR_MS
    roll_up(SqliteLedger(site), 0, now_ms, threading.Event())
    rolling.polled(site, 1, START_MS + 61 * MINUTE)
    prune(site, SHORT, now_ms)
    assert site.execute("SELECT MIN(at_ms) FROM disk_sample").fetchone() == (START_MS + HOUR_MS,)


def test_what_came_late_for_a_time_that_a_full_disk_has_cost_spoils_no_roll_up(site: sqlite3.Connection) -> None:
    """Its samples are gone, or are about to go: made again of what is left, the roll-up would be worse than it was."""
    for minute in range(300):
        rolling.polled(site, 1, START_MS + minute * MINUTE)
    now_ms = START_MS + 300 * MINUTE
    roll_up(SqliteLedger(site), 0, now_ms, threading.Event())
    made = rolling.of_disks(site, "disk_5m")
    rolling.polled(site, 1, START_MS + 12 * MINUTE + 30_000, 9.0)
    prune(site, Retention(samples=3600.0, fives=30 * 3600.0, hours=5 * 86400.0), now_ms, tight=True)
    rolling.polled(site, 1, START_MS + 13 * MINUTE + 30_000, 50.0)
    roll_up(SqliteLedger(site), 0, now_ms, threading.Event())
    assert rolling.of_disks(site, "disk_5m") == made
    assert site.execute("SELECT COUNT(*) FROM late_window").fetchone() == (0,)


def test_on_a_full_disk_samples_go_all_the_same_and_the_gap_is_on_record(site: sqlite3.Connection) -> None:
    for minute in range(0, 600, 5):
        rolling.polled(site, 1, START_MS + minute * MINUTE)
    prune(site, SHORT, START_MS + 10 * HOUR_MS, tight=True)
    assert site.execute("SELECT MIN(at_ms) FROM disk_sample").fetchone() == (START_MS + 8 * HOUR_MS,)
    ((kind, severity, details),) = site.execute("SELECT kind, severity, details FROM event").fetchall()
    assert (kind, severity) == ("gap", "high")
    assert "before they were rolled up" in details


def test_on_a_full_disk_a_host_that_is_new_or_silent_makes_no_gap_of_what_is_rolled_up(
    site: sqlite3.Connection,
) -> None:
    for minute in range(300):
        rolling.polled(site, 1, START_MS + minute * MINUTE)
        if minute < 230:
            rolling.polled(site, 2, START_MS + minute * MINUTE)
    roll_up(SqliteLedger(site), 0, START_MS + 300 * MINUTE, threading.Event())
    rolling.polled(site, 3, START_MS + 300 * MINUTE)
    for minute in (300, 305, 375, 415):
        prune(site, SHORT, START_MS + minute * MINUTE, tight=True)
    assert site.execute("SELECT MIN(at_ms) FROM disk_sample").fetchone() == (START_MS + 295 * MINUTE,)
    assert site.execute("SELECT details FROM event").fetchall() == []
    for minute in (420, 425):
        prune(site, SHORT, START_MS + minute * MINUTE, tight=True)
    assert len(site.execute("SELECT details FROM event").fetchall()) == 2, "of two hosts what nobody rolled up"


def test_old_rows_are_deleted_in_small_lots_of_one_thing_or_several(site: sqlite3.Connection) -> None:
    for number in range(250):
        rolling.store(site, {disk: {START_MS + number: 1.0} for disk in (10, 20)})
    rolling.store(site, {30: {START_MS + 1: 1.0}, 31: {START_MS + 999: 1.0}})
    things = [(disk, START_MS + 500) for disk in (10, 11, 20, 30, 31)]
    sizes = []
    for lot in lots(site, SAMPLES["disk_sample"], things, 100):
        sizes.append(site.executemany(SAMPLES["disk_sample"].deletion(), lot).rowcount)
    assert sizes == [100, 100, 50, 100, 100, 51] or max(sizes) <= 100
    assert sum(sizes) == 501
    assert site.execute("SELECT disk_id FROM disk_sample").fetchall() == [(31,)]


def test_the_longest_lot_is_of_one_instant_when_so_many_are(site: sqlite3.Connection) -> None:
    lines = [(1, START_MS, number) for number in range(30)] + [(1, START_MS + 1, 0)]
    site.executemany("INSERT INTO log_line VALUES (?, ?, ?, 'l', '/l', 1, '', NULL, NULL, 'low', 1, 0, '')", lines)
    found = lots(site, LOG_LINE, [(1, START_MS + 9)], 10)
    assert [site.executemany(LOG_LINE.deletion(), lot).rowcount for lot in found] == [30, 1]


def hours_of_polls(path: Path, hours: int = 6) -> int:
    """A journal with two hosts polled once a minute; returns the end."""
    Journal.open(path, now_ms=START_MS).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        for host in (1, 2):
            connection.execute("INSERT INTO host (id, name, first_seen_ms) VALUES (?, ?, 1)", (host, f"web{host}"))
            for disk in (10 * host, 10 * host + 1):
                connection.execute("INSERT INTO disk VALUES (?, ?, ?, 'm', 1, 0, ?)",
                                   (disk, host, f"sd{disk}", START_MS + hours * HOUR_MS))  # fmt: skip
            for minute in range(hours * 60):
                rolling.polled(connection, host, START_MS + minute * MINUTE + host * 777, minute % 13 / 7)
        connection.execute("COMMIT")
    return START_MS + hours * HOUR_MS


def all_rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        return rolling.rolled(connection)


def test_a_journal_rolls_up_before_it_prunes_and_keeps_things_as_long_as_their_hours(tmp_path: Path) -> None:
    path = tmp_path / "poller.db"
    end_ms = hours_of_polls(path)
    now_ms = end_ms + 100 * DAY_MS
    with Journal.open(path, now_ms=now_ms) as journal:
        pruned = journal.prune(Retention(), now_ms)
        assert pruned.rows["disk_sample"] > 0
        assert journal.roll_up(Retention(), now_ms).behind_ms == 0
    with closing(sqlite3.connect(path)) as connection:
        hours = connection.execute("SELECT host, device, samples, resolution FROM disk_history").fetchall()
    assert len(hours) == 4 * 6
    assert {row[2:] for row in hours} == {(60, "1h")}


def test_with_an_archive_elsewhere_the_journal_makes_none(tmp_path: Path) -> None:
    path = tmp_path / "poller.db"
    end_ms = hours_of_polls(path)
    with Journal.open(path, now_ms=end_ms, archived=True) as journal:
        assert journal.roll_up(Retention(), end_ms + DAY_MS).windows == 0
        journal.prune(Retention(), end_ms + DAY_MS)
        assert journal.roll_up_due(end_ms, FIVE_MS)
        assert not journal.roll_up_due(end_ms + 1, FIVE_MS)
    assert not any(all_rows(path).values())


@pytest.fixture
def there(mariadb: MariaDb) -> Iterator[Database]:
    made = make_database(mariadb)
    yield made
    remove_database(made)


def raw_into(path: Path, database: Database) -> None:
    with closing(sqlite3.connect(path)) as source, connect(database.writer) as target, target.transaction():
        for table in ("host", "poll", "disk", "system_sample", "disk_sample", "host_latest"):
            cursor = source.execute(f"SELECT * FROM {table}")
            target.insert(table, [column[0] for column in cursor.description], cursor.fetchall())


def test_both_databases_make_the_same_of_the_same_samples(tmp_path: Path, there: Database) -> None:
    path = tmp_path / "poller.db"
    end_ms = hours_of_polls(path, 3)
    raw_into(path, there)
    with Journal.open(path, now_ms=end_ms) as journal:
        journal.roll_up(Retention(), end_ms)
    done = roll_up_archive(there.writer, Retention(), threading.Event(), end_ms)
    assert done is not None and done.behind_ms == 0
    with connect(there.reader) as archive:
        for name, rows in all_rows(path).items():
            found = archive.query(f"SELECT * FROM {name} ORDER BY 1, 2")
            assert len(found) == len(rows)
            for row, wanted in zip(found, rows, strict=True):
                assert list(row) == [None if cell is None else pytest.approx(cell, rel=1e-12) for cell in wanted]
        assert archive.query("SELECT host_id, fives_ms, hours_ms FROM rolled_up ORDER BY 1") == [
            (host, end_ms - FIVE_MS, end_ms - HOUR_MS) for host in (1, 2)
        ]


def test_on_a_server_a_poll_that_is_shipped_late_is_made_again_too(tmp_path: Path, there: Database) -> None:
    path = tmp_path / "poller.db"
    end_ms = hours_of_polls(path, 3)
    raw_into(path, there)
    roll_up_archive(there.writer, Retention(), threading.Event(), end_ms)
    late_ms = START_MS + 12 * MINUTE + 30_000
    with closing(MysqlArchive.open(there.writer)) as archive, archive.transaction():
        late = {"id": "late", "host_id": 1, "at_ms": late_ms, "outcome": "ok"}
        poll = dict.fromkeys(TABLES["poll"].columns, 0) | late
        archive.put("poll", tuple(poll), [tuple(poll.values())], current=True)
        archive.put("disk_sample", ("disk_id", "at_ms", "write_seconds"), [(10, late_ms, 99.0)], current=True)
    with connect(there.reader) as connection:
        assert connection.query("SELECT host_id, at_ms FROM late_window") == [(1, START_MS + 10 * MINUTE)]
        roll_up_archive(there.writer, Retention(), threading.Event(), end_ms)
        assert connection.query("SELECT host_id FROM late_window") == []
        found = "SELECT write_seconds_max, samples FROM {} WHERE disk_id = 10 AND at_ms = {}"
        assert connection.query(found.format("disk_5m", START_MS + 10 * MINUTE)) == [(99, 6)]
        assert connection.query(found.format("disk_1h", START_MS)) == [(99, 61)]


def test_on_a_server_late_windows_are_made_page_by_page_and_those_without_samples_forgotten(
    tmp_path: Path, there: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poller.store.rollup_span.LATE_AT_ONCE", 2)
    path = tmp_path / "poller.db"
    end_ms = hours_of_polls(path, 3)
    raw_into(path, there)
    roll_up_archive(there.writer, Retention(), threading.Event(), end_ms)
    late = [(host, START_MS + number * FIVE_MS) for host in (1, 2) for number in range(20)]
    with connect(there.writer) as connection, connection.transaction():
        connection.insert("late_window", ("host_id", "at_ms"), late)
        connection.execute(f"UPDATE history_bound SET from_ms = {START_MS + HOUR_MS} WHERE resolution = 'raw'")
        connection.execute("UPDATE disk_sample SET write_seconds = 99")
    done = roll_up_archive(there.writer, Retention(), threading.Event(), end_ms)
    assert done is not None and done.windows == 2 * 8
    with connect(there.reader) as archive:
        assert archive.query("SELECT host_id FROM late_window") == []
        again = archive.query("SELECT at_ms FROM disk_5m WHERE disk_id = 10 AND write_seconds_min = 99 ORDER BY 1")
    assert again == [(START_MS + number * FIVE_MS,) for number in range(12, 20)]


@pytest.mark.parametrize("kind", ["sqlite", "mysql"])
def test_an_archive_is_cut_to_its_length_and_shows_everything_once(tmp_path: Path, there: Database, kind: str) -> None:
    path = tmp_path / "poller.db"
    end_ms = hours_of_polls(path)
    settings = ArchiveSettings("sqlite", path=path)
    if kind == "mysql":
        raw_into(path, there)
        settings = there.writer
    short = Retention(samples=3600.0, fives=3 * 3600.0, hours=86400.0)
    assert trim(settings, short, threading.Event(), end_ms) > 0
    with closing(MysqlArchive.open(settings) if kind == "mysql" else SqliteArchive.open(path, end_ms)) as archive:
        rows = archive.query("SELECT at_ms, resolution, samples FROM disk_history WHERE device = 'sd10' ORDER BY at_ms")
        assert sum(samples for _, _, samples in rows) == 6 * 60
        assert [resolution for _, resolution, _ in rows] == ["1h"] * 3 + ["5m"] * 24 + ["raw"] * 60
        for name, one in ROLLUPS.items():
            assert archive.query(f"SELECT COUNT(*) FROM {name} WHERE {one.owner} > 21") == [(0,)]


def test_an_archive_cut_before_an_old_backlog_arrived_still_shows_all_of_that(tmp_path: Path) -> None:
    """It was away for longer than samples are kept, and is back: somebody prunes it before it is sent what waits."""
    path, short = tmp_path / "archive.db", Retention(samples=3600.0, fives=86400.0, hours=2 * 86400.0)
    settings = ArchiveSettings("sqlite", path=path)
    away_ms = hours_of_polls(path, 1)
    back_ms = away_ms + 5 * HOUR_MS
    trim(settings, short, threading.Event(), back_ms, waiting_ms=away_ms + MINUTE)
    roll_up_archive(settings, short, threading.Event(), back_ms, waiting_ms=away_ms + MINUTE)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for minute in range(1, 300):
            rolling.polled(connection, 1, away_ms + minute * MINUTE, 2.0)
        trim(settings, short, threading.Event(), back_ms + HOUR_MS + MINUTE)
        rows = connection.execute("SELECT resolution, samples FROM disk_history WHERE device = 'sd10'").fetchall()
    assert sum(samples for _, samples in rows) == 60 + 299


def test_a_copy_takes_roll_ups_and_bounds_along(tmp_path: Path) -> None:
    path, other = tmp_path / "poller.db", tmp_path / "other.db"
    end_ms = hours_of_polls(path)
    with Journal.open(path, now_ms=end_ms) as journal:
        journal.prune(Retention(samples=3600.0), end_ms)
    with SqliteArchive.reading(path) as source, closing(SqliteArchive.open(other, end_ms)) as target:
        copied = copying.copy(source, target)
        assert copied.rows["disk_5m"] == len(all_rows(path)["disk_5m"]) > 0
        assert verifying.verify(source, target).equal
        copying.copy(source, target)
        text = "SELECT device, at_ms, resolution, samples FROM disk_history ORDER BY 1, 2"
        assert target.query(text) == source.query(text)


@pytest.mark.parametrize("kind", ["sqlite", "mysql"])
def test_a_copy_that_goes_on_making_roll_ups_is_still_equal(tmp_path: Path, there: Database, kind: str) -> None:
    """Each database makes its own when it comes to it."""
    path = tmp_path / "poller.db"
    settings = there.writer if kind == "mysql" else ArchiveSettings("sqlite", path=tmp_path / "other.db")
    end_ms = hours_of_polls(path)
    with Journal.open(path, now_ms=end_ms) as journal:
        journal.prune(Retention(samples=5 * 3600.0), end_ms)
    with SqliteArchive.reading(path) as source, closing(open_archive(settings, end_ms)) as target:
        copying.copy(source, target)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for minute in range(120):
                rolling.polled(connection, 1, end_ms + minute * MINUTE, minute % 13 / 7)
        copying.copy(source, target)
        roll_up_archive(settings, Retention(), threading.Event(), end_ms + 2 * HOUR_MS)
        found = verifying.verify(source, target)
        here, other = found.rows["disk_5m"]
        assert (here < other, found.first, found.equal) == (True, (), True)


def test_a_roll_up_of_the_same_samples_that_says_something_else_is_a_difference(tmp_path: Path) -> None:
    path, other = tmp_path / "poller.db", tmp_path / "other.db"
    end_ms = hours_of_polls(path)
    with Journal.open(path, now_ms=end_ms) as journal:
        journal.roll_up(Retention(), end_ms)
    with SqliteArchive.reading(path) as source, closing(SqliteArchive.open(other, end_ms)) as target:
        copying.copy(source, target)
        with target.transaction():
            target.execute(f"UPDATE disk_5m SET samples = 4, write_seconds_avg = 9 WHERE at_ms = {START_MS}")
            target.execute("UPDATE disk_1h SET write_seconds_avg = write_seconds_avg * (1 + 1e-12)")
        assert verifying.verify(source, target).equal, "made before all polls were there, or added up in another way"
        with target.transaction():
            first = "SELECT MIN(id) FROM disk"
            target.execute(f"UPDATE disk_1h SET write_seconds_avg = 9 WHERE disk_id = ({first}) AND at_ms = {START_MS}")
        found = verifying.verify(source, target)
    assert (found.equal, [(one.table, one.key) for one in found.first]) == (
        False,
        [("disk_1h", f"web1 sd10 {START_MS}")],
    )


def test_the_view_of_each_table_has_all_of_its_columns() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        for step in migrations():
            connection.executescript(step.text)
        for table in ROLLED:
            shown = {row[1] for row in connection.execute(f"PRAGMA table_info({table.name}_history)")}
            assert set(rolling.names(table)[1:]) <= shown
            assert {"host", "at", "resolution", "samples", "seconds"} <= shown
