"""A finished poll: stored wholly, with what follows from it, and never at the cost of another host's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from poller.intake import Intake
from poller.model import Config, Host, Poll, Severity, Threshold
from poller.store import Journal
from tests.store.machines import START_MS, failed
from tests.store.machines import poll as poll_of

LIMIT = Threshold(metric="memory.percent", above=0.0)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "poller.db", now_ms=START_MS) as opened:
        yield opened


def intake(journal: Journal, *, keep: bool = True) -> Intake:
    hosts = tuple(Host(name=name, address="192.0.2.1", thresholds=(LIMIT,)) for name in ("web1", "web2"))
    config = Config(path=journal.path, journal=journal.path, hosts=hosts)
    return Intake(journal, config, "round", keep=keep)


def unstorable(poll: Poll) -> Poll:
    """A report with a number that no column can hold. The schema would refuse it: it stands for a fault of ours."""
    assert poll.report
    (reading,) = poll.report.readings
    rows = tuple(replace(section, seconds=2**70) for section in reading.sections)
    return replace(poll, report=replace(poll.report, readings=(replace(reading, clock=2**70, sections=rows),)))


def test_a_poll_that_cannot_be_stored_is_kept_as_failed_and_holds_up_nobody(journal: Journal) -> None:
    good, bad = poll_of("web1"), unstorable(poll_of("web2"))
    first, second = intake(journal).take([bad, good])
    assert (first.poll.outcome, first.poll.stage, first.poll.code) == ("failed", "report", "internal")
    assert second.poll.outcome == "ok"
    with journal.transaction() as work:
        assert work.before("web1").reading is not None
        assert work.before("web2").reading is None


def test_the_same_poll_taken_twice_counts_once(journal: Journal) -> None:
    poll = poll_of("web1")
    (first,) = intake(journal).take([poll])
    assert [change.kind for change in first.changes] == ["opened"]
    intake(journal).take([poll])
    with journal.transaction() as work:
        assert len(work.alert_memory("web1").open) == 1
        (state,) = work.alert_memory("web1").states
    assert state.polls == 1


def test_a_dry_run_judges_and_keeps_nothing(journal: Journal) -> None:
    (taken,) = intake(journal, keep=False).take([poll_of("web1")])
    assert [change.kind for change in taken.changes] == ["opened"]
    with journal.transaction() as work:
        assert work.alert_memory("web1").open == ()
        assert work.before("web1").reading is None


SECURITY = Threshold(metric="host.security", above=0.0, severity=Severity.HIGH)


def test_a_poll_that_somebody_may_have_meddled_with_is_a_high_alert_at_once_until_a_report_comes(
    journal: Journal,
) -> None:
    host = Host(name="web1", address="192.0.2.1", thresholds=(SECURITY,))
    work = Intake(journal, Config(path=journal.path, journal=journal.path, hosts=(host,)), "round", keep=True)

    def changes(poll: Poll) -> list[tuple[str, str, str]]:
        (taken,) = work.take([poll])
        return [(str(change.kind), str(change.alert.severity), change.reason) for change in taken.changes]

    changed = failed("web1", 1, "hostkey", "changed", security=True)
    assert changes(changed) == [("opened", "high", f"hostkey/changed: {changed.error}")]
    assert changes(failed("web1", 2, "hostkey", "changed", security=True)) == []
    assert changes(failed("web1", 3, "connect", "timeout")) == [], "a host that is away is no proof of anything"
    assert changes(poll_of("web1", 4)) == [("closed", "high", "back to 0, at 0")]
