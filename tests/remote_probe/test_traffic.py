"""Section `traffic`: who talks to whom, by each of its sources, on a wire of the test's own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from poller.model import NOBODY_KNOWN, Flow, Protocols, Report, Traffic
from remote_probe import inet
from remote_probe.collectors import traffic, traffic_iftop, traffic_ss
from remote_probe.host import Host
from tests.remote_probe.wire import FAR, FAR6, NEAR, NEAR6, Wire, iftop, move, pair, talking, wire

__all__ = ["iftop", "wire"]

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
RULER = "-" * 92
IFTOP = f"""Listening on eth0
   # Host name (port/service if enabled)            last 2s   last 10s   last 40s cumulative
{RULER}
   1 192.168.7.1:43210                        =>     10.1KB     10.1KB     10.1KB     1.50KB
     198.51.100.7:443                         <=     5.10KB     5.10KB     5.10KB     2.00MB
   2 [fd07:1111:2222:3333:4444:5555:666:40156 =>     10.1KB     10.1KB     10.1KB       999B
     [fd07:1111:2222:3333:4444:5555:666:54321 <=     5.10KB     5.10KB     5.10KB        10B
   3 192.168.7.1                              =>         0B         0B         0B         0B
     192.168.7.2                              <=       468B       468B       468B       936B
   4 192.168.7.1:51000                        =>         0B         0B         0B        70B
     192.168.7.9:53                           <=       468B       468B       468B       936B
{RULER}
Total send rate:                                     21.0KB     21.0KB     21.0KB
Cumulative (sent/received/total):                    42.1KB     21.1KB     63.2KB
{"=" * 92}
"""
SS = """Netid State     Recv-Q Send-Q Local Address:Port  Peer Address:Port Process
udp   ESTAB     0      0      192.168.7.1%eth0:68 192.168.7.9:67  ino:90 sk:9 cgroup:/ <->
tcp   LISTEN    0      128               [::]:22          [::]:*     ino:91 sk:1 cgroup:/ <->
\t cubic cwnd:10
tcp   LISTEN    0      128                  *:80             *:*     ino:92 sk:2 cgroup:/ <->
tcp   ESTAB     0      0   [::ffff:192.168.7.1]:22   [::ffff:192.168.7.50]:50001 uid:1000 ino:93 sk:1f cgroup:/ <->
\t cubic wscale:7,7 rto:204 bytes_sent:5000 bytes_acked:4999 bytes_received:123 segs_out:9
tcp   ESTAB     0      0   [fe80::1]%eth0:40000   [fe80::2]:443 ino:94 sk:20
\t cubic wscale:7,7 rto:204
tcp   TIME-WAIT 0      0   192.168.7.1:40001   198.51.100.7:80  timer:(timewait,44sec,0) ino:0 sk:4
tcp   SYN-SENT  0      1   192.168.7.1:40002   198.51.100.8:80  ino:95 sk:5
"""


def told(report: Report) -> Traffic:
    (row,) = report.now.rows(Traffic)
    assert isinstance(row, Traffic)
    return row


def flows(report: Report) -> dict[tuple[str, str, int], Flow]:
    rows = [row for row in report.now.rows(Flow) if isinstance(row, Flow)]
    return {(row.protocol, row.remote_address, row.remote_port): row for row in rows}


def counted(report: Report) -> Protocols:
    (row,) = report.now.rows(Protocols)
    assert isinstance(row, Protocols)
    return row


def asking(source: str, seconds: float = 2.0) -> dict[str, Any]:
    return {"traffic": {"source": source, "seconds": seconds}}


PARSERS: list[Callable[[bytes], object]] = [
    traffic.parse_protocols,
    lambda content: traffic.parse_protocols(b"Tcp: ActiveOpens\n" + content),
    lambda content: traffic.parse_protocols(six=b"Udp6NoPorts " + content),
    inet.parse_resolvers,
    traffic_iftop.parse_iftop,
    lambda content: traffic_iftop.parse_iftop(b" 1 192.0.2.1:1 => " + content + b"\n 192.0.2.2:2 <= 1B\n"),
    lambda content: traffic_iftop.parse_iftop(b" 1 " + content + b" => 1B\n 192.0.2.2:2 <= 1B\n"),
    traffic_iftop.interfaces,
    traffic_ss.parse_ss,
    lambda content: traffic_ss.parse_ss(b"tcp ESTAB 0 0 " + content),
]


@pytest.mark.parametrize("parser", PARSERS)
@given(content=st.one_of(st.binary(max_size=200), st.text("0123456789 .,:[]KMGB=><\n", max_size=80).map(str.encode)))
@example(content=b"")
@example(content=b"\n")
@example(content=b"9" * 400)
def test_any_bytes_are_flows_or_an_error_of_their_own(parser: Callable[[bytes], object], content: bytes) -> None:
    with contextlib.suppress(ValueError, OverflowError, OSError):
        parser(content)


def test_iftop_divides_by_1024_and_cuts_long_addresses() -> None:
    lines = traffic_iftop.parse_iftop(IFTOP.encode())
    assert lines == [
        (("192.168.7.1", 43210, False), ("198.51.100.7", 443, False), 1536, 2 << 20),
        (
            ("fd07:1111:2222:3333:4444:5555:666", 40156, True),
            ("fd07:1111:2222:3333:4444:5555:666", 54321, True),
            999,
            10,
        ),
        (("192.168.7.1", 51000, False), ("192.168.7.9", 53, False), 70, 936),
    ]


def test_a_comma_for_a_point_and_a_missing_head_change_nothing() -> None:
    body = IFTOP.split(RULER + "\n")[1]
    assert traffic_iftop.parse_iftop(body.replace(".50KB", ",50KB").replace(".00MB", ",00MB").encode()) == (
        traffic_iftop.parse_iftop(IFTOP.encode())
    )


def test_lines_of_iftop_are_connections_of_the_kernel() -> None:
    lines = traffic_iftop.parse_iftop(IFTOP.encode())
    web = ("192.168.7.1", 43210, "198.51.100.7", 443)
    cut = (NEAR6, 40156, FAR6, 54321)
    quiet = ("192.168.7.1", 22, "192.168.7.50", 50001)
    waiting = ("0.0.0.0", 51000, "0.0.0.0", 0)  # noqa: S104 -- as the kernel says it
    known: list[traffic.Seen] = [
        ("tcp", False, web, 1000, "a", 7, 7),
        ("tcp", False, cut[2:] + cut[:2], 0, "b", 7, 7),
        ("tcp", False, quiet, 0, "c", 7, 7),
        ("udp", True, waiting, 33, "d", 0, 0),
    ]
    assert list(traffic_iftop.joined(lines, known)) == [
        ("tcp", False, web, 1000, "a", 1536, 2 << 20),
        ("tcp", False, ("fd07:1111:2222:3333:4444:5555:666", 40156, "fd07:1111:2222:3333:4444:5555:666", 54321),
         NOBODY_KNOWN, "", 999, 10),
        ("udp", False, ("192.168.7.1", 51000, "192.168.7.9", 53), 33, "", 70, 936),
        known[3],
        ("tcp", False, cut[2:] + cut[:2], 0, "b", 0, 0),
        ("tcp", False, quiet, 0, "c", 0, 0),
    ]  # fmt: skip
    known[1] = ("tcp", False, cut, 0, "b", 7, 7)
    assert ("tcp", False, cut, 0, "b", 999, 10) in traffic_iftop.joined(lines, known)


def test_ss_tells_what_it_knows_of_each_socket() -> None:
    assert traffic_ss.parse_ss(SS.encode()) == [
        ("udp", False, ("192.168.7.1", 68, "192.168.7.9", 67), 0, "9", 0, 0),
        ("tcp", True, ("::", 22, "::", 0), 0, "1", 0, 0),
        ("tcp", True, ("::", 80, "::", 0), 0, "2", 0, 0),
        ("tcp", False, ("192.168.7.1", 22, "192.168.7.50", 50001), 1000, "1f", 4999, 123),
        ("tcp", False, ("fe80::1", 40000, "fe80::2", 443), 0, "20", 0, 0),
        ("tcp", False, ("192.168.7.1", 40001, "198.51.100.7", 80), NOBODY_KNOWN, "", 0, 0),
    ]


def test_an_old_ss_that_tells_no_bytes_is_no_source_of_them() -> None:
    with pytest.raises(ValueError, match="no bytes"):
        traffic_ss.parse_ss(SS.replace("bytes_", "old_").encode())


def test_a_kernel_that_counts_no_bytes_of_connections_says_so(wire: Wire) -> None:
    client, server = pair(wire, FAR)
    with client, server, wire.near():
        dump = Host().diag()
    length = int.from_bytes(dump[:4], "little")
    short = (72 + 16 + 4 + 104).to_bytes(4, "little") + dump[4:88] + b"\x6c\0\x02\0" + bytes(104)
    assert len(list(inet.parse_diag(dump[:length]))) == 1
    with pytest.raises(ValueError, match=r"before Linux 4\.1"):
        list(inet.parse_diag(short))


@pytest.mark.parametrize("source", ["sock_diag", "ss"])
def test_bytes_of_each_connection_are_counted_to_the_byte(wire: Wire, source: str) -> None:
    ours, theirs = pair(wire, FAR), pair(wire, NEAR6, here="far")
    with contextlib.ExitStack() as stack:
        for one in (*ours, *theirs):
            stack.enter_context(one)
        move(ours[0], ours[1], 100_000)
        move(ours[1], ours[0], 50_000)
        move(theirs[0], theirs[1], 30_000)
        with wire.near():
            stack.enter_context(socket.create_server((NEAR6, theirs[1].getsockname()[1]), family=socket.AF_INET6))
            datagrams = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            datagrams.connect((FAR, 7000))
            datagrams.send(b"x" * 100)
        report = wire.probe("traffic", options=asking(source))
    row, found = told(report), flows(report)
    assert (row.source, row.seconds, row.left_out) == (source, 0.0, 0)
    assert row.why.startswith(f"{source} is asked for")
    by_ends = {(flow.protocol, flow.remote_address): flow for flow in found.values()}
    assert set(by_ends) == {("tcp", FAR), ("tcp", FAR6), ("udp", FAR)}
    out, back = by_ends["tcp", FAR], by_ends["tcp", FAR6]
    assert 100_000 <= out.sent <= 100_001  # the kernel counts the SYN that it was answered
    assert (out.received, out.inbound, out.uid) == (50_000, 0, os.geteuid())
    assert (back.received, back.inbound, back.local_address) == (30_000, 1, NEAR6)
    assert by_ends["udp", FAR].sent == 0


def test_an_unprivileged_login_sees_the_same_bytes(wire: Wire) -> None:
    client, server = pair(wire, FAR)
    with client, server:
        move(client, server, 70_000)
        report = wire.probe("sockets", "traffic", before=NOBODY)
    (flow,) = flows(report).values()
    assert told(report).source == "sock_diag"
    assert 70_000 <= flow.sent <= 70_001


def test_connections_without_bytes_are_better_than_nothing(wire: Wire) -> None:
    client, server = pair(wire, FAR)
    with client, server:
        move(client, server, 1000)
        report = wire.probe("traffic", options=asking("counts"))
    (flow,) = flows(report).values()
    assert told(report).source == "counts"
    assert (flow.sent, flow.received, flow.cookie != "") == (0, 0, True)


def test_a_connection_that_is_over_is_still_told_for_a_moment(wire: Wire) -> None:
    client, server = pair(wire, FAR)
    client.close()
    server.close()
    for source in ("sock_diag", "counts"):
        (flow,) = flows(wire.probe("traffic", options=asking(source))).values()
        assert (flow.remote_address, flow.cookie, flow.uid) == (FAR, "", NOBODY_KNOWN)


def resolving(folder: Path, *addresses: str) -> list[str]:
    """Words before a command: it finds these resolvers in /etc/resolv.conf."""
    file = folder / "resolv.conf"
    file.write_text("# comment\nsearch example.org\n" + "".join(f"nameserver {address}\n" for address in addresses))
    return ["unshare", "--mount", "sh", "-c", f'mount --bind {file} /etc/resolv.conf && exec "$@"', "sh"]


def test_ssh_over_port_53_is_a_flow_and_dns_to_the_own_resolver_is_none(wire: Wire, tmp_path: Path) -> None:
    resolver, tunnel = pair(wire, FAR, 53), pair(wire, FAR6, 53)
    with contextlib.ExitStack() as stack:
        for one in (*resolver, *tunnel):
            stack.enter_context(one)
        move(*resolver, 300)
        move(*tunnel, 4000)
        report = wire.probe("traffic", before=resolving(tmp_path, FAR))
    assert list(flows(report)) == [("tcp", FAR6, 53)]
    assert 300 <= told(report).dns_sent <= 301


def test_mdns_and_what_stays_within_the_machine_are_no_flows() -> None:
    ends: list[tuple[str, int, str, int]] = [
        ("192.168.7.1", 5353, "224.0.0.251", 5353), ("fe80::1", 5353, "ff02::fb", 5353),
        ("ff02::fb", 5353, "fe80::2", 5353),
        ("127.0.0.1", 22, "127.0.0.1", 5000), ("::1", 22, "::1", 5000), ("192.168.7.1", 22, "192.168.7.1", 5000),
    ]  # fmt: skip
    seen: list[traffic.Seen] = [("udp", False, one, 0, "1", 10, 10) for one in ends]
    other: traffic.Seen = ("udp", False, ("192.168.7.1", 5353, "192.168.7.2", 5353), 0, "1", 10, 10)
    assert traffic.Chosen([*seen, other], frozenset(), set()).flows == [other]


def test_the_poller_does_not_see_itself(wire: Wire) -> None:
    client, server = pair(wire, NEAR, here="far")
    other, served = pair(wire, NEAR, here="far")
    came = " ".join(map(str, (*client.getsockname(), *client.getpeername())))
    with client, server, other, served:
        report = wire.probe("traffic", environment={"SSH_CONNECTION": came})
        assert [key[2] for key in flows(report)] == [other.getsockname()[1]]
    assert told(report).own != ""


def test_the_busiest_flows_are_told_and_the_others_counted() -> None:
    seen: list[traffic.Seen] = [
        ("tcp", False, ("192.168.7.1", number, "192.168.7.2", 22), 0, str(number), number, 0) for number in range(1500)
    ]
    chosen = traffic.Chosen(seen, frozenset(), set())
    rows = [values["sent"] for _, values in chosen.rows()]
    assert rows == list(range(1499, 499, -1))
    assert len(chosen.flows) - traffic.MOST == 500


def test_lost_connections_of_a_full_queue_are_counted(wire: Wire) -> None:
    """Some hundred SYNs to a program that accepts none."""
    before = counted(wire.probe("traffic"))
    with wire.near():
        listener = socket.create_server((NEAR, 9000), backlog=1)
    with listener, contextlib.ExitStack() as stack, wire.far():
        for _ in range(300):
            trying = stack.enter_context(socket.socket())
            trying.setblocking(False)
            trying.connect_ex((NEAR, 9000))
        after = counted(wire.probe("traffic"))
    assert after.listen_overflows - before.listen_overflows > 100
    assert after.listen_drops - before.listen_drops > 100
    assert after.passive_opens > before.passive_opens


def test_datagrams_that_nobody_wants_are_counted_for_both_families(wire: Wire) -> None:
    before = counted(wire.probe("traffic"))
    with wire.far():
        for family, address in ((socket.AF_INET, NEAR), (socket.AF_INET6, NEAR6)):
            with socket.socket(family, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"x", (address, 9))
                with contextlib.suppress(ConnectionRefusedError):
                    sender.sendto(b"x", (address, 9))
    after = counted(wire.probe("traffic"))
    assert after.udp_no_ports - before.udp_no_ports == 4


# iftop, as Debian ships it


@pytest.mark.usefixtures("iftop")
def test_the_kernel_tells_what_a_connection_of_iftop_moved_and_whose_it_is(wire: Wire) -> None:
    with (
        talking(wire, FAR, 1000) as (client, _),
        talking(wire, FAR6, 2000) as (client6, _),
        contextlib.ExitStack() as idle,
    ):
        for one in pair(wire, FAR, 5000):
            idle.enter_context(one)
        report = wire.probe("traffic", options=asking("auto"))
        ends = ("tcp", *client.getpeername()[:2]), ("tcp", *client6.getpeername()[:2]), ("tcp", FAR, 5000)
    row, found = told(report), flows(report)
    assert (row.source, row.seconds, row.why, row.counted) == ("iftop", 2.0, "", 1)
    four, six, quiet = (found[one] for one in ends)
    assert (four.uid, four.inbound, four.local_address) == (os.geteuid(), 0, NEAR)
    assert six.local_address == NEAR6  # whose address iftop cuts
    assert (quiet.sent, quiet.received) == (1, 0)  # its first packet counts for one
    assert (four.sent - 1) % 1000 == four.received % 500 == (six.sent - 1) % 2000 == 0  # without headers
    assert 1.5 < four.sent / four.received < 2.5
    assert 1.5 < six.sent / six.received < 2.5


@pytest.mark.usefixtures("iftop")
def test_iftop_on_a_quiet_wire_is_not_waited_for(wire: Wire) -> None:
    client, server = pair(wire, FAR)
    with client, server:
        move(client, server, 1000)
        report = wire.probe("traffic", options=asking("iftop"))
    section = next(section for section in report.now.sections if section.name == "traffic")
    assert section.seconds < 5
    assert told(report).source in ("iftop", "sock_diag")
    assert [flow.remote_address for flow in flows(report).values() if flow.protocol == "tcp"] == [FAR]


@pytest.mark.usefixtures("iftop")
def test_iftop_is_not_waited_for_where_nobody_talks(wire: Wire) -> None:
    report = wire.probe("traffic", options=asking("auto"))
    assert told(report).source == "sock_diag"
    assert told(report).why == "iftop: nobody here talks to another machine"


def test_iftop_is_not_begun_where_the_deadline_would_cut_it() -> None:
    """A section that is cut is one that hung: the probe of a daemon ends with it, and each poll would log in anew."""
    with pytest.raises(OSError, match="it looks for 2 s, and the deadline leaves 3"):
        traffic_iftop.run(Host(deadline=time.monotonic() + 3.2), 2.0, True)


@pytest.mark.usefixtures("iftop")
def test_iftop_that_may_not_look_is_done_without(wire: Wire) -> None:
    client, server = pair(wire, FAR)
    with client, server:
        report = wire.probe("traffic", options=asking("auto"), before=NOBODY)
    assert told(report).source == "sock_diag"
    assert told(report).why == "iftop: it needs root or CAP_NET_RAW"


@pytest.mark.usefixtures("iftop")
def test_iftop_is_not_asked_where_it_would_see_a_part_only(wire: Wire) -> None:
    wire.run("near", "ip", "link", "add", "more0", "type", "veth", "peer", "name", "more1")
    for name in ("more0", "more1"):
        wire.run("near", "ip", "link", "set", name, "up")
    client, server = pair(wire, FAR)
    with client, server, wire.near():
        subprocess.run([*wire.words("near"), "ip", "address", "add", "10.77.0.1/24", "dev", "more0"], check=True)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sender.sendto(b"x", ("10.77.0.255", 9))
        report = wire.probe("traffic", options=asking("auto"))
    assert told(report).source == "sock_diag"
    assert "it watches one interface, and this host uses" in told(report).why


def test_without_iftop_the_next_best_source_says_why(wire: Wire, tmp_path: Path) -> None:
    """Where no iftop is found: an empty folder stands over those of programs."""
    client, server = pair(wire, FAR)
    shown = ["unshare", "--mount", "sh", "-c", f'mount --bind {tmp_path} /usr/sbin && exec "$@"', "sh"]
    with client, server:
        report = wire.probe("traffic", options=asking("auto"), before=shown)
    assert (told(report).source, told(report).why) == ("sock_diag", "iftop: there is no command iftop")
