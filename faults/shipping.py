"""D9, D2-bound, K2-shipping: what goes to the archive is killed, deadlocked, made to wait, or has to be given up.

Killed is the real command, `poller db ship`: by SIGKILL between a statement of the archive and its answer, and by its
own hand at the n-th statement of the journal (tests/end_to_end/die_at.py).
"""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Final

from uuid6 import uuid7

from faults.archived import Archived, archived, mailed, statement
from faults.canned import DIED
from faults.database import hosts
from faults.experiment import Experiment
from faults.lab import MIB, Lab
from poller.clock import now_ms
from poller.metrics import SAMPLE_TABLES
from poller.store import Journal
from poller.store.mysql import connect
from tests.store import machines

BOUND: Final = 16 * MIB  # the least that config.xml takes


def store(made: Archived, count: int) -> None:
    """Polls of machines that are not there, each newer than those before, as rounds would have left them."""
    newest = made.site.rows("SELECT max(at_ms) FROM poll JOIN host ON host.id = host_id WHERE name LIKE 'm%'")
    begin = max(newest[0][0] or 0, now_ms() - 60_000) + 10
    with Journal.open(made.site.journal, now_ms=now_ms(), archived=True) as journal:
        for start in range(0, count, 50):
            with journal.transaction() as work:
                for number in range(start, min(start + 50, count)):
                    found = machines.poll(f"m{number % 2}")
                    found = replace(found, id=str(uuid7()), at_ms=begin + 10 * number)
                    work.store_poll(found, machines.values(1))


def _many(made: Archived, least: int) -> int:
    """At least so many polls, made by repeating what is stored, each time as long ago again. How many were added."""
    store(made, 40)
    with closing(sqlite3.connect(made.site.journal, isolation_level=None)) as journal:
        ((before, oldest),) = journal.execute("SELECT count(*), min(at_ms) FROM poll").fetchall()
        count, span = before, now_ms() - oldest + 1000
        journal.execute("BEGIN")
        while count < before + least:
            for table in ("poll", *SAMPLE_TABLES):
                names = [row[1] for row in journal.execute(f"PRAGMA table_info({table})")]
                earlier = {"id": "lower(hex(randomblob(16)))", "at_ms": f"at_ms - {span}"}
                cells = ", ".join(earlier.get(name, name) for name in names)
                journal.execute(f"INSERT OR IGNORE INTO {table} SELECT {cells} FROM {table}")
            count, span = journal.execute("SELECT count(*) FROM poll").fetchone()[0], 2 * span
        journal.execute("COMMIT")
    return int(count - before) + 40


