"""From the outbox to a channel: nothing is lost, nobody waits for somebody else's trouble."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from poller.errors import DeliveryError
from poller.model import ChangeKind, Contact, Notification
from poller.notify import Delivery, deliver
from poller.notify.faults import ChannelDownError
from tests.notify.samples import ALERT, CONFIG, START, MemoryOutbox, alert, notification


@dataclass
class Recorder:
    """A channel that remembers, and fails where a test says so."""

    fault: Callable[[Contact], Exception | None] = lambda contact: None
    tried: list[str] = field(default_factory=list)
    sent: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def send(self, contact: Contact, notifications: Sequence[Notification]) -> None:
        self.tried.append(contact.name)
        error = self.fault(contact)
        if error is not None:
            raise error
        self.sent.append((contact.name, tuple(one.id for one in notifications)))


class Dying(MemoryOutbox):
    """An outbox whose process dies between the server's acceptance and the mark."""

    def delivered(self, ids: Sequence[str], now_ms: int) -> None:
        raise KeyboardInterrupt


def owed_to(*recipients: str) -> list[Notification]:
    return [notification(alert(f"host{number}"), recipient=name) for number, name in enumerate(recipients)]


def failing(name: str, error: Exception) -> Recorder:
    return Recorder(lambda contact: error if contact.name == name else None)


def test_each_contact_gets_one_message_with_everything_it_is_owed() -> None:
    first, second, third = owed_to("ops", "net", "ops")
    outbox, channel = MemoryOutbox(first, second, third), Recorder()
    assert deliver(outbox, CONFIG, channel, START) == Delivery(sent=2)
    assert channel.sent == [("ops", (first.id, third.id)), ("net", (second.id,))]
    assert outbox.waiting == []


def test_nothing_owed_is_nothing_done() -> None:
    assert deliver(MemoryOutbox(), CONFIG, Recorder(), START) == Delivery()


def test_one_contacts_trouble_is_not_anothers() -> None:
    outbox = MemoryOutbox(*owed_to("ops", "net"))
    delivery = deliver(outbox, CONFIG, failing("ops", DeliveryError("450 not now", retry=True)), START)
    assert (delivery.sent, delivery.kept, delivery.errors) == (1, 1, ("'ops': 450 not now",))
    assert [(one.recipient, one.attempts, one.error) for one in outbox.waiting] == [("ops", 1, "450 not now")]


def test_what_can_never_be_delivered_is_given_up_with_the_reason() -> None:
    outbox = MemoryOutbox(*owed_to("ops", "net"))
    delivery = deliver(outbox, CONFIG, failing("ops", DeliveryError("550 no such user", retry=False)), START)
    assert (delivery.sent, delivery.given_up) == (1, 1)
    assert list(outbox.given_up.values()) == ["550 no such user"]


def test_a_dead_server_is_tried_once_and_not_per_contact() -> None:
    outbox = MemoryOutbox(*owed_to("ops", "net", "mailto:a@example.org"))
    channel = Recorder(lambda contact: ChannelDownError("does not answer", code="timeout"))
    assert deliver(outbox, CONFIG, channel, START) == Delivery(kept=3, errors=("does not answer",))
    assert channel.tried == ["ops"]
    assert len(outbox.waiting) == 3


def test_a_contact_that_left_the_configuration_is_given_up() -> None:
    outbox = MemoryOutbox(*owed_to("gone", "ops"))
    delivery = deliver(outbox, CONFIG, Recorder(), START)
    assert (delivery.sent, delivery.given_up) == (1, 1)
    assert list(outbox.given_up.values()) == ["the contact is no longer in config.xml"]


def test_a_fault_of_ours_with_one_message_keeps_it_and_sends_the_others() -> None:
    outbox = MemoryOutbox(*owed_to("ops", "net"))
    delivery = deliver(outbox, CONFIG, failing("ops", ZeroDivisionError("secret")), START)
    assert (delivery.sent, delivery.kept) == (1, 1)
    assert "secret" not in str(delivery.errors)


def test_a_poller_killed_after_acceptance_sends_again_and_never_forgets() -> None:
    outbox, channel = Dying(*owed_to("ops")), Recorder()
    with suppress(KeyboardInterrupt):
        deliver(outbox, CONFIG, channel, START)
    survivor = MemoryOutbox(*outbox.waiting)
    deliver(survivor, CONFIG, channel, START)
    assert channel.sent[0] == channel.sent[1], "the repeated message tells the same"


def test_problem_and_recovery_while_the_server_was_away_arrive_in_order() -> None:
    problem = notification()
    outbox = MemoryOutbox(problem)
    deliver(outbox, CONFIG, Recorder(lambda contact: ChannelDownError("down", code="refused")), START)
    outbox.waiting.append(notification(replace(ALERT, closed_ms=START), ChangeKind.CLOSED, number=2))
    channel = Recorder()
    assert deliver(MemoryOutbox(*outbox.waiting), CONFIG, channel, START).sent == 1
    assert channel.sent == [("ops", (problem.id, f"{ALERT.id} ops 2"))]


outcomes = st.sampled_from(["ok", "later", "never", "down", "fault"])
FAULTS: dict[str, Exception | None] = {
    "ok": None,
    "later": DeliveryError("later", retry=True),
    "never": DeliveryError("never", retry=False),
    "down": ChannelDownError("down", code="closed"),
    "fault": ValueError("fault"),
}


@given(st.lists(st.sampled_from(["ops", "net", "mailto:a@example.org", "gone"]), max_size=12), st.lists(outcomes))
def test_whatever_happens_every_notification_is_sent_kept_or_given_up(recipients: list[str], script: list[str]) -> None:
    notifications = owed_to(*recipients)
    outbox, steps = MemoryOutbox(*notifications), iter(script)
    channel = Recorder(lambda contact: FAULTS[next(steps, "ok")])
    delivery = deliver(outbox, CONFIG, channel, START)
    after = [*outbox.done, *outbox.given_up, *(one.id for one in outbox.waiting)]
    assert sorted(after) == sorted(one.id for one in notifications)
    assert sorted(outbox.done) == sorted(identity for _, ids in channel.sent for identity in ids)
    assert delivery.sent + delivery.kept + delivery.given_up == len(set(recipients))
