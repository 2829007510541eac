"""Two readings of flows -> who talked to whom: what is new, what is more, what nobody can know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.findings.scope import Scope
from poller.findings.talks import talks
from poller.model import (
    NOBODY_KNOWN,
    Address,
    Connection,
    Flow,
    NetworkAllow,
    Protocols,
    Reading,
    Row,
    Section,
    SectionStatus,
    Socket,
    Talk,
    Traffic,
    Watch,
)
from tests.remote_probe.wire import FAR, FAR6, NEAR, NEAR6, Wire, move, pair, wire

__all__ = ["wire"]

WEB = Flow("tcp", "192.0.2.1", 40000, "198.51.100.7", 443, 0, 1000, 100, 5000, "a")
SSH = Flow("tcp", "192.0.2.1", 22, "192.168.1.9", 50000, 1, 0, 10, 20, "b")
COUNTERS = Protocols(10, 20, 1, 2, 3, 0, 0, 0, 5, 6)
COUNTED = Traffic("sock_diag", 0.0, 0, 0, 0, "", counted=1)


def reading(
    rows: Sequence[Row],
    traffic: Traffic = COUNTED,
    *,
    counters: Protocols = COUNTERS,
    uptime: float = 1000.0,
    boot: str = "one",
    more: Sequence[Section] = (),
) -> Reading:
    section = Section("traffic", SectionStatus.OK, "", 0.0, (counters, traffic, *rows))
    return Reading(0.0, uptime, boot, (section, *more))


def later(rows: Sequence[Row], traffic: Traffic = COUNTED, **more: object) -> Reading:
    return reading(rows, traffic, **{"uptime": 1060.0, **more})  # type: ignore[arg-type]


def numbers(before: Reading | None, now: Reading, watch: Watch = Watch()) -> dict[str, float]:  # noqa: B008 -- frozen
    return {value.metric: value.value for value in talks(before, now, watch)[2]}


def test_a_connection_that_goes_on_gives_what_it_moved_since() -> None:
    more = replace(WEB, sent=400, received=9000)
    (talk,), (connection,), _ = talks(reading([WEB]), later([more]), Watch())
    assert talk == Talk("tcp", False, "198.51.100.7", 443, 1000, "internet", False, 300, 4000, 60.0, 1, 0)
    assert (connection.sent, connection.received) == (400, 9000)


def test_a_new_connection_gives_all_of_it_and_so_does_one_with_another_cookie() -> None:
    for was in ([], [SSH], [replace(WEB, cookie="z", sent=90)]):
        told, _, _ = talks(reading(was), later([WEB]), Watch())
        assert [(talk.sent, talk.received, talk.opened) for talk in told] == [(100, 5000, 1)]


def test_a_counter_that_went_back_gives_nothing() -> None:
    (talk,), _, _ = talks(reading([WEB]), later([replace(WEB, sent=1)]), Watch())
    assert (talk.sent, talk.received) == (0, 0)


def test_connections_of_one_peer_service_and_user_are_one_talk() -> None:
    second = replace(WEB, local_port=40001, cookie="c")
    (talk,), connections, _ = talks(reading([WEB]), later([WEB, second]), Watch())
    assert (talk.connections, talk.opened, talk.sent) == (2, 1, 100)
    assert len(connections) == 2
    inbound, _, _ = talks(reading([]), later([SSH, replace(SSH, remote_port=50001, cookie="c")]), Watch())
    assert [(talk.port, talk.connections) for talk in inbound] == [(22, 2)]


def test_at_the_first_contact_there_are_connections_and_no_bytes() -> None:
    (talk,), (connection,), values = talks(None, reading([WEB]), Watch())
    assert (talk.sent, talk.received, talk.opened, talk.connections) == (None, None, 0, 1)
    assert connection.sent == 100
    assert {value.metric for value in values} == {"network.local_peers", "network.internet_peers"}


def test_after_a_boot_all_that_is_there_is_new() -> None:
    now = reading([WEB], boot="two", uptime=30.0)
    (talk,), _, values = talks(reading([WEB]), now, Watch())
    assert (talk.sent, talk.opened, talk.seconds) == (100, 1, 30.0)
    assert "network.coverage_percent" not in {value.metric for value in values}


def test_the_time_between_is_that_since_the_section_was_read() -> None:
    was = reading([WEB], uptime=1050.0)
    was = replace(was, sections=(replace(was.sections[0], uptime=460.0),))
    (talk,), _, values = talks(was, later([WEB], counters=replace(COUNTERS, resets=602)), Watch())
    assert talk.seconds == 600.0
    assert ("tcp.resets_per_second", 1.0) in {value[:2] for value in values}


def test_what_ended_between_two_polls_is_told_once() -> None:
    over = replace(WEB, cookie="", sent=0, received=0, uid=NOBODY_KNOWN)
    (talk,), _, values = talks(reading([]), later([over]), Watch())
    assert (talk.sent, talk.connections, talk.opened, talk.uid) == (None, 0, 1, NOBODY_KNOWN)
    assert ("network.internet_peers", 1.0) in {value[:2] for value in values}
    assert talks(reading([WEB]), later([over]), Watch())[0] == ()
    assert talks(reading([over]), later([over]), Watch())[0] == ()


def test_who_closed_it_is_known_from_before() -> None:
    (talk,), _, _ = talks(reading([WEB]), later([replace(WEB, uid=NOBODY_KNOWN)]), Watch())
    assert talk.uid == 1000


def test_iftop_tells_the_bytes_of_its_own_look() -> None:
    look = Traffic("iftop", 4.0, 0, 0, 0, "")
    (talk,), (connection,), _ = talks(reading([WEB], look), later([replace(WEB, sent=7, received=8)], look), Watch())
    assert (talk.sent, talk.received, talk.seconds, talk.opened) == (7, 8, 4.0, 0)
    assert (connection.sent, connection.received) == (None, None)


def test_beside_iftop_what_a_connection_moved_since_is_that_of_the_kernel() -> None:
    look, udp = Traffic("iftop", 4.0, 0, 0, 0, "", counted=1), replace(WEB, protocol="udp", sent=7, received=8)
    now = later([replace(WEB, sent=400, received=9000), udp], look)
    told, connections, _ = talks(reading([WEB, udp], look), now, Watch())
    assert [(talk.protocol, talk.sent, talk.received, talk.seconds) for talk in told] == [
        ("tcp", 300, 4000, 60.0), ("udp", 7, 8, 4.0),
    ]  # fmt: skip
    assert [(connection.sent, connection.received) for connection in connections] == [(400, 9000), (None, None)]


def test_dns_is_counted_where_somebody_looked() -> None:
    assert numbers(None, reading([], Traffic("iftop", 4.0, 300, 500, 0, "")))["network.dns_bytes_per_second"] == 200.0
    assert "network.dns_bytes_per_second" not in numbers(None, reading([]))


def test_another_source_with_cookies_of_its_own_opens_no_connections_anew() -> None:
    now = later([replace(WEB, cookie="1234")], Traffic("counts", 0.0, 0, 0, 0, "why"))
    (talk,), _, _ = talks(reading([WEB]), now, Watch())
    assert (talk.opened, talk.connections) == (0, 1)


def test_bytes_are_unknown_where_only_connections_are_counted() -> None:
    counts = Traffic("counts", 0.0, 0, 0, 0, "why")
    for was, now in ((COUNTED, counts), (counts, COUNTED), (counts, counts)):
        told, _, _ = talks(reading([WEB], was), later([WEB], now), Watch())
        assert [(talk.sent, talk.opened) for talk in told] == [(None, 0)]
    udp = replace(WEB, protocol="udp")
    told, (connection,), _ = talks(reading([udp]), later([udp]), Watch())
    assert (told[0].sent, connection.sent) == (None, None)


def test_a_connection_has_the_state_and_the_process_of_its_socket() -> None:
    socket = Socket("tcp", "192.0.2.1", 40000, "198.51.100.7", 443, "CLOSE_WAIT", 0, 0, 1000, "firefox")
    sockets = Section("sockets", SectionStatus.OK, "", 0.0, (socket,))
    _, connections, _ = talks(reading([]), later([WEB, SSH], more=[sockets]), Watch())
    assert connections == (
        Connection("tcp", "192.0.2.1", 40000, "198.51.100.7", 443, False, 1000, "firefox", "CLOSE_WAIT", 100, 5000),
        Connection("tcp", "192.0.2.1", 22, "192.168.1.9", 50000, True, 0, "", "", 10, 20),
    )


def test_peers_that_are_allowed_are_not_counted() -> None:
    found = numbers(reading([]), later([WEB, SSH]))
    assert (found["network.local_peers"], found["network.internet_peers"]) == (1, 1)
    for allow, left in (
        (NetworkAllow("198.51.100.0/24"), 0),
        (NetworkAllow("198.51.100.0/24", 443, "tcp"), 0),
        (NetworkAllow("198.51.100.0/24", 80), 1),
        (NetworkAllow("198.51.100.7", 443, "udp"), 1),
        (NetworkAllow("2001:db8::/32"), 1),
    ):
        watch = Watch(network_allow=(allow,))
        assert numbers(reading([]), later([WEB, SSH]), watch)["network.internet_peers"] == left
    assert talks(reading([]), later([SSH]), Watch(network_allow=(NetworkAllow("192.168.1.0/24", 22),)))[0][0].listed


def test_a_peer_with_an_idle_connection_and_a_group_are_not_counted() -> None:
    assert numbers(reading([WEB]), later([WEB]))["network.internet_peers"] == 0
    group = replace(WEB, protocol="udp", remote_address="239.255.255.250", remote_port=1900, cookie="c")
    assert numbers(reading([]), later([group]))["network.local_peers"] == 0
    broadcast = replace(group, remote_address="10.1.0.255", remote_port=137)
    attached = Section("network", SectionStatus.OK, "", 0.0, (Address("eth0", "inet", "10.1.0.11", 24),))
    assert numbers(reading([]), later([broadcast], more=[attached]))["network.local_peers"] == 0
    assert numbers(reading([]), later([broadcast]))["network.local_peers"] == 1, "of another network it is anybody"


def test_coverage_is_seen_connections_of_those_the_kernel_opened() -> None:
    def coverage(opened: int, flows: Sequence[Flow], own: str = "") -> float:
        now = later(flows, replace(COUNTED, own=own), counters=replace(COUNTERS, active_opens=10 + opened))
        return numbers(reading([SSH], replace(COUNTED, own="0")), now)["network.coverage_percent"]

    assert coverage(4, [SSH, WEB]) == 25.0
    assert coverage(0, [SSH]) == 100.0
    assert coverage(1, [SSH, WEB, replace(WEB, cookie="c", local_port=1)]) == 100.0
    assert coverage(1, [SSH], own="1") == 100.0  # the poller's own, of this poll
    assert coverage(2, [SSH], own="0") == 0.0  # its own was there before
    assert "network.coverage_percent" not in numbers(None, reading([WEB]))
    assert "network.coverage_percent" not in numbers(reading([]), later([], counters=replace(COUNTERS, active_opens=0)))


def test_counters_of_the_protocols_become_rates() -> None:
    now = later([], counters=Protocols(70, 80, 61, 62, 63, 600, 0, 0, 5, 0))
    found = numbers(reading([]), now)
    assert found["tcp.opens_per_second"] == 2.0
    assert found["tcp.attempt_fails_per_second"] == 1.0
    assert found["tcp.syncookies_per_second"] == 10.0
    assert found["udp.no_ports_per_second"] == 0.0
    assert "udp.in_errors_per_second" not in found  # it went back


@pytest.mark.parametrize(
    ("uptime", "every", "there"),
    [(1001.0, 0.0, False), (1900.0, 0.0, True), (1901.0, 0.0, False), (4600.0, 3600.0, True)],
)
def test_rates_are_of_neighbouring_polls(uptime: float, every: float, *, there: bool) -> None:
    found = numbers(reading([]), later([], uptime=uptime), Watch(every={"traffic": every}))
    assert ("tcp.opens_per_second" in found) is there


def test_a_section_that_was_not_read_tells_nothing() -> None:
    denied = replace(reading([WEB]), sections=(Section("traffic", SectionStatus.DENIED, "why", 0.0),))
    assert talks(reading([WEB]), denied, Watch()) == ((), (), ())
    assert talks(None, replace(denied, sections=()), Watch()) == ((), (), ())


def test_where_a_peer_is() -> None:
    rows = (Address("eth0", "inet", "203.0.113.5", 29), Address("eth0", "inet6", "2001:db8:1::5", 64))
    network = Section("network", SectionStatus.OK, "", 0.0, rows)
    now = reading([], more=[network])
    scope = Scope.of(None, now, Watch(lans=("198.51.100.0/25", "no network")))
    places = {
        "203.0.113.6": "local", "203.0.113.9": "internet", "203.0.113.5": "loopback", "2001:db8:1::9": "local",
        "2001:db8:2::9": "internet", "10.1.2.3": "local", "172.31.0.1": "local", "172.32.0.1": "internet",
        "192.168.0.1": "local", "fe80::1": "local", "fd00::1": "local", "127.0.0.5": "loopback", "::1": "loopback",
        "198.51.100.9": "local", "198.51.100.200": "internet", "169.254.1.1": "local", "no address": "internet",
    }  # fmt: skip
    assert {peer: scope.place(peer) for peer in places} == places
    assert Scope.of(now, reading([]), Watch()).place("203.0.113.6") == "local"


flows = st.builds(
    Flow, st.sampled_from(["tcp", "udp"]), st.sampled_from(["192.0.2.1", "x"]), st.integers(0, 3),
    st.sampled_from(["198.51.100.7", "10.0.0.1", ""]), st.integers(0, 3), st.integers(0, 1), st.integers(0, 2),
    st.integers(0, 2**62), st.integers(0, 2**62), st.sampled_from(["", "a", "b"]),
)  # fmt: skip
sources = st.sampled_from(["iftop", "sock_diag", "ss", "counts", "other"])


@given(st.lists(flows), st.lists(flows), sources, sources)
def test_whatever_a_host_says_no_talk_is_negative_and_none_is_told_twice(
    was: list[Flow], now: list[Flow], first: str, second: str
) -> None:
    told, connections, values = talks(
        reading(was, replace(COUNTED, source=first)), later(now, replace(COUNTED, source=second)), Watch()
    )
    keys = [(talk.protocol, talk.inbound, talk.peer, talk.port, talk.uid) for talk in told]
    assert len(keys) == len(set(keys))
    assert all(talk.sent is None or talk.sent >= 0 for talk in told)
    assert all(talk.received is None or talk.received >= 0 for talk in told)
    ends = [
        (one.protocol, one.local_address, one.local_port, one.remote_address, one.remote_port) for one in connections
    ]
    assert len(ends) == len(set(ends))
    assert all(value.value >= 0 for value in values)


def test_bytes_on_a_wire_are_those_of_the_talk_within_one_percent(wire: Wire) -> None:
    kept, to_six, back = pair(wire, FAR), pair(wire, FAR6), pair(wire, NEAR, here="far")
    sockets = [*kept, *to_six, *back]
    move(*kept, 500_000)
    before = wire.probe("traffic").now
    move(*kept, 300_000)
    move(kept[1], kept[0], 200_000)
    move(*to_six, 150_000)
    opened = pair(wire, NEAR6, here="far")
    move(opened[1], opened[0], 120_000)
    now = wire.probe("traffic").now
    for one in (*sockets, *opened):
        one.close()
    told, _, values = talks(before, now, Watch())
    moved = {(talk.peer, talk.opened): (talk.sent, talk.received) for talk in told if talk.sent or talk.received}
    expected = {(FAR, 0): (300_000, 200_000), (FAR6, 0): (150_000, 0), (FAR6, 1): (120_000, 0)}
    assert set(moved) == set(expected)
    for key, counts in expected.items():
        assert all(
            abs((seen or 0) - count) <= count / 100 + 1 for seen, count in zip(moved[key], counts, strict=True)
        ), moved
    assert dict(value[:2] for value in values)["network.coverage_percent"] == 100.0
    assert {talk.scope for talk in told} == {"local"}
