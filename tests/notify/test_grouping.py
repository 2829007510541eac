"""How long a daemon collects before it tells, and that no clock can make it wait for ever."""

from __future__ import annotations

from dataclasses import replace

from poller.model import ChangeKind, Message, Notification
from poller.notify import Delivery, deliver
from poller.notify.grouping import Grouping
from tests.notify.samples import ALERT, CONFIG, START, MemoryOutbox, alert, notification
from tests.notify.test_deliver import Recorder, down

SECOND = 1_000
HOUR = 3_600_000


def tell(outbox: MemoryOutbox, channel: Recorder, now_ms: int, interval: float = 300.0) -> Delivery:
    grouping = Grouping(wait=30.0, interval=interval, last_sent=outbox.last_sent())
    return deliver(outbox, CONFIG, {"mail": channel}, now_ms, grouping=grouping)


def ended(at_ms: int, name: str = "web1 cpu.percent") -> Notification:
    over = replace(ALERT, id=name, closed_ms=at_ms)
    return replace(notification(over, ChangeKind.CLOSED, number=2), at_ms=at_ms)


def test_it_collects_from_the_first_that_is_owed() -> None:
    outbox, channel = MemoryOutbox(notification(alert("web1"))), Recorder()
    tell(outbox, channel, START)
    outbox.waiting.append(replace(notification(alert("db1")), at_ms=START + 29 * SECOND))
    assert tell(outbox, channel, START + 29 * SECOND).sent == 0
    assert tell(outbox, channel, START + 30 * SECOND).sent == 1
    assert len(channel.letters[0].notifications) == 2


def test_after_a_message_it_collects_for_longer_and_contacts_do_not_wait_for_each_other() -> None:
    outbox, channel = MemoryOutbox(notification(alert("web1"))), Recorder()
    tell(outbox, channel, START + 30 * SECOND)
    later = START + 60 * SECOND
    outbox.waiting += [replace(notification(alert("db1"), recipient=name), at_ms=later) for name in ("ops", "net")]
    tell(outbox, channel, later + 30 * SECOND)
    assert channel.tried == ["ops", "net"]
    tell(outbox, channel, START + 330 * SECOND)
    assert channel.tried == ["ops", "net", "ops"]


def test_what_was_over_before_its_group_was_due_is_short_and_the_rest_of_the_group_is_told() -> None:
    outbox, channel = MemoryOutbox(notification(alert("web1")), notification(alert("db1"))), Recorder()
    outbox.waiting.append(ended(START + 20 * SECOND))
    assert tell(outbox, channel, START + 25 * SECOND) == Delivery(suppressed=2)
    assert set(outbox.suppressed.values()) == {"short"}
    assert tell(outbox, channel, START + 30 * SECOND).sent == 1
    assert [one.alert.host for one in channel.letters[0].notifications] == ["db1"]


def test_what_was_over_after_it_was_due_is_told_however_late_that_is() -> None:
    outbox, channel = MemoryOutbox(notification(alert("web1"))), Recorder()
    outbox.waiting.append(ended(START + 31 * SECOND))
    assert tell(outbox, channel, START + HOUR).sent == 1
    assert [str(one.kind) for one in channel.letters[0].notifications] == ["opened", "closed"]


def test_a_server_that_is_late_makes_nothing_short() -> None:
    """The interval after another message would reach over the end; but it was tried before that."""
    outbox, channel = MemoryOutbox(notification(alert("web1"))), Recorder()
    tell(outbox, down(), START + 30 * SECOND)
    outbox.waiting.append(ended(START + 31 * SECOND))
    outbox.messages.append(Message("m1", "ops", "mail", START + 60 * SECOND, "a digest", (), digest=True))
    assert tell(outbox, channel, START + 360 * SECOND).sent == 1
    assert len(channel.letters[0].notifications) == 2


def test_the_end_of_what_was_told_is_never_short() -> None:
    outbox, channel = MemoryOutbox(notification(alert("web1"))), Recorder()
    tell(outbox, channel, START + 30 * SECOND)
    outbox.waiting.append(ended(START + 40 * SECOND))
    tell(outbox, channel, START + 70 * SECOND)
    assert tell(outbox, channel, START + 330 * SECOND).sent == 1


def test_a_clock_that_was_set_back_makes_nobody_wait() -> None:
    outbox, channel = MemoryOutbox(notification(alert("web1"))), Recorder()
    tell(outbox, channel, START + 30 * SECOND)
    outbox.waiting.append(replace(notification(alert("db1")), at_ms=START - HOUR))
    assert tell(outbox, channel, START - HOUR + 30 * SECOND).sent == 1, "the last message lies in the future"
    outbox.waiting.append(notification(alert("web2")))
    assert tell(outbox, channel, START - 2 * HOUR).sent == 1, "it was owed in the future"
