"""parent=: what is only unreachable through its gateway is not told, and what is still down afterwards is."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from poller.blame import settle
from poller.intake import Intake
from poller.itself import Round
from poller.model import Config, Contact, Host, Ping, Poll, PollOutcome, Severity, Threshold
from poller.store import Journal
from tests.store.machines import failed
from tests.store.machines import poll as good

DOWN = Threshold("host.down", above=0.0, severity=Severity.HIGH, notify=("ops",))
# core <- gw1 <- web1, web2; beside stands alone, so do many that always answer
PARENTS = {"gw1": "core", "web1": "gw1", "web2": "gw1", "core": "", "beside": "", "other": "", "third": "", "last": ""}
# Seconds into a round at which a host is polled: web1 before its gateway, web2 behind it.
BEGINS = {"core": 1, "web1": 2, "gw1": 3, "web2": 5}


class Fleet:
    """Rounds a minute apart, taken in and settled as after a real one."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "poller.db"
        hosts = tuple(
            Host(name=name, address="192.0.2.1", thresholds=(DOWN,), parent=parent) for name, parent in PARENTS.items()
        )
        self.config = Config(
            path=self.path, journal=self.path, hosts=hosts, contacts=(Contact("ops", "o@example.org"),)
        )
        self.minute = 0
        self.journal = Journal.open(self.path, now_ms=0)
        self.round()

    def round(self, *down: str, only: tuple[str, ...] = (), **special: Poll) -> None:
        """These hosts did not answer; a round over some hosts is one of people, not a full one."""
        self.minute += 1
        names = only or tuple(host.name for host in self.config.hosts)
        polls = [self._poll(name, name in down, special) for name in names]
        Intake(self.journal, self.config, "round", keep=True).take(polls)
        begin = min(poll.at_ms for poll in polls)
        settle(self.journal, self.config, Round(not only, begin, 1.0, tuple(polls)))

    def _poll(self, name: str, down: bool, special: Mapping[str, Poll]) -> Poll:
        made = special.get(name) or (
            failed(name, self.minute, "connect", "timeout") if down else good(name, self.minute)
        )
        at_ms = good(name, self.minute).at_ms + 1000 * BEGINS.get(name, 0)
        return replace(made, id=str(uuid.uuid4()), host=name, at_ms=at_ms, seconds=1.0)

    def news(self, state: str) -> list[str]:
        sql = """SELECT host.name || ' ' || kind || CASE WHEN state = 'held' THEN ' for ' || why ELSE '' END
                   FROM notification JOIN alert ON alert.id = alert_id
                   JOIN host ON host.id = alert.host_id WHERE state = ? ORDER BY 1"""
        return [text for (text,) in self.journal._connection.execute(sql, (state,))]


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(tmp_path)
    yield made
    made.journal.close()


def test_only_the_gateway_is_told_of(fleet: Fleet) -> None:
    fleet.round("gw1", "web1", "web2")
    assert fleet.news("owed") == ["gw1 opened"]
    assert fleet.news("held") == ["web1 opened for parent gw1", "web2 opened for parent gw1"]


def test_when_all_are_back_nobody_hears_of_those_behind_it(fleet: Fleet) -> None:
    fleet.round("gw1", "web1", "web2")
    fleet.round()
    assert fleet.news("owed") == ["gw1 closed", "gw1 opened"]
    assert fleet.news("suppressed") == ["web1 opened", "web2 opened"]
    assert fleet.news("held") == []


def test_what_is_down_by_itself_is_told_after_the_gateway_answered(fleet: Fleet) -> None:
    fleet.round("gw1", "web1", "web2")
    fleet.round("web2")  # polled two seconds after the gateway had answered
    assert fleet.news("owed") == ["gw1 closed", "gw1 opened", "web2 opened"]


def test_a_host_polled_just_before_its_gateway_came_back_waits_for_its_next_poll(fleet: Fleet) -> None:
    fleet.round("gw1", "web1", "web2")
    fleet.round("web1")
    assert fleet.news("owed") == ["gw1 closed", "gw1 opened"]
    fleet.round()
    assert fleet.news("owed") == ["gw1 closed", "gw1 opened"]
    assert fleet.news("suppressed") == ["web1 opened", "web2 opened"]


def test_and_is_told_when_that_fails_as_well(fleet: Fleet) -> None:
    fleet.round("gw1", "web1", "web2")
    fleet.round("web1")
    fleet.round("web1")
    assert "web1 opened" in fleet.news("owed") and fleet.news("held") == []


def test_one_that_fails_first_in_the_round_in_which_the_gateway_returns_waits_too(fleet: Fleet) -> None:
    fleet.round("gw1")
    fleet.round("web1")
    assert fleet.news("held") == ["web1 opened for parent gw1"]
    fleet.round("web1")
    assert "web1 opened" in fleet.news("owed")


