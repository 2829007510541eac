"""What one host's past means for when it is polled next: losses, refused logins, polls that came late."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from poller.fleet.agenda import Agenda
from poller.fleet.holding import DIAL
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


@pytest.mark.parametrize("live", [True, False])
def test_a_host_that_boots_is_tried_again_and_no_more_often_than_sshd_bears(live: bool) -> None:
    """OpenSSH 9.8 and later: each try is a penalty of 5 s there, and more than 15 s of them lock the poller out."""
    penalty, before = 0.0, 0.0
    for tries in range(1, 40):
        agenda = after(failed("auth", "nologin"), tries=tries, live=live)
        assert agenda.next is not None and not agenda.next.due
        penalty = max(0.0, penalty - before) + 5.0
        assert penalty < 15.0, f"locked out after {tries} tries"
        before = agenda.next.at - agenda.began
    assert before == pytest.approx(LONGEST_WATCHED if live else LONGEST, abs=0.1)


def test_who_begins_to_watch_a_host_that_boots_has_it_tried_at_once() -> None:
    agenda = after(failed("auth", "nologin"), tries=12)
    agenda.hasten()
    assert soon(agenda)


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


def tried(agenda: Agenda, began: float, monkeypatch: pytest.MonkeyPatch, *, live: bool = False) -> float:
    """Dials in vain from `began` on, for a whole deadline, or as long as who is watched. When that ended."""
    ended = began + (DIAL if live else 30.0)
    monkeypatch.setattr(time, "monotonic", lambda: began)
    agenda.begin()
    monkeypatch.setattr(time, "monotonic", lambda: ended)
    agenda.settle(failed("connect", "timeout"), held=False, connected=False, live=live)
    agenda.plan(holds=True, live=live)
    return ended


def test_a_host_that_is_dialled_in_vain_for_long_is_left_alone_for_a_while_after_each_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began = time.monotonic()
    agenda = Agenda(began, HOUR)
    for wait in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0):
        ended = tried(agenda, began, monkeypatch)
        assert agenda.next is not None and not agenda.next.due
        assert wait / 2 <= agenda.next.at - ended <= wait
        began = agenda.next.at


def test_one_that_is_watched_is_dialled_again_as_soon_as_its_few_seconds_are_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began = time.monotonic()
    agenda = Agenda(began, HOUR)
    for _ in range(8):
        ended = tried(agenda, began, monkeypatch, live=True)
        assert agenda.next is not None and ended <= agenda.next.at <= max(ended, began + LONGEST_WATCHED)
        began = agenda.next.at


def test_no_wait_after_a_try_puts_off_the_poll_that_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    first = time.monotonic()
    agenda = Agenda(first, 60.0)
    for number in range(12):
        tried(agenda, first + 60.0 * number, monkeypatch)
    planned = agenda.next
    assert planned is not None and planned.due and planned.at == pytest.approx(first + 12 * 60.0)


def spread_over(seconds: float, interval: float, count: int = 200) -> list[Agenda]:
    """Agendas of so many hosts that have been polled for two minutes or so, each after the one before."""
    now = time.monotonic()
    agendas = [Agenda(now - 123.0 + seconds * number / count, interval) for number in range(count)]
    for agenda in agendas:
        agenda.plan(holds=True, live=False)
    return agendas


@pytest.mark.parametrize(("was", "interval"), [(10.0, 30.0), (60.0, 30.0), (60.0, 10.0), (10.0, 300.0)])
def test_another_interval_does_not_make_all_hosts_due_at_one_moment(was: float, interval: float) -> None:
    agendas = spread_over(10.0, was)
    began = time.monotonic()
    for agenda in agendas:
        agenda.change(interval)
    now = time.monotonic()
    at = [agenda.next.at for agenda in agendas if agenda.next is not None and agenda.next.due]
    assert len(at) == len(agendas)
    assert max(at) - min(at) > 5.0 and len(set(at)) == len(at)
    assert began <= min(at) and max(at) <= now + interval


def test_a_first_poll_that_is_further_away_than_the_new_interval_comes_within_that() -> None:
    now = time.monotonic()
    agendas = [Agenda(now + number, HOUR) for number in range(100)]
    for agenda in agendas:
        agenda.change(10.0)
    at = [agenda.next.at for agenda in agendas if agenda.next is not None]
    assert len(at) == 100 and now <= min(at) and max(at) <= time.monotonic() + 10.0
    assert max(at) - min(at) > 5.0


def test_another_interval_takes_away_neither_a_poll_that_is_due_nor_a_try() -> None:
    due = Agenda(time.monotonic(), 60.0)
    due.change(300.0)
    assert due.come(), "it has come before that was said"
    lost = Agenda(time.monotonic(), 60.0)
    reached(lost)
    lost.lost()
    lost.plan(holds=True, live=False)
    planned = lost.next
    lost.change(300.0)
    assert lost.next == planned and soon(lost)
    stored = Agenda(None, 60.0)
    stored.change(300.0)
    assert stored.next is None, "it waits until that is stored"
