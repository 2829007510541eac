"""Section `sockets`: what netstat(8) shows, of real sockets on a wire of the test's own."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from poller.model import NOBODY_KNOWN, Flow, Listener, Report, Socket, SocketCount
from remote_probe import inet
from remote_probe.host import Host
from tests.remote_probe.wire import ALSO_NEAR, FAR, FAR6, NEAR, NEAR6, ROOT, Wire, pair, wire

__all__ = ["wire"]

LINE = b"   0: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   107        0 15002 1 0 100\n"
ANY = "0.0.0.0"  # noqa: S104 -- what it is about
ME = Path("/proc/self/comm").read_text().strip()


def listeners(report: Report) -> set[tuple[str, str, int]]:
    return {(row.protocol, row.address, row.port) for row in report.now.rows(Listener) if isinstance(row, Listener)}


def connections(report: Report) -> list[Socket]:
    return [row for row in report.now.rows(Socket) if isinstance(row, Socket)]


def states(report: Report) -> dict[tuple[str, str], int]:
    rows = [row for row in report.now.rows(SocketCount) if isinstance(row, SocketCount)]
    return {(row.protocol, row.state): row.count for row in rows}


def until(found: Callable[[], bool]) -> None:
    """The kernel takes a moment to send what a closed socket still has to say."""
    end = time.monotonic() + 10
    while not found():
        assert time.monotonic() < end
        time.sleep(0.01)


@given(content=st.one_of(st.binary(max_size=200), st.text("0123456789ABCDEF: \n", max_size=120).map(str.encode)))
@example(content=b"head\n\n")
@example(content=LINE)
def test_any_bytes_are_sockets_or_a_value_error(content: bytes) -> None:
    with contextlib.suppress(ValueError, OverflowError, OSError):
        list(inet.parse_lines("tcp", b"head\n" + content + b"\n"))


@given(content=st.binary(max_size=200))
@example(content=b"")
@example(content=b"\x10\0\0\0\x03\0" + bytes(10))
def test_any_answer_of_the_kernel_is_sockets_or_an_error_of_its_own(content: bytes) -> None:
    for answer in (content, b"\x80\0\0\0\x14\0" + content.ljust(122, b"\0")):
        with contextlib.suppress(ValueError, OSError):
            list(inet.parse_diag(answer))


def test_a_line_that_was_cut_off_is_none() -> None:
    assert len(list(inet.parse_lines("tcp", b"head\n" + LINE + LINE[:40]))) == 1


@given(st.ip_addresses())
def test_addresses_are_those_of_everybody(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    packed = address.packed
    words = [packed[i : i + 4] for i in range(0, len(packed), 4)]
    digits = b"".join(b"%08X" % int.from_bytes(word, sys.byteorder) for word in words)
    line = LINE.replace(b"0100007F", digits)
    ((_, _, (here, *_), *_),) = inet.parse_lines("tcp", b"head\n" + line)
    mapped = packed.startswith(bytes(10) + b"\xff\xff")
    assert ipaddress.ip_address(here).packed == (packed[12:] if mapped else packed)


def test_both_ways_to_ask_the_kernel_tell_the_same(wire: Wire) -> None:
    client, server = pair(wire, FAR)
    client6, server6 = pair(wire, FAR6)
    client6.close()
    with client, server, server6, wire.near(), socket.create_server((NEAR, 5000)):
        server.sendall(b"x" * 100)
        until(lambda: ("tcp", "FIN_WAIT2") in states(wire.probe("sockets")))
        told, listed = inet.counted(Host()), inet.lines(Host(), inet.FILES)
    # Of a socket that listens one tells how long its queue may be, the other nothing.
    told, listed = ([one for one in some if one[1] != "LISTEN"] for some in (told, listed))
    assert {one[:7] for one in told} == {one[:7] for one in listed}
    assert {one[1] for one in told} == {"ESTABLISHED", "FIN_WAIT2"}


def test_listeners_are_told_once_with_their_user_and_process(wire: Wire) -> None:
    with contextlib.ExitStack() as stack, wire.near():
        for family, address in ((socket.AF_INET, ANY), (socket.AF_INET6, "::"), (socket.AF_INET, NEAR)):
            stack.enter_context(socket.create_server((address, 4000 + len(address)), family=family))
        for _ in range(3):
            stack.enter_context(socket.create_server((NEAR, 5000), reuse_port=True))
        datagrams = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        datagrams.bind((NEAR, 6000))
        report = wire.probe("sockets")
    assert listeners(report) == {
        ("tcp", ANY, 4007), ("tcp", "::", 4002), ("tcp", NEAR, 4011), ("tcp", NEAR, 5000), ("udp", NEAR, 6000),
    }  # fmt: skip
    assert states(report) == {("tcp", "LISTEN"): 6, ("udp", "CLOSE"): 1}
    assert {(row.uid, row.process) for row in report.now.rows(Listener) if isinstance(row, Listener)} == {
        (os.geteuid(), ME)
    }


def test_connections_have_both_ends_and_their_queues(wire: Wire) -> None:
    client, server = pair(wire, FAR)
    client6, server6 = pair(wire, FAR6)
    with client, server, client6, server6, wire.near(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.connect((FAR, 6001))
        server.sendall(b"x" * 1000)
        client.recv(1)
        rows = {row.remote_address + row.protocol: row for row in connections(wire.probe("sockets"))}
        assert set(rows) == {FAR + "tcp", FAR6 + "tcp", FAR + "udp"}
        four, six, udp = rows[FAR + "tcp"], rows[FAR6 + "tcp"], rows[FAR + "udp"]
        assert (four.local_address, four.local_port) == client.getsockname()
        assert (four.remote_address, four.remote_port) == client.getpeername()
        assert (four.state, four.receive_queue, four.send_queue, four.process) == ("ESTABLISHED", 999, 0, ME)
        assert (six.local_address, six.state) == (NEAR6, "ESTABLISHED")
        assert (udp.remote_port, udp.state) == (6001, "ESTABLISHED")


def test_ipv4_in_the_clothes_of_ipv6_is_ipv4(wire: Wire) -> None:
    with wire.near():
        listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    port = listener.getsockname()[1]
    with wire.far():
        client = socket.create_connection((NEAR, port))
    with listener, client, listener.accept()[0]:
        (row,) = connections(wire.probe("sockets"))
        assert (row.local_address, row.local_port, row.remote_address) == (NEAR, port, FAR)


def test_states_are_called_as_netstat_calls_them(wire: Wire) -> None:
    client, server = pair(wire, FAR)
    server.close()
    with client, wire.near(), socket.socket() as trying:
        trying.setblocking(False)
        wire.run("far", "ip", "route", "add", "blackhole", "192.168.7.1/32")
        assert trying.connect_ex((FAR, 1)) in (0, 115)
        until(lambda: ("tcp", "CLOSE_WAIT") in states(wire.probe("sockets")))
        assert states(wire.probe("sockets")) == {("tcp", "CLOSE_WAIT"): 1, ("tcp", "SYN_SENT"): 1}


def test_what_nobody_owns_any_more_is_said_to_be_nobodys(wire: Wire) -> None:
    client, server = pair(wire, FAR)
    client.close()
    server.close()
    until(lambda: ("tcp", "TIME_WAIT") in states(wire.probe("sockets")))
    (row,) = connections(wire.probe("sockets"))
    assert (row.state, row.uid, row.process) == ("TIME_WAIT", NOBODY_KNOWN, "")


def test_a_process_does_not_hide_a_part_of_its_name_behind_a_newline(wire: Wire) -> None:
    naming = (
        "import sys; open('/proc/self/comm', 'wb').write(b'sshd\\n]]>\\x1b[2J'); print(flush=True); sys.stdin.read()"
    )
    with wire.near(), socket.create_server((NEAR, 0)) as server:
        words = [sys.executable, "-c", naming]
        with subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[server.fileno()]
        ) as holder:
            assert holder.stdin and holder.stdout and holder.stdout.readline()
            server.close()
            report = wire.probe("sockets")
            holder.stdin.close()
    (row,) = (row for row in report.now.rows(Listener) if isinstance(row, Listener))
    assert row.process == "sshd\\x0a]]>\\x1b[2J"


def test_somebody_without_rights_sees_all_sockets_and_no_foreign_process(wire: Wire) -> None:
    client, server = pair(wire, FAR)
    with client, server, wire.near(), socket.create_server((NEAR, 5000)):
        report = wire.probe("sockets", before=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    assert listeners(report) == {("tcp", NEAR, 5000)}
    assert [(row.remote_address, row.process, row.uid) for row in connections(report)] == [(FAR, "", os.geteuid())]


def test_the_connection_the_poller_came_by_is_left_out(wire: Wire) -> None:
    client, server = pair(wire, NEAR, here="far")
    other, served = pair(wire, NEAR, here="far")
    came = " ".join(map(str, (*client.getsockname(), *client.getpeername())))
    with client, server, other, served:
        rows = connections(wire.probe("sockets", environment={"SSH_CONNECTION": came}))
        assert [row.remote_port for row in rows] == [other.getsockname()[1]]
        report = wire.probe("sockets", environment={"SSH_CONNECTION": came})
        assert states(report)["tcp", "ESTABLISHED"] == 1


def test_sudo_hides_the_connection_but_not_from_us(tmp_path: Path) -> None:
    """A program of that name, which keeps its environment and starts python without it."""
    sudo = tmp_path / "sudo"
    sudo.symlink_to(sys.executable)
    inner = "from remote_probe.host import Host; import sys; sys.stdout.buffer.write(Host().caller())"
    outer = f"import subprocess, sys; subprocess.run([{sys.executable!r}, '-c', {inner!r}], env={{'PYTHONPATH': '.'}})"
    named = f"open('/proc/self/comm', 'w').write('sudo'); {outer}"
    came = "192.0.2.9 50000 192.0.2.1 22"
    for program, expected in ((named, came), (outer, "")):
        run = subprocess.run(
            [sys.executable, "-c", program], env={"SSH_CONNECTION": came}, capture_output=True, text=True, check=True
        )
        assert run.stdout == expected


@pytest.mark.parametrize("text", [b"", b"here", b"a b c d", b"192.0.2.1 99999999 192.0.2.2", b"\xff 1 \xff x"])
def test_a_connection_that_makes_no_sense_is_unknown(text: bytes) -> None:
    class Odd(Host):
        def caller(self) -> bytes:
            return text

    assert inet.own(Odd()) == frozenset()


MANY = """
import resource, socket, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
near, also, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
server = socket.create_server((near, 7000), backlog=1000)
kept = []
for number in range(count):
    client = socket.socket()
    client.bind((also, 0))
    client.connect((near, 7000))
    client.send(b"x" * (number % 300))
    kept += [client, server.accept()[0]]
