"""D8, D10: which servers were tried, and databases that are older or newer than the program.

D8 starts the MariaDB of this machine. Others are named in the variable FAULTS_SERVERS, as `127.0.0.1:33306` with spaces
between: servers that run already, of any version, whose `root` has no password. Each gets a database of its own, which
is dropped afterwards.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from typing import Final

from faults.archived import Archived, archive_xml, archived, server
from faults.canned import DIED
from faults.database import hosts
from faults.experiment import Experiment
from faults.lab import Lab
from faults.near import near
from faults.site import LabSite
from poller.model import ArchiveSettings
from poller.store.database import connect_writer
from poller.store.migrate import migrate
from poller.store.mysql import connect
from poller.store.query import cookbook
from poller.store.sql import migrations

# Defaults of a server that an administrator may have chosen long ago: none of them may matter.
CHARACTER_SETS: Final = (("latin1", "latin1_swedish_ci"), ("utf8mb3", "utf8mb3_general_ci"))
QUERIES: Final = ("hosts-now", "disk-fullest", "outages")


def versions(lab: Lab) -> str:
    """D8: init, rounds, every question, a comparison row by row and a copy back, on each server."""
    said = []
    own = server(lab)
    for charset, collation in lab.size(short=CHARACTER_SETS[:1], full=CHARACTER_SETS):
        own.sql(f"SET GLOBAL character_set_server = '{charset}', GLOBAL collation_server = '{collation}'")
        said.append(_served(lab, ArchiveSettings("mysql", host="127.0.0.1", port=own.port, user="root", tls="off")))
    for place in os.environ.get("FAULTS_SERVERS", "").split():
        host, _, port = place.rpartition(":")
        said.append(_served(lab, ArchiveSettings("mysql", host=host, port=int(port), user="root", tls="off")))
    return "; ".join(said)


def _served(lab: Lab, settings: ArchiveSettings) -> str:
    name = f"poller_faults_{os.getpid()}_{len(lab.sites)}"
    with connect(settings, database=False) as connection:
        ((version, collation),) = connection.query("SELECT @@version, @@collation_server")
        try:
            asked, rows = _contract(lab, settings, name)
        finally:
            connection.execute(f"DROP DATABASE IF EXISTS {name}")
    return f"{version} ({collation}): {asked} questions alike, {rows} rows alike after shipping and copying back"


def _contract(lab: Lab, settings: ArchiveSettings, name: str) -> tuple[int, int]:
    """How many questions were asked of both databases, and how many rows are the same in both."""
    xml = archive_xml(replace(settings, database=name), settings.port, "20s")
    site = near(lab, hosts(2), more=xml)
    site.poller("db", "init")
    for _ in range(2):
        found = json.loads(site.poller("run", "--json").stdout)["archive"]
        assert (found["shipped"], found["waiting"], found["away"]) == (2, 0, None), found
    chosen = QUERIES if lab.short else sorted(cookbook())
    for query in chosen:
        here, there = (site.poller("query", query, "--json", *more).stdout for more in (("--journal",), ()))
        assert here == there, f"{query}: {there[:200]}, and in the journal {here[:200]}"
    site.poller("db", "copy", "archive", "sqlite:back.db")
    counted = 0
    for source in ("journal", "sqlite:back.db"):
        tables = json.loads(site.poller("db", "verify", source, "archive", "--json").stdout)["tables"]
        counted += sum(one["from"] for one in tables.values())
    return len(chosen), counted


def other_schemas(lab: Lab) -> str:
    """D10."""
    made = archived(lab, hosts(1), schema=False)
    kills, waited = _killed_upgrades(lab, made)
    drained = made.drained()
    refused = _newer_archive(made)
    polls = made.arrived()
    journal = _journal(lab)
    return (
        f"archive: upgrade killed {kills} times, {waited} polls waited, drained in {drained} round; newer refused, "
        f"{refused} polls waited; {polls} of {polls} arrived; journal: {journal}"
    )


def _killed_upgrades(lab: Lab, made: Archived) -> tuple[int, int]:
    """`poller db upgrade` by the migrator, killed at messages all over it, while rounds go on. (kills, polls.)"""
    made.configure(settings=made.database.migrator)
    before = made.way.pieces
    made.site.poller("db", "upgrade")
    total, count = made.way.pieces - before, lab.size(short=3, full=20)
    for number in range(count):
        made.server.sql(f"DROP DATABASE {made.database.name}; CREATE DATABASE {made.database.name} {_CHARSET}")
        _killed_upgrade(made, 8 + (total - 10) * number // count)
        found = made.round()["archive"]
        assert found["away"]["code"] in ("absent", "older"), f"the archive is used before it is ready: {found}"
        made.site.poller("db", "upgrade")
    made.configure()
    return count, int(found["waiting"])


# As in the script of `poller db init --print`.
_CHARSET: Final = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"


def _killed_upgrade(made: Archived, messages: int) -> None:
    """Killed when it has sent so many messages, the last of which arrives."""
    with made.site.running("db", "upgrade") as run:
        made.way.at(messages, lambda: run.send_signal(signal.SIGKILL))
        assert run.wait(60) == -signal.SIGKILL, "the upgrade was done before it was killed"
    user = made.database.migrator.user
    made.server.wait_for(f"SELECT COUNT(*) FROM information_schema.processlist WHERE user = '{user}'", "0")


def _newer_archive(made: Archived) -> int:
    """A newer poller was here: this one leaves it alone, also when told to upgrade. Polls that waited meanwhile."""
    number = len(migrations("mysql")) + 1
    made.database.sql(
        f"INSERT INTO schema_migration (version, name, checksum, applied_ms) VALUES ({number}, 'n', 'n', 1)"
    )
    before = made.ask("SELECT COUNT(*) FROM poll")
    found = made.round()["archive"]
    assert found["away"] and found["away"]["code"] == "newer" and found["waiting"] == 1, found
    made.site.poller("db", "upgrade", code=74)
    assert made.ask("SELECT COUNT(*) FROM poll") == before, "something was written to a newer schema"
    made.database.sql(f"DELETE FROM schema_migration WHERE version = {number}")
    made.drained()
    return int(found["waiting"])


def _journal(lab: Lab) -> str:
    """A journal of schema 1, upgraded by a command that dies at each of some statements; then a newer one."""
    site = near(lab, hosts(1))
    total = _dies(site, 0)
    numbers = [round(total * (part + 0.5) / count) for count in [lab.size(short=3, full=24)] for part in range(count)]
    for number in numbers:
        _old_journal(site)
        _dies(site, number)
        site.poller("db", "upgrade")
        assert site.rows("SELECT name FROM host") == [("kept",)], "a row is lost"
        assert site.rows("PRAGMA integrity_check") == [("ok",)]
        assert site.rows("SELECT max(version) FROM schema_migration") == [(len(migrations()),)]
    _old_journal(site)
    site.round()
    assert (site.folder / "poller.db.schema-1").exists(), "no copy of what was there before"
    newer = len(migrations()) + 1
    with closing(sqlite3.connect(site.journal, isolation_level=None)) as journal:
        journal.execute("INSERT INTO schema_migration VALUES (?, 'newer', '', 1)", (newer,))
    before = site.journal.read_bytes()
    run = site.poller("run", "-q", code=74)
    assert f"has schema {newer}" in run.stderr and site.journal.read_bytes() == before
    with closing(sqlite3.connect(site.journal, isolation_level=None)) as journal:
        journal.execute("DELETE FROM schema_migration WHERE version = ?", (newer,))
    return (
        f"death at {len(numbers)} of {total} statements of its upgrade, each time completed; newer: exit 74, untouched"
    )


def _old_journal(site: LabSite) -> None:
    """As the first version of the poller would have left it."""
    for path in site.folder.glob("poller.db*"):
        path.unlink()
    with closing(connect_writer(site.journal)) as journal:
        migrate(journal, site.journal, 1, migrations()[:1])
        journal.execute("INSERT INTO host (name, first_seen_ms) VALUES ('kept', 1)")


def _dies(site: LabSite, number: int) -> int:
    """`poller db upgrade` of an old journal, dying at that statement. How many there are when it is 0."""
    _old_journal(site)
    words = [sys.executable, "-m", "tests.end_to_end.die_at", str(number), "--config", str(site.config)]
    run = subprocess.run(
        [*words, "db", "upgrade"], cwd=site.folder, env=site.environment(), capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert run.returncode == (DIED if number else 0), f"exit {run.returncode}: {run.stderr}"
    return int(run.stderr.rpartition("reached ")[2]) if number == 0 else number


EXPERIMENTS: Final = (
    Experiment(
        "D8", "servers of other versions and with other default collations",
        "set up, filled, asked and copied back alike; the figure names them", versions,
    ),
    Experiment(
        "D10", "a schema older or newer than the program; upgrades killed half way",
        "newer is left alone, an upgrade is completed by the next; polls wait meanwhile", other_schemas,
    ),
)  # fmt: skip
