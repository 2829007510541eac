"""What a host could not tell is seen at once, kept, and never said of who is not watched."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from poller.model import Push, Severity, Sighted
from poller.noticing.losses import TOGETHER, Losses
from poller.store import Journal
from tests.store.machines import START_MS


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "poller.db", now_ms=START_MS) as journal:
        yield journal


@pytest.fixture
def losses() -> Losses:
    numbers = map(str, count(1))
    losses = Losses(lambda: next(numbers))
    losses.watch({"pc07", "pc08"})
    return losses


def push(host: str, sequence: int, lost: int) -> Push:
    return Push(host, sequence, START_MS + sequence, lost=lost)


def stored(journal: Journal) -> list[tuple[str, str]]:
    connection = sqlite3.connect(f"file:{journal.path}?mode=ro", uri=True)
    found = connection.execute("SELECT kind, details FROM event WHERE kind <> 'first_seen'").fetchall()
    connection.close()
    return [(kind, details.split()[0]) for kind, details in found]


def counts(sighted: tuple[Sighted, ...]) -> list[tuple[str, str, str, bool]]:
    return [(one.id, one.host, one.event.details.split()[0], one.stored) for one in sighted]


def test_a_burst_is_one_event_that_grows_and_is_stored_once(losses: Losses, journal: Journal) -> None:
    first = losses.take([push("pc07", 2, 900)], now=0.0)
    assert counts(first) == [("1", "pc07", "900", False)]
    assert (first[0].event.kind, first[0].event.severity) == ("gap", Severity.MEDIUM)
    again = losses.take([push("pc07", 3, 1000), push("pc07", 4, 200), push("pc07", 5, 0)], now=1.0)
    assert counts(again) == [("1", "pc07", "2100", False)]
    assert losses.due(journal, TOGETHER - 0.1) == () and stored(journal) == []
    assert counts(losses.due(journal, TOGETHER)) == [("1", "pc07", "2100", True)]
    assert losses.due(journal, 1e9) == () and stored(journal) == [("gap", "2100")]
    assert counts(losses.take([push("pc07", 9, 5)], now=60.0)) == [("2", "pc07", "5", False)]


def test_what_was_shown_is_kept_also_when_nobody_looks_any_more(losses: Losses, journal: Journal) -> None:
    losses.take([push("pc07", 2, 12)], now=0.0)
    losses.watch(())
    assert losses.take([push("pc07", 3, 12)], now=1.0) == ()
    assert counts(losses.due(journal, TOGETHER)) == [("1", "pc07", "12", True)]
    assert stored(journal) == [("gap", "12")]


def test_nothing_is_said_of_who_is_not_watched_nor_of_what_the_coverage_says(losses: Losses, journal: Journal) -> None:
    assert losses.take([push("pc07", 1, 1), push("gone", 7, 3), push("pc08", 2, 0)], now=0.0) == ()
    losses.watch({"pc07"})
    losses.take([push("pc08", 3, 4)], now=0.0)
    assert losses.due(journal, 1e9) == () and stored(journal) == []


def test_a_journal_that_cannot_be_written_delays_it(losses: Losses, journal: Journal) -> None:
    losses.take([push("pc07", 2, 900)], now=0.0)
    other = sqlite3.connect(journal.path, isolation_level=None)
    other.execute("ALTER TABLE event RENAME TO event_away")
    assert losses.due(journal, TOGETHER) == ()
    other.execute("ALTER TABLE event_away RENAME TO event")
    other.close()
    assert counts(losses.due(journal, TOGETHER + 5)) == [("1", "pc07", "900", True)]
    assert stored(journal) == [("gap", "900")]
