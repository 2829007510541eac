"""A `poller watch` as a process of its own, beside a real sshd."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.end_to_end.sshd import Sshd


def site(folder: Path, sshd: Sshd, *names: str) -> None:
    """config.xml for hosts that are all this sshd."""
    hosts = "".join(f'<host name="{name}" address="127.0.0.1"/>' for name in names)
    (folder / "config.xml").write_text(
        f'<poller><journal path="poller.db"/><ssh user="{sshd.user}" port="{sshd.port}" '
        f'identity-file="{sshd.client_key}" known-hosts="{sshd.known_hosts}" ssh-config="none"/>'
        f'<poll interval="60s" deadline="30s"/>{hosts}</poller>'
    )
    (folder / "config.xml").chmod(0o600)


class Watcher:
    """Every wait is bounded by the test's own time limit."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.told: list[dict[str, Any]] = []

    def until(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first thing that fits, of what comes from now on: a seat or what was sighted."""
        assert self._process.stdout
        for line in self._process.stdout:
            kind, fields = next(iter(json.loads(line).items()))
            one: dict[str, Any] = {"what": kind, **fields}
            self.told.append(one)
            if fits(one):
                return one
        raise AssertionError(f"it ended before that: {self.told}, {self._process.communicate()[1]}")

    def until_light(self, light: str) -> dict[str, Any]:
        return self.until(lambda one: one.get("light") == light)

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """The exit code and what it said on stderr."""
        self._process.send_signal(number)
        _, err = self._process.communicate(timeout=60)
        return self._process.returncode, err


@contextmanager
def watching(folder: Path, *words: str) -> Iterator[Watcher]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "poller", "watch", "--json", *words],
        cwd=folder, env={"HOME": str(folder), "PATH": os.environ["PATH"]}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    signal.signal(signal.SIGINT, before)
    try:
        yield Watcher(process)
    finally:
        process.kill()
        process.communicate()
