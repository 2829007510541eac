"""What one host's past means for when it is polled next: losses, refused logins, polls that came late."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from poller.fleet.agenda import Agenda
from poller.fleet.pace import FIRST_TRY, LONGEST, LONGEST_WATCHED
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


@pytest.mark.parametrize("tries", [1, 50])
def test_a_host_with_another_key_is_tried_every_few_seconds_while_it_is_watched(tries: int) -> None:
    """It may be accepted at any moment. Nothing of a login is sent before, so that nothing counts there."""
    agenda = after(failed("hostkey", "changed"), tries=tries, live=True)
    assert agenda.next is not None and not agenda.next.due
    assert agenda.next.at <= agenda.began + LONGEST_WATCHED
    alone = after(failed("hostkey", "changed"), tries=tries)
    assert alone.next is not None and alone.next.due
    alone.hasten()
    assert soon(alone), "who begins to watch it has it tried"


def reached(agenda: Agenda, *, held: bool = False) -> None:
    agenda.begin()
    agenda.settle(poll("web1"), held=held, connected=True, live=True)
    agenda.tell(10.0, asked=False)
    agenda.plan(holds=True, live=True)


def wait(agenda: Agenda) -> float:
    """Seconds until the next try after the session was lost."""
    agenda.lost()
    agenda.plan(holds=True, live=False)
    assert agenda.next is not None
    return agenda.next.at - agenda.began


def test_tries_are_counted_from_the_loss_on() -> None:
    agenda = after(failed("connect", "refused"), tries=12)
    assert agenda.tries == 12
    reached(agenda)
    assert agenda.tries == 0
    agenda.lost()
    assert agenda.tries == 0
    agenda.begin()
    agenda.settle(failed("connect", "refused"), held=False, connected=False, live=False)
    assert agenda.tries == 1


def test_a_session_that_lasted_is_missed_at_once_and_one_that_breaks_each_time_is_not_asked_every_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    agenda = after(failed("connect", "refused"), tries=12)
    reached(agenda)
    assert wait(agenda) > LONGEST / 2 - 1, "it answers, and breaks"
    reached(agenda)
    now = time.monotonic() + LONGEST + 1
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert wait(agenda) <= FIRST_TRY
    reached(agenda)
    assert FIRST_TRY <= wait(agenda) <= 2 * FIRST_TRY


@pytest.mark.parametrize(
    ("told", "began", "ended", "due"),
    [(0.0, 20.0, 25.0, False), (0.0, 58.0, 63.0, True), (0.0, 58.0, 59.9, False), (50.0, 58.0, 63.0, False)],
)
def test_an_instant_that_comes_while_a_try_is_under_way_is_no_instant_less(
    told: float, began: float, ended: float, due: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that is watched and away is tried nearly all the time, and has its failed polls all the same."""
    now = time.monotonic()
    agenda = Agenda(now, 60.0)
    monkeypatch.setattr(time, "monotonic", lambda: now + told)
    reached(agenda)
    monkeypatch.setattr(time, "monotonic", lambda: now + began)
    agenda.begin()
    monkeypatch.setattr(time, "monotonic", lambda: now + ended)
    assert agenda.fell_due is due


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
