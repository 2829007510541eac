"""When hosts are asked: one thread each, never too many at once, and nobody waits for a stuck one."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from poller.model import Host, Poll, PollOutcome, PollSettings
from poller.poll import unable
from poller.schedule import Schedule, Stop, stagger


def host(name: str, deadline: float = 5.0) -> Host:
    return Host(name=name, address="192.0.2.1", poll=PollSettings(deadline=deadline))


def answer(host: Host) -> Poll:
    return Poll(id=host.name, host=host.name, at_ms=0, outcome=PollOutcome.OK)


def late(host: Host) -> Poll:
    return Poll(id=f"late {host.name}", host=host.name, at_ms=0, outcome=PollOutcome.FAILED)


def run(hosts: list[Host], ask: Callable[[Host], Poll], *, at_once: int = 50, stop: Stop | None = None) -> list[Poll]:
    schedule = Schedule(hosts, ask, late, at_once=at_once, stop=stop or Stop())
    return [poll for batch in schedule.polls() for poll in batch]


def test_every_host_is_asked_exactly_once() -> None:
    hosts = [host(f"h{number}") for number in range(40)]
    polls = run(hosts, answer)
    assert sorted(poll.host for poll in polls) == sorted(host.name for host in hosts)


def test_never_more_than_at_once() -> None:
    lock, now, most = threading.Lock(), 0, 0
    full = threading.Barrier(3)

    def ask(host: Host) -> Poll:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        full.wait(timeout=5)
        with lock:
            now -= 1
        return answer(host)

    run([host(f"h{number}") for number in range(12)], ask, at_once=3)
    assert most == 3


def test_a_stuck_host_delays_nobody_and_is_given_up_after_its_deadline() -> None:
    stuck = threading.Event()

    def ask(host: Host) -> Poll:
        if host.name == "stuck":
            stuck.wait(timeout=30)
        return answer(host)

    hosts = [host("stuck", deadline=0.2), *(host(f"h{number}") for number in range(10))]
    schedule = Schedule(hosts, ask, late, at_once=2, stop=Stop())
    start = time.monotonic()
    finished = {poll.host: (poll, time.monotonic() - start) for batch in schedule.polls() for poll in batch}
    stuck.set()
    assert len(finished) == 11
    assert list(finished)[-1] == "stuck"
    assert finished["stuck"][0].outcome is PollOutcome.FAILED
    assert 0.2 <= finished["stuck"][1] < 15


def test_a_thread_that_comes_back_after_it_was_given_up_is_not_reported_twice() -> None:
    release = threading.Event()

    def ask(host: Host) -> Poll:
        if host.name == "late":
            release.wait(timeout=30)
        else:
            time_is_up.wait(timeout=30)
        return answer(host)

    time_is_up = threading.Event()
    schedule = Schedule([host("late", deadline=0.1), host("other")], ask, late, at_once=5, stop=Stop())
    seen: list[str] = []
    for batch in schedule.polls():
        seen += [poll.id for poll in batch]
        release.set()
        time_is_up.set()
    assert seen == ["late late", "other"]


def test_a_stop_ends_the_round_at_once() -> None:
    stop, hold = Stop(), threading.Event()

    def ask(host: Host) -> Poll:
        hold.wait(timeout=30)
        return answer(host)

    timer = threading.Timer(0.1, stop.request, args=(2,))
    timer.start()
    start = time.monotonic()
    assert run([host("a"), host("b")], ask, stop=stop) == []
    hold.set()
    timer.join()
    assert time.monotonic() - start < 10
    assert stop.signal == 2


def test_polls_that_finish_close_together_are_taken_in_together() -> None:
    release = threading.Event()

    def ask(host: Host) -> Poll:
        if host.name == "slow":
            release.wait(timeout=30)
        return answer(host)

    hosts = [host(name) for name in ("a", "b", "c", "slow")]
    start = time.monotonic()
    batches = []
    for batch in Schedule(hosts, ask, late, at_once=4, stop=Stop()).polls():
        batches.append({poll.host for poll in batch})
        release.set()
    assert batches == [{"a", "b", "c"}, {"slow"}]
    assert time.monotonic() - start < 10, "finished polls wait for company a moment, not for the slowest host"


def test_the_last_poll_waits_for_nobody() -> None:
    took = []
    for _ in range(5):  # a busy machine may keep one of them waiting, not all
        start = time.monotonic()
        assert len(run([host("only")], answer)) == 1
        took.append(time.monotonic() - start)
    assert min(took) < 0.4


def test_what_has_finished_before_a_stop_is_not_lost() -> None:
    stop, hold = Stop(), threading.Event()

    def ask(host: Host) -> Poll:
        if host.name == "quick":
            return answer(host)
        stop.request(15)
        hold.wait(timeout=30)
        return answer(host)

    polls = run([host("quick"), host("slow")], ask, at_once=1, stop=stop)
    hold.set()
    assert [poll.host for poll in polls] == ["quick"]


def test_few_hosts_start_at_once() -> None:
    assert stagger("web1", 1) == stagger("web1", 4) == 0.0


@given(st.text(), st.integers(min_value=5, max_value=100_000))
def test_the_stagger_is_bounded_and_always_the_same_for_a_name(name: str, count: int) -> None:
    assert 0 <= stagger(name, count) < 5
    assert stagger(name, count) == stagger(name, count)


def test_a_host_for_which_there_is_no_memory_for_a_moment_is_asked_again_and_not_given_up_at_its_deadline() -> None:
    tries: Counter[str] = Counter()

    def ask(host: Host) -> Poll:
        tries[host.name] += 1
        if tries[host.name] == 1:
            raise MemoryError
        return answer(host)

    start = time.monotonic()
    polls = run([host(f"h{number}", deadline=60.0) for number in range(3)], ask)
    assert time.monotonic() - start < 10
    assert [poll.outcome for poll in polls] == [PollOutcome.OK] * 3


def test_a_round_in_which_nothing_gets_through_for_want_of_memory_ends_soon_and_blames_nobody() -> None:
    hosts = [host(f"h{number}", deadline=0.5) for number in range(60)]
    start = time.monotonic()
    polls = run(hosts, unable)
    assert time.monotonic() - start < 10
    assert sorted(poll.host for poll in polls) == sorted(host.name for host in hosts)
    assert {poll.outcome for poll in polls} == {PollOutcome.SKIPPED}
