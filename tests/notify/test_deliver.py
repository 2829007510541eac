"""From the outbox to the channels: nothing is lost, nobody waits for somebody else's trouble."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from poller.errors import DeliveryError
from poller.model import (
    ChangeKind,
    Channel,
    ChannelSettings,
    Contact,
    EvidencePart,
    Letter,
    MailServer,
    Message,
    Notification,
)
from poller.notify import Delivery, deliver
from poller.notify.faults import ChannelDownError
from poller.notify.grouping import Grouping
from tests.notify.samples import ALERT, CONFIG, START, MemoryOutbox, alert, notification

DAEMON = Grouping(wait=30.0)


@dataclass
class Recorder:
    """A channel that remembers, and fails where a test says so."""

    fault: Callable[[Contact], Exception | None] = lambda contact: None
    tried: list[str] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)

    def send(self, letter: Letter) -> None:
        self.tried.append(letter.contact.name)
        error = self.fault(letter.contact)
        if error is not None:
            raise error
        self.letters.append(letter)

    @property
    def sent(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(one.contact.name, tuple(each.id for each in one.notifications)) for one in self.letters]


class Dying(MemoryOutbox):
    """An outbox whose process dies between the server's acceptance and the mark."""

    def delivered(self, message: Message) -> None:
        raise KeyboardInterrupt


def post(outbox: MemoryOutbox, channel: Channel, now_ms: int = START) -> Delivery:
    return deliver(outbox, CONFIG, {"mail": channel}, now_ms)


def owed_to(*recipients: str) -> list[Notification]:
    return [notification(alert(f"host{number}"), recipient=name) for number, name in enumerate(recipients)]


def failing(name: str, error: Exception) -> Recorder:
    return Recorder(lambda contact: error if contact.name == name else None)


def down(sentence: str = "does not answer") -> Recorder:
    return Recorder(lambda contact: ChannelDownError(sentence, code="timeout"))


def closed(number: int = 2) -> Notification:
    return notification(replace(ALERT, closed_ms=START), ChangeKind.CLOSED, number=number)


def test_each_contact_gets_one_message_with_everything_it_is_owed() -> None:
    first, second, third = owed_to("ops", "net", "ops")
    outbox, channel = MemoryOutbox(first, second, third), Recorder()
    assert post(outbox, channel) == Delivery(sent=2)
    assert channel.sent == [("ops", (first.id, third.id)), ("net", (second.id,))]
    assert outbox.waiting == []


def test_nothing_owed_is_nothing_done() -> None:
    assert post(MemoryOutbox(), Recorder()) == Delivery()


def test_one_contacts_trouble_is_not_anothers() -> None:
    outbox = MemoryOutbox(*owed_to("ops", "net"))
    delivery = post(outbox, failing("ops", DeliveryError("450 not now", retry=True)))
    assert (delivery.sent, delivery.kept, delivery.errors) == (1, 1, ("'ops': 450 not now",))
    assert [(one.recipient, one.attempts, one.error) for one in outbox.waiting] == [("ops", 1, "450 not now")]


def test_what_can_never_be_delivered_is_given_up_with_the_reason() -> None:
    outbox = MemoryOutbox(*owed_to("ops", "net"))
    delivery = post(outbox, failing("ops", DeliveryError("550 no such user", retry=False)))
    assert (delivery.sent, delivery.given_up) == (1, 1)
    assert list(outbox.given_up.values()) == ["550 no such user"]


def test_a_dead_server_is_tried_once_and_not_per_contact() -> None:
    outbox = MemoryOutbox(*owed_to("ops", "net", "mailto:a@example.org"))
    channel = down()
    assert post(outbox, channel) == Delivery(kept=3, errors=("does not answer",))
    assert channel.tried == ["ops"]
    assert len(outbox.waiting) == 3


def test_a_contact_that_left_the_configuration_is_given_up() -> None:
    outbox = MemoryOutbox(*owed_to("gone", "ops"))
    delivery = post(outbox, Recorder())
    assert (delivery.sent, delivery.given_up) == (1, 1)
    assert list(outbox.given_up.values()) == ["the contact is no longer in config.xml"]


