"""A journal that was lost is filled from the archive; the archive's own history ends where `<retention>` says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from poller.model import ArchiveSettings, Retention
from poller.model.contracts import Archive
from poller.store import Journal, views
from poller.store.archive import Shipped, rebuild, trim
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
