"""Through jump hosts: one connection to each for everybody who goes through it."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace

import pytest

from poller.errors import HostError
from poller.model import Deadline, Host, Stopwatch
from poller.ssh import Gates, connect
from tests.end_to_end.sshd import MakeSshd, Sshd
from tests.ssh.standins import COMMAND, MARKER, ask, fails, nothing_left, outcome, outgoing
from tests.stopped import stop

# Holds its poll until as many hosts as are asked at once are connected: they wait for each other in a folder.
MEET = """
import time
open(%r + "/" + str(os.getpid()), "w").close()
until = time.time() + 8
while len(os.listdir(%r)) < %d and time.time() < until: time.sleep(0.01)
frame(b'%%d' %% len(os.listdir(%r)))
sys.stdin.buffer.read()
"""


def behind(jump: Sshd, target: Sshd, name: str = "inner") -> Host:
    """`target` reached through `jump` only; the key of both is `target`'s client key."""
    jump.authorize(target.client_key.with_suffix(".pub"))
    with target.known_hosts.open("a") as file:
        file.write(jump.known_line())
    return target.host(name, proxy_jump=f"{jump.user}@127.0.0.1:{jump.port}")


def test_a_host_behind_a_jump_host_answers(make_sshd: MakeSshd) -> None:
    jump, target = make_sshd(), make_sshd()
    with nothing_left():
        assert ask(behind(jump, target)).frame == b"report"


def test_two_jump_hosts_in_a_row(make_sshd: MakeSshd) -> None:
    first, second, target = make_sshd(), make_sshd(), make_sshd()
    behind(first, target)
    host = behind(second, target)
    jumps = ",".join(f"{server.user}@127.0.0.1:{server.port}" for server in (first, second))
    with nothing_left():
        assert ask(target.host(proxy_jump=jumps)).frame == b"report"
    assert host.ssh.proxy_jump != jumps
    first.wait_for_log("Accepted publickey")


def test_proxy_jump_of_ssh_config_is_followed(make_sshd: MakeSshd) -> None:
    jump, target = make_sshd(), make_sshd()
    behind(jump, target)
    target.ssh_config.write_text(
        f"Host gate\n HostName 127.0.0.1\n Port {jump.port}\n User {jump.user}\nHost 127.0.0.1\n ProxyJump gate\n"
    )
    host = target.host(proxy_jump=None)
    assert ask(host).frame == b"report"
    jump.wait_for_log("Accepted publickey")