def test_a_fault_of_ours_with_one_message_keeps_it_and_sends_the_others() -> None:
    outbox = MemoryOutbox(*owed_to("ops", "net"))
    delivery = post(outbox, failing("ops", ZeroDivisionError("secret")))
    assert (delivery.sent, delivery.kept) == (1, 1)
    assert "secret" not in str(delivery.errors)


def test_a_poller_killed_after_acceptance_sends_again_with_the_same_id_and_never_forgets() -> None:
    outbox, channel = Dying(*owed_to("ops")), Recorder()
    with suppress(KeyboardInterrupt):
        post(outbox, channel)
    survivor = MemoryOutbox(*outbox.waiting)
    post(survivor, channel)
    assert channel.letters[0] == channel.letters[1], "the repeated message tells the same"
    again = MemoryOutbox(*outbox.waiting)
    post(again, channel, START + 60_000)
    assert [one.id for one in survivor.messages] == [one.id for one in again.messages]


def test_problem_and_recovery_while_the_server_was_away_arrive_in_order() -> None:
    problem = notification()
    outbox = MemoryOutbox(problem)
    post(outbox, down())
    outbox.waiting.append(closed())
    channel = Recorder()
    assert post(outbox, channel).sent == 1
    assert channel.sent == [("ops", (problem.id, f"{ALERT.id} ops 2"))]


def test_problem_and_recovery_arrive_in_order_when_the_clock_was_set_back_between_them() -> None:
    problem = notification()
    other = replace(notification(alert("db1")), at_ms=START - 1_000)
    outbox, channel = MemoryOutbox(replace(closed(), at_ms=START - 3_600_000), other, problem), Recorder()
    post(outbox, channel)
    (_name, ids) = channel.sent[0]
    assert ids == (other.id, problem.id, f"{ALERT.id} ops 2")


def test_what_was_fetched_as_evidence_goes_with_the_news_of_its_alert() -> None:
    part = EvidencePart("processes", START, "1 init")
    outbox, channel = MemoryOutbox(notification(), notification(alert("db1"))), Recorder()
    outbox.parts[ALERT.id] = (part,)
    post(outbox, channel)
    assert channel.letters[0].evidence == {ALERT.id: (part,)}
    outbox.waiting.append(closed())
    post(outbox, channel)
    assert channel.letters[1].evidence == {}, "it was in the first"