def killed(lab: Lab) -> str:
    """K2-shipping."""
    made = archived(lab, hosts(1))
    made.round()
    store(made, 4)
    before = made.way.pieces
    made.site.poller("db", "ship")
    pieces = made.way.pieces - before
    chosen = lab.size(short=range(6, pieces, pieces // 4), full=range(1, pieces + 1))
    cut = sum(_killed_outside(made, number) for number in chosen)
    total = _die_at(made, 0)
    own = lab.size(short=range(3, total, total // 3), full=range(1, total, 4))
    for number in own:
        store(made, 4)
        _die_at(made, number)
        _whole(made)
    polls = made.arrived()
    assert cut > len(chosen) / 2, f"only {cut} of {len(chosen)} were killed in time"
    return (
        f"SIGKILL at {cut} of {pieces} messages to MariaDB, death at {len(own)} of {total} statements of the journal: "
        f"0 lost, 0 doubled of {polls}"
    )


def _killed_outside(made: Archived, number: int) -> bool:
    """`db ship`, killed when its n-th message has come and before the answer. False when it was too late."""
    store(made, 4)
    caught = threading.Event()

    def catch() -> None:
        if number % 2:  # the message does not arrive; else it is carried out, and nobody may hear of it
            made.way.drop()
        caught.set()

    made.way.at(number, catch)
    with made.site.running("db", "ship") as run:
        until = time.monotonic() + 30
        while not caught.wait(0.002) and run.poll() is None:
            assert time.monotonic() < until, "it does not come so far"
        run.kill()
        code = run.wait(10)
    made.way.restore()
    _whole(made)
    return code == -signal.SIGKILL


def _die_at(made: Archived, number: int) -> int:
    """How many statements of the journal it takes; with `number` it dies there."""
    words = [sys.executable, "-m", "tests.end_to_end.die_at", str(number), "--config", str(made.site.config)]
    run = subprocess.run(
        [*words, "db", "ship"], cwd=made.site.folder, env=made.site.environment(), capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == (DIED if number else 0), f"exit {run.returncode}: {run.stderr}"
    return int(run.stderr.rpartition("reached ")[2]) if number == 0 else number


def _whole(made: Archived) -> None:
    """After a death: nothing half or twice there. Then what is missing is sent."""
    ((polls, different, samples, cores),) = made.ask(
        "SELECT COUNT(*), COUNT(DISTINCT id), (SELECT COUNT(*) FROM system_sample), (SELECT COUNT(*) FROM core_samples"
        " WHERE host LIKE 'm%') FROM poll"
    )
    ((machine_polls,),) = made.ask("SELECT COUNT(*) FROM polls WHERE host LIKE 'm%'")
    assert polls == different == samples, f"V1, V2: {polls} polls, {different} different, {samples} with samples"
    assert cores == machine_polls * len(machines.CORES), "V2: a poll without all its samples"
    made.site.poller("db", "ship")
    ((there,),), ((here,),) = made.ask("SELECT COUNT(*) FROM poll"), made.site.rows("SELECT count(*) FROM poll")
    assert there == here, f"V1: {there} polls in the archive, {here} in the journal"


def contended(lab: Lab) -> str:
    """D9."""
    made = archived(lab, hosts(1))
    made.round()
    store(made, 4)
    made.drained(1)
    repeats, longest = lab.size(short=1, full=10), 0.0
    for _ in range(repeats):
        longest = max(longest, _made_to_wait(made))
        _deadlocked(made)
    polls = made.arrived()
    return (
        f"{repeats} x 1205 (rows locked {longest:.1f} s, a statement waits 1 s) and {repeats} x 1213 with the poller "
        f"as victim: the same command sent all; {polls} of {polls} arrived"
    )


LOCK: Final = ("START TRANSACTION", "SELECT * FROM host_latest FOR UPDATE")
# More than the poller has to undo: the server ends whoever has done less.
WORK: Final = "INSERT INTO housekeeping SELECT CONCAT('busy', seq), 1 FROM seq_1_to_20000"


def _made_to_wait(made: Archived) -> float:
    """Another client keeps rows for longer than the poller lets the server wait, a third of timeout=. Seconds."""
    store(made, 4)
    before = _status(made, "Innodb_row_lock_waits")
    with ExitStack() as stack:
        with statement(made, *LOCK):
            run = stack.enter_context(made.site.running("db", "ship"))
            _until_it_waits(made)
            began = time.monotonic()
            while _status(made, "Innodb_row_lock_waits") < before + 3:  # the third wait follows two 1205
                assert time.monotonic() < began + 20 and run.poll() is None, "it does not try again"
                time.sleep(0.05)
            seconds = time.monotonic() - began
        assert run.wait(60) == 0, "it gave up"
    return seconds


def _deadlocked(made: Archived) -> None:
    """Each holds what the other wants next, and the server ends the poller's transaction."""
    store(made, 4)
    before = _status(made, "Innodb_deadlocks")
    with ExitStack() as stack:
        with connect(made.server.settings(database=made.database.name)) as other:
            for text in (*LOCK, WORK):
                other.query(text)
            run = stack.enter_context(made.site.running("db", "ship"))
            _until_it_waits(made)
            other.query("SELECT id FROM poll FOR UPDATE")  # StoreError when we are the one that is ended
            other.execute("ROLLBACK")
        assert run.wait(60) == 0, "it gave up"
    assert _status(made, "Innodb_deadlocks") == before + 1, "there was no deadlock"


def _status(made: Archived, name: str) -> int:
    return int(made.server.sql(f"SHOW GLOBAL STATUS LIKE '{name}'").split()[1])


def _until_it_waits(made: Archived) -> None:
    """(information_schema.innodb_lock_waits shows nothing new to who asks more than ten times a second.)"""
    until = time.monotonic() + 30
    while _status(made, "Innodb_row_lock_current_waits") == 0:
        assert time.monotonic() < until, "it does not wait for the rows that another client holds"
        time.sleep(0.02)


def bounded(lab: Lab) -> str:
    """D2-bound: more polls than the journal may hold while the archive is away."""
    inbox = lab.mail()
    made = archived(lab, hosts(1, 'notify="ops"'), inbox=inbox)
    # Samples that are given up break V2 in the journal, which is what is promised here; the rest is checked below.
    lab.sites.remove(made.site)
    made.configure(bound="16MiB")
    made.round()
    made.server.stop()
    count, waited = 10_000, 1
    for _ in range(lab.size(short=1, full=2)):
        waited += _many(made, count) + 1
        found = made.round()["archive"]
        assert found["away"] and found["dropped"] > 0, f"nothing was given up: {found}"
        _below_the_bound(made)
    assert made.site.rows("SELECT count(*) FROM poll") == [(waited,)], "polls were given up before samples"
    gaps = _gaps(made)
    alerts = mailed(inbox, "OPENED [HIGH] poller: poller.journal_percent")
    assert alerts == 1, f"{alerts} mails say that the journal is at its bound"
    made.server.start()
    drained = made.drained()
    assert made.ask("SELECT COUNT(*), COUNT(DISTINCT id) FROM poll") == [(waited + drained,) * 2], "V1 in the archive"
    assert made.ask("SELECT COUNT(*) FROM event WHERE kind = 'gap'") == [(gaps,)], "the gap is not in the archive"
    left = made.ask("SELECT COUNT(*) FROM system_sample")[0][0]
    return (
        f"{waited} polls in a journal of 16 MiB: <= {_used(made) / MIB:.1f} MiB, {waited - left + drained} oldest lost "
        f"their samples, {gaps} events of it, 1 alert; all {waited} polls arrived in {drained} round(s)"
    )


def _used(made: Archived) -> int:
    """Bytes of the journal that hold something."""
    ((pages, free, size),) = made.site.rows(
        "SELECT page_count, freelist_count, page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
    )
    return int((pages - free) * size)


def _below_the_bound(made: Archived) -> None:
    assert _used(made) <= BOUND, f"the journal holds {_used(made) / MIB:.1f} MiB"
    ((oldest, newest_without),) = made.site.rows(
        "SELECT (SELECT min(at_ms) FROM system_sample s JOIN host ON id = host_id WHERE name LIKE 'm%'), max(at_ms)"
        "  FROM poll WHERE NOT EXISTS"
        " (SELECT 1 FROM system_sample s WHERE s.host_id = poll.host_id AND s.at_ms = poll.at_ms)"
    )
    assert newest_without < oldest, "samples were not given up oldest first"


def _gaps(made: Archived) -> int:
    rows = made.site.rows("SELECT severity, details FROM event WHERE kind = 'gap'")
    assert rows and all(severity == "high" and "samples of " in text for severity, text in rows), rows
    return len(rows)


EXPERIMENTS: Final = (
    Experiment(
        "D2-bound", "the archive is away until the journal is at its bound",
        "the oldest samples go first; that is an event and an alert; all else arrives later", bounded,
    ),
    Experiment(
        "D9", "another client forces lock waits (1205) and deadlocks (1213) on rows that are sent",
        "the transaction is sent again as a whole, by the same command", contended,
    ),
    Experiment(
        "K2-shipping", "death between any two messages to the archive, at any statement of the journal",
        "no poll is lost, half or there twice", killed,
    ),
)  # fmt: skip
