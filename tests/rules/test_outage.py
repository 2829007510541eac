"""Most hosts unreachable at once: that is the poller's network, not the hosts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poller.model import Ping, Poll, PollOutcome
from poller.rules import outage
from poller.rules.outage import unreachable
from tests.store.machines import START_MS, failed
from tests.store.machines import poll as good

SINCE = START_MS
REPORTS = {f"h{number}": START_MS + 1 for number in range(10)}


def gone(*names: str, stage: str = "connect", code: str = "timeout") -> list[Poll]:
    return [failed(name, 1, stage, code) for name in names]


def test_it_counts_the_hosts_that_answered_lately_and_says_so() -> None:
    found = outage([*gone("h0", "h1", "h2"), good("h3")], REPORTS, SINCE)
    assert (found.percent(), found.unreachable) == (75, ("h0", "h1", "h2"))
    assert str(found) == "3 of 4 hosts became unreachable in one round: the poller lost its network"


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        *(("dns", "unknown"), ("dns", "timeout"), ("connect", "timeout"), ("connect", "unreachable")),
        *(("connect", "jump"), ("ping", "timeout"), ("ping", "unreachable")),
    ],
)
def test_unreachable_is_what_a_dead_network_looks_like(stage: str, code: str) -> None:
    assert outage(gone("h0", "h1", "h2", stage=stage, code=code), REPORTS, SINCE).percent() == 100


def test_a_machine_that_answers_a_ping_shows_that_the_network_works() -> None:
    (poll,) = gone("h0")
    assert unreachable(poll) and unreachable(replace(poll, ping=Ping("192.0.2.1", 2, 0)))
    assert not unreachable(replace(poll, ping=Ping("192.0.2.1", 2, 1, 0.01)))


@pytest.mark.parametrize(("stage", "code"), [("connect", "refused"), ("handshake", "timeout"), ("auth", "denied")])
def test_a_host_that_refuses_shows_that_the_network_works(stage: str, code: str) -> None:
    assert outage(gone("h0", "h1", "h2", stage=stage, code=code), REPORTS, SINCE).percent() == 0


def test_hosts_that_were_dead_before_never_count() -> None:
    dead = gone("dead1", "dead2", "dead3", "old")
    found = outage([*dead, good("h0"), good("h1"), *gone("h2")], {**REPORTS, "old": SINCE - 1}, SINCE)
    assert (found.hosts, found.unreachable) == (3, ("h2",))


def test_hosts_behind_a_jump_host_that_lets_nobody_through_are_one_fault() -> None:
    found = outage([*gone("h0", "h1", code="jump"), *gone("h2")], REPORTS, SINCE)
    assert str(found).endswith(": the poller lost the way through its jump host")


def test_a_jump_host_that_somebody_meddles_with_is_no_lost_network() -> None:
    meddled = [replace(poll, security=True) for poll in gone("h0", "h1", "h2", code="jump")]
    assert outage(meddled, REPORTS, SINCE).percent() == 0


def test_fewer_than_three_hosts_are_too_few_to_tell() -> None:
    assert outage(gone("h0", "h1"), REPORTS, SINCE).percent() == 0


def test_an_outage_does_not_end_because_few_are_left_to_ask() -> None:
    assert outage(gone("h0", "h1"), REPORTS, SINCE).percent(lasting=True) is None
    assert outage([], REPORTS, SINCE).percent(lasting=True) is None
    assert outage([good("h0")], REPORTS, SINCE).percent(lasting=True) == 0


def test_a_poll_that_was_skipped_tells_nothing() -> None:
    skipped = [replace(poll, outcome=PollOutcome.SKIPPED) for poll in gone("h3", "h4")]
    assert outage([*gone("h0", "h1", "h2"), *skipped], REPORTS, SINCE).hosts == 3
