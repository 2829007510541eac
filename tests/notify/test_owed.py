"""Who is told what."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from poller.model import Change, ChangeKind, Config, Contact, Escalation, Host, Notification, Severity, Threshold
from poller.notify import owed
from tests.notify.samples import ALERT, CONFIG, START, change

OPENED, ROSE, FELL = ChangeKind.OPENED, ChangeKind.ROSE, ChangeKind.FELL
CLOSED, UNCONFIGURED = ChangeKind.CLOSED, ChangeKind.UNCONFIGURED


def ask(*changes: Change, told: Mapping[str, int] | None = None, config: Config = CONFIG) -> tuple[Notification, ...]:
    numbers = itertools.count(1)
    return owed(changes, config, told or {}, START, lambda: f"id{next(numbers)}")


def who(*changes: Change, told: Mapping[str, int] | None = None, config: Config = CONFIG) -> list[str]:
    return [one.recipient for one in ask(*changes, told=told, config=config)]


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


class TestFlapping:
    FLAPPING, STEADY = ChangeKind.FLAPPING, ChangeKind.STEADY

    def test_its_start_is_told_to_who_was_told_and_whom_the_problem_would_be_told_to(self) -> None:
        flapping = change(self.FLAPPING, replace(ALERT, flapping=True), ("ops", "net"))
        assert who(flapping) == ["ops", "net"]
        assert who(flapping, told={"mailto:a@example.org": 1, "net": 1}) == ["mailto:a@example.org", "net", "ops"]

    def test_while_it_lasts_nothing_else_is(self) -> None:
        for kind in (ROSE, FELL):
            assert who(change(kind, replace(ALERT, flapping=True), ("ops", "net")), told={"ops": 1}) == []

    def test_its_end_is_told_also_to_who_wants_how_severe_it_has_become(self) -> None:
        steady = change(self.STEADY, ALERT, ("ops", "net"))
        assert who(steady, told={"ops": 2}) == ["ops", "net"]
        mild = change(self.STEADY, replace(ALERT, severity=Severity.LOW), ("ops", "net"))
        assert who(mild, told={"ops": 2}) == ["ops"]


class TestGroups:
    LAB = Contact("lab", "lab@example.org", groups=frozenset({"lab"}))
    SITE = replace(
        CONFIG,
        contacts=(*CONFIG.contacts, LAB),
        hosts=(
            Host("pc1", "192.0.2.1", group="lab"),
            Host("web1", "192.0.2.2"),
            Host("db1", "192.0.2.3", group="shop"),
        ),
    )

    def test_a_contact_for_a_group_of_hosts_hears_of_no_others(self) -> None:
        for host, names in (("pc1", ["ops", "lab"]), ("web1", ["ops"]), ("db1", ["ops"]), ("poller", ["ops"])):
            opened = change(OPENED, replace(ALERT, host=host), ("ops", "lab"))
            assert who(opened, config=self.SITE) == names

    def test_but_of_the_end_of_what_it_was_told(self) -> None:
        """The group was edited meanwhile."""
        assert who(change(CLOSED), told={"lab": 1}, config=self.SITE) == ["lab"]


class TestEscalated:
    RULE = Threshold("cpu.percent", above=90.0, severity=Severity.LOW, escalations=(Escalation(60.0, ("net",)),))
    WORSE = replace(RULE, above=95.0, severity=Severity.HIGH, escalations=())
    SITE = replace(CONFIG, hosts=(Host("web1", "192.0.2.1", thresholds=(RULE, WORSE)),))

    def test_who_was_told_because_nobody_cared_is_told_of_a_rise(self) -> None:
        assert who(change(ROSE), told={"ops": 1, "net": 1}, config=self.SITE) == ["ops", "net"]

    def test_who_was_not_is_not(self) -> None:
        assert who(change(ROSE), told={"ops": 1}, config=self.SITE) == ["ops"]


def test_two_contacts_reached_by_something_else_than_mail_are_two() -> None:
    config = replace(CONFIG, contacts=(Contact("a", channels=("sms",)), Contact("b", channels=("sms",))))
    assert who(change(OPENED, notify=("a", "b")), config=config) == ["a", "b"]


def test_a_fall_is_kept_for_who_will_be_told_of_the_problem_later() -> None:
    numbers = itertools.count(1)
    fell = change(FELL, replace(ALERT, severity=Severity.LOW))
    kept = owed((fell,), CONFIG, {"ops": 1}, START, lambda: f"id{next(numbers)}", told=())
    assert [(one.recipient, one.number) for one in kept] == [("ops", 2)]
