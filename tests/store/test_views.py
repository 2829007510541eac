"""What `poller status` and `poller metrics` are told."""

from __future__ import annotations

from pathlib import Path

from poller.metrics import CATALOGUE, OWN
from poller.store import Journal, views
from poller.store.info import info
from tests.store.machines import START_MS, failed, poll, values


def test_a_host_shows_its_newest_poll_and_the_numbers_of_its_newest_report(journal: Journal, path: Path) -> None:
    with journal.transaction() as work:
        work.store_poll(poll("web1", 1), values(1))
        work.store_poll(failed("web1", 2), ())
        work.store_poll(failed("web1", 3, "auth", "denied"), ())
        work.store_poll(poll("db1", 3), values(3))
    first, second = views.hosts(path, {"web1": 60.0})
    assert (first.name, first.outcome, first.failures, first.next_ms) == ("db1", "ok", 0, None)
    assert (second.outcome, second.stage, second.code, second.failures) == ("failed", "auth", "denied", 2)
    assert second.at_ms == START_MS + 180_000
    assert second.report_ms == START_MS + 60_000
    assert second.next_ms == START_MS + 240_000
    assert second.overdue(START_MS + 240_001)
    assert not second.overdue(START_MS + 240_000)
    numbers = {str(value): value.value for value in values(1)}
    assert second.cpu_percent == numbers["cpu.percent"]
    assert second.memory_percent == numbers["memory.percent"]
    assert second.disk_percent == max(
        numbers[f'disk.percent{{mountpoint="{mount}"}}'] for mount in ("/", "/var", "/home")
    )


def test_every_metric_of_the_newest_report_in_the_order_of_the_catalogue(journal: Journal, path: Path) -> None:
    with journal.transaction() as work:
        work.store_poll(poll("web1", 1), values(1))
        work.store_poll(poll("web1", 2), values(2))
    found = views.latest(path, "web1")
    assert {value for value in found if value.metric not in ("poll.seconds", "host.down")} == set(values(2))
    names = [value.metric for value in found]
    assert names == sorted(names, key=list(CATALOGUE).index)
    assert set(names) == {name for name in CATALOGUE if not name.startswith(OWN)} - {"host.security"}
    assert views.latest(path, "nobody") == ()


def test_the_last_round_is_the_last_that_was_over_all_hosts(journal: Journal, path: Path) -> None:
    assert views.last_round(path) is None
    with journal.transaction() as work:
        work.begin_round("r1", "full", START_MS, 2)
        work.end_round("r1", START_MS + 1000, {"ok": 2})
        work.begin_round("r2", "selected", START_MS + 2000, 1)
    last = views.last_round(path)
    assert last == views.RoundStatus("r1", "full", START_MS, START_MS + 1000, 2, 2, 0, 0, 0, 0)
    newest = views.last_round(path, "")
    assert newest is not None
    assert newest.ended_ms is None


def test_one_can_look_while_a_writer_is_in_the_middle(journal: Journal, path: Path) -> None:
    with journal.transaction() as work:
        work.store_poll(poll("web1", 1), values(1))
    with journal.transaction() as work:
        work.store_poll(poll("web2", 1), values(1))
        assert [host.name for host in views.hosts(path)] == ["web1"]
    assert [host.name for host in views.hosts(path)] == ["web1", "web2"]


def test_the_database_tells_its_size_and_rows(journal: Journal, path: Path) -> None:
    with journal.transaction() as work:
        work.store_poll(poll("web1", 1), values(1))
    found = info(path)
    assert found.rows["core_sample"] == 8
    assert found.schema == found.known_schema
    assert found.file_bytes == path.stat().st_size
    assert found.log_bytes > 0
    assert found.pruned_ms is None
