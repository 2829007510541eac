"""Rounds of milliseconds: what comes from hosts is canned, and everything behind it is real.

Journal, intake, outbox, locks and channels are the poller's own. Each round is a forked process, which may be made to
die as by kill -9, at its n-th SQL statement (commits are statements), mail command, HTTP request or start of a command,
or by somebody else at any time. Its clock may show any instant.
"""

from __future__ import annotations

import functools
import importlib
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from uuid6 import uuid7

import poller.asking
from poller.app import Selection, run_round
from poller.clock import now_ms
from poller.model import Config, Contact, Host, MailServer, Poll, Threshold
from poller.probe.payload import build
from poller.schedule import Stop
from poller.store import Journal
from poller.store.sql import statements
from tests.store import machines

DIED: Final = 9
# What tells people, as Python's audit hooks name it.
SENDING: Final = ("smtplib.send", "http.client.send", "subprocess.Popen")
OPS: Final = Contact("ops", "ops@example.org")
MEMORY: Final = Threshold("memory.percent", above=50.0, clear=40.0, notify=("ops",))


def configuration(
    folder: Path,
    port: int,
    names: Sequence[str],
    *,
    limits: Sequence[Threshold] = (MEMORY,),
    contacts: Sequence[Contact] = (OPS,),
    timeout: float = 15.0,
) -> Config:
    """Hosts with these limits; mail goes to `port`."""
    folder.mkdir(parents=True, exist_ok=True)
    return Config(
        path=folder / "config.xml",
        journal=folder / "poller.db",
        hosts=tuple(Host(name, "192.0.2.1", thresholds=tuple(limits)) for name in names),
        mail=MailServer("127.0.0.1", port, "poller@example.org", security="none", timeout=timeout),
        contacts=tuple(contacts),
    )


def answering(used: float, seconds: float = 0.0) -> Callable[..., Poll]:
    """Stands for `poll`: a report of a machine with that share of its memory in use, after at most so many seconds."""

    def poll(host: Host, *ignored: Any) -> Poll:
        found = machines.with_memory_in_use(machines.poll(host.name), used)
        if seconds:
            time.sleep(random.uniform(0, seconds))
        return replace(found, id=str(uuid7()), at_ms=now_ms())

    return poll


@functools.cache
def warm() -> None:
    """Loads once what every forked round would load again."""
    importlib.import_module("poller.config")
    importlib.import_module("poller.notify.smtp")
    for name in ("interruptible", "channels", "webhook", "program"):
        importlib.import_module(f"poller.notify.{name}")
    importlib.import_module("requests")
    build()
    statements()
    Journal.open(Path(":memory:"), now_ms=now_ms()).close()


def started(
    config: Config, used: float, *, last: int = 0, seconds: float = 0.0, told: int = -1, at_ms: int | None = None
) -> int:
    """Forks a round that dies at step `last`; writes all its steps to `told`, one byte each: does it tell people?

    `at_ms` is what its clock shows when it begins.
    """
    warm()
    child = os.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            if at_ms is not None:
                _set_clock(at_ms)
            _live(config, answering(used, seconds), last, told)
        finally:
            os._exit(1)
    return child


def ended(child: int) -> int:
    """Its exit status, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def a_round(config: Config, used: float, last: int = 0, *, at_ms: int | None = None) -> list[bool]:
    """A round to its end, or to step `last`. Its steps."""
    read, write = os.pipe()
    child = started(config, used, last=last, told=write, at_ms=at_ms)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        steps = [bool(byte) for byte in pipe.read()]
    status = ended(child)
    assert status == (DIED if last else 0), f"the round ended with {status}"
    return steps


def _set_clock(at_ms: int) -> None:
    """For this process, which is a round of its own."""
    true = time.time_ns
    ahead = at_ms * 1_000_000 - true()
    time.time_ns = lambda: true() + ahead


def _live(config: Config, poll: Callable[..., Poll], last: int, told: int) -> None:
    steps = bytearray()

    def step(telling: bool) -> None:
        steps.append(telling)
        if len(steps) == last:
            os._exit(DIED)

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = original(*arguments, **options)
        connection.execute("PRAGMA synchronous = OFF")  # what a killed process wrote is with the kernel
        connection.set_trace_callback(lambda statement: step(False))
        return connection

    original = sqlite3.connect
    sqlite3.connect = connect  # type: ignore[assignment]
    sys.addaudithook(lambda event, ignored: step(True) if event in SENDING else None)
    vars(poller.asking)["poll"] = poll
    run_round(config, Selection(), stop=Stop())
    if told >= 0:
        os.write(told, steps)
    os._exit(0)
