"""`poller demo` as a stranger runs it: an empty environment, nothing configured, nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "poller", *arguments]


def poller(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    environment = {"HOME": str(home), "TMPDIR": str(tmp_path)}
    return subprocess.run(
        command(*arguments), env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_it_shows_the_whole_path_and_leaves_nothing(tmp_path: Path) -> None:
    began = time.monotonic()
    done = poller(tmp_path, "demo")
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - began < 60
    for promised in (
        "SSH to web1",
        "host key SHA256:",
        "The sealed report comes back",
        "Subject: [HIGH] web1: memory.percent",
        "$ poller status",
        "db1",
        "lab1",
        "3 ok, 1 firing",
        "$ poller query alerts-now",
        "poller init",
    ):
        assert promised in done.stdout
    assert "\x1b" not in done.stdout, "no colour when it is not a terminal"
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    assert list((tmp_path / "home").iterdir()) == []


def test_what_is_kept_can_be_used(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    done = poller(tmp_path, "demo", "--keep", str(kept))
    assert done.returncode == 0, done.stderr
    given = ["--config", str(kept / "config.xml")]
    assert f"poller --config {kept}/config.xml status" in done.stdout
    assert poller(tmp_path, *given, "check-config").returncode == 0
    hosts = json.loads(poller(tmp_path, *given, "status", "--json").stdout)["hosts"]
    assert [(host["name"], host["outcome"]) for host in hosts] == [("web1", "ok"), ("db1", "ok"), ("lab1", "ok")]
    assert "memory.percent" in poller(tmp_path, *given, "query", "alerts-now").stdout
    again = poller(tmp_path, "demo", "--keep", str(kept))
    assert again.returncode == 2
    assert "is not empty" in again.stderr
    assert "Traceback" not in again.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    environment = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    # A shell's background job inherits an ignored SIGINT and hands it on; a handler is reset by exec.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            command("demo"), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        assert process.stdout and process.stderr
        while "A moment passes" not in process.stdout.readline():
            assert process.poll() is None
        os.kill(process.pid, number)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert "Traceback" not in errors
    assert not list(tmp_path.glob("poller-demo-*"))
