"""A session that is held: what comes unasked, what wakes who waits for it, how it ends, and what it may not cost."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from poller.bell import Bell
from poller.errors import HostError
from poller.model import Deadline, Host, Stopwatch
from poller.ssh import Session, connect
from poller.ssh.frame import Scanner
from tests.end_to_end.sshd import MakeSshd, Sshd
from tests.ssh.standins import COMMAND, MARKER, outcome, outgoing, resident_bytes

PUSHED = "b" * 32
# Answers each line with itself; `push` before it also pushes.
ECHO = f"""
for line in sys.stdin.buffer:
    if line.startswith(b"push"):
        frame(b"pushed before", {PUSHED!r})
    frame(line.strip())
    if line.startswith(b"push"):
        frame(b"pushed after", {PUSHED!r})
    if line.startswith(b"end"):
        sys.exit(0)
    if line.startswith(b"flood"):
        while True: frame(b"x" * 60000, {PUSHED!r})
    if line.startswith(b"noise"):
        while True: put(b"x" * 60000)
"""


@contextlib.contextmanager
def held(host: Host) -> Iterator[tuple[Session, Bell]]:
    """A session that has answered once and expects what is pushed."""
    bell = Bell()
    deadline = Deadline(20)
    with connect(host, command=COMMAND, deadline=deadline, stopwatch=Stopwatch(), held=True) as session:
        assert session.ask(outgoing(ECHO) + b"first\n", MARKER, deadline=deadline).frame == b"first"
        session.expect(PUSHED)
        yield session, bell
    bell.close()


def asked(session: Session, text: bytes) -> bytes:
    return session.ask(text + b"\n", MARKER, deadline=Deadline(10)).frame


def listened(session: Session, bell: Bell, count: int) -> list[bytes]:
    """So many pushed frames, or what came within ten seconds."""
    frames: list[bytes] = []
    until = time.monotonic() + 10
    while len(frames) < count and time.monotonic() < until:
        frames += session.listen(1.0, bell.fd)
    return frames


@pytest.fixture(params=["ssh", "behind a jump host", "this machine"])
def host(request: pytest.FixtureRequest, make_sshd: MakeSshd) -> Host:
    server = make_sshd()
    plain = server.host()
    if request.param == "ssh":
        return plain
    if request.param == "this machine":
        return replace(plain, address="local")
    return replace(plain, ssh=server.ssh(proxy_jump=f"{server.user}@127.0.0.1:{server.port}"))


def test_pushed_frames_and_answers_share_one_stream(host: Host) -> None:
    with held(host) as (session, bell):
        assert asked(session, b"push one") == b"push one"
        assert listened(session, bell, 2) == [b"pushed before", b"pushed after"]
        assert asked(session, b"plain") == b"plain"


def test_who_waits_is_woken_by_a_bell_and_by_nothing_else(host: Host) -> None:
    with held(host) as (session, bell):
        started = time.thread_time()
        timer = threading.Timer(1.0, bell.set)
        timer.start()
        assert session.listen(float("inf"), bell.fd) == []
        timer.join()
        assert time.thread_time() - started < 0.1
        bell.clear()
        assert session.listen(0.05, bell.fd) == []
        assert asked(session, b"still there") == b"still there"


def test_the_end_of_the_command_is_heard_while_nobody_asks(host: Host) -> None:
    with held(host) as (session, bell):
        assert asked(session, b"end") == b"end"
        with pytest.raises(HostError) as caught:
            listened(session, bell, 1)
        assert caught.value.code != "shell"  # that has run the command before


@pytest.mark.parametrize("what", [b"flood", b"noise"])
def test_a_host_that_pushes_without_end_is_cut_off(host: Host, what: bytes) -> None:
    before = resident_bytes()
    with held(host) as (session, bell):
        asked(session, what)
        with pytest.raises(HostError) as caught:
            for _ in range(2000):
                session.listen(1.0, bell.fd)
        assert outcome(caught.value) == "probe/noise"
        assert resident_bytes() - before < 40 * 1024 * 1024


def test_each_pushed_frame_is_told_at_once_even_while_an_answer_is_waited_for(sshd: Sshd) -> None:
    told: list[bytes] = []
    with held(sshd.host()) as (session, _bell):
        session.expect(PUSHED, told.append)
        assert asked(session, b"push") == b"push"
        assert told[:1] == [b"pushed before"]


def test_the_end_of_the_connection_is_heard_while_nobody_asks(sshd: Sshd) -> None:
    with held(sshd.host()) as (session, bell):
        for pid in sshd.children():
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(HostError) as caught:
            listened(session, bell, 1)
        assert outcome(caught.value) == "probe/closed"


def test_half_a_message_does_not_hold_who_listens_for_ever(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poller.ssh.talk._MESSAGE_SECONDS", 1.0)
    with held(sshd.host()) as (session, bell):
        session._talk._wire._buffer = b"\0\0"  # type: ignore[union-attr]  # the beginning of a message
        started = time.monotonic()
        with pytest.raises(HostError):
            listened(session, bell, 1)
        assert time.monotonic() - started < 8


def test_new_keys_are_agreed_while_nobody_asks(make_sshd: MakeSshd, caplog: pytest.LogCaptureFixture) -> None:
    """sshd wants them after a second (RekeyLimit), or we do (paramiko after 512 MiB, here after a few packets)."""
    caplog.set_level("DEBUG", "poller")
    server = make_sshd("RekeyLimit default 1s")
    with held(server.host()) as (session, bell):
        until = time.monotonic() + 20
        while caplog.text.count("Switch to new keys") < 2 and time.monotonic() < until:
            assert asked(session, b"again") == b"again"
            session.listen(0.3, bell.fd)
        packetizer = session._talk._transport.packetizer  # type: ignore[union-attr]
        packetizer.REKEY_PACKETS = 5
        for _ in range(20):
            assert asked(session, b"push") == b"push"
            assert len(listened(session, bell, 2)) == 2
    assert caplog.text.count("Switch to new keys") > 3


def test_frames_of_two_markers_are_told_apart_however_they_are_cut() -> None:
    stream = b"".join(
        b"noise\n#" + marker.encode() + b" k %d\n" % len(body) + body
        for marker, body in [(MARKER, b"one"), (PUSHED, b"two"), (PUSHED, b""), (MARKER, b"four")]
    )
    for step in (1, 7, len(stream)):
        scanner, frames = Scanner(MARKER, PUSHED), []
        for begin in range(0, len(stream), step):
            frame = scanner.feed(stream[begin : begin + step])
            while frame is not None:
                frames.append((frame.marker, frame.body))
                frame = scanner.feed(b"")
        assert frames == [(MARKER, b"one"), (PUSHED, b"two"), (PUSHED, b""), (MARKER, b"four")]


def test_a_bell_is_silent_after_its_end(tmp_path: Path) -> None:
    bell = Bell()
    bell.close()
    with (tmp_path / "file").open("wb"):  # most likely it has the bell's number
        bell.set()
        bell.clear()
        bell.close()
    assert (tmp_path / "file").read_bytes() == b""