def test_hosts_polled_at_once_share_one_login_at_the_jump_host(make_sshd: MakeSshd, tmp_path: object) -> None:
    jump, target = make_sshd(), make_sshd()
    hosts = [behind(jump, target, f"inner{number}") for number in range(6)]
    meeting = target.folder / "meeting"
    meeting.mkdir()
    program = MEET % (str(meeting), str(meeting), len(hosts), str(meeting))
    answers: list[bytes] = []
    with nothing_left():
        workers = [
            threading.Thread(target=lambda host=host: answers.append(ask(host, program).frame), daemon=True)
            for host in hosts
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(20)
    assert answers == [b"6"] * 6
    assert jump.log().count("Accepted publickey") == 1
    assert target.log().count("Accepted publickey") == 6


def test_a_gateway_carries_so_many_polls_at_once_and_no_more(make_sshd: MakeSshd) -> None:
    jump, target = make_sshd(), make_sshd()
    host, gates = behind(jump, target), Gates(per_gateway=1)
    with gates.through("127.0.0.1", jump.port, Deadline(1)):
        with pytest.raises(HostError) as caught:
            ask(host, gates=gates, seconds=0.3)
        assert (caught.value.stage, caught.value.code) == ("connect", "timeout")
        assert ask(target.host("direct"), gates=gates).frame == b"report"
    assert ask(host, gates=gates).frame == b"report"


def test_a_host_that_hangs_behind_a_jump_host_ends_alone(make_sshd: MakeSshd) -> None:
    jump, target = make_sshd(), make_sshd()
    host = behind(jump, target)
    errors: list[HostError] = []
    hanging = threading.Thread(target=lambda: errors.append(fails(host, "sys.stdin.buffer.read()", seconds=2)))
    with nothing_left():
        hanging.start()
        assert ask(host, "import time; time.sleep(2.5)\nframe(b'late')\nsys.stdin.buffer.read()\n").frame == b"late"
        hanging.join(10)
    assert [outcome(error) for error in errors] == ["probe/timeout"]
    assert jump.log().count("Accepted publickey") == 1


def test_a_jump_host_that_stops_working_holds_nobody_past_the_deadline(make_sshd: MakeSshd) -> None:
    jump, target = make_sshd(), make_sshd()
    host = behind(jump, target)
    # More than the sockets between hold, so that the poller is stuck in the middle of sending.
    flood = outgoing("frame(b'ready')\nsys.stdin.buffer.read()\n")
    with nothing_left(), connect(host, command=COMMAND, deadline=Deadline(10), stopwatch=Stopwatch()) as session:
        session.ask(flood, MARKER, deadline=Deadline(5))
        stopped = jump.children()
        for pid in stopped:
            stop(pid)
        try:
            started = time.monotonic()
            with pytest.raises(HostError) as caught:
                session.ask(b"z" * 20_000_000, MARKER, deadline=Deadline(1))
            assert time.monotonic() - started < 5
            assert outcome(caught.value) == "probe/timeout"
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("what", ["unknown", "denied", "away"])
def test_a_jump_host_that_cannot_be_used_is_named_with_the_reason(make_sshd: MakeSshd, what: str) -> None:
    jump, target = make_sshd(), make_sshd()
    host = behind(jump, target)
    if what == "unknown":
        target.known_hosts.write_text(target.known_line())
    elif what == "denied":
        jump.authorized_keys.write_text("")
    else:
        jump.stop()
    error = fails(host)
    assert outcome(error) == "connect/jump"
    assert {"unknown": "hostkey/unknown", "denied": "auth/denied", "away": "connect/refused"}[what] in error.detail
    assert "Accepted" not in target.log()


@pytest.mark.parametrize("hops", [1, 2])
def test_a_jump_host_that_shows_another_key_is_a_security_event(make_sshd: MakeSshd, hops: int) -> None:
    jump, target = make_sshd(), make_sshd()
    host = behind(jump, target)
    if hops == 2:
        inner = make_sshd()
        behind(inner, target)
        through = f"{host.ssh.proxy_jump},{inner.user}@127.0.0.1:{inner.port}"
        host = target.host(proxy_jump=through)
    target.known_hosts.write_text(target.known_line(name=f"[127.0.0.1]:{jump.port}") + target.known_line())
    error = fails(host)
    assert (outcome(error), error.security, "hostkey/changed" in error.detail) == ("connect/jump", True, True)


def test_a_jump_host_that_is_down_is_none(make_sshd: MakeSshd) -> None:
    jump, target = make_sshd(), make_sshd()
    host = behind(jump, target)
    jump.stop()
    assert not fails(host).security


def test_the_key_of_the_host_behind_is_verified_as_well(make_sshd: MakeSshd) -> None:
    jump, target = make_sshd(), make_sshd()
    host = behind(jump, target)
    target.known_hosts.write_text(jump.known_line())
    assert outcome(fails(host)) == "hostkey/unknown"


def test_a_host_that_the_jump_host_cannot_reach(make_sshd: MakeSshd) -> None:
    jump, target = make_sshd(), make_sshd()
    host = behind(jump, target)
    target.stop()
    error = fails(host)
    assert (outcome(error), str(jump.port) in error.detail) == ("connect/unreachable", True)


def test_a_jump_host_that_forwards_nothing(make_sshd: MakeSshd) -> None:
    jump, target = make_sshd("AllowTcpForwarding no"), make_sshd()
    error = fails(behind(jump, target))
    assert (outcome(error), "does not forward" in error.detail) == ("connect/jump", True)


def test_proxy_command_is_never_run(make_sshd: MakeSshd) -> None:
    server = make_sshd()
    witness = server.folder / "witness"
    server.ssh_config.write_text(f"ProxyCommand touch {witness}\n")
    error = fails(replace(server.host()))
    assert (outcome(error), witness.exists()) == ("connect/config", False)
