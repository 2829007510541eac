"""A host that answers again says what had happened to it; a clock that is wrong is said once, and when it is right."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poller.findings import find
from poller.intake import Intake
from poller.model import Before, Config, Event, Host, Ping, Poll, PollOutcome, Report, Severity, System, Watch
from poller.store import Journal
from tests.findings.readings import reading, section
from tests.store.machines import START_MS, failed
from tests.store.machines import poll as good

SYSTEM = System("web1", "Linux", "6.1.0", "x86_64", "debian", "12", "Debian 12", 4)
KEY, OTHER = "SHA256:" + "a" * 43, "SHA256:" + "b" * 43
MINUTE = 60_000


def polled(
    *, boot: str = "boot-1", sshd: float = 12.5, clock: float = START_MS / 1000 + 0.2, took: int = 400, key: str = KEY
) -> Poll:
    now = reading(section("system", replace(SYSTEM, sshd_started=sshd)), boot=boot, clock=clock)
    return Poll(
        "1",
        "web1",
        START_MS,
        PollOutcome.OK,
        asked_ms=START_MS,
        answered_ms=START_MS + took,
        host_key=key,
        report=Report("web1", "ab" * 32, "cpython 3.11", 0.1, (now,)),
    )


def dark(**changes: Any) -> Before:
    """Twelve minutes ago there was a report, and then none."""
    older = polled().report
    assert older is not None
    usual = Before(older.now, failures=4, report_ms=START_MS - 12 * MINUTE, host_key=KEY, trouble="connect/timeout")
    return replace(usual, **changes)


def told(before: Before, poll: Poll, kind: str = "back") -> list[str]:
    return [event.details for event in find(before, poll, Watch()).findings.events if event.kind == kind]


@pytest.mark.parametrize(
    ("now", "was", "words"),
    [
        ({"boot": "boot-2"}, {}, "rebooted (boot id changed)"),
        ({"sshd": 700.0}, {}, "sshd was restarted"),
        ({}, {}, "the network (same boot, same sshd)"),
        ({"sshd": 0.0}, {}, "the network (same boot)"),
        ({}, {"trouble": "auth/denied"}, "it had failed with auth/denied (same boot, same sshd)"),
        ({"boot": "unknown"}, {}, "it had failed with connect/timeout"),
        ({"boot": "boot-2", "key": OTHER}, {},
         f"rebooted (boot id changed), it has another host key: {OTHER}, before {KEY}"),
    ],
)  # fmt: skip
def test_a_host_that_is_back_says_why_it_was_away(now: dict[str, Any], was: dict[str, Any], words: str) -> None:
    assert told(dark(**was), polled(**now)) == [f"back after 12m: {words}"]


def test_it_is_no_news_when_nothing_had_failed_or_nothing_was_known() -> None:
    assert told(dark(failures=0), polled()) == []
    assert told(Before(failures=3), polled()) == [], "it was never seen before"
    assert told(dark(), failed("web1")) == []


def test_a_host_that_is_only_pinged_is_back_when_it_answers() -> None:
    answer = replace(failed("sw1"), outcome=PollOutcome.OK, stage="", code="", ping=Ping("192.0.2.9", 3, 3, 0.001))
    before = Before(failures=2, report_ms=answer.at_ms - 90_000, trouble="ping/timeout")
    (event,) = find(before, answer, Watch()).findings.events
    assert event == Event("back", answer.at_ms, Severity.LOW, "back after 1m: it answers ping again")
    silent = replace(failed("sw1"), ping=Ping("192.0.2.9", 2, 2, 0.001))
    assert find(before, silent, Watch()).findings.events == (), "its SSH is still away"


@pytest.mark.parametrize(
    ("seconds", "skewed", "words"),
    [
        (60.1, False, None),  # within what half of the time between question and answer may explain
        (61.0, False, "the clock of the host is 61.0 s ahead of the poller's, give or take 0.2 s"),
        (-300.0, False, "the clock of the host is 300.0 s behind the poller's, give or take 0.2 s"),
        (10 * 366 * 86400.0, False, "the clock of the host is 316224000.0 s ahead of the poller's, give or take 0.2 s"),
        (61.0, True, None),
        (45.0, True, None),
        (45.0, False, None),
        (-29.0, True, "the clock of the host is right again: 29.0 s behind the poller's, give or take 0.2 s"),
        (0.0, False, None),
    ],
)
def test_a_clock_is_wrong_beyond_a_minute_and_right_again_below_half_of_it(
    seconds: float, skewed: bool, words: str | None
) -> None:
    poll = polled(clock=START_MS / 1000 + 0.2 + seconds)
    assert told(Before(skewed=skewed), poll, "clock_skew") == ([words] if words else [])


def test_a_poll_that_took_long_says_little_about_a_clock() -> None:
    poll = polled(clock=START_MS / 1000 + 75.0, took=40_000)
    assert told(Before(), poll, "clock_skew") == [], "55 s, give or take 20 s"


@pytest.mark.parametrize(
    ("took", "measured"),
    [(-315_576_000_000, 0.4), (315_576_000_000, 0.4), (-100, 0.0), (30_000, 0.4), (400, 30.0)],
)
@pytest.mark.parametrize("skewed", [True, False])
def test_our_own_clock_that_is_set_meanwhile_says_nothing_about_the_host(
    took: int, measured: float, skewed: bool
) -> None:
    stages = {"session": 0.0, "probe": measured} if measured else {}
    poll = replace(polled(clock=START_MS / 1000 + took / 2000, took=took), stages=stages)
    assert told(Before(skewed=skewed), poll, "clock_skew") == []


def test_a_poll_whose_answer_took_as_long_by_both_clocks_is_judged() -> None:
    poll = replace(polled(clock=START_MS / 1000 + 300.2), stages={"connect": 9.0, "session": 0.1, "probe": 0.29})
    assert told(Before(), poll, "clock_skew")


def test_a_host_was_dark_from_when_it_was_heard_last_until_it_answered() -> None:
    poll = replace(polled(took=25_000), heard_ms=START_MS - 20_000)
    assert told(dark(), poll) == ["back after 45s: the network (same boot, same sshd)"]
    assert told(dark(), replace(poll, heard_ms=0)) == ["back after 12m: the network (same boot, same sshd)"]


def test_the_journal_remembers_what_both_need(tmp_path: Path) -> None:
    path = tmp_path / "poller.db"
    config = Config(path=path, journal=path, hosts=(Host("web1", "192.0.2.1"),))

    def skewed(poll: Poll, seconds: float) -> Poll:
        assert poll.report is not None
        now = replace(poll.report.now, clock=poll.at_ms / 1000 + seconds)
        return replace(poll, id=str(uuid.uuid4()), report=replace(poll.report, readings=(now,)))

    polls = [
        skewed(good("web1", 1), 0.1),
        failed("web1", 2, "connect", "timeout"),
        failed("web1", 3, "connect", "timeout"),
        skewed(good("web1", 4), 500.0),
        skewed(good("web1", 5), 500.0),
        skewed(good("web1", 6), 40.0),
        skewed(good("web1", 7), 0.1),
        skewed(good("web1", 8), 0.1),
    ]
    journal = Journal.open(path, now_ms=0)
    try:
        for one in polls:
            Intake(journal, config, "round", keep=True).take([replace(one, id=str(uuid.uuid4()))])
        sql = """SELECT kind, severity, (at_ms - ?) / 60000 FROM event
                  WHERE kind IN ('back', 'clock_skew') ORDER BY at_ms, kind"""
        rows = journal._connection.execute(sql, (START_MS,)).fetchall()
    finally:
        journal.close()
    assert rows == [("back", "low", 4), ("clock_skew", "medium", 4), ("clock_skew", "low", 7)]
