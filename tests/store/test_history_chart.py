"""A chart has every time once, in the resolution that fits its length; least and greatest are those of all samples."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from poller.metrics import CATALOGUE
from poller.model import PollOutcome, Retention
from poller.store import Journal
from poller.store.chart import Course, Resolution, fitting, history
from poller.store.rollup_sql import FIVE_MS, HOUR_MS
from poller.store.series import OF_POLLS, attempts
from tests.mariadb import Database, MariaDb, make_database, remove_database
from tests.store import machines, rolling
from tests.store.mysql import site
from tests.store.rolling import START_MS

MINUTE = 60_000
HOURS = 12
END_MS = START_MS + HOURS * HOUR_MS
METRIC = "block.write_seconds"
LENGTHS: dict[Resolution, int] = {"raw": 1, "5m": FIVE_MS, "1h": HOUR_MS}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample a minute for twelve hours: raw for the last two, five minutes for the last six; the rest by hours."""
    made = tmp_path_factory.mktemp("chart") / "poller.db"
    Journal.open(made, now_ms=START_MS).close()
    with closing(sqlite3.connect(made, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("INSERT INTO host (id, name, first_seen_ms) VALUES (1, 'web1', 1)")
        for disk in (10, 11):
            connection.execute("INSERT INTO disk VALUES (?, 1, ?, 'm', 1, 0, ?)", (disk, f"sd{disk}", END_MS))
        for minute in range(HOURS * 60):
            rolling.polled(connection, 1, START_MS + minute * MINUTE + 5_000, float(minute))
        connection.execute("COMMIT")
    with Journal.open(made, now_ms=END_MS) as journal:
        journal.prune(Retention(samples=2 * 3600.0, fives=6 * 3600.0), END_MS)
    return made


@pytest.fixture(scope="module")
def there(mariadb: MariaDb, path: Path) -> Iterator[Database]:
    made = make_database(mariadb)
    site.copy(path, made)
    with closing(sqlite3.connect(path)) as connection:
        bounds = connection.execute("SELECT resolution, from_ms FROM history_bound").fetchall()
        ((fives_ms, hours_ms),) = connection.execute("SELECT fives_ms, hours_ms FROM rolled_up").fetchall()
    made.sql(";".join(f"UPDATE history_bound SET from_ms = {at} WHERE resolution = '{name}'" for name, at in bounds))
    made.sql(f"INSERT INTO rolled_up VALUES (1, {fives_ms}, {hours_ms})")
    yield made
    remove_database(made)


def chart(path: Path, resolution: Resolution | None, since_ms: int = START_MS, until_ms: int = END_MS) -> Course:
    first, second = history(path, "web1", METRIC, since_ms, until_ms, resolution)
    assert (first.label, second.label) == ("sd10", "sd11")
    assert first.points == second.points
    return first


@pytest.mark.parametrize(
    ("resolution", "hours", "fives", "raw"),
    # Hours before the bound of five minutes; then as fine as is asked for and there; raw where nothing is made yet.
    [("raw", 6, 4 * 12, 120), ("5m", 6, 6 * 12 - 1, 5), ("1h", 11, 11, 5)],
)
def test_every_resolution_shows_all_the_time_once(
    path: Path, resolution: Resolution, hours: int, fives: int, raw: int
) -> None:
    course = chart(path, resolution)
    assert len(course.points) == hours + fives + raw
    assert list(course.points) == sorted(set(course.points))
    assert (course.least, course.greatest, course.last) == (0, HOURS * 60 - 1, HOURS * 60 - 1)
    assert course.mean == pytest.approx((HOURS * 60 - 1) / 2, abs=0.5)
    assert course.coarsest == "1h", "what is older is there by hours, whatever is asked for"


@pytest.mark.parametrize("resolution", ["raw", "5m", "1h"])
def test_the_mean_is_over_time_however_often_somebody_looked(tmp_path: Path, resolution: Resolution) -> None:
    """An hour with a sample a minute at 0, but one of them with sixty at 100: they held for a minute in sixty."""
    made = tmp_path / "poller.db"
    Journal.open(made, now_ms=START_MS).close()
    with closing(sqlite3.connect(made, isolation_level=None)) as connection:
        connection.execute("INSERT INTO host (id, name, first_seen_ms) VALUES (1, 'web1', 1)")
        connection.execute("INSERT INTO disk VALUES (10, 1, 'sd10', 'm', 1, 0, ?)", (START_MS,))
        for second in sorted({60 * minute for minute in range(120)} | set(range(600, 660))):
            rolling.polled(connection, 1, START_MS + second * 1000, 100.0 if 600 <= second < 660 else 0.0)
    with Journal.open(made, now_ms=START_MS + 2 * HOUR_MS) as journal:
        journal.roll_up(Retention(), START_MS + 2 * HOUR_MS)
    (course,) = history(made, "web1", METRIC, START_MS, START_MS + HOUR_MS - 1, resolution)
    assert course.coarsest == resolution
    assert course.mean == pytest.approx(100 / 60)


def test_a_short_time_is_raw_and_a_window_that_began_before_it_still_counts(path: Path) -> None:
    assert chart(path, None, END_MS - HOUR_MS).points[0] == (END_MS - HOUR_MS + 5_000, 660)
    assert chart(path, None, END_MS - HOUR_MS).coarsest == "raw"
    assert chart(path, "5m", START_MS + 7 * HOUR_MS + MINUTE).points[0][0] == START_MS + 7 * HOUR_MS
    assert chart(path, None, START_MS + 90 * MINUTE).points[0][0] == START_MS + HOUR_MS


def test_what_is_not_rolled_up_is_raw_and_what_never_is_too(path: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "poller.db"
    Journal.open(fresh, now_ms=START_MS).close()
    with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
        connection.execute("INSERT INTO host (id, name, first_seen_ms) VALUES (1, 'web1', 1)")
        connection.execute("INSERT INTO disk VALUES (10, 1, 'sd10', 'm', 1, 0, ?)", (END_MS,))
        rolling.store(connection, {10: {START_MS + number: 1.0 for number in range(9)}})
    (course,) = history(fresh, "web1", METRIC, START_MS, END_MS, "1h")
    assert (len(course.points), course.coarsest) == (9, "raw")
    assert history(path, "web1", "cpu.core_percent", START_MS, END_MS, "1h") == ()
    assert history(path, "web1", METRIC, END_MS + 9 * HOUR_MS, END_MS + 10 * HOUR_MS) == ()


@pytest.mark.parametrize(("days", "resolution"), [(2, "raw"), (7, "5m"), (14, "5m"), (30, "1h"), (365, "1h")])
def test_the_longer_the_time_the_coarser_the_chart(days: int, resolution: Resolution) -> None:
    assert fitting(START_MS, START_MS + days * 24 * HOUR_MS) == resolution


@pytest.mark.parametrize("resolution", ["raw", "5m", "1h"])
def test_both_databases_draw_the_same(path: Path, there: Database, resolution: Resolution) -> None:
    for metric in (METRIC, "cpu.percent", "host.down"):
        here = history(path, "web1", metric, START_MS, END_MS, resolution)
        assert history(there.reader, "web1", metric, START_MS, END_MS, resolution) == here
        assert here or metric not in CATALOGUE


def test_a_chart_of_polls_shows_what_rules_are_judged_by(tmp_path: Path, database: Database) -> None:
    """A host that refuses our logins is down though it is not asked; what brings no report says nothing of security."""
    skipped = replace(machines.failed("web1", 4), outcome=PollOutcome.SKIPPED)
    made = tmp_path / "poller.db"
    since_ms, until_ms = machines.START_MS, machines.START_MS + HOUR_MS
    with Journal.open(made, now_ms=since_ms) as journal:
        with journal.transaction() as work:
            for one in (
                machines.poll("web1", 1),
                machines.failed("web1", 2),
                machines.failed("web1", 3, security=True),
                replace(skipped, stage="auth", code="backoff"),
                replace(skipped, id="busy", at_ms=since_ms + 5 * MINUTE, stage="schedule", code="busy"),
            ):
                work.store_poll(one, ())
        seen = attempts(journal.queue().connection, 1, since_ms, until_ms)
    site.copy(made, database)
    shown = {}
    for metric in OF_POLLS:
        (course,) = history(made, "web1", metric, since_ms, until_ms)
        judged = ((one.at_ms, one.value(metric)) for one in seen)
        assert course.points == tuple(point for point in judged if point[1] is not None)
        assert history(database.reader, "web1", metric, since_ms, until_ms) == (course,)
        shown[metric] = [value for _, value in course.points]
    assert (shown["host.down"], shown["host.security"]) == ([0, 1, 1, 1], [0, 1])
