"""D1-D4: the archive is down, silent, slow, locked, or hangs up; polls, alerts and mail go on, and nothing is lost.

The journal is the store that a round needs, and it is a file; "the database" that may be away is the archive. Rounds
follow one another without a pause, so an outage of ten minutes of cron is here as many rounds as would fit into it, or
a stated time. An archive in MariaDB is broken for real: not started, stopped, killed, its packets dropped or delayed.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from typing import Final

from faults.archived import ALARM, CALM, Archived, archived, mailed, statement, unprivileged
from faults.experiment import Experiment
from faults.lab import Lab
from faults.lateness import Lateness, lateness, undisturbed
from faults.near import local, near
from faults.site import LabSite

TOLD: Final = 'thresholds="up" notify="ops"'
AWAY: Final = "poller.archive_away_seconds"
GOOD: Final = {"ok", "partial"}


def hosts(count: int, more: str = "") -> str:
    return local(*(f"h{number}" for number in range(count)), more=more)


def told_once(site: LabSite, ended: bool) -> None:
    """One mail says that the archive is away, and one that it is back."""
    assert site.inbox
    for kind, wanted in (("OPENED", 1), ("CLOSED", int(ended))):
        found = mailed(site.inbox, f"{kind} [MEDIUM] poller: {AWAY}")
        assert found == wanted, f"{found} mails, not {wanted}, say {kind} of {AWAY}"


def down_at_start(lab: Lab) -> str:
    """D1: a server that is stopped before the first round; then an archive in a file that cannot be opened."""
    inbox = lab.mail()
    made = archived(lab, hosts(2, TOLD), inbox=inbox)
    made.configure(ALARM)
    made.server.stop()
    count = lab.size(short=2, full=30)
    found = made.rounds(count)
    waiting = 2 * count
    assert found[-1]["archive"]["waiting"] == made.waiting() == waiting, f"{made.waiting()} wait, not {waiting}"
    assert mailed(inbox, "OPENED [MEDIUM] h0: uptime.seconds") == 1, "the alert of a host is not mailed"
    told_once(made.site, ended=False)
    made.server.start()
    drained = made.drained()
    told_once(made.site, ended=True)
    polls = made.arrived()
    file = _unreadable_file(lab, lab.size(short=2, full=20))
    return (
        f"MariaDB down for {count} rounds, {waiting} polls waited: exit 0, 1 alert and 1 end mailed, drained in "
        f"{drained} round, {polls} of {polls} arrived; {file}"
    )


def _unreadable_file(lab: Lab, rounds: int) -> str:
    """The same with an SQLite file of mode 000 (for a process that modes hold up: root without that capability)."""
    site = near(lab, "", inbox=lab.mail())
    assert site.inbox
    site.prefix = unprivileged()
    site.write(hosts(2, TOLD), more=site.inbox.xml + '<archive url="sqlite:archive.db"/>' + ALARM)
    archive = site.folder / "archive.db"
    archive.touch()
    archive.chmod(0)
    for _ in range(rounds):
        assert site.round()["h0"]["outcome"] in GOOD
    told_once(site, ended=False)
    assert f"{2 * rounds} polls wait in the journal" in " ".join(site.poller("status").stdout.split())
    archive.chmod(0o600)
    site.round()
    told_once(site, ended=True)
    with closing(sqlite3.connect(archive)) as there:
        count = there.execute("SELECT count(DISTINCT id), count(*) FROM poll").fetchone()
    assert count == (2 * rounds + 2,) * 2, f"{count} polls in the file, not {2 * rounds + 2}"
    return f"a file of mode 000 for {rounds} rounds: {count[0]} of {count[0]}"


# How it is broken in the middle of a batch, and mended.
Breaking = tuple[Callable[[Archived], Callable[[], object]], Callable[[Archived], object]]
BREAKS: Final[dict[str, Breaking]] = {
    "SIGSTOP": (lambda made: made.server.pause, lambda made: made.server.resume()),
    "SIGKILL": (lambda made: made.server.kill, lambda made: made.server.start()),
    "packets dropped": (lambda made: made.way.drop, lambda made: made.way.restore()),
}
# Pieces that a client sends until it is in the middle of its first batch (a look at the schema comes before).
INTO_THE_BATCH: Final = 24


def down_in_the_middle(lab: Lab) -> str:
    """D2: three times the archive goes while a batch is being written, and comes back later."""
    inbox = lab.mail()
    made = archived(lab, hosts(2, TOLD), inbox=inbox, patience="2s")
    made.round()
    before = lateness(made.site)
    seconds, said = lab.size(short=0.0, full=60.0), []
    for number, (name, (broken, mended)) in enumerate(BREAKS.items()):
        made.way.at(INTO_THE_BATCH, broken(made))
        began = time.monotonic()
        first = made.round()
        assert not made.way.waiting and first["archive"]["away"], f"{name}: it was not broken in the batch: {first}"
        made.configure(ALARM if number % 2 == 0 else CALM)
        found = made.rounds(lab.size(short=1, full=10), seconds)
        away = time.monotonic() - began
        mended(made)
        waited, drained = found[-1]["archive"]["waiting"], made.drained()
        said.append(f"{name} {away:.0f} s, {waited} polls waited, drained in {drained}")
    for kind in ("OPENED", "CLOSED"):
        assert mailed(inbox, f"{kind} [MEDIUM] h1: uptime.seconds"), f"{kind} was not mailed while it was away"
    polls = made.arrived()
    late = undisturbed(lateness(made.site), before)
    return f"{'; '.join(said)} round(s); {polls} of {polls} arrived; {late}"


def slow(lab: Lab) -> str:
    """D3: each statement late, a table locked, a file locked; rounds begin when it is their time all the while."""
    made = archived(lab, hosts(3))
    made.round()
    calm = lateness(made.site)
    late, locked = lab.size(short=0.5, full=5.0), "LOCK TABLES poll WRITE"
    with ExitStack() as rounds:
        said = [f"+{late:g} s per statement: {_on_time(lab, made.site, calm, _delayed(made, late), rounds)}"]
    with ExitStack() as rounds:
        said.append(f"{locked}: {_on_time(lab, made.site, calm, statement(made, locked), rounds)}")
    drained = made.drained()
    polls = made.arrived()
    said.append(f"BEGIN EXCLUSIVE on a file: {_file_locked(lab, calm)}")
    return f"{'; '.join(said)}; drained in {drained} round(s), {polls} of {polls} arrived"


@contextmanager
def _delayed(made: Archived, seconds: float) -> Iterator[None]:
    made.way.delay = seconds
    try:
        yield
    finally:
        made.way.delay = 0.0


def _on_time(lab: Lab, site: LabSite, calm: Lateness, fault: AbstractContextManager[object], stack: ExitStack) -> str:
    """Starts rounds at fixed moments while the fault lasts, whether the ones before have ended or not, as cron does."""
    count, every = lab.size(short=2, full=12), lab.size(short=2.0, full=5.0)
    runs, usual = [], _status_seconds(site)
    with fault:
        began = time.monotonic()
        for number in range(1, count + 1):
            runs.append(stack.enter_context(site.running("run", "-q")))
            until = began + number * every
            if number == count:
                asked = _status_seconds(site)
            time.sleep(max(0.0, until - time.monotonic()))
    codes = [run.wait(300) for run in runs]
    assert set(codes) == {0}, f"rounds ended with {codes}"
    assert asked <= usual + 5, f"`poller status` took {asked:.1f} s, and {usual:.1f} s without the fault"
    ((rounds, polls),) = site.rows(
        "SELECT count(*), sum((SELECT count(*) FROM poll WHERE round_id = round.id))"
        f" FROM (SELECT id FROM round ORDER BY started_ms DESC LIMIT {count}) AS round"
    )
    assert (rounds, polls) == (count, 3 * count), f"{polls} polls in {rounds} rounds"
    return f"{count * every:.0f} s, {undisturbed(lateness(site, rounds=count), calm)}, status in {asked:.1f} s"


def _status_seconds(site: LabSite) -> float:
    began = time.monotonic()
    site.poller("status")
    return time.monotonic() - began


def _file_locked(lab: Lab, calm: Lateness) -> str:
    site = near(lab, hosts(3), more='<archive url="sqlite:archive.db"/>')
    site.round()
    with closing(sqlite3.connect(site.folder / "archive.db", isolation_level=None)) as other, ExitStack() as rounds:

        @contextmanager
        def locked() -> Iterator[None]:
            other.execute("BEGIN EXCLUSIVE")
            yield
            other.execute("ROLLBACK")

        said = _on_time(lab, site, calm, locked(), rounds)
        site.round()
        counts = other.execute("SELECT count(*), count(DISTINCT id) FROM poll").fetchone()
    (stored,) = site.rows("SELECT count(*), count(DISTINCT id) FROM poll")
    assert counts == stored, f"{counts} polls in the file, {stored} in the journal"
    return said


def hung_up(lab: Lab) -> str:
    """D4: the server ends connections while something is sent: by KILL, and by its wait_timeout."""
    made = archived(lab, hosts(2))
    made.round()
    repeats = lab.size(short=1, full=10)
    for number in range(repeats):
        made.way.at(INTO_THE_BATCH + number * 2, lambda: _kill(made))
        found = made.round()["archive"]
        assert not made.way.waiting and found["away"] and found["waiting"] == 2, f"it was not cut off: {found}"
        found = made.round()["archive"]
        assert (found["away"], found["waiting"]) == (None, 0), f"the next round does not get through: {found}"
    seconds = lab.size(short=1, full=5)
    made.server.sql(f"SET GLOBAL wait_timeout = {seconds}")
    made.way.at(INTO_THE_BATCH, lambda: time.sleep(seconds + 1.0))
    found = made.round()["archive"]
    assert not made.way.waiting and found["away"] and found["waiting"] == 2, f"wait_timeout had no effect: {found}"
    found = made.round()["archive"]
    assert (found["away"], found["waiting"]) == (None, 0), f"the next round does not get through: {found}"
    polls = made.arrived()
    return (
        f"{repeats} x KILL and wait_timeout={seconds} in a batch: the next round sent all, {polls} of {polls} arrived"
    )


def _kill(made: Archived) -> None:
    """Every connection of the writer."""
    user = made.database.writer.user
    found = made.server.sql(f"SELECT id FROM information_schema.processlist WHERE user = '{user}'").split()
    assert found, "the writer has no connection to kill"
    made.server.sql("; ".join(f"KILL {number}" for number in found))


EXPERIMENTS: Final = (
    Experiment(
        "D1", "the archive is down, or may not be opened, from the start",
        "rounds, alerts and mails go on; one alert of it; all polls arrive later", down_at_start,
    ),
    Experiment(
        "D2", "the archive stops, dies or is cut off in the middle of a batch, and comes back",
        "rounds, alerts and mails go on; drained within two rounds, nothing lost or doubled", down_in_the_middle,
    ),
    Experiment(
        "D3", "slow statements, a locked table, a locked file",
        "rounds begin when it is their time, and status answers; nothing is lost", slow,
    ),
    Experiment(
        "D4", "the server ends the connection in a batch: KILL, wait_timeout",
        "the next round sends everything", hung_up,
    ),
)  # fmt: skip
