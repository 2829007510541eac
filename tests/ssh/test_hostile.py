"""Against a hostile server every poll ends by its deadline, in bounded memory, with the right name."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from poller.model import Secret
from tests.end_to_end.sshd import keygen
from tests.ssh import hostile
from tests.ssh.hostile import Behaviour, Trouble, raw, speaking
from tests.ssh.standins import MARKER, ask, fails, nothing_left, outcome, resident_bytes

MIB = 1024 * 1024


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    return keygen(tmp_path / "identity")


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (hostile.never_speaks, "handshake/timeout"),
        (hostile.drips_banner, "handshake/timeout"),
        (hostile.many_lines, "handshake/timeout"),
        (hostile.hangs_in_key_exchange, "handshake/timeout"),
        (hostile.floods_banner, "handshake/oversize"),
        (hostile.giant_packet, "handshake/oversize"),
        (hostile.speaks_http, "handshake/closed"),
        (hostile.old_protocol, "handshake/algorithms"),
    ],
)
def test_a_server_that_does_not_shake_hands(
    tmp_path: Path, identity: Path, behaviour: Behaviour, expected: str
) -> None:
    before = resident_bytes()
    with nothing_left(), raw(behaviour) as server:
        error = fails(server.host(tmp_path, identity), seconds=1 if expected.endswith("timeout") else 5)
        assert outcome(error) == expected
    assert resident_bytes() - before < 32 * MIB


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ("auth", "auth/timeout"),
        ("close", "auth/closed"),
        ("deny", "auth/denied"),
        ("channel", "session/timeout"),
        ("exec", "session/timeout"),
        ("refuse", "session/refused"),
    ],
)
def test_a_server_that_hangs_or_refuses_later(tmp_path: Path, identity: Path, point: str, expected: str) -> None:
    with speaking(Trouble(point)) as server:
        # Time enough for a busy machine to come as far as the trouble.
        assert outcome(fails(server.host(tmp_path, identity), seconds=2)) == expected
        assert server.connections == 1


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (b"System is booting up. See pam_nologin(8)", "auth/nologin"),
        (
            b"\nSystem is going down. Unprivileged users are not permitted to log in anymore. \xff\x1b[2J",
            "auth/nologin",
        ),
        (b"Your account has expired; please contact your system administrator.\n\n", "auth/closed"),
        (b"", "auth/closed"),
    ],
)
def test_a_server_that_says_nobody_may_log_in_now_is_told_from_one_that_refuses(
    tmp_path: Path, identity: Path, says: bytes, expected: str
) -> None:
    with speaking(Trouble("close", says=says)) as server:
        error = fails(server.host(tmp_path, identity), seconds=5)
        assert (outcome(error), server.connections) == (expected, 1)
        assert error.sentence.isascii() and error.sentence.isprintable()


@pytest.mark.parametrize("action", [hostile.ignores_window, hostile.announces_giant, hostile.sends_ignore])
def test_a_server_that_sends_without_being_asked_ends_within_its_bytes(
    tmp_path: Path, identity: Path, action: Callable[[paramiko.Channel], None]
) -> None:
    with speaking(Trouble(action=action)) as server:
        host = server.host(tmp_path, identity)
        before = resident_bytes()
        error = fails(host, seconds=4)
        assert outcome(error) in ("probe/oversize", "probe/noise")
        assert error.security
        assert resident_bytes() - before < 48 * MIB  # server and poller share this process


def test_a_server_that_closes_is_tried_again_before_the_login(tmp_path: Path, identity: Path) -> None:
    with raw(hostile.closes_at_once) as server:
        assert outcome(fails(server.host(tmp_path, identity), seconds=10)) == "handshake/closed"
        assert server.connections == 3


def test_a_server_that_says_it_is_busy_is_tried_again_while_there_is_time(tmp_path: Path, identity: Path) -> None:
    with raw(hostile.turns_away) as server:
        error = fails(server.host(tmp_path, identity), seconds=5)
        assert (outcome(error), "Exceeded MaxStartups" in error.detail) == ("handshake/closed", True)
        assert 3 <= server.connections <= 8


def test_a_server_that_punishes_our_address_is_left_alone(tmp_path: Path, identity: Path) -> None:
    with raw(hostile.punishes) as server:
        error = fails(server.host(tmp_path, identity), seconds=10)
        assert (outcome(error), "Not allowed at this time" in error.detail) == ("handshake/closed", True)
        assert server.connections == 1


def test_a_refused_login_is_not_tried_again(tmp_path: Path, identity: Path) -> None:
    with speaking(Trouble("deny")) as server:
        assert outcome(fails(server.host(tmp_path, identity), seconds=5)) == "auth/denied"
        assert server.connections == 1


@pytest.mark.parametrize(("text", "expected"), [(hostile.PASSWORD, "answer"), ("wrong word", "auth/denied")])
def test_a_password_is_given_where_config_xml_says_so_and_shown_nowhere(
    tmp_path: Path, identity: Path, text: str, expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(channel: paramiko.Channel) -> None:
        channel.sendall(b"\n#" + MARKER.encode() + b" report 6\nreport")

    secret = tmp_path / "password"
    secret.touch(0o600)
    secret.write_text(text)
    with caplog.at_level("DEBUG"), speaking(Trouble("password", answer)) as server:
        host = server.host(tmp_path, identity)
        host = replace(host, ssh=replace(host.ssh, password=Secret("file", str(secret)), identity_files=(identity,)))
        if expected == "answer":
            assert ask(host).frame == b"report"
        else:
            error = fails(host, seconds=5)
            assert outcome(error) == expected
            assert text not in f"{error} {error.detail} {error!r}"
        assert server.connections == 1
    assert text not in caplog.text


def test_what_a_server_says_is_shown_as_printable_ascii(tmp_path: Path, identity: Path) -> None:
    def rude(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall("\x1b]0;title\x07 caf\u00e9\r\n".encode())

    with raw(rude) as server:
        detail = fails(server.host(tmp_path, identity), seconds=1).detail
        assert detail.isascii()
        assert detail.isprintable()
