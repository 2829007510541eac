"""What is promised whatever happens: random changes, silences, downtimes, hours, quotas, servers that fail, and pauses.

Every pass is checked while it goes on; in the end all blocks are lifted and all servers work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from poller.model import (
    ChangeKind,
    Config,
    Contact,
    Downtime,
    Escalation,
    Host,
    Hours,
    MailServer,
    Message,
    Notification,
    Severity,
    Threshold,
)
from poller.notify.identity import identity
from tests.notify.replay import DAY_MS, GAP_MS, MONDAY, Line, Player
from tests.notify.samples import CONFIG, MemoryOutbox

ENDS = frozenset({ChangeKind.CLOSED, ChangeKind.UNCONFIGURED})
NUDGES = frozenset({ChangeKind.REMINDER, ChangeKind.ESCALATED})
HOSTS = ("web1", "web2", "db1")
MINUTE = 60_000

RULE = Threshold(
    "cpu.percent",
    above=90.0,
    severity=Severity.LOW,
    notify=("ops", "net", "duty"),
    remind=(3600.0,),
    escalations=(Escalation(1800.0, ("boss",)),),
)
CONTACTS = (
    Contact("ops", "ops@example.org"),
    Contact("net", "net@example.org", severities=frozenset({Severity.HIGH}), channels=("sms", "mail")),
    Contact("duty", "duty@example.org", hours=(Hours(begin=480, end=1080),)),
    Contact("boss", "boss@example.org", severities=frozenset({Severity.MEDIUM, Severity.HIGH}), channels=("sms",)),
)


def site(quota: int) -> Config:
    return replace(
        CONFIG,
        hosts=tuple(Host(name, "192.0.2.1", thresholds=(RULE,)) for name in HOSTS),
        contacts=CONTACTS,
        mail=MailServer("192.0.2.1", 25, "poller@example.org", quota=quota),
        downtimes=(Downtime("nightly", hosts=("db*",), hours=Hours(begin=120, end=240)),),
    )


@dataclass
class Watcher:
    """A player, and all that came through, checked on arrival."""

    player: Player
    now_ms: int = round(MONDAY.timestamp() * 1000)
    lost_ms: dict[str, int] = field(default_factory=dict)
    arrived: list[Notification] = field(default_factory=list)

    def step(self) -> None:
        acknowledged = set(self.player.outbox.acknowledged)
        for _channel, letter in self.player.step(self.now_ms):
            assert letter.notifications, "an empty message"
            for one in letter.notifications:
                assert one.recipient == letter.contact.name
                self.check(one, acknowledged)
                self.arrived.append(one)

    def check(self, one: Notification, acknowledged: set[str]) -> None:
        before = [each for each in self.arrived if each.recipient == one.recipient]
        same = [each for each in before if each.alert.id == one.alert.id]
        assert all(each.id != one.id for each in before), "told twice"
        assert all(each.number < one.number for each in same), "out of order"
        assert not any(each.kind in ENDS for each in same), "told of after its end"
        if one.kind in ENDS or one.kind in (ChangeKind.FELL, ChangeKind.REMINDER):
            assert same, f"{one.kind} of a problem that was never told"
        if one.kind in NUDGES:
            assert one.alert.id not in acknowledged
            assert self.now_ms - self.lost_ms.get(one.alert.host, self.now_ms) <= 2 * GAP_MS, "suspended"
        if not same:
            self.check_no_other_is_open(one, before)

    def check_no_other_is_open(self, one: Notification, before: list[Notification]) -> None:
        """Never two problems without an end between; one that was refused for good by all channels was given up."""
        refused = {
            each.alert.id
            for each in self.player.everything
            if each.recipient == one.recipient and each.id in self.player.outbox.given_up
        }
        told = {each.alert.id for each in before if each.alert.host == one.alert.host}
        ended = {each.alert.id for each in before if each.kind in ENDS}
        assert not told - ended - refused, "a second problem before the first one's end"

    def do(self, event: tuple[str, ...]) -> None:
        what, *more = event
        if what == "change":
            self.player.change(more[0], more[1], more[2], self.now_ms)
            if more[0] in self.lost_ms:
                self.lost_ms[more[0]] = self.now_ms  # what changes was seen
        elif what == "silence":
            self.player.silence(more[0], self.now_ms, self.now_ms + int(more[1]) * MINUTE)
        elif what == "unsilence":
            self.player.unsilence(self.now_ms)
        elif what == "ack":
            self.player.acknowledge(more[0])
        elif what == "line":
            self.player.lines[more[0]].happens = more[1]
        elif what == "lost":
            self.player.lost.add(more[0])
            self.lost_ms.setdefault(more[0], self.now_ms)
        elif what == "seen":
            self.player.lost.discard(more[0])
            self.lost_ms.pop(more[0], None)

    def settle(self) -> None:
        """All blocks end and all servers work, for three days."""
        for name in self.player.lines:
            self.do(("line", name, "works"))
        for host in HOSTS:
            self.do(("seen", host))
        self.do(("unsilence",))
        for _ in range(72):
            self.now_ms += 3_600_000
            self.step()


hosts = st.sampled_from(HOSTS)
kinds = st.sampled_from(["opened", "opened", "rose", "fell", "flapping", "steady", "closed", "closed", "unconfigured"])
events = st.one_of(
    st.tuples(st.just("change"), hosts, kinds, st.sampled_from(["low", "medium", "high"])),
    st.tuples(st.just("change"), hosts, kinds, st.sampled_from(["low", "medium", "high"])),
    st.tuples(st.just("silence"), st.sampled_from(["*", "web*", "web1"]), st.sampled_from(["5", "60", "600"])),
    st.tuples(st.just("unsilence")),
    st.tuples(st.just("ack"), hosts),
    st.tuples(
        st.just("line"), st.sampled_from(["mail", "sms"]), st.sampled_from(["works", "away", "later", "refuses"])
    ),
    st.tuples(st.just("lost"), hosts),
    st.tuples(st.just("seen"), hosts),
)
pauses = st.sampled_from([0, 0, 1, 1, 20, 35, 60, 120, 400, 1440])
stories = st.lists(st.tuples(pauses, events), min_size=1, max_size=25)
manners = st.sampled_from([(0.0, 0.0), (30.0, 0.0), (90.0, 300.0), (600.0, 3600.0)])


def played(
    story: list[tuple[int, tuple[str, ...]]],
    manner: tuple[float, float],
    quota: int,
    outbox: MemoryOutbox | None = None,
) -> Watcher:
    player = Player(site(quota), *manner, notify=RULE.notify, outbox=outbox or MemoryOutbox())
    player.lines["sms"] = Line("sms")
    watcher = Watcher(player)
    for minutes, event in story:
        watcher.now_ms += minutes * MINUTE
        watcher.do(event)
        watcher.step()
    return watcher


@settings(max_examples=100, deadline=None)
@given(stories, manners, st.sampled_from([0, 0, 1, 3]))
def test_nothing_is_told_twice_out_of_order_or_for_no_reason_and_nothing_is_lost(
    story: list[tuple[int, tuple[str, ...]]], manner: tuple[float, float], quota: int
) -> None:
    watcher = played(story, manner, quota)
    watcher.settle()
    player = watcher.player
    still_open = {one.id for one in player.alerts.values()}
    waiting = [one for one in player.outbox.waiting if one.kind not in NUDGES]
    assert not waiting, "something waits for ever"
    for one in player.everything:
        state, why = player.state(one.id)
        assert state == "delivered" or why or one.kind in NUDGES, "gone without a reason"
    for one in watcher.arrived:
        if one.alert.id not in still_open:
            assert ended(watcher, one), "the end of what was told was not"


def ended(watcher: Watcher, one: Notification) -> bool:
    """Delivered, or refused for good by all channels."""
    ends = [
        each
        for each in watcher.player.everything
        if (each.alert.id, each.recipient) == (one.alert.id, one.recipient) and each.kind in ENDS
    ]
    return any(watcher.player.state(each.id)[0] in ("delivered", "failed") for each in ends)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(pauses, events), max_size=12), st.sampled_from([0, 2]))
def test_open_problems_that_nothing_blocks_are_known_to_all_whom_they_concern(
    story: list[tuple[int, tuple[str, ...]]], quota: int
) -> None:
    """What opened and was never refused for good is known in the end to the contact who wants everything."""
    gentle = [(minutes, event) for minutes, event in story if "refuses" not in event]
    watcher = played(gentle, (0.0, 0.0), quota)
    watcher.settle()
    told = {(one.recipient, one.alert.id) for one in watcher.arrived}
    for one in watcher.player.alerts.values():
        assert {("ops", one.id), ("duty", one.id)} <= told
        assert ("net", one.id) in told or one.severity is not Severity.HIGH or one.flapping


class KilledError(Exception):
    """kill -9."""


class Mortal(MemoryOutbox):
    """Dies instead of writing for the `life`th time, and lives on when that is 0."""

    life = 0

    def delivered(self, message: Message) -> None:
        self._die()
        super().delivered(message)

    def failed(self, ids: Sequence[str], error: str, now_ms: int, *, channel: str, retry_ms: int | None) -> None:
        self._die()
        super().failed(ids, error, now_ms, channel=channel, retry_ms=retry_ms)

    def hold(self, ids: Sequence[str], why: str) -> None:
        self._die()
        super().hold(ids, why)

    def release(self, ids: Sequence[str]) -> None:
        self._die()
        super().release(ids)

    def suppress(self, ids: Sequence[str], why: str, now_ms: int) -> None:
        self._die()
        super().suppress(ids, why, now_ms)

    def _die(self) -> None:
        self.life -= 1
        if self.life == 0:
            raise KilledError


@settings(max_examples=50, deadline=None)
@given(stories, manners, st.sampled_from([0, 0, 1, 3]), st.integers(1, 8))
def test_killed_at_any_write_it_repeats_a_message_with_the_same_id_and_loses_nothing(
    story: list[tuple[int, tuple[str, ...]]], manner: tuple[float, float], quota: int, life: int
) -> None:
    outbox = Mortal()
    watcher = played(story[:-1], manner, quota, outbox)
    lines = watcher.player.lines.values()
    minutes, event = story[-1]
    watcher.now_ms += minutes * MINUTE
    watcher.do(event)
    accepted, marked = {line.name: len(line.letters) for line in lines}, len(outbox.messages)
    outbox.life = life
    try:
        watcher.step()
    except KilledError:
        known = {number for message in outbox.messages[marked:] for number in message.notifications}
        watcher.arrived += [one for one in watcher.player.everything if one.id in known]
    outbox.life = 0
    came = [identity(letter) for line in lines for letter in line.letters[accepted[line.name] :]]
    unmarked = set(came) - {message.id for message in outbox.messages[marked:]}
    marked = len(outbox.messages)
    watcher.step()
    assert unmarked <= {message.id for message in outbox.messages[marked:]}
    watcher.settle()
    assert not [one for one in outbox.waiting if one.kind not in NUDGES]


@settings(max_examples=50, deadline=None)
@given(stories, st.integers(1, 3))
def test_a_quota_is_never_passed_but_by_digests(story: list[tuple[int, tuple[str, ...]]], quota: int) -> None:
    watcher = played(story, (0.0, 0.0), quota)
    watcher.settle()
    days: dict[int, int] = {}
    for message in watcher.player.outbox.messages:
        if message.channel == "mail" and not message.digest:
            days[message.sent_ms // DAY_MS] = days.get(message.sent_ms // DAY_MS, 0) + 1
    assert all(count <= quota for count in days.values())