print("ready", flush=True)
sys.stdin.read()
"""

COST = """
import json, time
from remote_probe import collect, host, render
begin = time.process_time()
collection = collect.Collection(("sockets", "traffic"), 0)
collection.run(host.Host(options={"traffic": {"source": "sock_diag"}}))
report = render.report({}, collection.readings)
print(json.dumps([time.process_time() - begin, [section.outcome[1] for section in collection.readings[0].sections]]))
"""


@contextlib.contextmanager
def crowd(wire: Wire, count: int) -> Iterator[None]:
    """So many sockets on the near machine, each connected with another of its addresses."""
    words = [*wire.words("near"), sys.executable, "-c", MANY, NEAR, ALSO_NEAR, str(count // 2)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin and holder.stdout and holder.stdout.readline() == b"ready\n"
        yield
        holder.stdin.close()


def test_ten_thousand_sockets_are_counted_and_the_first_thousand_listed(wire: Wire) -> None:
    with crowd(wire, 10_000):
        report = wire.probe("sockets", "traffic")
        words = [
            *wire.words("near"),
            sys.executable,
            "-IS",
            "-c",
            f"import sys; sys.path.append({str(ROOT)!r})\n{COST}",
        ]
        cost = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    section = next(section for section in report.now.sections if section.name == "sockets")
    assert section.reason == "1000 of 10000 connections are listed"
    assert len(connections(report)) == 1000
    assert states(report) == {("tcp", "ESTABLISHED"): 10_000, ("tcp", "LISTEN"): 1}
    assert len(report.now.rows(Flow)) == 1000
    assert float(cost.split(",")[0].strip("[")) < 0.5, cost
