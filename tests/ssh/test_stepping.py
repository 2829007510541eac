"""The thread that polls also reads: no second thread per connection, and all that paramiko's own loop does is done."""

from __future__ import annotations

import hashlib
import inspect
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL
from paramiko.server import InteractiveQuery

from poller.model import Deadline, Host, Secret, Stopwatch
from poller.ssh import connect
from tests.end_to_end.sshd import MakeSshd, Sshd, keygen
from tests.ssh.hostile import PASSWORD, Server, Trouble, speaking
from tests.ssh.standins import ANSWER, COMMAND, MARKER, ask, fails, outcome, outgoing

# sha256 of the source of paramiko's Transport.run -> the versions that have it.
KNOWN_LOOPS = {"d658434778e57b94729ad510549efbab9108100ea48327a21b0b0c856d4e854e": "4.0.0 to 5.1.0"}


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    return keygen(tmp_path / "identity")


def test_paramikos_own_loop_is_the_one_that_was_followed() -> None:
    """A new version has another one? Compare it with poller/ssh/stepping.py, then add its digest."""
    source = inspect.getsource(paramiko.Transport.run)
    assert hashlib.sha256(source.encode()).hexdigest() in KNOWN_LOOPS


def test_a_session_has_no_thread_of_its_own(sshd: Sshd) -> None:
    deadline = Deadline(10)
    before = {thread.name for thread in threading.enumerate()} | {"ssh-watchdog"}
    with connect(sshd.host(), command=COMMAND, deadline=deadline, stopwatch=Stopwatch()) as session:
        assert session.ask(outgoing(ANSWER), MARKER, deadline=deadline).frame == b"report"
        assert {thread.name for thread in threading.enumerate()} <= before


def test_a_host_that_wants_new_keys_in_the_middle_of_everything_gets_them(
    make_sshd: MakeSshd, caplog: pytest.LogCaptureFixture
) -> None:
    server = make_sshd("RekeyLimit 64K")
    large = "while sys.stdin.buffer.readline():\n    frame(b'x' * 1_000_000)\n"
    deadline = Deadline(20)
    caplog.set_level("DEBUG", "poller")
    with connect(server.host(), command=COMMAND, deadline=deadline, stopwatch=Stopwatch()) as session:
        assert len(session.ask(outgoing(large) + b"first\n", MARKER, deadline=deadline).frame) == 1_000_000
        # Larger than the limit in this direction, too.
        assert len(session.ask(b"y" * 300_000 + b"\n", MARKER, deadline=deadline).frame) == 1_000_000
    assert caplog.text.count("Switch to new keys") > 10


class Asking(Trouble):
    """Takes the password only by keyboard-interactive, after so many questions."""

    def __init__(self, questions: int) -> None:
        super().__init__("", lambda channel: channel.sendall(b"\n#" + MARKER.encode() + b" report 6\nreport"))
        self.questions = questions

    def get_allowed_auths(self, username: str) -> str:
        return "keyboard-interactive"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return AUTH_FAILED

    def check_auth_interactive(self, username: str, submethods: str) -> InteractiveQuery:
        return InteractiveQuery("", "", *[f"Question {number}:" for number in range(self.questions)])

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        return AUTH_SUCCESSFUL if responses == [PASSWORD] else AUTH_FAILED


def _with_password(server: Server, folder: Path, identity: Path, text: str) -> Host:
    secret = folder / "password"
    secret.touch(0o600)
    secret.write_text(text)
    host = server.host(folder, identity)
    return replace(host, ssh=replace(host.ssh, password=Secret("file", str(secret))))


def test_the_password_answers_the_one_question_of_a_host(tmp_path: Path, identity: Path) -> None:
    with speaking(Asking(1)) as server:
        assert ask(_with_password(server, tmp_path, identity, PASSWORD)).frame == b"report"


@pytest.mark.parametrize(("questions", "text"), [(1, "wrong word"), (2, PASSWORD)])
def test_the_password_is_not_an_answer_to_everything(tmp_path: Path, identity: Path, questions: int, text: str) -> None:
    with speaking(Asking(questions)) as server:
        error = fails(_with_password(server, tmp_path, identity, text), seconds=5)
        assert outcome(error) in ("auth/denied", "auth/method")
        assert text not in f"{error} {error.detail}"


def test_nothing_is_imported_that_only_match_exec_would_need() -> None:
    program = "import sys, poller.ssh; assert 'invoke' not in sys.modules, 'loaded'; import invoke"
    subprocess.run([sys.executable, "-c", program], check=True)