class TestSeveralChannels:
    BOSS = Contact("boss", "boss@example.org", channels=("sms", "wall", "mail"))
    CONFIG = replace(CONFIG, contacts=(*CONFIG.contacts, BOSS))

    def tell(self, outbox: MemoryOutbox, channels: Mapping[str, Channel], now_ms: int = START) -> Delivery:
        return deliver(outbox, self.CONFIG, channels, now_ms, grouping=DAEMON)

    def owed(self) -> MemoryOutbox:
        return MemoryOutbox(replace(notification(recipient="boss"), at_ms=START - 30_000))

    def test_the_first_of_the_contact_is_used(self) -> None:
        sms, mail = Recorder(), Recorder()
        outbox = self.owed()
        assert self.tell(outbox, {"mail": mail, "sms": sms}).sent == 1
        assert (sms.tried, mail.tried, outbox.messages[0].channel) == (["boss"], [], "sms")

    def test_the_next_one_is_tried_at_once_when_one_refuses_for_good(self) -> None:
        sms, mail = failing("boss", DeliveryError("no such number", retry=False)), Recorder()
        outbox = self.owed()
        delivery = self.tell(outbox, {"mail": mail, "sms": sms})
        assert (delivery.sent, delivery.given_up, delivery.errors) == (1, 0, ("'boss': no such number",))
        assert outbox.messages[0].channel == "mail"

    def test_after_the_last_one_refused_for_good_it_is_given_up(self) -> None:
        no = DeliveryError("no", retry=False)
        sms, mail, outbox = failing("boss", no), failing("boss", no), self.owed()
        assert self.tell(outbox, {"mail": mail, "sms": sms}).given_up == 1
        assert list(outbox.given_up.values()) == ["no"]

    def test_a_server_that_is_away_is_no_reason_for_another_channel(self) -> None:
        sms, mail, outbox = down(), Recorder(), self.owed()
        assert self.tell(outbox, {"mail": mail, "sms": sms}).kept == 1
        assert mail.tried == []
        assert self.tell(outbox, {"mail": mail, "sms": Recorder()}, START + 15_000).sent == 1

    def test_a_channel_that_is_down_does_not_keep_the_others(self) -> None:
        sms, mail, outbox = down(), Recorder(), self.owed()
        outbox.waiting += [replace(one, at_ms=START - 30_000) for one in owed_to("ops", "boss", "net")]
        delivery = self.tell(outbox, {"mail": mail, "sms": sms})
        assert (delivery.sent, delivery.kept, delivery.errors) == (2, 1, ("does not answer",))
        assert (sms.tried, mail.tried) == (["boss"], ["ops", "net"])

    def test_the_pauses_double_from_fifteen_seconds_to_a_minute(self) -> None:
        outbox, pauses = self.owed(), []
        now_ms = START
        for _ in range(5):
            self.tell(outbox, {"sms": down()}, now_ms)
            ((_channel, retry_ms),) = outbox.next.values()
            pauses.append((retry_ms - now_ms) // 1000)
            early = Recorder()
            assert self.tell(outbox, {"sms": early}, retry_ms - 1).kept == 1
            assert early.tried == []
            now_ms = retry_ms
        assert pauses == [15, 30, 60, 60, 60]

    def test_a_clock_that_was_set_back_makes_no_pause_longer(self) -> None:
        outbox = self.owed()
        self.tell(outbox, {"sms": down()})
        assert self.tell(outbox, {"sms": Recorder()}, START - 3_600_000).sent == 1

    def test_a_poller_killed_between_two_channels_goes_on_with_the_second(self) -> None:
        class Killed(Recorder):
            def send(self, letter: Letter) -> None:
                raise KeyboardInterrupt

        outbox = self.owed()
        refusing = failing("boss", DeliveryError("no such number", retry=False))
        with suppress(KeyboardInterrupt):
            self.tell(outbox, {"sms": refusing, "mail": Killed()})
        sms, mail = Recorder(), Recorder()
        assert self.tell(outbox, {"sms": sms, "mail": mail}).sent == 1
        assert (sms.tried, mail.tried) == ([], ["boss"])

    def test_what_follows_goes_the_way_of_what_came_before(self) -> None:
        outbox = self.owed()
        refusing = failing("boss", DeliveryError("no such number", retry=False))
        self.tell(outbox, {"sms": refusing, "mail": down()})
        outbox.waiting.append(
            replace(notification(replace(ALERT, closed_ms=START), ChangeKind.CLOSED, "boss", 2), at_ms=START)
        )
        mail = Recorder()
        self.tell(outbox, {"sms": refusing, "mail": mail}, START + 60_000)
        assert [len(ids) for _name, ids in mail.sent] == [2]

    def test_a_contact_without_any_channel_that_is_there_waits_for_one(self) -> None:
        outbox = self.owed()
        delivery = self.tell(outbox, {})
        assert (delivery.kept, delivery.errors) == (1, ("'boss': config.xml has none of the channels of 'boss'",))
        assert self.tell(outbox, {"mail": Recorder()}, START + 60_000).sent == 1

    def test_a_run_tries_everything_again_and_leaves_nothing_for_the_next(self) -> None:
        outbox = self.owed()
        deliver(outbox, self.CONFIG, {"sms": down()}, START)
        assert deliver(outbox, self.CONFIG, {"sms": Recorder()}, START + 1).sent == 1


class TestQuota:
    CONFIG = replace(
        CONFIG,
        mail=MailServer("192.0.2.1", 25, "poller@example.org", quota=2),
        channels=(ChannelSettings("sms", "command", quota=1),),
    )
    MIDNIGHT = START - START % 86_400_000
    NOON = MIDNIGHT + 43_200_000
    TOMORROW = MIDNIGHT + 86_400_000

    def tell(self, outbox: MemoryOutbox, channel: Recorder, now_ms: int) -> Delivery:
        return deliver(outbox, self.CONFIG, {"mail": channel}, now_ms)

    def storm(self, outbox: MemoryOutbox, channel: Recorder, letters: int) -> None:
        for number in range(letters):
            outbox.waiting.append(notification(alert(f"web{number}")))
            self.tell(outbox, channel, self.NOON + number)

    def test_the_message_that_uses_it_up_says_so_and_the_rest_is_held(self) -> None:
        outbox, channel = MemoryOutbox(), Recorder()
        self.storm(outbox, channel, 4)
        assert [bool(letter.note) for letter in channel.letters] == [False, True]
        assert "message 2 of 2" in channel.letters[1].note
        assert outbox.held == {"web2 cpu.percent ops 1": "quota mail", "web3 cpu.percent ops 1": "quota mail"}

    def test_the_next_day_begins_with_one_digest_that_does_not_count(self) -> None:
        outbox, channel = MemoryOutbox(), Recorder()
        self.storm(outbox, channel, 4)
        ended = alert("web2", closed_ms=self.NOON + 9)
        outbox.waiting.append(notification(ended, ChangeKind.CLOSED, number=2))
        self.tell(outbox, channel, self.TOMORROW - 1)
        assert len(channel.letters) == 2 and len(outbox.held) == 3
        outbox.waiting.append(notification(alert("db1")))
        assert self.tell(outbox, channel, self.TOMORROW).sent == 2
        _, _, digest, fresh = channel.letters
        assert (digest.digest, fresh.digest, digest.note) == (True, False, "")
        assert [(one.alert.host, str(one.kind)) for one in digest.notifications] == [
            ("web2", "opened"),
            ("web2", "closed"),
            ("web3", "opened"),
        ]
        assert [one.alert.host for one in fresh.notifications] == ["db1"]
        assert outbox.sent_since(self.TOMORROW) == {"mail": 1}
        assert outbox.waiting == []

    def test_nothing_overtakes_a_digest_that_could_not_be_sent(self) -> None:
        outbox, channel = MemoryOutbox(), Recorder()
        self.storm(outbox, channel, 3)
        outbox.waiting.append(notification(alert("db1")))
        greylisted = iter([DeliveryError("450 greylisted", retry=True)])
        assert self.tell(outbox, Recorder(lambda contact: next(greylisted, None)), self.TOMORROW).sent == 0
        self.tell(outbox, channel, self.TOMORROW + 1)
        assert [letter.digest for letter in channel.letters] == [False, False, True, False]

    def test_it_counts_for_all_contacts_together_and_each_gets_a_digest(self) -> None:
        outbox, channel = MemoryOutbox(*owed_to("ops", "net", "mailto:a@example.org")), Recorder()
        self.tell(outbox, channel, self.NOON)
        assert channel.tried == ["ops", "net"]
        self.tell(outbox, channel, self.TOMORROW)
        assert [(one.contact.name, one.digest) for one in channel.letters[2:]] == [("mailto:a@example.org", True)]

    def test_a_quota_of_one_says_so(self) -> None:
        config = replace(self.CONFIG, contacts=(Contact("ops", channels=("sms",)),))
        outbox, channel = MemoryOutbox(notification()), Recorder()
        deliver(outbox, config, {"sms": channel}, self.NOON)
        assert "the one message that the channel sms may send today" in channel.letters[0].note

    def test_a_quota_that_was_raised_or_removed_frees_what_it_held(self) -> None:
        outbox, channel = MemoryOutbox(), Recorder()
        self.storm(outbox, channel, 3)
        deliver(outbox, CONFIG, {"mail": channel}, self.NOON + 60_000)
        assert channel.letters[-1].digest and outbox.waiting == []


def test_a_storm_over_a_hundred_hosts_is_one_message_per_contact() -> None:
    metrics = ("cpu.percent", "memory.percent", "swap.percent", "load.1m", "disk.percent")
    changed = [alert(f"web{host}", metric) for host in range(100) for metric in metrics]
    outbox = MemoryOutbox(*(notification(one, recipient=name) for one in changed for name in ("ops", "net")))
    channel = Recorder()
    assert post(outbox, channel) == Delivery(sent=2)
    assert [(name, len(ids)) for name, ids in channel.sent] == [("ops", 500), ("net", 500)]


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
    delivery = post(outbox, channel)
    after = [*outbox.done, *outbox.given_up, *(one.id for one in outbox.waiting)]
    assert sorted(after) == sorted(one.id for one in notifications)
    assert sorted(outbox.done) == sorted(identity for _, ids in channel.sent for identity in ids)
    assert delivery.sent + delivery.kept + delivery.given_up == len(set(recipients))
