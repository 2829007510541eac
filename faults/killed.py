"""K1, K2, K3, K5, K6: the poller killed at any moment, told to end twice, kept busy for long, started twice."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from faults import canned
from faults.deliveries import deliveries
from faults.experiment import Experiment
from faults.journals import ask
from faults.lab import Lab
from faults.near import local, near
from faults.signals import signalled
from faults.site import Inbox
from faults.soak import soaked
from poller.clock import now_ms
from poller.model import Config
from tests.notify.servers import text_of
from tests.store import machines

CHANCE: Final = random.Random(11)
# A limit that every machine is over, so that each has an alert which must be told once.
UP: Final = '<thresholds name="up"><threshold metric="uptime.seconds" above="0"/></thresholds>'
WATCHED: Final = 'thresholds="up" notify="ops"'
DOUBLED: Final = "SELECT host_id, round_id FROM poll GROUP BY host_id, round_id HAVING count(*) > 1"
EPISODES: Final = "SELECT host_id, metric, labels FROM alert GROUP BY host_id, metric, labels HAVING count(*) > 1"


class Toll:
    """What kill after kill did: polls that were seen stored and are gone, polls stored twice, waits after restarts."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self.seen: set[str] = set()
        self.first: list[float] = []

    def look(self) -> None:
        self.seen |= {row[0] for row in ask(self.journal, "SELECT id FROM poll")}

    def restarted(self, started_ms: int) -> None:
        """How long it took from the start of the process until its first poll was finished."""
        sql = f"SELECT min(at_ms + 1000 * seconds) FROM poll WHERE at_ms >= {started_ms}"
        for (first_ms,) in ask(self.journal, sql):
            if first_ms is not None:
                self.first.append((first_ms - started_ms) / 1000)

    def figure(self, kills: int) -> str:
        """AssertionError when anything is lost, doubled or half."""
        kept = {row[0] for row in ask(self.journal, "SELECT id FROM poll")}
        lost, doubled = len(self.seen - kept), len(ask(self.journal, DOUBLED))
        assert ask(self.journal, "PRAGMA integrity_check") == [("ok",)]
        assert lost == 0 and doubled == 0, f"{lost} lost, {doubled} doubled of {len(self.seen)}"
        assert ask(self.journal, EPISODES) == [], "one alert was opened twice"
        assert self.first and max(self.first) < 10, f"first poll {max(self.first, default=99):.1f} s after a restart"
        return (
            f"{kills} kills: 0 lost, 0 doubled of {len(kept)} polls; "
            f"first poll <= {max(self.first):.2f} s after a restart"
        )


def at_random(lab: Lab) -> str:
    """K1. The short form kills forked rounds with canned reports, the full one the real command."""
    return forked_kills(lab, 8) if lab.short else real_kills(lab, 100)


def forked_kills(lab: Lab, kills: int) -> str:
    inbox = lab.mail()
    config = canned.configuration(lab.folder("forked"), inbox.port, [f"h{number}" for number in range(20)])
    toll = Toll(config.journal)
    begun = time.monotonic()
    assert canned.ended(canned.started(config, 10.0, seconds=0.1)) == 0
    whole = time.monotonic() - begun
    for _ in range(kills):
        started_ms = now_ms()
        child = canned.started(config, 90.0, seconds=0.1)
        time.sleep(CHANCE.uniform(0.4, 1.0) * whole)
        toll.look()
        os.kill(child, signal.SIGKILL)
        assert canned.ended(child) in (-signal.SIGKILL, 0)
        toll.restarted(started_ms)
    started_ms = now_ms()
    canned.a_round(config, 90.0)
    toll.restarted(started_ms)
    told(config.journal, inbox, 20)
    return toll.figure(kills)


def real_kills(lab: Lab, kills: int) -> str:
    """20 hosts, some over SSH; the kill falls anywhere from the start of the interpreter to the last mail."""
    inbox = lab.mail()
    names = [f"h{number}" for number in range(20)]
    over_ssh = "".join(f'<host name="{name}" address="127.0.0.1" {WATCHED}/>' for name in names[:5])
    site = lab.site(over_ssh + local(*names[5:], more=WATCHED), inbox=inbox, more=UP)
    begun = time.monotonic()
    site.round()
    whole = time.monotonic() - begun
    toll = Toll(site.journal)
    for _ in range(kills):
        started_ms = now_ms()
        with site.running("run", "-q") as run:
            time.sleep(CHANCE.uniform(0.05, whole))
            toll.look()
            run.kill()
            run.wait(10)
        toll.restarted(started_ms)
    started_ms = now_ms()
    assert site.round()[""]["outcomes"]["ok"] == 20
    toll.restarted(started_ms)
    told(site.journal, inbox, 20)
    return f"{toll.figure(kills)} (rounds of {whole:.1f} s)"


def told(journal: Path, inbox: Inbox, alerts: int) -> None:
    """V6: each alert has its one notice, delivered, and in a mail that names it."""
    assert ask(journal, "SELECT state, count(*) FROM notification GROUP BY state") == [("delivered", alerts)]
    mailed = {one for mail in inbox.mail.messages for one in mail["Poller-Notifications"].split()}
    due = {row[0] for row in ask(journal, "SELECT id FROM notification")}
    assert due <= mailed, f"{len(due - mailed)} notifications are marked as delivered and in no mail"


