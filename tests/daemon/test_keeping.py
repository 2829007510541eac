"""Polls go to the journal in the order in which they came; while it cannot be written they wait, and are not lost."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from poller.daemon import backlog
from poller.daemon.keeping import Keeping
from poller.model import Config, Event, Host, Poll, Severity
from tests.store.machines import poll

NAMES = ("web1", "db1")


def make(name: str, minute: int) -> Poll:
    return replace(poll(name, minute), id=str(uuid.uuid4()))


def config(folder: Path, *names: str) -> Config:
    hosts = tuple(Host(name=name, address="192.0.2.1") for name in names or NAMES)
    return Config(path=folder / "config.xml", journal=folder / "poller.db", hosts=hosts)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Keeping]:
    made = Keeping(config(tmp_path), "round")
    yield made
    made.close()


def stored(folder: Path) -> list[tuple[str, int]]:
    sql = "SELECT host.name, at_ms FROM poll JOIN host ON host.id = host_id ORDER BY poll.id"
    with closing(sqlite3.connect(f"file:{folder / 'poller.db'}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def events(folder: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(f"file:{folder / 'poller.db'}?mode=ro", uri=True)) as connection:
        return connection.execute("SELECT kind, details FROM event WHERE kind = 'gap'").fetchall()


def rows(one: Poll) -> int:
    """As they are counted for the bound."""
    assert one.report is not None
    return 1 + sum(len(section.rows) for reading in one.report.readings for section in reading.sections)


class Locked:
    """Another program that has the journal for itself."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "poller.db", isolation_level=None)
        self._connection.execute("BEGIN IMMEDIATE")

    def end(self) -> None:
        self._connection.execute("ROLLBACK")
        self._connection.close()


def test_what_comes_while_another_program_holds_the_journal_is_stored_when_it_lets_go(
    kept: Keeping, tmp_path: Path
) -> None:
    kept.journal.wait_for_others(0.1)
    first, second, third = make("web1", 1), make("db1", 1), make("web1", 2)
    assert [one.poll for one in kept.take([first])] == [first]
    other = Locked(tmp_path)
    assert kept.take([second]) == () and kept.take([third]) == ()
    assert kept.waiting == 2 and "locked" in kept.trouble
    other.end()
    assert [one.poll for one in kept.take([], at_any_rate=True)] == [second, third]
    assert (kept.waiting, kept.lost, kept.trouble) == (0, 0, "")
    assert len(stored(tmp_path)) == 3


def test_hosts_are_asked_on_with_what_was_remembered_last(kept: Keeping, tmp_path: Path) -> None:
    kept.take([make("web1", 1)])
    before = kept.befores(["web1"])["web1"]
    assert before.reading is not None
    kept.journal.wait_for_others(0.1)
    other = Locked(tmp_path)
    kept.take([make("web1", 2)])
    assert kept.befores(["web1", "db1"])["web1"].reading == before.reading
    assert kept.befores(["db1"])["db1"].reading is None
    other.end()


def test_a_journal_that_cannot_be_opened_for_a_while_goes_on(kept: Keeping, tmp_path: Path) -> None:
    kept.take([make("web1", 1)])
    file = tmp_path / "poller.db"
    file.chmod(0o622)
    kept.journal.close()
    assert kept.take([make("web1", 2)]) == () and kept.take([], at_any_rate=True) == ()
    assert kept.waiting == 1 and "others may write it" in kept.trouble
    file.chmod(0o600)
    assert len(kept.take([], at_any_rate=True)) == 1
    assert (kept.waiting, kept.trouble) == (0, "")
    assert len(stored(tmp_path)) == 2


def test_beyond_the_bound_the_oldest_go_and_that_is_an_event(
    kept: Keeping, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "MOST_ROWS", 3 * rows(make("web1", 1)))
    kept.take([make("web1", 1)])
    kept.journal.wait_for_others(0.1)
    other = Locked(tmp_path)
    polls = [make("web1", minute) for minute in range(2, 7)]
    for one in polls:
        kept.take([one])
    assert (kept.waiting, kept.lost) == (3, 2)
    other.end()
    assert [one.poll for one in kept.take([], at_any_rate=True)] == polls[2:]
    ((_, details),) = events(tmp_path)
    assert details.startswith("2 polls were lost")


def test_what_happens_to_the_poller_itself_is_stored_too(kept: Keeping, tmp_path: Path) -> None:
    kept.note(Event("gap", 1, Severity.HIGH, "a worker died"))
    kept.take([])
    assert events(tmp_path) == [("gap", "a worker died")]


def test_what_waits_of_a_host_that_is_gone_is_forgotten(kept: Keeping, tmp_path: Path) -> None:
    kept.take([make("web1", 1)])
    kept.journal.wait_for_others(0.1)
    other = Locked(tmp_path)
    kept.take([make("web1", 2), make("db1", 2)])
    kept.change(config(tmp_path, "db1"))
    assert kept.waiting == 1
    other.end()
    assert [one.poll.host for one in kept.take([], at_any_rate=True)] == ["db1"]
