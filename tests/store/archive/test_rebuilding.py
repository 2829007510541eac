"""A journal that was lost is filled from the archive; the archive's own history ends where `<retention>` says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from poller.model import ArchiveSettings, Retention
from poller.model.contracts import Archive, Condition
from poller.store import Journal, views
from poller.store.archive import Shipped, rebuild, trim
from poller.store.archive.statements import deletion
from poller.store.archive.tables import TABLES, Table
from poller.store.archive.trimming import trim_archive
from tests.store.archive.conftest import AskArchive, store
from tests.store.archive.test_shipping import alert, open_alert
from tests.store.machines import START_MS, failed, values
from tests.store.machines import poll as a_poll

Send = Callable[[], Shipped]
DAY_MS = 86_400_000


def test_hosts_alerts_and_what_was_told_come_back(
    journal: Journal, settings: ArchiveSettings, send: Send, tmp_path: Path
) -> None:
    store(journal, "web1", 1)
    with journal.transaction() as work:
        work.store_poll(failed("db1", 1), ())
    open_alert(journal, alert("web1"))
    send()
    path = tmp_path / "new" / "poller.db"
    with Journal.open(path, now_ms=START_MS, archived=True) as fresh:
        assert rebuild(fresh, settings, START_MS) == 2
        assert rebuild(fresh, settings, START_MS) == 0
        assert fresh.queue().waiting() == 0
        assert fresh.queue().next(10, 10) == ()
        with fresh.transaction() as work, journal.transaction() as lost:
            assert work.alert_memory("web1") == lost.alert_memory("web1")
            assert work.told("a1") == lost.told("a1")
            assert work.before("db1").failures == 1
        assert [one.notification.id for one in fresh.outbox().pending()] == ["n-a1"]
        store(fresh, "web1", 2)
        assert [item.kind for item in fresh.queue().next(10, 10)] == ["poll"]
    first, second = views.hosts(path)
    assert (first.name, first.failures) == ("db1", 1)
    assert second.cpu_percent is not None


def test_a_journal_with_hosts_is_left_alone(
    journal: Journal, settings: ArchiveSettings, send: Send, tmp_path: Path
) -> None:
    store(journal, "web1", 1)
    send()
    with Journal.open(tmp_path / "other.db", now_ms=START_MS, archived=True) as other:
        store(other, "gw1", 1)
        assert rebuild(other, settings, START_MS) == 0
    assert [host.name for host in views.hosts(tmp_path / "other.db")] == ["gw1"]


def test_an_archive_that_is_away_or_empty_is_no_reason_not_to_poll(
    journal: Journal, settings: ArchiveSettings, path: Path
) -> None:
    assert rebuild(journal, settings, START_MS) == 0
    assert views.shipping(path).away_since_ms is None
    gone = replace(settings, port=1, path=Path("/nowhere/archive.db"))
    assert rebuild(journal, gone, START_MS) == 0
    assert views.shipping(path).code == "away"


def test_the_archive_is_pruned_by_the_same_limits(
    journal: Journal, settings: ArchiveSettings, archive: Archive, send: Send, ask_archive: AskArchive
) -> None:
    with journal.transaction() as work:
        work.begin_round("r1", "full", START_MS, 1)
        for days in (95, 20, 13, 0):
            work.store_poll(
                replace(a_poll("web1"), id=f"p{days}", at_ms=START_MS + (100 - days) * DAY_MS), values(days)
            )
    send()
    now_ms = START_MS + 100 * DAY_MS
    assert trim_archive(archive, Retention(), threading.Event(), now_ms) > 20
    counts = {
        table: ask_archive(f"SELECT COUNT(*) FROM {table}")[0][0]
        for table in ("poll", "round", "system_sample", "core_sample", "filesystem_sample", "core", "host")
    }
    assert counts == {
        "poll": 3, "round": 0, "system_sample": 2, "core_sample": 8, "filesystem_sample": 6, "core": 8, "host": 1,
    }  # fmt: skip
    assert trim_archive(archive, Retention(), threading.Event(), now_ms) == 0


def test_it_is_pruned_once_an_hour_and_not_because_a_clock_is_wrong(
    journal: Journal, settings: ArchiveSettings, send: Send, ask_archive: AskArchive
) -> None:
    stop = threading.Event()
    store(journal, "web1", 1)
    send()
    assert trim(settings, Retention(), stop, START_MS) == 0
    later = START_MS + 3650 * DAY_MS
    assert trim(settings, Retention(), stop, later) == 0
    assert trim(settings, Retention(), stop, later + 60_000) == 0
    assert ask_archive("SELECT COUNT(*) FROM poll") == [(1,)]
    assert trim(settings, Retention(), stop, later + 3_600_000) > 0
    assert ask_archive("SELECT COUNT(*) FROM poll") == [(0,)]


def test_it_ends_when_it_is_told_to(journal: Journal, archive: Archive, send: Send, ask_archive: AskArchive) -> None:
    store(journal, "web1", 1)
    send()
    stop = threading.Event()
    stop.set()
    assert trim_archive(archive, Retention(), stop, START_MS + 3650 * DAY_MS) == 0
    assert ask_archive("SELECT COUNT(*) FROM housekeeping") == [(0,)]


def fifty_old(archive: Archive) -> None:
    """Rows of each kind of key, and one that is younger."""
    with archive.transaction():
        archive.put("host", ("id", "name", "first_seen_ms", "last_seen_ms"), [(1, "web1", 1, 1)], current=True)
        instants = [*range(START_MS, START_MS + 50), START_MS + DAY_MS]
        samples = [(1, at_ms, 1.0) for at_ms in instants]
        archive.put("system_sample", ("host_id", "at_ms", "cpu_percent"), samples, current=True)
        events = [(f"e{at_ms}", 1, "gap", at_ms, "low", "") for at_ms in instants]
        archive.put("event", ("id", "host_id", "kind", "at_ms", "severity", "details"), events, current=True)


@pytest.mark.parametrize("table", ["system_sample", "event"])
def test_no_more_rows_are_removed_at_once_than_was_said(archive: Archive, ask_archive: AskArchive, table: str) -> None:
    fifty_old(archive)
    old = (Condition("host_id", "in", (1, 2)), Condition("at_ms", "<", START_MS + 1000))
    removed = []
    for _ in range(6):
        with archive.transaction():
            removed.append(archive.remove(table, old, 10))
    assert removed == [10, 10, 10, 10, 10, 0]
    assert ask_archive(f"SELECT at_ms FROM {table}") == [(START_MS + DAY_MS,)]


class Interrupted(threading.Event):
    """Set as soon as somebody pauses."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True


