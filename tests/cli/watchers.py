"""A `poller watch` as a process of its own, beside a real sshd."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.running import Running, process
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


class Watcher(Running):
    """One running `poller watch --json`; `told` is all that it said so far."""

    def __init__(self, started: subprocess.Popen[str]) -> None:
        super().__init__(started)
        self.told: list[dict[str, Any]] = []

    def until(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first thing that fits, of what comes from now on: a seat or what was sighted."""
        for line in self.lines():
            kind, fields = next(iter(json.loads(line).items()))
            one: dict[str, Any] = {"what": kind, **fields}
            self.told.append(one)
            if fits(one):
                return one
        raise AssertionError(f"it ended before that: {self.told}, {self.ended()[1]}")

    def until_light(self, light: str) -> dict[str, Any]:
        return self.until(lambda one: one.get("light") == light)


@contextmanager
def watching(folder: Path, *words: str) -> Iterator[Watcher]:
    with process(folder, "watch", "--json", *words) as started:
        yield Watcher(started)
