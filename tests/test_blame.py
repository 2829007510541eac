"""The poller loses its network: one alert, and no mail about each host that only seems to be down."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from poller.blame import settle
from poller.intake import Intake
from poller.itself import Round
from poller.model import Config, Contact, Host, Severity, Threshold
from poller.store import Journal
from poller.store.views import hosts as known_hosts
from tests.store.machines import failed
from tests.store.machines import poll as good

MINUTE = 60_000
NAMES = tuple(f"h{number}" for number in range(5))
DOWN = Threshold("host.down", above=0.0, severity=Severity.HIGH, notify=("ops",))
LOST = Threshold("poller.unreachable_percent", above=50.0, severity=Severity.HIGH, notify=("ops",))


class Fleet:
    """Rounds over five hosts, a minute apart, taken in and settled as after a real one."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "poller.db"
        hosts = tuple(Host(name=name, address="192.0.2.1", thresholds=(DOWN,)) for name in (*NAMES, "late"))
        self.config = Config(
            path=self.path,
            journal=self.path,
            hosts=hosts,
            thresholds=(LOST,),
            contacts=(Contact("ops", "ops@example.org"),),
        )
        self.minute = 0
        self.journal = Journal.open(self.path, now_ms=0)

    def take(self, *down: str, code: str = "timeout", names: tuple[str, ...] = NAMES) -> Round:
        """One round is polled and stored; these hosts did not answer."""
        self.minute += 1
        polls = [
            failed(name, self.minute, "connect", code) if name in down else good(name, self.minute) for name in names
        ]
        polls = [replace(poll, id=str(uuid.uuid4())) for poll in polls]
        Intake(self.journal, self.config, "round", keep=True).take(polls)
        return Round(True, min(poll.at_ms for poll in polls), 1.0, tuple(polls))

    def round(self, *down: str, code: str = "timeout", names: tuple[str, ...] = NAMES) -> None:
        settle(self.journal, self.config, self.take(*down, code=code, names=names))

    def told(self) -> list[tuple[str, str, str]]:
        """(host, kind, state) of every notification, in order."""
        sql = """SELECT host.name, notification.kind, state FROM notification JOIN alert ON alert.id = alert_id
                   JOIN host ON host.id = alert.host_id ORDER BY notification.at_ms, host.name"""
        return [tuple(row) for row in self.journal._connection.execute(sql)]

    def of(self, state: str) -> list[tuple[str, str]]:
        return sorted((host, kind) for host, kind, now in self.told() if now == state)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(tmp_path)
    yield made
    made.journal.close()


def test_one_alert_says_that_the_poller_lost_its_network_and_the_hosts_are_not_told(fleet: Fleet) -> None:
    fleet.round()
    fleet.round(*NAMES[:4])
    assert fleet.of("owed") == [("poller", "opened")]
    assert fleet.of("held") == [(name, "opened") for name in NAMES[:4]]
    (pending,) = fleet.journal.outbox().pending()
    assert pending.notification.alert.reason.startswith(
        "4 of 5 hosts became unreachable in one round: the poller lost its network"
    )
    events = fleet.journal._connection.execute("SELECT severity, details FROM event WHERE kind = 'network'").fetchall()
    assert [severity for severity, _ in events] == ["high"] and "4 of 5 hosts" in events[0][1]


def test_afterwards_only_those_are_told_that_are_still_down(fleet: Fleet) -> None:
    fleet.round()
    fleet.round(*NAMES)
    fleet.round(*NAMES)
    fleet.round("h3")
    assert fleet.of("owed") == [("h3", "opened"), ("poller", "closed"), ("poller", "opened")]
    assert fleet.of("suppressed") == [(name, "opened") for name in NAMES if name != "h3"]
    fleet.round()
    assert ("h3", "closed") in fleet.of("owed")
    assert [kind for host, kind, _ in fleet.told() if host == "h0"] == ["opened"], "nobody knows, nobody is told"


def test_a_host_that_comes_back_while_it_lasts_is_not_told_either(fleet: Fleet) -> None:
    fleet.round()
    fleet.round(*NAMES)
    fleet.round(*NAMES[:4])
    assert ("h4", "closed") not in fleet.of("owed")
    fleet.round()
    assert fleet.of("owed") == [("poller", "closed"), ("poller", "opened")]


def test_what_goes_down_later_in_the_episode_is_held_back_too(fleet: Fleet) -> None:
    fleet.round()
    fleet.round(*NAMES[:3])
    fleet.round(*NAMES)
    assert fleet.of("held") == [(name, "opened") for name in NAMES]