def test_between_two_slices_others_have_their_turn_and_it_may_end(
    archive: Archive, ask_archive: AskArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poller.store.archive.trimming._ROWS_AT_ONCE", 10)
    fifty_old(archive)
    assert trim_archive(archive, Retention(), Interrupted(), START_MS + 3650 * DAY_MS) == 10
    assert trim_archive(archive, Retention(), threading.Event(), START_MS + 3650 * DAY_MS) == 41
    assert ask_archive("SELECT COUNT(*) FROM event") == [(0,)]


@pytest.mark.parametrize("table", [table for table in TABLES.values() if table.time], ids=lambda table: table.name)
def test_what_is_to_be_removed_from_a_file_is_found_by_an_index_and_deleted_by_its_key(
    table: Table, tmp_path: Path
) -> None:
    owner = [Condition(table.parent[0], "in", (1, 2))] if table.parent and table.name not in ("event", "alert") else []
    text, values_ = deletion(table.name, [*owner, Condition(table.time, "<", START_MS)], 10)
    with Journal.open(tmp_path / "poller.db", now_ms=START_MS) as journal:
        steps = journal.queue().connection.execute(f"EXPLAIN QUERY PLAN {text}", values_).fetchall()
    plan = [detail for *_, detail in steps]
    assert not [detail for detail in plan if detail.startswith("SCAN")], plan