def test_gateways_behind_gateways_are_news_of_the_first_one_alone(fleet: Fleet) -> None:
    fleet.round("core", "gw1", "web1", "web2")
    assert fleet.news("owed") == ["core opened"]
    assert fleet.news("held") == [
        "gw1 opened for parent core",
        "web1 opened for parent gw1",
        "web2 opened for parent gw1",
    ]
    fleet.round("gw1", "web1", "web2")  # it was only half of the way
    assert fleet.news("owed") == ["core closed", "core opened", "gw1 opened"]
    assert fleet.news("held") == ["web1 opened for parent gw1", "web2 opened for parent gw1"]


def test_a_gateway_between_that_was_asked_a_moment_before_hides_nothing(fleet: Fleet) -> None:
    fleet.round("core", "web2")
    assert fleet.news("held") == ["web2 opened for parent core"]


def test_a_gateway_that_goes_again_holds_back_again(fleet: Fleet) -> None:
    fleet.round("gw1", "web1", "web2")
    fleet.round("web1")
    fleet.round("gw1", "web1", "web2")
    assert set(fleet.news("held")) == {"web1 opened for parent gw1", "web2 opened for parent gw1"}
    assert fleet.news("owed") == ["gw1 closed", "gw1 opened", "gw1 opened"]


def test_refused_logins_are_no_fault_of_a_gateway(fleet: Fleet) -> None:
    denied = failed("web1", 1, "auth", "denied")
    fleet.round("gw1", web1=denied)
    assert fleet.news("owed") == ["gw1 opened", "web1 opened"]


def test_a_gateway_whose_sshd_alone_is_away_is_a_way_all_the_same(fleet: Fleet) -> None:
    answers = replace(failed("gw1", 1, "connect", "timeout"), ping=Ping("192.0.2.1", 2, 2, 0.001))
    fleet.round("web1", gw1=answers)
    assert fleet.news("owed") == ["gw1 opened", "web1 opened"]
    fleet.round("web2", gw1=failed("gw1", 1, "connect", "refused"))
    assert "web2 opened" in fleet.news("owed")


def test_a_gateway_that_is_only_pinged_is_one_as_well(fleet: Fleet) -> None:
    silent = replace(failed("gw1", 1, "ping", "timeout"), ping=Ping("192.0.2.1", 3, 0))
    fleet.round("web1", gw1=silent)
    assert fleet.news("held") == ["web1 opened for parent gw1"]


def test_a_round_over_some_hosts_holds_back_and_releases_nothing(fleet: Fleet) -> None:
    fleet.round("gw1")
    fleet.round("web1", only=("web1",))
    assert fleet.news("held") == ["web1 opened for parent gw1"]
    fleet.round(only=("gw1",))
    assert fleet.news("held") == ["web1 opened for parent gw1"]
    fleet.round("web1")
    assert "web1 opened" in fleet.news("owed")


def test_a_poll_that_was_skipped_neither_ends_it_nor_begins_it(fleet: Fleet) -> None:
    busy = replace(failed("gw1", 1, "connect", "busy"), outcome=PollOutcome.SKIPPED)
    fleet.round("web1", gw1=busy)
    assert fleet.news("owed") == ["web1 opened"]
    fleet.round("gw1", "web1", "web2")
    fleet.round("web1", "web2", gw1=busy)
    assert fleet.news("held") == ["web2 opened for parent gw1"]
    fleet.round("web1", web2=replace(busy, host="web2"))
    assert fleet.news("held") == ["web2 opened for parent gw1"]
    fleet.round("web1", "web2")
    assert "web2 opened" in fleet.news("owed")


def test_what_was_down_before_its_gateway_was_told_and_ends_as_ever(fleet: Fleet) -> None:
    fleet.round("web1")
    fleet.round("gw1", "web1", "web2")
    assert "web1 opened" in fleet.news("owed")
    fleet.round()
    assert "web1 closed" in fleet.news("owed")


def test_who_loses_its_gateway_in_config_xml_is_told_of(fleet: Fleet) -> None:
    fleet.round("gw1", "web1")
    fleet.config = replace(fleet.config, hosts=tuple(replace(host, parent="") for host in fleet.config.hosts))
    fleet.round("gw1", "web1")
    assert fleet.news("held") == [] and "web1 opened" in fleet.news("owed")


def test_a_circle_of_gateways_ends(fleet: Fleet) -> None:
    hosts = (replace(host, parent="web1") if host.name == "core" else host for host in fleet.config.hosts)
    fleet.config = replace(fleet.config, hosts=tuple(hosts))
    fleet.round("core", "gw1", "web1", "web2")
    assert len(fleet.news("held")) == 4