def test_an_episode_of_many_hours_stays_one_episode(fleet: Fleet) -> None:
    fleet.round()
    fleet.round(*NAMES)
    fleet.minute += 5 * 60
    fleet.round(*NAMES)
    assert fleet.of("owed") == [("poller", "opened")]
    assert len(fleet.of("held")) == 5


def test_a_poller_that_was_off_for_hours_knows_who_answered_when_it_last_looked(fleet: Fleet) -> None:
    fleet.round()
    fleet.minute += 5 * 60
    one = fleet.take(names=NAMES[:1])  # somebody asks for one host first: that says nothing of the others
    settle(fleet.journal, fleet.config, replace(one, full=False))
    fleet.round(*NAMES)
    assert fleet.of("owed") == [("poller", "opened")]


def test_the_poller_s_own_machine_does_not_count_as_one_that_still_answers(fleet: Fleet) -> None:
    here = tuple(replace(host, address="local") for host in fleet.config.hosts[:2])
    fleet.config = replace(fleet.config, hosts=(*here, *fleet.config.hosts[2:]))
    fleet.round()
    fleet.round(*NAMES[2:])  # three of five, but all that are reached over the network
    assert fleet.of("owed") == [("poller", "opened")]
    assert len(fleet.of("held")) == 3


def test_a_real_outage_of_some_hosts_is_told_at_once(fleet: Fleet) -> None:
    fleet.round()
    fleet.round("h0", "h1")
    assert fleet.of("owed") == [("h0", "opened"), ("h1", "opened")]


def test_many_hosts_that_refuse_are_many_hosts_that_refuse(fleet: Fleet) -> None:
    fleet.round()
    fleet.round(*NAMES, code="refused")
    assert fleet.of("owed") == [(name, "opened") for name in NAMES]


def test_hosts_that_were_dead_for_long_do_not_make_a_lost_network(fleet: Fleet) -> None:
    fleet.round("h0", "h1", "h2")
    fleet.minute += 120
    fleet.round("h0", "h1", "h2")
    assert ("poller", "opened") not in fleet.of("owed")


def test_what_was_told_before_the_network_was_lost_ends_as_ever(fleet: Fleet) -> None:
    fleet.round()
    fleet.round("h0")
    fleet.round(*NAMES)
    fleet.round()
    assert [entry for entry in fleet.told() if entry[0] == "h0"] == [("h0", "opened", "owed"), ("h0", "closed", "owed")]


def test_a_poller_killed_before_it_could_hold_back_tells_rather_too_much(fleet: Fleet) -> None:
    fleet.round()
    fleet.take(*NAMES)  # stored; killed before the round was settled
    assert fleet.of("owed") == [(name, "opened") for name in NAMES]


def test_a_round_over_some_hosts_neither_finds_nor_ends_an_episode(fleet: Fleet) -> None:
    fleet.round()
    fleet.round(*NAMES)
    settle(fleet.journal, fleet.config, replace(fleet.take(), full=False))
    assert fleet.of("held") == [(name, "opened") for name in NAMES]
    assert fleet.of("owed") == [("poller", "opened")]


def test_what_a_round_over_some_hosts_learns_while_it_lasts_is_held_back(fleet: Fleet) -> None:
    fleet.round()
    fleet.round(*NAMES[:4])
    settle(fleet.journal, fleet.config, replace(fleet.take("h4", names=("h4",)), full=False))
    assert fleet.of("owed") == [("poller", "opened")]
    assert ("h4", "opened") in fleet.of("held")


def test_hosts_that_leave_the_configuration_do_not_bring_the_network_back(fleet: Fleet) -> None:
    fleet.round()
    fleet.round(*NAMES)
    fleet.round("h0", "h1", names=("h0", "h1"))
    assert fleet.of("owed") == [("poller", "opened")]
    fleet.round(names=("h0", "h1"))
    assert ("poller", "closed") in fleet.of("owed")


def test_a_limit_that_was_removed_holds_nothing_back(fleet: Fleet) -> None:
    fleet.round()
    fleet.round(*NAMES)
    fleet.config = replace(fleet.config, thresholds=())
    fleet.round(*NAMES)
    assert fleet.of("held") == []
    assert fleet.of("owed")[-2:] == [("poller", "opened"), ("poller", "unconfigured")]


def test_the_poller_is_no_host(fleet: Fleet) -> None:
    fleet.round()
    fleet.round(*NAMES)
    assert [host.name for host in known_hosts(fleet.path)] == list(NAMES)
    sql = "SELECT count(*) FROM event JOIN host ON host.id = host_id WHERE kind = 'first_seen' AND name = 'poller'"
    assert fleet.journal._connection.execute(sql).fetchall() == [(0,)]
