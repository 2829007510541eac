"""Who is told what."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from poller.model import Change, ChangeKind, Contact, Notification, Severity
from poller.notify import owed
from tests.notify.samples import ALERT, CONFIG, START, change

OPENED, ROSE, FELL = ChangeKind.OPENED, ChangeKind.ROSE, ChangeKind.FELL
CLOSED, UNCONFIGURED = ChangeKind.CLOSED, ChangeKind.UNCONFIGURED


def ask(*changes: Change, told: Mapping[str, int] | None = None) -> tuple[Notification, ...]:
    numbers = itertools.count(1)
    return owed(changes, CONFIG, told or {}, START, lambda: f"id{next(numbers)}")


def who(*changes: Change, told: Mapping[str, int] | None = None) -> list[str]:
    return [one.recipient for one in ask(*changes, told=told)]


def at(severity: Severity) -> Change:
    return change(OPENED, replace(ALERT, severity=severity), ("ops", "net"))


def test_an_opened_alert_is_told_to_everyone_the_threshold_names() -> None:
    assert who(at(Severity.HIGH)) == ["ops", "net"]


def test_a_contact_is_told_only_of_its_severities() -> None:
    assert who(at(Severity.LOW)) == ["ops"]


def test_a_contact_gets_in_when_the_alert_rises_to_its_severity() -> None:
    (ops, net) = ask(replace(at(Severity.HIGH), kind=ROSE), told={"ops": 1})
    assert (ops.recipient, ops.number, net.recipient, net.number) == ("ops", 2, "net", 1)


def test_a_fall_is_told_only_to_those_who_were_told_before() -> None:
    fell = change(FELL, replace(ALERT, severity=Severity.LOW), ("ops", "net"))
    assert who(fell, told={"net": 1}) == ["net"]
    assert who(fell) == []


def test_the_end_is_told_to_exactly_those_who_were_told_of_the_problem() -> None:
    for kind in (CLOSED, UNCONFIGURED):
        assert who(change(kind, notify=("ops",)), told={"net": 2, "mailto:a@example.org": 1}) == [
            "net",
            "mailto:a@example.org",
        ]


def test_an_end_nobody_heard_the_beginning_of_is_told_to_nobody() -> None:
    assert who(change(CLOSED, notify=("ops", "net"))) == []


def test_who_left_the_configuration_is_still_owed_the_end() -> None:
    assert who(change(CLOSED), told={"gone": 1}) == ["gone"]


def test_a_mail_address_needs_no_contact() -> None:
    assert who(change(OPENED, notify=("mailto:a@example.org",))) == ["mailto:a@example.org"]


def test_a_name_that_is_no_contact_is_told_nothing() -> None:
    assert who(change(OPENED, notify=("nobody",))) == []


def test_nobody_is_told_twice_of_one_change() -> None:
    assert who(change(OPENED, notify=("ops", "ops", "mailto:OPS@example.org"))) == ["ops"]


def test_of_two_names_for_one_mailbox_the_one_told_before_is_used() -> None:
    rose = change(ROSE, notify=("ops", "mailto:ops@example.org"))
    assert who(rose, told={"mailto:ops@example.org": 1}) == ["mailto:ops@example.org"]


def test_numbers_go_on_within_one_call_and_from_before() -> None:
    notifications = ask(change(ROSE), change(CLOSED), told={"ops": 3})
    assert [(one.kind, one.number) for one in notifications] == [(ROSE, 4), (CLOSED, 5)]


def test_a_notification_holds_what_happened_and_when() -> None:
    (one,) = ask(change(OPENED))
    assert one == Notification("id1", ALERT, OPENED, "ops", 1, START)


recipients = st.sampled_from(["ops", "net", "mailto:a@example.org", "mailto:ops@example.org", "gone"])


@given(
    st.lists(st.tuples(st.sampled_from(ChangeKind), st.sampled_from(Severity), st.lists(recipients)), max_size=8),
    st.dictionaries(recipients, st.integers(1, 5)),
)
def test_each_recipient_counts_on_without_gaps(
    steps: list[tuple[ChangeKind, Severity, list[str]]], told: dict[str, int]
) -> None:
    changes = [change(kind, replace(ALERT, severity=severity), tuple(notify)) for kind, severity, notify in steps]
    seen: dict[str, list[int]] = {}
    for one in ask(*changes, told=told):
        seen.setdefault(one.recipient, []).append(one.number)
    for recipient, numbers in seen.items():
        first = told.get(recipient, 0) + 1
        assert numbers == list(range(first, first + len(numbers)))


@given(st.lists(recipients), st.sampled_from(Severity))
def test_one_mailbox_gets_one_notification_per_change(notify: list[str], severity: Severity) -> None:
    opened = change(OPENED, replace(ALERT, severity=severity), tuple(notify))
    contacts = [CONFIG.contact(recipient) for recipient in who(opened)]
    mailboxes = [contact.mail for contact in contacts if isinstance(contact, Contact)]
    assert len(mailboxes) == len(set(mailboxes)) == len(contacts)


def test_who_was_held_back_knows_nothing_and_the_numbers_go_on() -> None:
    numbers = itertools.count(1)

    def ask_held(one: Change) -> tuple[Notification, ...]:
        return owed((one,), CONFIG, {"ops": 2, "net": 1}, START, lambda: f"id{next(numbers)}", told={"net"})

    assert [one.recipient for one in ask_held(change(CLOSED))] == ["net"]
    rose = ask_held(replace(at(Severity.HIGH), kind=ROSE))
    assert [(one.recipient, one.number) for one in rose] == [("ops", 3), ("net", 2)]
