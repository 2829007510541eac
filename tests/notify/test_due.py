"""Reminders and escalations: when, for whom, and never too often."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from poller.model import POLLER, Alert, ChangeKind, Contact, Escalation, Host, Severity, Threshold
from poller.notify.due import Moment, due, last_reminder_ms
from poller.notify.quiet import quiet
from tests.notify.replay import Notice
from tests.notify.samples import ALERT, CONFIG, START, alert

HOUR = 3_600_000
BOSS = Contact("boss", "boss@example.org", frozenset({Severity.HIGH}))
LIMIT = Threshold(
    "cpu.percent",
    above=90.0,
    severity=Severity.HIGH,
    notify=("ops",),
    remind=(3600.0, 14_400.0),
    escalations=(Escalation(1800.0, ("boss", "mailto:boss@example.org")),),
)
WEB = Host("web1", "192.0.2.1", thresholds=(LIMIT,))
SITE = replace(CONFIG, contacts=(*CONFIG.contacts, BOSS), hosts=(WEB,))


def notice(
    recipient: str = "ops",
    kind: ChangeKind = ChangeKind.OPENED,
    state: str = "delivered",
    at_ms: int = START,
    why: str = "",
) -> Notice:
    return Notice(recipient, kind, 1, at_ms, state, at_ms if state == "delivered" else None, why)


def nudges(
    *history: Notice, at_ms: int = START, one: Alert = ALERT, passed_over: Sequence[str] = ()
) -> list[tuple[str, str, int]]:
    numbers = itertools.count(1)
    found = due([one], SITE, {one.id: history}, Moment(at_ms, passed_over), lambda: f"id{next(numbers)}")
    return [(each.recipient, str(each.kind), each.number) for each in found]


class TestReminders:
    def test_who_was_told_is_told_again(self) -> None:
        history = (notice(), notice("boss", ChangeKind.ESCALATED))
        assert nudges(*history, at_ms=START + HOUR) == [("ops", "reminder", 2), ("boss", "reminder", 2)]
        assert nudges(*history, at_ms=START + HOUR - 1) == []

    def test_who_was_told_late_is_not_reminded_of_what_was_due_before(self) -> None:
        late = replace(notice(), done_ms=START + HOUR + 1)
        assert nudges(late, notice("boss"), at_ms=START + HOUR + 2) == [("boss", "reminder", 2)]

    def test_nobody_is_reminded_who_still_waits_for_something(self) -> None:
        for state in ("owed", "held"):
            waiting = notice("ops", ChangeKind.ROSE, state, START + 1, "silence s1")
            assert nudges(notice(), waiting, notice("boss"), at_ms=START + HOUR) == [("boss", "reminder", 2)]

    def test_one_that_was_suppressed_or_failed_is_not_repeated_before_the_next_is_due(self) -> None:
        for state in ("suppressed", "failed"):
            before = notice("ops", ChangeKind.REMINDER, state, START + HOUR)
            assert nudges(notice(), before, notice("boss"), at_ms=START + 2 * HOUR) == [("boss", "reminder", 2)]

    def test_only_of_severities_that_the_contact_wants_by_now(self) -> None:
        fell = replace(ALERT, severity=Severity.MEDIUM)
        told = (notice(), notice("boss"), notice("mailto:boss@example.org"))
        assert [name for name, _kind, _number in nudges(*told, at_ms=START + HOUR, one=fell)] == [
            "ops",
            "mailto:boss@example.org",
        ]

    def test_not_for_who_left_the_configuration(self) -> None:
        assert nudges(notice("gone"), notice("boss"), at_ms=START + HOUR) == [("boss", "reminder", 2)]

    def test_not_without_a_rule_for_it(self) -> None:
        other = alert(metric="memory.percent")
        assert nudges(notice(), at_ms=START + HOUR, one=other) == []
        assert nudges(notice(), at_ms=START + HOUR, one=alert("db1")) == []

    def test_not_of_what_is_acknowledged_or_quiet(self) -> None:
        assert nudges(notice(), at_ms=START + HOUR, passed_over=[ALERT.id]) == []

    @given(
        st.lists(st.integers(1, 10_000), max_size=5),
        st.integers(-10_000, 100_000),
    )
    def test_the_last_time_a_reminder_was_due(self, remind: list[int], elapsed: int) -> None:
        """Against a slow walk through all instants at which one is due."""
        found = last_reminder_ms(START, remind, START + elapsed * 1000)
        instants = (
            sorted({*remind, *(max(remind) * round_ for round_ in range(1, elapsed // max(remind) + 1))})
            if remind
            else []
        )
        passed = [second for second in instants if second <= elapsed]
        assert found == (START + passed[-1] * 1000 if passed else None)


class TestEscalations:
    def test_after_that_time_the_others_are_told_too(self) -> None:
        assert nudges(notice(), at_ms=START + HOUR // 2 - 1) == []
        assert nudges(notice(), at_ms=START + HOUR // 2) == [("boss", "escalated", 1)]

    def test_once(self) -> None:
        for state in ("owed", "held", "delivered", "failed"):
            before = notice("boss", ChangeKind.ESCALATED, state, START + HOUR // 2)
            assert nudges(notice(), before, at_ms=START + HOUR - 1) == []

    def test_again_when_the_first_was_suppressed_by_an_acknowledgement_that_is_over(self) -> None:
        before = notice("boss", ChangeKind.ESCALATED, "suppressed", START + HOUR // 2, "acknowledged")
        assert nudges(notice(), before, at_ms=START + HOUR - 1) == [("boss", "escalated", 2)]

    def test_not_to_who_was_told_already(self) -> None:
        assert nudges(notice(), notice("boss"), at_ms=START + HOUR - 1) == []

    def test_only_when_it_is_as_severe_as_the_contact_wants(self) -> None:
        mild = replace(ALERT, severity=Severity.LOW)
        assert nudges(notice(), at_ms=START + HOUR - 1, one=mild) == [("mailto:boss@example.org", "escalated", 1)]

    def test_not_while_the_network_or_a_gateway_is_to_blame_and_nobody_knows(self) -> None:
        for why in ("network", "parent gw1"):
            held = notice(state="held", why=why)
            assert nudges(held, at_ms=START + HOUR // 2) == []
            assert nudges(held, notice("net"), at_ms=START + HOUR // 2) == [("boss", "escalated", 1)]
        off_duty = notice(state="held", why="hours")
        assert nudges(off_duty, at_ms=START + HOUR // 2) == [("boss", "escalated", 1)]


class TestQuiet:
    def reason(self, one: Alert, at_ms: int, gaps: dict[str, int] | None = None) -> str:
        return quiet([one], gaps or {}, SITE, at_ms).get(one.id, "")

    def test_an_alert_that_was_not_confirmed_for_twice_the_observed_gap_is_suspended(self) -> None:
        gaps = {"web1": 300_000}
        assert self.reason(ALERT, START + 600_000, gaps) == ""
        assert self.reason(ALERT, START + 600_001, gaps) == "suspended"

    def test_of_a_host_polled_but_once_the_configured_interval_counts(self) -> None:
        assert self.reason(ALERT, START + 120_000) == ""
        assert self.reason(ALERT, START + 120_001) == "suspended"
        assert self.reason(alert("gone"), START + 120_001) == "suspended"

    def test_the_poller_looks_at_itself_as_often_as_at_its_hosts(self) -> None:
        assert self.reason(alert(POLLER), START + 120_000) == ""
        assert self.reason(alert(POLLER), START + 120_001) == "suspended"
        assert self.reason(alert(POLLER), START + 120_001, {POLLER: 300_000}) == ""

    def test_one_that_flaps_is_said_to(self) -> None:
        assert self.reason(replace(ALERT, flapping=True), START + 9 * HOUR) == "flapping"
