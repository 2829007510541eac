"""Commands as channels: real programs, and what their end means."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poller.errors import DeliveryError
from poller.model import ChannelSettings, Letter
from poller.notify.faults import ChannelDownError
from poller.notify.program import Program
from tests.notify.samples import ALERT, NAUGHTY, OPS, START, notification

LETTER = Letter(OPS, (notification(),))


def script(folder: Path, text: str) -> str:
    path = folder / "tell"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def send(*command: str, letter: Letter = LETTER, stop: threading.Event | None = None, **fields: Any) -> None:
    settings = ChannelSettings("wall", "command", command=command, **{"timeout": 10.0, **fields})
    Program(settings, stop or threading.Event(), clock=lambda: START / 1000).send(letter)


def refusal(*command: str, **fields: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        send(*command, **fields)
    return caught.value


def children() -> set[str]:
    """Our own, dead or alive; a zombie is one of them."""
    me = os.getpid()
    return set(Path(f"/proc/{me}/task/{threading.get_native_id()}/children").read_text().split())


class TestWhatItGets:
    def test_the_document_on_its_standard_input_and_its_arguments_without_a_shell(self, tmp_path: Path) -> None:
        command = script(tmp_path, f'cat > {tmp_path}/stdin; printf "%s|" "$@" > {tmp_path}/argv')
        send(command, "--to", "$HOME; rm -rf /", "two words")
        told = json.loads((tmp_path / "stdin").read_text())
        assert told["contact"] == "ops" and told["notifications"][0]["alert"]["host"] == "web1"
        assert (tmp_path / "argv").read_text() == "--to|$HOME; rm -rf /|two words|"

    def test_path_home_and_lang_and_nothing_else_of_our_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("POLLER_SMTP_PASSWORD", "s3cret")
        monkeypatch.setenv("LANG", "C.UTF-8")
        send("/usr/bin/env", letter=LETTER)
        command = script(tmp_path, f"/usr/bin/env > {tmp_path}/env; pwd > {tmp_path}/pwd")
        send(command)
        names = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
        assert {"PATH", "HOME", "LANG"} <= names <= {"PATH", "HOME", "LANG", "PWD", "OLDPWD", "SHLVL", "_"}
        assert (tmp_path / "pwd").read_text() == "/\n"

    def test_no_file_of_ours_is_open_in_it(self, tmp_path: Path) -> None:
        with (tmp_path / "journal").open("w") as file:
            os.set_inheritable(file.fileno(), True)
            send(script(tmp_path, f"ls -l /proc/self/fd > {tmp_path}/fds"))
        assert "journal" not in (tmp_path / "fds").read_text()

    @pytest.mark.parametrize("text", NAUGHTY, ids=ascii)
    def test_foreign_text_arrives_as_it_is(self, tmp_path: Path, text: str) -> None:
        nasty = Letter(OPS, (notification(replace(ALERT, host=text)),))
        send(script(tmp_path, f"cat > {tmp_path}/stdin"), letter=nasty)
        assert json.loads((tmp_path / "stdin").read_text())["notifications"][0]["alert"]["host"] == text

    def test_who_reads_nothing_of_much_is_no_trouble(self) -> None:
        many = Letter(OPS, tuple(notification(replace(ALERT, id=str(number))) for number in range(2000)))
        send("/bin/true", letter=many)

    def test_the_test(self, tmp_path: Path) -> None:
        command = script(tmp_path, f"cat > {tmp_path}/stdin")
        Program(ChannelSettings("wall", "command", command=(command,)), threading.Event()).send_test(OPS)
        assert json.loads((tmp_path / "stdin").read_text())["test"] is True


class TestHowItEnds:
    def test_75_is_later(self, tmp_path: Path) -> None:
        error = refusal(script(tmp_path, "echo gateway is busy >&2; echo more >&2; exit 75"))
        assert error.retry and not isinstance(error, ChannelDownError)
        assert error.sentence == "command wall did not take the message now: gateway is busy"

    @pytest.mark.parametrize("status", [1, 2, 64, 127])
    def test_anything_else_is_for_good(self, tmp_path: Path, status: int) -> None:
        error = refusal(script(tmp_path, f"exit {status}"))
        assert (error.retry, error.sentence) == (False, f"command wall ended with status {status}")

    def test_a_signal_is_for_good(self, tmp_path: Path) -> None:
        assert "signal 9" in refusal(script(tmp_path, "kill -9 $$")).sentence

    @pytest.mark.parametrize("command", ["/nowhere/tell", "/etc/passwd", "/"])
    def test_what_cannot_be_run_is_for_good(self, command: str) -> None:
        error = refusal(command)
        assert (error.retry, error.code) == (False, "missing")

    def test_its_words_are_few_and_harmless(self, tmp_path: Path) -> None:
        error = refusal(script(tmp_path, r"printf '\033[31mred\n' >&2; yes | head -c 300000 >&2; exit 1"))
        assert error.sentence == r"command wall ended with status 1: \x1b[31mred"


class TestTime:
    def test_one_that_never_ends_is_killed_with_its_children(self, tmp_path: Path) -> None:
        began = time.monotonic()
        before = children()
        error = refusal(script(tmp_path, f"sleep 600 & echo $! > {tmp_path}/pid; wait"), timeout=0.5)
        assert time.monotonic() - began < 15
        assert isinstance(error, ChannelDownError) and error.code == "timeout"
        assert children() <= before, "no zombie"
        pid = (tmp_path / "pid").read_text().strip()
        until = time.monotonic() + 10
        while Path(f"/proc/{pid}/stat").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
            assert time.monotonic() < until, "its child lives on"

    def test_one_that_closes_its_stderr_and_goes_on_is_killed_too(self, tmp_path: Path) -> None:
        assert refusal(script(tmp_path, "exec 2>&-; sleep 600"), timeout=0.3).code == "timeout"

    def test_what_it_leaves_in_the_background_is_not_waited_for(self, tmp_path: Path) -> None:
        began = time.monotonic()
        send(script(tmp_path, f"sleep 600 & echo $! > {tmp_path}/pid"))
        assert time.monotonic() - began < 15
        os.kill(int((tmp_path / "pid").read_text()), 9)

    def test_a_signal_to_us_ends_it(self, tmp_path: Path) -> None:
        stop = threading.Event()

        def interrupt() -> None:
            until = time.monotonic() + 10
            while not (tmp_path / "begun").exists() and time.monotonic() < until:
                stop.wait(0.01)
            stop.set()

        watcher = threading.Thread(target=interrupt)
        watcher.start()
        began = time.monotonic()
        error = refusal(script(tmp_path, f"touch {tmp_path}/begun; sleep 600"), timeout=60.0, stop=stop)
        watcher.join()
        assert error.code == "interrupted" and time.monotonic() - began < 30
