"""D5-D7: many processes on one journal, a disk that is full, readers that do not let go."""

from __future__ import annotations

import ast
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from faults.archived import ALARM, CALM, mailed
from faults.database import hosts
from faults.experiment import Experiment
from faults.lab import MIB, Lab
from faults.near import local, near
from faults.site import LabSite
from tests.end_to_end.disk import SmallDisk, small_disk
from tests.store.contention import contend

# What goes on at once: rounds of cron, one-shots, and commands that read and write. There is no daemon to run beside.
COMMANDS: Final = (
    ("run", "-q"), ("run", "-q"), ("run", "-q", "--host", "h0"), ("db", "ship"), ("db", "prune"), ("status",),
)  # fmt: skip
# Done, or told that another round is at work.
EXPECTED: Final = {0, 75}
# Two polls of one host that were under way at the same moment.
OVERLAPS: Final = """
SELECT count(*) FROM poll a JOIN poll b ON a.host_id = b.host_id AND a.id < b.id
 WHERE a.outcome <> 'skipped' AND b.outcome <> 'skipped'
   AND a.at_ms < b.at_ms + b.seconds * 1000 AND b.at_ms < a.at_ms + a.seconds * 1000
"""


def many_processes(lab: Lab) -> str:
    """D5: each command again and again, all at the same time, with an archive in a second file."""
    site = near(lab, hosts(3), more='<archive url="sqlite:archive.db"/>')
    site.round()
    until = time.monotonic() + lab.size(short=4.0, full=60.0)
    codes: list[Counter[int]] = [Counter() for _ in COMMANDS]

    def again(number: int) -> None:
        while time.monotonic() < until:
            codes[number][_said(site, COMMANDS[number])] += 1

    threads = [threading.Thread(target=again, args=(number,)) for number in range(len(COMMANDS))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = sum(codes, Counter[int]())
    assert set(total) <= EXPECTED, f"exit statuses: {dict(total)}: {_complaints(site)}"
    assert not [text for text in site.said if "locked" in text], "a lock of the database is shown"
    assert site.rows(OVERLAPS) == [(0,)], "two polls of one host at once"
    site.poller("db", "ship")
    ((polls,),) = site.rows("SELECT count(*) FROM poll")
    with closing(sqlite3.connect(site.folder / "archive.db")) as archive:
        assert archive.execute("SELECT count(*), count(DISTINCT id) FROM poll").fetchall() == [(polls, polls)]
    return (
        f"{len(COMMANDS)} kinds at once, {total.total()} processes: {polls} polls once here and in the archive, "
        f"{total[75]} told that another is at work, 0 locked, 0 overlaps"
    )


def _said(site: LabSite, words: tuple[str, ...]) -> int:
    run = subprocess.run(
        site.command(*words), cwd=site.folder, env=site.environment(), stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    site.said += [run.stdout, run.stderr]
    return run.returncode


def _complaints(site: LabSite) -> set[str]:
    return {line for text in site.said for line in text.splitlines() if line.startswith("poller: ")}


def full_disk(lab: Lab) -> str:
    """D6: the disk of the journal, the disk of the archive, and the disk of what is printed."""
    archive = _archive_full(lab)
    return f"{_journal_full(lab)}; {archive}"


def _rows(disk: SmallDisk, path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Asks a database on the disk from inside: SQLite finds the real path of what it opens, and here is none."""
    ask = f"import sqlite3; print(sqlite3.connect({str(path)!r}).execute({sql!r}).fetchall())"
    run = subprocess.run([*disk.enter, sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-300:]
    found: list[tuple[Any, ...]] = ast.literal_eval(run.stdout)
    return found


def _journal_full(lab: Lab) -> str:
    """24 MiB, so that there is a reserve: polls without samples, alerts and mails come from that."""
    disk = lab.enter(small_disk(lab.tmp / "journal", 24 * MIB))
    site = near(lab, local("me", more='thresholds="up" notify="ops"'), inbox=lab.mail(), more=CALM)
    assert site.inbox
    # Rounds on a full disk leave samples out, which V2 forbids and which is on record; the rest is checked below.
    lab.sites.remove(site)
    site.prefix = tuple(disk.enter)
    site.config.write_text(site.config.read_text().replace("poller.db", str(disk.folder / "poller.db")))
    journal = disk.folder / "poller.db"
    site.poller("run", "-q")
    disk.fill()
    site.config.write_text(site.config.read_text().replace(CALM, ALARM))
    rounds = lab.size(short=2, full=20)
    codes = Counter(_said(site, ("run", "-q")) for _ in range(rounds))
    assert set(codes) <= {0, 74}, f"exit statuses: {dict(codes)}"
    assert mailed(site.inbox, "me: uptime.seconds") == 1, "the alert is not told, or not once"
    ((kept,),) = _rows(disk, journal, "SELECT count(*) FROM poll")
    disk.clear()
    recovered = _recovered(site, disk, journal)
    assert _rows(disk, journal, "PRAGMA integrity_check") == [("ok",)]
    printed = _nowhere_to_print(site, disk, journal)
    return (
        f"journal: {kept} of {rounds + 1} polls kept in {rounds} rounds on a full disk, exit {sorted(codes)}, "
        f"1 mail, whole again in {recovered} round(s), integrity ok; {printed}"
    )


def _recovered(site: LabSite, disk: SmallDisk, journal: Path) -> int:
    """Rounds until a poll is stored with its samples."""
    sql = "SELECT count(*) FROM system_sample"
    ((before,),) = _rows(disk, journal, sql)
    for number in (1, 2):
        code = _said(site, ("run", "-q"))
        if code == 0 and _rows(disk, journal, sql)[0][0] > before:
            return number
    raise AssertionError(f"two rounds after there is room again: exit {code}, {site.said[-1]}")


def _nowhere_to_print(site: LabSite, disk: SmallDisk, journal: Path) -> str:
    """A log on a full disk: what cannot be written down is lost, the round is not."""
    ((before,),) = _rows(disk, journal, "SELECT count(*) FROM poll")
    with Path("/dev/full").open("wb") as full:
        run = subprocess.run(
            site.command("-v", "run"), cwd=site.folder, env=site.environment(), stdin=subprocess.DEVNULL, stdout=full,
            stderr=full, timeout=60, check=False,
        )  # fmt: skip
    assert _rows(disk, journal, "SELECT count(*) FROM poll") == [(before + 1,)], "no poll without a log"
    return f"log: its disk full, the poll is stored (exit {run.returncode})"


def _archive_full(lab: Lab) -> str:
    disk = lab.enter(small_disk(lab.tmp / "archive", 4 * MIB))
    path = disk.folder / "archive.db"
    site = near(lab, hosts(2, 'notify="ops"'), inbox=lab.mail(), more=f'<archive url="sqlite:{path}"/>')
    assert site.inbox
    site.prefix = tuple(disk.enter)
    site.round()
    disk.fill()
    rounds = lab.size(short=3, full=20)
    # Free pages inside the file and what is left of its log take some polls more.
    for _ in range(rounds):
        site.round()
    waiting = _waiting(site)
    assert waiting > 0, "the archive takes polls on a full disk"
    assert mailed(site.inbox, "OPENED [MEDIUM] poller: poller.archive_away_seconds") <= 1
    disk.clear()
    drained = 1
    site.round()
    while _waiting(site):
        drained += 1
        site.round()
        assert drained <= 2, f"{_waiting(site)} polls still wait after two rounds"
    assert _rows(disk, path, "PRAGMA integrity_check") == [("ok",)]
    (counts,) = _rows(disk, path, "SELECT count(*), count(DISTINCT id) FROM poll")
    assert counts == site.rows("SELECT count(*), count(DISTINCT id) FROM poll")[0], f"{counts} polls in the archive"
    return (
        f"archive: {waiting} polls waited, exit 0, {counts[0]} of {counts[0]} there in {drained} round(s), integrity ok"
    )


def _waiting(site: LabSite) -> int:
    return int(site.rows("SELECT count(*) FROM outgoing WHERE kind = 'poll'")[0][0])


def readers(lab: Lab) -> str:
    """D7. While a cursor lingers SQLite keeps all that is written in the log: 50 hosts for ten minutes are tried."""
    many = contend(lab.tmp / "looks" / "poller.db", transactions=lab.size(short=300, full=10_000), reader="looks")
    held = contend(
        lab.tmp / "lingers" / "poller.db", transactions=lab.size(short=5, full=10), batch=50, reader="lingers"
    )
    for seen, what in ((many, "with a reader that looks"), (held, "with a cursor that lingers")):
        assert seen.failed == 0, f"{seen.failed} of 5 writers were refused {what}"
        assert seen.log_bytes < 64 * MIB, f"the log took {seen.log_bytes / MIB:.0f} MiB {what}"
    return (
        f"5 writers, {many.polls} transactions: 0 refused, log <= {many.log_bytes / MIB:.1f} MiB; with a cursor that "
        f"lingers over {held.polls} polls: 0 refused, log <= {held.log_bytes / MIB:.1f} MiB"
    )


EXPERIMENTS: Final = (
    Experiment(
        "D5", "rounds, one-shots and commands on one journal at once",
        "one poll of a host at a time; nobody is told of a locked database", many_processes,
    ),
    Experiment(
        "D6", "the disk of the journal, of the archive, of what is printed is full",
        "no crash; alerts go on; whole again within two rounds; integrity_check says ok", full_disk,
    ),
    Experiment(
        "D7", "five writing processes, and readers that look or linger",
        "nobody is refused, and the log stays below 64 MB", readers,
    ),
)  # fmt: skip
