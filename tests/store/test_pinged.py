"""Hosts that are only pinged, and echo requests to hosts that SSH does not reach: what is kept of their polls."""

from __future__ import annotations

from dataclasses import replace

from poller.model import MetricValue, Ping, Poll, PollOutcome
from poller.store import Journal, views
from tests.store.conftest import Ask
from tests.store.machines import START_MS, failed, poll, values

MINUTE = 60_000


def pinged(minute: int, *, answered: bool = True) -> Poll:
    at_ms = START_MS + minute * MINUTE
    ping = Ping("192.0.2.7", 3, 3 if answered else 0, 0.0125 if answered else None)
    poll = Poll(f"{at_ms:012x}-ping", "sw1", at_ms, PollOutcome.OK, seconds=0.5, stages={"ping": 0.4}, ping=ping)
    return poll if answered else replace(poll, outcome=PollOutcome.FAILED, stage="ping", code="timeout", error="no")


def echo(seconds: float | None, loss: float) -> tuple[MetricValue, ...]:
    found = (MetricValue("ping.loss_percent", loss), MetricValue("poll.seconds", 0.5))
    return found if seconds is None else (MetricValue("ping.seconds", seconds), *found)


def test_a_host_that_answers_is_up_and_as_fresh_as_one_that_gave_a_report(journal: Journal, ask: Ask) -> None:
    with journal.transaction() as work:
        work.store_poll(pinged(1, answered=False), echo(None, 100.0))
        work.store_poll(pinged(2), echo(0.0125, 0.0))
        assert work.newest_reports() == {"sw1": START_MS + 2 * MINUTE}
    (host,) = views.hosts(journal.path)
    assert (host.outcome, host.failures, host.report_ms, host.cpu_percent) == ("ok", 0, START_MS + 2 * MINUTE, None)
    assert set(views.latest(journal.path, "sw1")) == {
        MetricValue("ping.seconds", 0.0125), MetricValue("ping.loss_percent", 0.0), MetricValue("poll.seconds", 0.5),
        MetricValue("host.down", 0.0),
    }  # fmt: skip
    assert ask("SELECT ping_seconds, ping_loss_percent, tcp_established FROM activity_samples ORDER BY at_ms") == [
        (None, 100.0, None), (0.0125, 0.0, None),
    ]  # fmt: skip
    assert ask("SELECT stage, ping_seconds FROM polls ORDER BY at_ms") == [("ping", 0.4), ("", 0.4)]
    assert ask("SELECT last_seen_ms FROM host") == [(START_MS + 2 * MINUTE,)]
    assert ask("SELECT COUNT(*) FROM system_sample") == [(0,)]


def test_a_host_that_does_not_answer_keeps_what_was_known_and_counts_failures(journal: Journal) -> None:
    with journal.transaction() as work:
        work.store_poll(pinged(1), echo(0.01, 0.0))
        for minute in (2, 3):
            work.store_poll(pinged(minute, answered=False), echo(None, 100.0))
        assert work.before("sw1").failures == 2
    (host,) = views.hosts(journal.path)
    assert (host.outcome, host.stage, host.failures, host.report_ms) == ("failed", "ping", 2, START_MS + MINUTE)


def test_that_a_host_answers_while_ssh_does_not_is_kept_with_the_failed_poll(journal: Journal, ask: Ask) -> None:
    tried = replace(failed("web1", 2), ping=Ping("192.0.2.10", 3, 2, 0.002))
    with journal.transaction() as work:
        work.store_poll(poll("web1", 1), values(1))
        work.store_poll(tried, echo(0.002, 33.3))
        work.store_poll(failed("web1", 3), (MetricValue("poll.seconds", 0.5),))
        assert work.newest_reports() == {"web1": START_MS + MINUTE}
    assert ask("SELECT at_ms, ping_seconds FROM activity_sample WHERE at_ms > ?", START_MS + MINUTE) == [
        (START_MS + 2 * MINUTE, 0.002)
    ]


def test_a_host_that_had_a_report_and_is_only_pinged_now_shows_no_old_numbers(journal: Journal) -> None:
    with journal.transaction() as work:
        work.store_poll(replace(poll("sw1", 1)), values(1))
        work.store_poll(pinged(2), echo(0.01, 0.0))
    (host,) = views.hosts(journal.path)
    assert (host.cpu_percent, host.disk_mountpoint) == (None, None)
