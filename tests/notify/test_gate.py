"""Decisions say why. What they come to over time stands in `deliveries`; here are the corners no story reaches."""

from __future__ import annotations

from dataclasses import replace

from poller.model import ChangeKind, Downtime, Hours, Pending
from poller.notify.gate import Act, Circumstances, decide
from tests.notify.samples import ALERT, CONFIG, START, notification

CLOSED = replace(ALERT, closed_ms=START)


def decided(*pending: Pending, circumstances: Circumstances | None = None) -> list[tuple[str, str]]:
    (chain,) = decide(pending, circumstances or Circumstances(CONFIG, START))
    return [(one.act.value, one.why) for one in chain]


def test_news_of_what_is_over_without_an_end_to_follow_are_not_told() -> None:
    """Else the recipient would take it for open for ever."""
    assert decided(Pending(notification(), over=True)) == [("suppress", "over")]
    assert decided(Pending(notification(), over=True, held="quota mail")) == [("suppress", "quota mail")]


def test_an_end_alone_is_told_only_to_who_knows_of_the_problem() -> None:
    end = Pending(notification(CLOSED, ChangeKind.CLOSED, number=2), over=True)
    assert decided(end) == [("suppress", "untold")]
    assert decided(replace(end, told=True)) == [("send", "")]


def test_a_chain_is_decided_in_the_order_of_its_numbers() -> None:
    end = Pending(notification(CLOSED, ChangeKind.CLOSED, number=2), over=True)
    problem = Pending(notification(), over=True)
    (chain,) = decide((end, problem), Circumstances(CONFIG, START))
    assert [one.pending.notification.number for one in chain] == [1, 2]
    assert all(one.act is Act.SEND for one in chain)


def test_a_nudge_about_a_quiet_alert_says_why_it_waits() -> None:
    reminder = Pending(notification(ALERT, ChangeKind.REMINDER, number=2), told=True)
    quiet = Circumstances(CONFIG, START, quiet={ALERT.id: "suspended"})
    assert decided(reminder, circumstances=quiet) == [("wait", "suspended")]


def test_the_pollers_own_alerts_are_in_no_downtime() -> None:
    config = replace(CONFIG, downtimes=(Downtime("always", hours=Hours()),))
    own = Pending(notification(replace(ALERT, host="poller")))
    assert decided(own, circumstances=Circumstances(config, START)) == [("send", "")]
