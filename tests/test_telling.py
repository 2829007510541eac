"""Telling through the real journal: what a pass over the outbox does, and what is left when it is killed in between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from poller.clock import now_ms
from poller.intake import new_id, owe
from poller.model import (
    Acknowledgement,
    Alert,
    Change,
    ChangeKind,
    ChannelSettings,
    Comparison,
    Config,
    Contact,
    Escalation,
    Host,
    Severity,
    Silence,
    Threshold,
)
from poller.notify import Delivery
from poller.store import Journal, alerting
from poller.telling import tell
from tests.notify.samples import ALERT
from tests.notify.servers import Mail, mail_server, settings

MINUTE = 60_000
RULE = Threshold(
    "cpu.percent",
    above=90.0,
    notify=("ops",),
    severity=Severity.HIGH,
    remind=(3600.0,),
    escalations=(Escalation(1800.0, ("boss",)),),
)


@dataclass
class Site:
    """A journal, and a configuration whose mail server is on `port`."""

    config: Config
    journal: Journal

    def change(self, one: Alert, kind: ChangeKind = ChangeKind.OPENED) -> None:
        change = Change(kind, one, "because", ("ops",))
        still = () if one.closed_ms is not None else (one,)
        with self.journal.transaction() as work:
            others = tuple(each for each in work.alert_memory(one.host).open if each.id != one.id)
            work.store_comparison(one.host, Comparison(open=(*others, *still), changes=(change,)))
            owe(work, self.config, (change,))

    def tell(self, stop: threading.Event | None = None, *, wait: float = 0.0, interval: float = 0.0) -> Delivery:
        return tell(self.journal, self.config, stop or threading.Event(), wait=wait, interval=interval)

    def states(self, one: Alert) -> list[tuple[str, str, str, str]]:
        with self.journal.transaction() as work:
            return [(each.recipient, str(each.kind), each.state, each.why) for each in work.notified([one.id])[one.id]]


@pytest.fixture
def inbox() -> Iterator[tuple[Mail, int]]:
    mail = Mail()
    with mail_server(mail) as port:
        yield mail, port


@pytest.fixture
def site(tmp_path: Path, inbox: tuple[Mail, int]) -> Iterator[Site]:
    config = Config(
        path=tmp_path / "config.xml",
        journal=tmp_path / "poller.db",
        hosts=(Host("web1", "192.0.2.1", thresholds=(RULE,)),),
        mail=settings(inbox[1]),
        contacts=(Contact("ops", "ops@example.org"), Contact("boss", "boss@example.org")),
    )
    journal = Journal.open(config.journal, now_ms=now_ms())
    yield Site(config, journal)
    journal.close()


def opened(minutes_ago: float = 0.0, host: str = "web1") -> Alert:
    at_ms = now_ms() - round(minutes_ago * MINUTE)
    return replace(ALERT, id=new_id(), host=host, opened_ms=at_ms, since_ms=at_ms, updated_ms=now_ms())


def closed(one: Alert) -> Alert:
    return replace(one, closed_ms=now_ms(), updated_ms=now_ms())


def told(mail: Mail) -> list[tuple[str, str]]:
    return [(str(message["To"]), str(message["Subject"])[:7].strip()) for message in mail.messages]


def test_a_problem_and_its_end_are_told_and_nothing_is_left(site: Site, inbox: tuple[Mail, int]) -> None:
    one = opened()
    site.change(one)
    assert site.tell() == Delivery(sent=1)
    assert site.tell() == Delivery()
    site.change(closed(one), ChangeKind.CLOSED)
    assert site.tell().sent == 1
    assert told(inbox[0]) == [("ops@example.org", "[HIGH]"), ("ops@example.org", "[OK] we")]


def test_what_is_due_is_owed_once_and_sent(site: Site, inbox: tuple[Mail, int]) -> None:
    one = opened(minutes_ago=61)
    site.change(one)
    assert site.tell().sent == 2, "the news, and at the same moment the boss: it is open for so long"
    assert [kind for _name, kind, _state, _why in site.states(one)] == ["opened", "escalated"]
    assert site.tell() == Delivery(), "told after the reminder was due"


def test_another_process_that_delivers_is_left_alone(site: Site) -> None:
    site.change(opened())
    other = Journal.open(site.config.journal, now_ms=now_ms())
    try:
        outbox = other.outbox()
        assert len(outbox.pending()) == 1
        assert site.tell() == Delivery()
        outbox.close()
        assert site.tell().sent == 1
    finally:
        other.close()


def test_what_waits_does_not_keep_other_processes_from_delivering(site: Site) -> None:
    site.change(opened())
    assert site.tell(wait=30.0, interval=300.0) == Delivery()
    other = Journal.open(site.config.journal, now_ms=now_ms())
    try:
        assert len(other.outbox().pending()) == 1
    finally:
        other.close()


def test_an_interrupted_pass_keeps_what_was_not_sent(site: Site, inbox: tuple[Mail, int]) -> None:
    site.change(opened())
    stop = threading.Event()
    stop.set()
    delivery = site.tell(stop)
    assert (delivery.sent, delivery.kept) == (0, 1)
    assert site.tell().sent == 1


def test_two_channels_by_a_real_command_and_a_real_mail_server(
    site: Site, inbox: tuple[Mail, int], tmp_path: Path
) -> None:
    """The command refuses for good, so the mail goes out in the same pass."""
    ops = Contact("ops", "ops@example.org", channels=("wall", "mail"))
    wall = ChannelSettings("wall", "command", command=("/bin/false",), timeout=5.0)
    site.config = replace(site.config, contacts=(ops,), channels=(wall,))
    one = opened()
    site.change(one)
    delivery = site.tell()
    assert (delivery.sent, delivery.given_up) == (1, 0)
    assert delivery.errors and len(inbox[0].messages) == 1
    with site.journal.transaction() as work:
        assert [each.channel for each in work.notified([one.id])[one.id]] == ["mail"]


def test_a_storm_over_a_hundred_hosts_is_one_mail_per_contact(site: Site, inbox: tuple[Mail, int]) -> None:
    metrics = ("cpu.percent", "memory.percent", "swap.percent", "load.1m", "disk.percent")
    changes = [
        Change(ChangeKind.OPENED, replace(opened(host=f"web{number}"), metric=metric), "because", ("ops", "boss"))
        for number in range(100)
        for metric in metrics
    ]
    with site.journal.transaction() as work:
        for change in changes:
            work.alert_memory(change.alert.host)
            work.store_comparison(change.alert.host, Comparison(changes=(change,)))
            owe(work, site.config, (change,))
    assert site.tell() == Delivery(sent=2)
    assert [message["To"] for message in inbox[0].messages] == ["ops@example.org", "boss@example.org"]
    assert [len(str(message["Poller-Notifications"]).split()) for message in inbox[0].messages] == [500, 500]


def test_a_silence_of_the_journal_holds_the_news_and_lets_the_end_pass(site: Site, inbox: tuple[Mail, int]) -> None:
    known, news = opened(), opened(host="web2")
    site.change(known)
    site.tell()
    at_ms = now_ms()
    silence = Silence(new_id(), at_ms - 1000, at_ms + MINUTE, at_ms, "root", "moving", host="web*")
    alerting.add_silence(site.config.journal, silence)
    site.change(closed(known), ChangeKind.CLOSED)
    site.change(news)
    assert site.tell() == Delivery(sent=1, held=1)
    assert site.states(news) == [("ops", "opened", "held", f"silence {silence.id}")]
    alerting.end_silence(site.config.journal, silence.id, "root", now_ms())
    assert site.tell().sent == 1
    assert [tag for _to, tag in told(inbox[0])] == ["[HIGH]", "[OK] we", "[HIGH]"]


def test_an_acknowledged_alert_is_neither_reminded_nor_escalated_and_its_end_is_told(
    site: Site, inbox: tuple[Mail, int]
) -> None:
    one = opened(minutes_ago=20)
    site.change(one)
    site.tell()
    alerting.acknowledge(site.config.journal, Acknowledgement(new_id(), one.id, now_ms(), "root", "on it"))
    rule = replace(RULE, remind=(1.0,), escalations=(Escalation(1.0, ("boss",)),))
    site.config = replace(site.config, hosts=(Host("web1", "192.0.2.1", thresholds=(rule,)),))
    assert site.tell() == Delivery()
    site.change(closed(one), ChangeKind.CLOSED)
    assert site.tell().sent == 1
    assert [kind for _name, kind, _state, _why in site.states(one)] == ["opened", "closed"]


def test_what_a_quota_kept_back_comes_with_its_end_as_one_digest(site: Site, inbox: tuple[Mail, int]) -> None:
    first, second = opened(), opened(host="web2")
    limited = replace(site.config.mail, quota=1) if site.config.mail else None
    site.config = replace(site.config, mail=limited)
    site.change(first)
    site.tell()
    assert "may send today" in str(inbox[0].messages[0])
    site.change(second)
    assert site.tell() == Delivery()
    site.change(closed(second), ChangeKind.CLOSED)
    site.tell()
    assert [state[1:] for state in site.states(second)] == [
        ("opened", "held", "quota mail"),
        ("closed", "held", "quota mail"),
    ]
    site.config = replace(site.config, mail=settings(inbox[1]))
    assert site.tell().sent == 1
    assert str(inbox[0].messages[1]["Subject"]).startswith("[DIGEST")
    assert [state[2] for state in site.states(second)] == ["delivered", "delivered"]


def test_an_alert_that_nobody_confirms_is_neither_reminded_nor_escalated(site: Site) -> None:
    one = replace(opened(minutes_ago=61), updated_ms=now_ms() - 5 * MINUTE)
    site.change(one)
    assert site.tell().sent == 1
    assert [kind for _name, kind, _state, _why in site.states(one)] == ["opened"]
