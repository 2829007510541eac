"""Names, addresses, gates, the machine itself: what happens before and beside SSH."""

from __future__ import annotations

import dataclasses
import socket
import threading
import time
from pathlib import Path

import pytest

from poller.errors import HostError
from poller.model import Config, Deadline, Host, PollSettings, Stopwatch
from poller.ssh import Gates, address, apart, connect
from tests.end_to_end.sshd import MakeSshd
from tests.ssh.hostile import raw
from tests.ssh.standins import COMMAND, MARKER, ask, fails, nothing_left, outcome, outgoing, resident_bytes

ME = Host(name="me", address="local")


def test_an_address_is_its_own_answer() -> None:
    for text in ("192.0.2.1", "2001:db8::1"):
        assert address.resolve(text, Deadline(0)) == (text,)


def test_a_resolver_that_does_not_answer_ends_with_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Getaddrinfo cannot be interrupted; here it waits for us."""
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(10) and [])
    try:
        started = time.monotonic()
        with pytest.raises(HostError) as caught:
            address.resolve("web1.example.org", Deadline(0.3))
        assert time.monotonic() - started < 5
        assert outcome(caught.value) == "dns/timeout"
        deadline = Deadline(3)
        assert address.resolve("web1.example.org", deadline, "192.0.2.7") == ("192.0.2.7",)
        assert deadline.remaining > 0.5, "there is time left to connect there"
    finally:
        release.set()


def test_the_last_good_address_does_not_contradict_the_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", absent)
    with pytest.raises(HostError) as caught:
        address.resolve("gone.example.org", Deadline(1), "192.0.2.7")
    assert outcome(caught.value) == "dns/unknown"


def test_so_many_hanging_resolvers_do_not_stop_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    with nothing_left():
        for _ in range(apart.MOST):
            with pytest.raises(TimeoutError):
                apart.call(lambda: release.wait(10), 0)
        with pytest.raises(TimeoutError):
            apart.call(lambda: None, 0.1)
        release.set()
        assert apart.call(lambda: 7, 5) == 7


def test_as_many_names_that_hang_as_hosts_at_once_leave_room_for_one_that_does_not() -> None:
    at_once = next(field.default for field in dataclasses.fields(Config) if field.name == "at_once")
    assert isinstance(at_once, int)
    assert at_once < apart.MOST


def test_a_late_result_is_given_back() -> None:
    release, closed = threading.Event(), threading.Event()
    with pytest.raises(TimeoutError):
        apart.call(lambda: release.wait(10), 0, late=lambda _: closed.set())
    release.set()
    assert closed.wait(20)


def test_the_next_address_is_tried() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        # 127.0.0.9 has nobody on that port; 2001:db8:: (RFC 3849) has no route, or never answers.
        connected, where = address.dial(("127.0.0.9", "127.0.0.1"), port, Deadline(5))
        assert where == "127.0.0.1"
        assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        connected.close()
        connected, where = address.dial(("2001:db8::1", "127.0.0.1"), port, Deadline(2))
        assert where == "127.0.0.1"
        connected.close()


def test_a_backlog_that_is_full_is_a_time_out() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fill = [socket.socket() for _ in range(3)]
        for each in fill:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        with pytest.raises(HostError) as caught:
            address.dial(("127.0.0.1",), listener.getsockname()[1], Deadline(0.5))
        assert outcome(caught.value) == "connect/timeout"
        for each in fill:
            each.close()


def test_gates_let_so_many_in_and_no_more() -> None:
    gates = Gates(per_target=2)
    with gates.enter(["192.0.2.1"], 22, Deadline(1)), gates.enter(["192.0.2.1"], 22, Deadline(1)):
        with pytest.raises(HostError) as caught, gates.enter(["192.0.2.1"], 22, Deadline(0.1)):
            pass
        assert outcome(caught.value) == "connect/timeout"
        with gates.enter(["192.0.2.1"], 2222, Deadline(0)), gates.enter(["192.0.2.2"], 22, Deadline(0)):
            pass
    with gates.enter(["192.0.2.1"], 22, Deadline(0)):
        pass


def test_names_of_one_machine_share_its_places() -> None:
    gates = Gates(per_target=1)
    with gates.enter(["192.0.2.1", "2001:db8::1"], 22, Deadline(0)):
        for taken in (["192.0.2.1"], ["2001:db8::1", "192.0.2.7"]):
            with pytest.raises(HostError), gates.enter(taken, 22, Deadline(0.05)):
                pass
        with gates.enter(["192.0.2.7"], 22, Deadline(0)):  # what failed above took no place for good
            pass


# Each means 127.0.0.1 (inet_aton(3)), and none is an address as it stands: all have to be looked up.
ALIASES = [
    *("localhost", "127.1", "127.0.1", "2130706433", "0x7f000001", "017700000001", "0177.0.0.1", "0x7f.0.0.1"),
    *("0177.1", "0x7f.1", "127.0.0.01", "127.00.0.1", "127.0.00.1", "127.0x0.0.1", "127.0.0x0.1", "127.0.0.0x1"),
    *("0177.0.1", "0x7f.0.1"),
]


def together(hosts: list[Host], gates: Gates, seconds: float) -> list[str]:
    """Polls them all at once; how each ended."""
    ends: dict[str, str] = {}

    def work(host: Host) -> None:
        try:
            ends[host.name] = ask(host, seconds=seconds, gates=gates).frame.decode()
        except HostError as error:
            ends[host.name] = f"{outcome(error)} {error.detail}"

    workers = [threading.Thread(target=work, args=(host,), daemon=True) for host in hosts]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(seconds + 5)
    return [ends.get(host.name, "did not come back") for host in hosts]


def test_a_server_with_many_names_gets_no_more_logins_at_once_than_with_one(make_sshd: MakeSshd) -> None:
    """It holds each login for a while before it lets it fail, so that who came together is seen together."""
    server, lock, inside, most = make_sshd(), threading.Lock(), 0, 0

    def counting(connection: socket.socket, over: threading.Event) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        over.wait(0.1)
        with lock:
            inside -= 1

    with raw(counting) as target:
        hosts = [Host(name, name, ssh=server.ssh(port=target.port), poll=PollSettings(deadline=5)) for name in ALIASES]
        together(hosts, Gates(per_target=3), 5)
        assert target.connections >= len(ALIASES)
    assert most <= 3


def test_twenty_names_of_one_busy_sshd_all_get_through_within_three_rounds(make_sshd: MakeSshd) -> None:
    server = make_sshd("MaxStartups 2:100:2")
    names = [*ALIASES, "127.0.0.1", "127.0.0.2"]
    for name in names:
        server.trust(name)
    waiting = [server.host(name, name, deadline=20) for name in names]
    for _ in range(3):
        ends = together(waiting, Gates(), 20)
        waiting = [host for host, end in zip(waiting, ends, strict=True) if end != "report"]
    assert not waiting, ends
    assert "drop connection" in server.log()


def test_the_pollers_own_machine_needs_no_ssh() -> None:
    with nothing_left(), connect(ME, command=COMMAND, deadline=Deadline(10), stopwatch=Stopwatch()) as session:
        assert (session.host_key, session.address) == ("local", "local")
        program = outgoing("for line in sys.stdin.buffer: frame(line.strip())\n")
        assert session.ask(program + b"one\n", MARKER, deadline=Deadline(5)).frame == b"one"
        assert session.ask(b"two\n", MARKER, deadline=Deadline(5)).frame == b"two"


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("sys.stdin.buffer.read()", "probe/timeout"),
        ("while True: put(b'y' * 65536)", "probe/noise"),
        ("while True: put(b'y' * 65536, 2)", "probe/noise"),
        ("raise RuntimeError('boom')", "probe/crash"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "probe/crash"),
    ],
)
def test_a_local_probe_that_misbehaves_ends_like_a_remote_one(program: str, expected: str) -> None:
    before = resident_bytes()
    with nothing_left():
        assert outcome(fails(ME, program, seconds=2 if expected.endswith("timeout") else 8)) == expected
    assert resident_bytes() - before < 32 * 1024 * 1024


@pytest.mark.parametrize(("python", "code"), [("no-such-python", "missing"), ("/etc/passwd", "broken")])
def test_a_local_interpreter_that_is_none(python: str, code: str) -> None:
    assert outcome(fails(ME, command=COMMAND.replace("python3", python))) == f"python/{code}"


def test_what_a_local_probe_started_ends_with_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    program = f"""
import subprocess
child = subprocess.Popen(["sleep", "60"])
open({str(pid)!r}, "w").write(str(child.pid))
frame(b"report")
sys.stdin.buffer.read()
"""
    assert ask(ME, program).frame == b"report"
    stat = Path(f"/proc/{pid.read_text()}/stat")
    until = time.monotonic() + 20
    while stat.exists() and " Z " not in stat.read_text() and time.monotonic() < until:
        time.sleep(0.01)
    assert not stat.exists() or " Z " in stat.read_text()
