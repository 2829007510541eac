"""A real `poller daemon` over a test's sshd: started, asked, ended, and what it left in its journal."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest

from tests.end_to_end.site import Site

# Seconds for what takes a moment on a machine that has nothing else to do.
PATIENCE = 40.0


def hosts(*names: str, more: str = "") -> str:
    return "".join(f'<host name="{name}" address="127.0.0.1" interval="2s" deadline="2s" {more}/>' for name in names)


class Daemon:
    """One process. `said` is all that it wrote to stderr so far; `journald`: it takes that for systemd's journal."""

    def __init__(
        self, site: Site, *words: str, environment: dict[str, str] | None = None, journald: bool = False
    ) -> None:
        self.site = site
        reading, writing = os.pipe()
        self._stderr = os.fdopen(reading)
        told = os.fstat(writing)
        stream = {"JOURNAL_STREAM": f"{told.st_dev}:{told.st_ino}"} if journald else {}
        # What a shell runs in the background inherits an ignored SIGINT; what is handled is reset by exec.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            self.process = subprocess.Popen(
                site.command("daemon", *words),
                cwd=site.folder,
                env=site.environment() | stream | (environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=writing,
            )
        finally:
            os.close(writing)
            signal.signal(signal.SIGINT, before)
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self._stderr:
            self._lines.append(line)

    @property
    def said(self) -> str:
        return "".join(self._lines)

    def until(self, true: Callable[[], object], what: str, *, alive: bool = True) -> None:
        ends = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < ends, f"not in {PATIENCE:g} s: {what}\n{self.said}"
            assert not alive or self.process.poll() is None, f"ended with {self.process.returncode}\n{self.said}"
            time.sleep(0.05)

    def until_said(self, pattern: str) -> None:
        self.until(lambda: re.search(pattern, self.said), pattern)

    def until_polled(self, more: int, names: Sequence[str] = ("web1",)) -> None:
        """Until each of these has so many polls more than now."""
        before = self.polls()
        self.until(
            lambda: all(self.polls().get(name, 0) >= before.get(name, 0) + more for name in names), f"polls of {names}"
        )

    def polls(self) -> dict[str, int]:
        return dict(self.rows("SELECT host.name, count(*) FROM poll JOIN host ON host.id = host_id GROUP BY host.name"))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with suppress(sqlite3.OperationalError):  # not there yet
            return self.site.rows(sql)
        return []

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Its exit status; within the ten seconds that it promises, and what a busy machine takes more."""
        began = time.monotonic()
        code = self.process.wait(PATIENCE)
        assert time.monotonic() - began < 15, "it took longer than it may"
        self._reader.join(PATIENCE)
        assert "Traceback" not in self.said, self.said
        return code

    def end(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        self._stderr.close()


StartDaemon = Callable[..., Daemon]


@pytest.fixture
def start(site: Site) -> Iterator[StartDaemon]:
    """A function that starts daemons of the site: start("--option", environment={…}, journald=True)."""
    running: list[Daemon] = []

    def begin(*words: str, environment: dict[str, str] | None = None, journald: bool = False) -> Daemon:
        daemon = Daemon(site, *words, environment=environment, journald=journald)
        running.append(daemon)
        return daemon

    yield begin
    for daemon in running:
        daemon.close()


def overlaps(site: Site) -> int:
    """Pairs of polls of one host that were under way at the same moment."""
    ((count,),) = site.rows(
        "SELECT count(*) FROM poll a JOIN poll b ON a.host_id = b.host_id AND a.id < b.id"
        " AND a.asked_ms < b.answered_ms AND b.asked_ms < a.answered_ms"
    )
    return int(count)


def pid_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
