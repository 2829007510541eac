"""One share of the hosts, and the worker process that has it just now: begun, told, heard, ended, begun anew."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from poller import evidence
from poller.fleet.parcel import Order, ParcelError, Post
from poller.model import Before, Config, Host

_log = logging.getLogger(__name__)
# Seconds after which a worker's death is no longer held against the next one; and of the longest wait for that.
_GOOD: Final = 60.0
_LONGEST: Final = 60.0
# Seconds without a sign of life after which a worker counts as hung.
_SILENT: Final = 60.0


class Shard:
    """`hosts` by name are its share. Belongs to one thread."""

    def __init__(self, config: Config, processes: int) -> None:
        self._config = _lean(config, processes)
        self._process: subprocess.Popen[bytes] | None = None
        self._post: Post | None = None
        self._watched: frozenset[str] | None = None
        self._began = 0.0
        self._heard = self._looked = 0.0
        self._deaths = 0
        self.begin_at = 0.0
        self.hosts: dict[str, Host] = {}

    @property
    def post(self) -> Post | None:
        """None while there is no worker."""
        return self._post

    @property
    def number(self) -> int:
        """Of the process; 0 without one."""
        return self._process.pid if self._process else 0

    def begin(self, befores: Mapping[str, Before]) -> None:
        """OSError when no process can be started."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "poller.fleet.worker", str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    cwd="/",  # nothing that lies about where the daemon was started is taken for a module
                    env=os.environ | {"PYTHONPATH": _path()},
                    start_new_session=True,  # Ctrl-C at the terminal is the master's affair
                )
            except BaseException:
                ours.close()
                raise
        self._post = Post(ours)
        self._began = self._heard = self._looked = time.monotonic()
        level = logging.getLogger("poller").getEffectiveLevel()
        self._put("start", self._config, tuple(self.hosts.values()), self._lean(befores), level)
        if self._watched is not None:
            self._put("watch", self._watched)

    def change(self, hosts: Iterable[Host], befores: Mapping[str, Before]) -> None:
        self.hosts = {host.name: host for host in hosts}
        self._put("change", tuple(self.hosts.values()), self._lean(befores))

    def know(self, befores: Mapping[str, Before]) -> None:
        self._put("know", self._lean(befores))

    def poll_now(self, hosts: Collection[str], *, at_any_rate: bool) -> None:
        self._put("poll_now", tuple(hosts), at_any_rate=at_any_rate)

    def watch(self, hosts: Collection[str]) -> None:
        self._watched = frozenset(hosts)
        self._put("watch", self._watched)

    def stop(self, seconds: float) -> None:
        self._put("stop", seconds)

    def _put(self, name: str, *values: Any, **words: Any) -> None:
        if self._post is None:
            return  # the next one is told all that counts when it begins
        try:
            self._post.put(Order(name, values, words))
        except ParcelError:
            self.kill()

    def _lean(self, befores: Mapping[str, Before]) -> dict[str, Before]:
        """Without the rows of the last reading, where only rules that want evidence would look at them."""
        return {
            name: before if name in self.hosts and evidence.rules(self.hosts[name]) else _without_rows(before)
            for name, before in befores.items()
        }

    def receive(self) -> Iterator[Any]:
        """What its worker tells. EOFError when that is gone."""
        assert self._post is not None  # noqa: S101 - who waits for it has looked
        self._heard = time.monotonic()
        try:
            yield from self._post.receive()
        except ParcelError as error:
            self.kill()
            raise EOFError from error

    def hangs(self) -> bool:
        """Whether its worker gives no sign of life for too long. To be asked at least every few seconds.

        After nobody asked for half of that time, we stood still ourselves, and it perhaps with us (`systemctl freeze`):
        its silence counts from now.
        """
        now, looked = time.monotonic(), self._looked
        self._looked = now
        if now - looked > _SILENT / 2:
            self._heard = now
        return self._post is not None and now - self._heard > _SILENT

    def kill(self) -> None:
        """The end of its socket tells that it is gone."""
        if self._process is not None:
            self._process.kill()

    def bury(self) -> str:
        """After its end: nothing is left of it. How it ended, in words; when the next one may begin is `begin_at`."""
        now = time.monotonic()
        self._deaths = 1 if now - self._began > _GOOD else self._deaths + 1
        self.begin_at = now + (0.0 if self._deaths == 1 else min(_LONGEST, 2.0 ** (self._deaths - 2)))
        return _ended(self._close())

    def put_off(self) -> None:
        """No process could be started: later."""
        self._deaths += 1
        self.begin_at = time.monotonic() + min(_LONGEST, 2.0 ** min(self._deaths, 10))

    def end(self) -> None:
        """At once, and for good."""
        self.kill()
        self._close()

    def _close(self) -> int:
        process, self._process = self._process, None
        if self._post is not None:
            self._post.close()
            self._post = None
        if process is None:
            return 0
        try:
            return process.wait(1.0)  # it has closed its end, so it is at its own
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def _lean(config: Config, processes: int) -> Config:
    """What a worker needs of it: where the journal is, and its share of what may go on at once."""
    at_once = -(-config.at_once // processes)
    return Config(path=config.path, journal=config.journal, at_once=at_once, processes=processes)


def _without_rows(before: Before) -> Before:
    reading = before.reading
    return before if reading is None else replace(before, reading=replace(reading, sections=()))


def _ended(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    with suppress(ValueError):
        return f"was killed by {signal.Signals(-status).name}"
    return f"was killed by signal {-status}"


def _path() -> str:
    """So that the worker imports what we did, wherever that is."""
    return os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path)
