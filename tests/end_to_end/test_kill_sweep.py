"""The kill sweep: a round dies at its n-th SQL statement or mail command; nothing is lost, doubled or half.

What comes from hosts is canned, so that a round takes milliseconds; journal, intake, outbox, locks, SMTP are the real
ones. Each round is a forked process that dies as by kill -9. (`test_kill` does the same to the real command, at times.)
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from uuid6 import uuid7

import poller.app
from poller.app import Selection, run_round
from poller.clock import now_ms
from poller.model import Config, Contact, Host, MailServer, Poll, Threshold
from poller.schedule import Stop
from tests.notify.servers import Mail, mail_server
from tests.store import machines

NAMES = ("web1", "web2")
DIED = 9


@pytest.fixture
def inbox() -> Iterator[tuple[Mail, int]]:
    mail = Mail()
    with mail_server(mail) as port:
        yield mail, port


def configuration(folder: Path, port: int) -> Config:
    limit = Threshold("memory.percent", above=50.0, clear=40.0, notify=("ops",))
    return Config(
        path=folder / "config.xml",
        journal=folder / "poller.db",
        hosts=tuple(Host(name, "192.0.2.1", thresholds=(limit,)) for name in NAMES),
        mail=MailServer("127.0.0.1", port, "poller@example.org", security="none"),
        contacts=(Contact("ops", "ops@example.org"),),
    )


def canned(used: float) -> Callable[..., Poll]:
    """Stands for `poll`: a report of a machine with that share of its memory in use."""

    def poll(host: Host, *ignored: Any) -> Poll:
        found = machines.with_memory_in_use(machines.poll(host.name), used)
        return replace(found, id=str(uuid7()), at_ms=now_ms())

    return poll


def round_in_a_child(config: Config, used: float, last: int = 0) -> list[bool]:
    """Runs a round in a forked process that dies at step `last`. All its steps, if it lived: is it a mail command?"""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _live(config, used, last, write)
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        steps = [bool(byte) for byte in pipe.read()]
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, DIED), status
    assert (status == DIED) == bool(last)
    return steps


def _live(config: Config, used: float, last: int, write: int) -> None:
    steps = bytearray()

    def step(mailing: bool) -> None:
        steps.append(mailing)
        if len(steps) == last:
            os._exit(DIED)

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = original(*arguments, **options)
        connection.execute("PRAGMA synchronous = OFF")  # what a killed process wrote is with the kernel
        connection.set_trace_callback(lambda statement: step(False))
        return connection

    original = sqlite3.connect
    sqlite3.connect = connect  # type: ignore[assignment]
    sys.addaudithook(lambda event, ignored: step(True) if event == "smtplib.send" else None)
    vars(poller.app)["poll"] = canned(used)
    run_round(config, Selection(), stop=Stop())
    os.write(write, steps)
    os._exit(0)


def check(config: Config, rounds: int, open_alerts: int) -> None:
    with closing(sqlite3.connect(config.journal)) as connection:

        def ask(sql: str) -> list[tuple[Any, ...]]:
            return connection.execute(sql).fetchall()

        assert ask("PRAGMA integrity_check") == [("ok",)]
        assert ask("PRAGMA foreign_key_check") == []
        ((polls,),) = ask("SELECT count(*) FROM poll")
        assert ask("SELECT count(*) FROM system_sample") == [(polls,)]
        assert ask("SELECT count(*) FROM filesystem_sample") == [(polls * len(machines.MOUNTS),)]
        assert (rounds - 1) * len(NAMES) <= polls <= rounds * len(NAMES)
        assert ask("SELECT count(*) FROM alert WHERE closed_ms IS NULL") == [(open_alerts,)]
        assert ask("SELECT count(*) FROM alert") == [(len(NAMES),)], "one episode each"
        assert ask("SELECT count(*) FROM notification WHERE state <> 'delivered'") == [(0,)]


@pytest.mark.parametrize(("used", "left"), [(90.0, len(NAMES)), (10.0, 0)])
def test_a_round_killed_at_any_step_loses_no_alert_and_no_mail(
    tmp_path: Path, inbox: tuple[Mail, int], used: float, left: int
) -> None:
    mail, port = inbox
    before, target = (configuration(tmp_path / name, port) for name in ("before", "now"))
    before.journal.parent.mkdir()
    if not left:  # what is told then is the end of what was told before
        round_in_a_child(before, 90.0)
        assert len(mail.messages) == 1
    steps = []
    for number in chosen(before, target, used):
        again(before, target)
        mail.messages.clear()
        round_in_a_child(target, used, number)
        round_in_a_child(target, used)
        check(target, 2 if left else 3, left)
        assert len({message["Message-ID"] for message in mail.messages}) == 1, "what is told twice has the same id"
        text = mail.messages[0].get_content()
        assert all(name in text for name in NAMES)
        steps.append(len(mail.messages))
    assert max(steps) == 2, "killed between the server's yes and the mark, the mail comes again"


def again(before: Config, target: Config) -> None:
    shutil.rmtree(target.journal.parent, ignore_errors=True)
    shutil.copytree(before.journal.parent, target.journal.parent)


def chosen(before: Config, target: Config, used: float) -> list[int]:
    """Which steps: a sample of them, and every one while the mail goes out. POLLER_SWEEP=1 takes all."""
    again(before, target)
    steps = round_in_a_child(target, used)
    assert len(steps) > 60
    first = steps.index(True) + 1
    every = 1 if os.environ.get("POLLER_SWEEP") else 12
    return sorted({*range(1, len(steps), every), *range(first - 2, first + steps.count(True) + 5)})
