"""Whom a host begins to talk with: told when it is not allowed or near, once a minute, and never without bound."""

from __future__ import annotations

from itertools import count

import pytest

from poller.findings.scope import Scope
from poller.live.contacts import QUIET, Contacts
from poller.model import Address, Encounter, NetworkAllow, Severity, Watch
from tests.findings.readings import reading, section

AT = 1_700_000_000_000
ANY = Scope.of(None, reading(), Watch())
EXAM = Scope.of(None, reading(), Watch(network_allow=(NetworkAllow("10.1.0.5", 443, "tcp"),)))


def to(peer: str, port: int = 443, protocol: str = "tcp", *, inbound: bool = False) -> Encounter:
    ends = (22, 40000) if inbound else (40000, port)
    return Encounter(protocol, "10.1.0.11", ends[0], peer, ends[1], int(inbound), "packet")


def contacts() -> Contacts:
    return Contacts("pc07", map(str, count(1)).__next__)


@pytest.mark.parametrize(
    ("scope", "one", "words", "told"),
    [
        (ANY, to("10.1.0.7", 445), "tcp to 10.1.0.7:445 (local network)", True),
        (ANY, to("203.0.113.7"), "tcp to 203.0.113.7:443 (internet)", False),
        (ANY, to("10.1.0.9", inbound=True), "tcp from 10.1.0.9 to port 22 (local network)", True),
        (ANY, to("fe80::1", 22), "tcp to [fe80::1]:22 (local network)", True),
        (ANY, to("224.0.0.251", 5353, "udp"), "udp to 224.0.0.251:5353 (local network)", False),
        (EXAM, to("10.1.0.5"), "tcp to 10.1.0.5:443 (local network, listed)", False),
        (EXAM, to("10.1.0.5", 80), "tcp to 10.1.0.5:80 (local network, unlisted)", True),
        (EXAM, to("203.0.113.7"), "tcp to 203.0.113.7:443 (internet, unlisted)", True),
    ],
)
def test_who_is_near_or_not_on_the_list_is_told(scope: Scope, one: Encounter, words: str, told: bool) -> None:
    (met,) = contacts().take([one], scope, AT, 0.0)
    event = met.sighted.event
    assert (event.kind, event.details, met.told, met.first) == ("encounter", words, told, True)
    assert event.severity is (Severity.MEDIUM if told else Severity.LOW)


def test_what_stays_within_the_machine_is_nobody() -> None:
    assert contacts().take([to("127.0.0.1"), to("::1")], ANY, AT, 0.0) == ()


def test_the_same_peer_is_counted_for_a_minute_and_told_again_after_it() -> None:
    known = contacts()
    (first,) = known.take([to("10.1.0.7")], ANY, AT, 0.0)
    for second in range(1, 5):
        (again,) = known.take([to("10.1.0.7")], ANY, AT, float(second))
        assert (again.sighted.id, again.first) == (first.sighted.id, False)
    assert again.sighted.event.details.endswith("(5 times)")
    (other,) = known.take([to("10.1.0.7", 22)], ANY, AT, 5.0)
    assert other.first, "another port is another contact"
    (later,) = known.take([to("10.1.0.7")], ANY, AT, QUIET)
    assert later.first and later.sighted.id != first.sighted.id
    assert later.sighted.event.details.endswith("4 more since it was told last")


def test_a_scan_of_everybody_is_a_bounded_number_of_events() -> None:
    known = contacts()
    peers = [to(f"10.{a}.{b}.1") for a in range(10) for b in range(100)]
    met = known.take(peers, ANY, AT, 0.0)
    assert len(met) == 101
    assert met[-1].sighted.event.details == "more peers within a minute (900 times)"
    (one,) = known.take([to("10.99.0.1")], ANY, AT, 2 * QUIET)
    assert one.sighted.event.details == "tcp to 10.99.0.1:443 (local network)"


def test_a_hundred_peers_far_away_do_not_hide_one_nearby() -> None:
    known = contacts()
    far = known.take([to(f"203.0.113.{number}") for number in range(101)], ANY, AT, 0.0)
    assert [met.told for met in far] == [False] * 101
    (near,) = known.take([to("10.1.0.7", 445)], ANY, AT, 1.0)
    assert (near.told, near.first, near.sighted.event.severity) == (True, True, Severity.MEDIUM)
    assert near.sighted.event.details == "tcp to 10.1.0.7:445 (local network)"


def test_the_rest_of_a_scan_nearby_is_told_also_when_the_rest_of_those_far_away_is_not() -> None:
    known = contacts()
    everybody = [to(f"{net}.113.{number}") for net in ("203.0", "10.0") for number in range(150)]
    met = known.take([*everybody, *everybody[:1]], ANY, AT, 0.0)
    rest = [one for one in met if "more peers" in one.sighted.event.details]
    assert [(one.told, one.first, one.sighted.event.severity) for one in rest] == [
        (False, True, Severity.LOW), (True, True, Severity.MEDIUM),
    ]  # fmt: skip
    assert [known.newest(one.sighted.id) for one in rest] == [one.sighted.event for one in rest]
    assert rest[0].sighted.event.details == rest[1].sighted.event.details == "more peers within a minute (50 times)"


def test_the_broadcast_of_an_attached_network_is_nobody_in_particular() -> None:
    rows = (Address("eth0", "inet", "10.1.0.11", 24), Address("tun0", "inet", "10.9.0.1", 31))
    scope = Scope.of(None, reading(section("network", *rows)), Watch())
    peers = ("10.1.0.255", "10.1.255.255", "10.9.0.0", "255.255.255.255")
    met = contacts().take([to(peer, 137, "udp") for peer in peers], scope, AT, 0.0)
    assert [one.told for one in met] == [False, True, True, False]
