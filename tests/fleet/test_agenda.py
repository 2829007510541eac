"""What one host's past means for when it is polled next: losses, refused logins, polls that came late."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from poller.fleet.agenda import Agenda
from poller.fleet.pace import FIRST_TRY
from poller.model import Poll, PollOutcome
from tests.store.machines import poll

HOUR = 3600.0


def failed(stage: str, code: str, error: str = "", outcome: PollOutcome = PollOutcome.FAILED) -> Poll:
    return replace(poll("web1"), outcome=outcome, stage=stage, code=code, error=error)


def after(polled: Poll, tries: int = 1, *, live: bool = False) -> Agenda:
    """Of a host whose polls all ended like this one."""
    agenda = Agenda(time.monotonic(), HOUR)
    for _ in range(tries):
        agenda.begin()
        agenda.settle(polled, held=False, connected=False, live=live)
    agenda.tell(10.0, asked=False)
    agenda.plan(holds=True, live=live)
    return agenda


def soon(agenda: Agenda) -> bool:
    assert agenda.next is not None
    return agenda.next.at <= time.monotonic() + FIRST_TRY


def test_who_begins_to_watch_a_host_that_is_away_has_it_tried_at_once() -> None:
    agenda = after(failed("connect", "refused"), tries=12)
    assert not soon(agenda)
    agenda.hasten()
    assert soon(agenda) and agenda.next is not None and not agenda.next.due


def test_however_often_somebody_begins_no_try_is_sooner_than_the_first_after_a_loss() -> None:
    agenda = after(failed("connect", "refused"), tries=12)
    for _ in range(3):
        agenda.hasten()
        assert agenda.next is not None and agenda.next.at >= agenda.began + FIRST_TRY


@pytest.mark.parametrize(
    "refused",
    [
        failed("auth", "denied"),
        failed("hostkey", "changed"),
        failed("auth", "backoff", outcome=PollOutcome.SKIPPED),
        failed("handshake", "closed", "the SSH server closed the connection: 'Not allowed at this time'"),
    ],
    ids=lambda one: f"{one.stage}/{one.code}",
)
def test_a_host_that_refuses_logins_is_not_tried_sooner_because_somebody_watches(refused: Poll) -> None:
    agenda = after(refused, tries=12, live=True)
    planned = agenda.next
    agenda.hasten()
    assert agenda.next == planned


def test_a_host_that_waits_to_be_stored_is_hastened_when_it_is() -> None:
    agenda = after(failed("python", "missing"))
    agenda.next = None
    agenda.hasten()
    assert agenda.next is None
    agenda.plan(holds=True, live=True)
    assert soon(agenda)


def test_a_poll_that_came_late_stands_for_the_instant_right_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process stood still while it polled: its answer comes on return, and the next poll half an interval later
    at the soonest."""
    began = time.monotonic()
    agenda = Agenda(began, 60.0)
    agenda.begin()
    monkeypatch.setattr(time, "monotonic", lambda: began + 599.0)
    agenda.settle(poll("web1"), held=True, connected=False, live=False)
    agenda.tell(10.0, asked=False)
    agenda.plan(holds=True, live=False)
    assert agenda.next is not None and agenda.next.at == pytest.approx(began + 660.0)
