"""What happens between the login and the answer, with real shells: noise, floods, and commands that do not work."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from poller.errors import HostError
from poller.model import Before, Deadline, Stopwatch
from poller.ssh import connect
from tests.end_to_end.sshd import MakeSshd, Sshd
from tests.ssh.standins import (
    ANSWER,
    COMMAND,
    MARKER,
    ask,
    fails,
    nothing_left,
    outcome,
    outgoing,
    resident_bytes,
)
from tests.stopped import stop

MIB = 1024 * 1024


def test_noise_before_and_after_the_answer_is_ignored(sshd: Sshd) -> None:
    noise = r"put(b'\x1b[31mhello\r\n' + b'x' * (1024 * 1024))"
    answer = ask(sshd.host(), f"{noise}\nframe(b'report')\n{noise}\n")
    assert answer.frame == b"report"
    assert answer.noise.startswith(b"\x1b[31mhello")
    assert len(answer.noise) <= 4096


def test_a_login_script_that_talks_does_no_harm(sshd: Sshd) -> None:
    # bash reads ~/.bashrc when sshd starts it for a command.
    (sshd.home / ".bashrc").write_text("echo hi; printf '\\033[1m'; head -c 1000000 /dev/zero; LANG=C; umask 077\n")
    assert ask(sshd.host()).frame == b"report"


def test_an_answer_with_another_marker_is_noise(sshd: Sshd) -> None:
    answer = ask(sshd.host(), "frame(b'old', 'f' * 32)\nframe(b'new')\n")
    assert answer.frame == b"new"


@pytest.mark.parametrize("size", [0, 1, 100_000, 8 * MIB])
def test_answers_of_every_allowed_size_arrive(sshd: Sshd, size: int) -> None:
    assert len(ask(sshd.host(), f"frame(b'x' * {size})\n").frame) == size


def test_an_answer_that_announces_too_much_is_refused_at_once(sshd: Sshd) -> None:
    error = fails(sshd.host(), f"frame(b'x' * {8 * MIB + 1})\n")
    assert (outcome(error), error.security) == ("probe/oversize", True)


def test_a_stdout_flood_ends_at_its_bound(sshd: Sshd) -> None:
    before = resident_bytes()
    error = fails(sshd.host(), "while True: put(b'y' * 65536)\n")
    assert (outcome(error), error.security) == ("probe/noise", True)
    assert resident_bytes() - before < 40 * MIB


def test_a_stderr_flood_ends_at_its_bound(sshd: Sshd) -> None:
    before = resident_bytes()
    assert outcome(fails(sshd.host(), "while True: put(b'y' * 65536, 2)\n")) == "probe/noise"
    assert resident_bytes() - before < 40 * MIB


def test_ten_megabytes_on_stderr_beside_an_answer_are_no_deadlock(sshd: Sshd) -> None:
    program = "for _ in range(160):\n put(b'e' * 65536, 2)\n put(b'o' * 16384, 1)\nframe(b'report')\n"
    assert ask(sshd.host(), program).frame == b"report"


def test_a_host_that_reads_nothing_until_it_has_spoken_is_no_deadlock(sshd: Sshd) -> None:
    deadline = Deadline(10)
    with connect(sshd.host(), command=COMMAND, deadline=deadline, stopwatch=Stopwatch()) as session:
        program = outgoing(
            "put(b'n' * 3_000_000)\nlength = len(sys.stdin.buffer.read(4_000_000))\nframe(b'%d' % length)\n"
        )
        assert session.ask(program + b"z" * 4_000_000, MARKER, deadline=deadline).frame == b"4000000"


def test_one_session_answers_many_requests(sshd: Sshd) -> None:
    program = outgoing("for line in sys.stdin.buffer: frame(line.strip())\n")
    with connect(sshd.host(), command=COMMAND, deadline=Deadline(10), stopwatch=Stopwatch()) as session:
        for number in range(20):
            text = b"%d\n" % number
            answer = session.ask(text if number else program + text, MARKER, deadline=Deadline(5))
            assert answer.frame == b"%d" % number
    assert sshd.log().count("Starting session") == 1


def test_a_silent_command_ends_with_the_deadline_and_leaves_nothing(sshd: Sshd) -> None:
    with nothing_left():
        assert (
            outcome(fails(sshd.host(), "put(b'warming up', 2); sys.stdin.buffer.read()", seconds=2)) == "probe/timeout"
        )


def test_a_drip_does_not_move_the_deadline(sshd: Sshd) -> None:
    program = "import time\nwhile True: put(b'.'); time.sleep(0.05)\n"
    assert outcome(fails(sshd.host(), program, seconds=2)) == "probe/timeout"


def test_a_host_that_stops_in_mid_answer_ends_with_the_deadline(sshd: Sshd) -> None:
    """The network goes away after the login; here sshd is stopped."""
    with (
        nothing_left(),
        connect(sshd.host(), command=COMMAND, deadline=Deadline(5), stopwatch=Stopwatch()) as session,
    ):
        program = outgoing("frame(b'first')\nsys.stdin.buffer.read()\n")
        session.ask(program, MARKER, deadline=Deadline(5))
        stopped = sshd.children()
        for pid in stopped:
            stop(pid)
        try:
            started = time.monotonic()
            with pytest.raises(HostError) as caught:
                session.ask(b"again\n", MARKER, deadline=Deadline(1))
            assert time.monotonic() - started < 5
            assert outcome(caught.value) == "probe/timeout"
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)


def test_a_connection_that_breaks_in_mid_answer_is_told_apart(sshd: Sshd) -> None:
    program = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nsys.stdin.buffer.read()\n"
    host = sshd.host()
    # `exec` makes the shell's parent, the connection's own sshd, ours.
    assert outcome(fails(host, program)) in ("probe/closed", "probe/crash")


@pytest.mark.parametrize(
    ("program", "expected", "says"),
    [
        ("put(b'poller-probe: version: 3.4.2 is too old\\n', 2); sys.exit(70)", "python/version", "3.4.2"),
        ("put(b'poller-probe: crash: boom\\n', 2); sys.exit(70)", "probe/crash", "boom"),
        ("raise RuntimeError('boom')", "probe/crash", "boom"),
        ("sys.exit(3)", "probe/silent", "exit status 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "probe/crash", "signal"),
    ],
)
def test_a_probe_that_ends_without_an_answer_says_why(sshd: Sshd, program: str, expected: str, says: str) -> None:
    error = fails(sshd.host(), program)
    assert (outcome(error), says in error.detail) == (expected, True)


@pytest.mark.parametrize(
    ("python", "expected"),
    [
        ("no-such-python", "python/missing"),
        ("/nowhere/python3", "python/missing"),
        ("/etc/passwd", "python/broken"),
        ("/bin/false", "probe/silent"),
    ],
)
def test_an_interpreter_that_is_none_is_named(sshd: Sshd, python: str, expected: str) -> None:
    error = fails(sshd.host(), command=COMMAND.replace("python3", python))
    assert outcome(error) == expected
    assert expected == "probe/silent" or python in error.detail


@pytest.mark.parametrize(
    ("forced", "expected"),
    [
        ("echo This account is currently not available.; exit 1", "session/shell"),
        ("exit 0", "session/shell"),
        ("rbash -c 'exec python3'", "session/shell"),
        ("echo sudo: a password is required >&2; exit 1", "python/sudo"),
    ],
)
def test_a_forced_command_instead_of_ours_is_told_apart(make_sshd: MakeSshd, forced: str, expected: str) -> None:
    assert outcome(fails(make_sshd(f"ForceCommand {forced}").host())) == expected


def test_a_host_that_allows_no_session_refuses(make_sshd: MakeSshd) -> None:
    assert outcome(fails(make_sshd("MaxSessions 0").host())) == "session/refused"


def test_sudo_that_refuses_is_left_out_on_the_same_connection(sshd: Sshd, tmp_path: Path) -> None:
    sudo = tmp_path / "bin" / "sudo"
    sudo.parent.mkdir()
    sudo.write_text("#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")
    sudo.chmod(0o755)
    (sshd.home / ".bashrc").write_text(f"PATH={sudo.parent}:$PATH\n")
    command = COMMAND.replace("exec ", "exec sudo -n ", 1)
    answer = ask(sshd.host(), command=command)
    assert (answer.frame, answer.sudo_denied) == (b"report", True)
    assert sshd.log().count("Accepted publickey") == 1
    remembered = Before(sudo_denied_until_ms=int(time.time() * 1000) + 60_000)
    answer = ask(sshd.host(), command=command, before=remembered)
    assert (answer.frame, answer.sudo_denied) == (b"report", False)


def test_polling_again_and_again_leaves_no_thread_and_no_descriptor(sshd: Sshd) -> None:
    ask(sshd.host())
    with nothing_left():
        for _ in range(30):
            ask(sshd.host(), ANSWER)
