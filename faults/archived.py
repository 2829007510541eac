"""Poller sites whose history goes to a real MariaDB, and what must be there afterwards.

Hosts are this machine (faults/near.py): what is tried is what follows a poll. The server is this experiment's own.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from faults.lab import Lab
from faults.near import near
from faults.relay import Relay, relay
from faults.site import Inbox, LabSite
from poller.model import ArchiveSettings
from poller.store.mysql import connect
from tests.mariadb import MARIADBD, Database, MariaDb, make_database, running
from tests.notify.servers import text_of

# A limit that no machine is over, and one that every machine is over.
CALM: Final = '<thresholds name="up"><threshold metric="uptime.seconds" above="9999d"/></thresholds>'
ALARM: Final = '<thresholds name="up"><threshold metric="uptime.seconds" above="0"/></thresholds>'
# Seconds the archive may take to answer before it counts as away: those of a server beside the poller.
PATIENCE: Final = "3s"
HALVES: Final = """
SELECT COUNT(*) FROM poll LEFT JOIN system_sample s ON s.host_id = poll.host_id AND s.at_ms = poll.at_ms
 WHERE outcome IN ('ok', 'partial') AND s.at_ms IS NULL
"""


def server(lab: Lab, *options: str) -> MariaDb:
    """A MariaDB of its own, started."""
    assert MARIADBD, "MariaDB's server is not installed: `make system-packages`"
    return lab.enter(running(options))


@dataclass
class Archived:
    """A site, its archive, and the way between them, which can be broken."""

    site: LabSite
    database: Database
    way: Relay
    hosts: str
    extra: str = ""
    patience: str = PATIENCE

    @property
    def server(self) -> MariaDb:
        return self.database.server

    def configure(self, limits: str = CALM, *, settings: ArchiveSettings | None = None, bound: str = "") -> None:
        """Writes config.xml. `settings` of another account of the database; `bound` as in <journal bound=>."""
        archive = archive_xml(settings or self.database.writer, self.way.port, self.patience)
        inbox = self.site.inbox.xml if self.site.inbox else ""
        self.site.write(self.hosts, more=inbox + archive + limits + self.extra)
        if bound:
            text = self.site.config.read_text()
            self.site.config.write_text(text.replace('path="poller.db"', f'path="poller.db" bound="{bound}"'))

    def round(self) -> dict[str, Any]:
        """`poller run --json`: exit 0, and every host was polled. What became of the archive is under "archive"."""
        document: dict[str, Any] = json.loads(self.site.poller("run", "--json").stdout)
        outcomes = {one["name"]: one["outcome"] for one in document["hosts"]}
        assert set(outcomes.values()) <= {"ok", "partial"}, outcomes
        self.site.acknowledged += [(document["round"]["id"], one["name"], one["outcome"]) for one in document["hosts"]]
        return document

    def rounds(self, count: int, seconds: float = 0.0) -> list[dict[str, Any]]:
        """At least so many, back to back, for at least so many seconds."""
        until = time.monotonic() + seconds
        found: list[dict[str, Any]] = []
        while len(found) < count or time.monotonic() < until:
            found.append(self.round())
        return found

    def drained(self, most: int = 2) -> int:
        """Rounds until nothing waits; AssertionError when that takes more than `most`."""
        for number in range(1, most + 1):
            archive = self.round()["archive"]
            if archive["waiting"] == 0 and not archive["away"]:
                return number
        raise AssertionError(f"{archive['waiting']} polls still wait after {most} rounds: {archive['away']}")

    def waiting(self) -> int:
        """Polls that wait, by `poller status`."""
        count: int = json.loads(self.site.poller("status", "--json").stdout)["poller"]["archive"]["waiting"]
        return count

    def arrived(self) -> int:
        """V1 and V2 on the archive: every poll of the journal is there once, whole and the same. How many there are.

        What the poller judges of its own archive after a round goes there with the next; `db ship` sends it now.
        """
        self.site.poller("db", "ship")
        assert self.ask("SELECT COUNT(*) - COUNT(DISTINCT id) FROM poll") == [(0,)], "V1: doubled in the archive"
        here, there = ({row[0] for row in rows} for rows in (
            self.site.rows("SELECT id FROM poll"), self.ask("SELECT id FROM poll")))  # fmt: skip
        assert here == there, f"V1: {len(here - there)} polls are lost, {len(there - here)} are only in the archive"
        halves = self.ask(HALVES)
        assert halves == [(0,)], f"V2: {halves} polls without samples in the archive"
        self.site.poller("db", "verify", "journal", "archive")
        return len(there)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the archive, past the way that may be broken."""
        with connect(self.database.writer) as connection:
            return connection.query(sql)


def archived(
    lab: Lab, hosts: str, *options: str, inbox: Inbox | None = None, patience: str = PATIENCE, schema: bool = True
) -> Archived:
    """A site with a MariaDB of its own, set up by the script of `poller db init --print`."""
    database = make_database(server(lab, *options), schema=schema)
    made = Archived(near(lab, "", inbox=inbox), database, lab.enter(relay(database.server.port)), hosts)
    made.patience = patience
    made.configure()
    return made


def archive_xml(settings: ArchiveSettings, port: int, timeout: str = PATIENCE) -> str:
    """The <archive> of these settings, reached by `port`."""
    security = f"tls={settings.tls}" + (f"&amp;ca={quote(str(settings.ca))}" if settings.ca else "")
    place = f"{quote(settings.user)}@{settings.host}:{port}/{quote(settings.database)}"
    password = f'password-file="{settings.password.reference}" ' if settings.password else ""
    return f'<archive url="mysql://{place}?{security}" {password}timeout="{timeout}"/>'


@contextmanager
def statement(made: Archived, *statements: str) -> Iterator[None]:
    """Another client carries these out, as root, and keeps its connection for the block."""
    settings = made.server.settings(database=made.database.name)
    with connect(settings) as connection:
        for one in statements:
            connection.execute(one)
        yield


def mailed(inbox: Inbox, *words: str) -> int:
    """Mails that hold all of the words."""
    return sum(all(word in text_of(mail) for word in words) for mail in inbox.mail.messages)


def unprivileged() -> tuple[str, ...]:
    """Words before a command for which modes of files count, also for root."""
    if os.geteuid() != 0:
        return ()
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