def sweep(lab: Lab) -> str:
    """K2: a round that opens alerts, and one that ends them, killed at each step in turn."""
    inbox = lab.mail()
    names = ("web1", "web2")
    swept, again = 0, 0
    for used in (90.0, 10.0):
        before = canned.configuration(lab.folder(f"before{used}"), inbox.port, names)
        target = canned.configuration(lab.folder(f"now{used}"), inbox.port, names)
        if used < 50:  # what is told then is the end of what was told before
            canned.a_round(before, 90.0)
        for number in _steps(lab, before, target, used):
            _begin_anew(before, target)
            inbox.mail.messages.clear()
            canned.a_round(target, used, number)
            canned.a_round(target, used)
            _check(target, names, rounds=2 if used > 50 else 3, open_alerts=2 if used > 50 else 0)
            again += _mailed_once(inbox, names, number)
            swept += 1
    assert again, "killed between the server's yes and the mark, a mail must come again"
    real = "" if lab.short else f"; {_real_sweep(lab)} of the real command"
    return f"killed at {swept} steps{real}: 0 lost, 0 doubled, 0 half; {again} mails twice, each with one id"


def _begin_anew(before: Config, target: Config) -> None:
    shutil.rmtree(target.journal.parent, ignore_errors=True)
    shutil.copytree(before.journal.parent, target.journal.parent)


def _steps(lab: Lab, before: Config, target: Config, used: float) -> list[int]:
    """Every step of the round; in the short form some of them, and those around the mail."""
    _begin_anew(before, target)
    steps = canned.a_round(target, used)
    assert len(steps) > 60
    first = steps.index(True) + 1
    around = range(first - 1, first + steps.count(True) + lab.size(short=2, full=5))
    return sorted({*range(1, len(steps), lab.size(short=90, full=1)), *around})


def _check(config: Config, names: Sequence[str], *, rounds: int, open_alerts: int) -> None:
    def one(sql: str) -> Any:
        return ask(config.journal, sql)[0][0]

    assert one("PRAGMA integrity_check") == "ok" and ask(config.journal, "PRAGMA foreign_key_check") == []
    polls = one("SELECT count(*) FROM poll")
    assert one("SELECT count(*) FROM system_sample") == polls
    assert one("SELECT count(*) FROM filesystem_sample") == polls * len(machines.MOUNTS)
    assert (rounds - 1) * len(names) <= polls <= rounds * len(names)
    assert one("SELECT count(*) FROM alert WHERE closed_ms IS NULL") == open_alerts
    assert one("SELECT count(*) FROM alert") == len(names), "one episode each"
    assert one("SELECT count(*) FROM notification WHERE state <> 'delivered'") == 0


def _mailed_once(inbox: Inbox, names: Sequence[str], number: int) -> int:
    """How often a mail came again. AssertionError when it is lost or has another id."""
    messages = inbox.mail.messages
    assert messages, f"killed at step {number}: the mail is lost"
    assert len({message["Message-ID"] for message in messages}) == 1, "what is told twice must have the same id"
    assert all(name in text_of(messages[0]) for name in names)
    return len(messages) - 1


def _real_sweep(lab: Lab) -> str:
    """Every sixth step of `poller run` as users run it."""
    inbox = lab.mail()
    site = near(lab, local("web1", more=WATCHED), inbox=inbox, more=UP)

    def die_at(number: int) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "tests.end_to_end.die_at", str(number), "--config", str(site.config), "run"]
        return subprocess.run(
            words, cwd=site.folder, env=site.environment(), capture_output=True, text=True, timeout=60, check=False
        )

    total = int(die_at(0).stderr.rpartition("reached ")[2])
    numbers = range(1, total, 6)
    for number in numbers:
        for path in site.folder.glob("poller.db*"):
            path.unlink()
        inbox.mail.messages.clear()
        assert die_at(number).returncode == canned.DIED
        site.poller("run", "-q")
        assert site.rows("SELECT count(*) FROM alert WHERE closed_ms IS NULL") == [(1,)]
        _mailed_once(inbox, ("web1",), number)
    return f"{len(numbers)} of {total}"


def started_twice(lab: Lab) -> str:
    """K6."""
    inbox = lab.mail()
    names = [f"h{number}" for number in range(lab.size(short=3, full=20))]
    site = near(lab, local(*names, more=WATCHED), inbox=inbox, more=UP)
    busy, pairs = 0, lab.size(short=2, full=20)
    for _ in range(pairs):
        with site.running("run", "-q") as first, site.running("run", "-q") as second:
            codes = sorted((first.wait(60), second.wait(60)))
        assert codes in ([0, 75], [0, 0]), codes
        busy += codes[1] == 75
    with site.running("run", "-q") as whole, site.running("run", "-q", "--host", names[0]) as single:
        assert (whole.wait(60), single.wait(60)) == (0, 0)
    assert ask(site.journal, DOUBLED) == [] and ask(site.journal, EPISODES) == []
    told(site.journal, inbox, len(names))
    ids = [mail["Message-ID"] for mail in inbox.mail.messages]
    assert len(ids) == len(set(ids)), "a mail came twice though nobody was killed"
    polls = ask(site.journal, "SELECT count(*) FROM poll")[0][0]
    return f"{pairs} pairs, {busy} times the second was told that it is busy; {polls} polls, 0 doubled, 0 alerts twice"


EXPERIMENTS: Final = (
    Experiment("K1", "kill -9 at random times of rounds of 20 hosts", "nothing lost, doubled or held up", at_random),
    Experiment("K2", "death at the n-th statement, commit or mail command", "nothing lost, doubled or half", sweep),
    Experiment("K2-delivery", "death at the n-th step where people are told, reminded, or not told for now",
               "everybody hears what they would have heard; what comes twice has one id", deliveries),
    Experiment("K3", "a signal twice while 50 hosts hang", "an end within seconds, and the journal closed", signalled),
    Experiment("K5", "round after round, every fifth host failing", "memory, threads, descriptors stay", soaked),
    Experiment("K6", "two pollers on one config.xml", "one waits or both share; no alert twice", started_twice),
)  # fmt: skip
