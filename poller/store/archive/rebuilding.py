"""An empty journal filled from the archive before its first round: nobody is told twice, and nothing is forgotten.

What comes back is what the next round needs: hosts and what they have, how each was last seen, open alerts, who was
told about them and who takes care of them, silences in force, and limits that are being counted. Samples and old polls
stay where they are. How far logs were read is known to the journal only: they go on at their end.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, Final

from poller.errors import PollerError, StoreError
from poller.model import ArchiveSettings
from poller.model.contracts import Archive, Condition, Question
from poller.store.aging import DAY_MS
from poller.store.archive.places import open_archive
from poller.store.archive.rows import IDS_AT_ONCE, Rows, Target
from poller.store.archive.sqlite import SqliteArchive
from poller.store.archive.tables import INVENTORIES, columns
from poller.store.journal import Journal
from poller.store.kinds import EPISODIC
from poller.store.sql import statements

_log = logging.getLogger(__name__)


def rebuild(journal: Journal, settings: ArchiveSettings, now_ms: int) -> int:
    """The number of hosts that came back; 0 when the journal knows hosts already, or the archive none.

    An archive that is away is no reason not to poll: that is recorded, and the journal stays empty. StoreError is
    about the journal.
    """
    queue = journal.queue()
    if queue.connection.execute(statements()["has_hosts"]).fetchone()[0]:
        return 0
    try:
        with closing(open_archive(settings, now_ms)) as archive:
            rows = _remembered(archive, now_ms)
    except PollerError as error:
        code = error.code if isinstance(error, StoreError) else "denied"
        _log.warning("the journal is empty and the archive cannot be read (%s): %s", code, error)
        queue.away(StoreError(error.sentence, error.hint, code=code), now_ms)
        return 0
    own = SqliteArchive(queue.connection, journal.path)
    with own.transaction():
        if queue.connection.execute(statements()["has_hosts"]).fetchone()[0]:
            return 0  # another process was quicker
        Target(own).write(rows, current=True)
    hosts = len(rows.of("host"))
    if hosts:
        _log.warning("the journal was empty: %d hosts and %d open alerts came back from the archive",
                     hosts, len(rows.of("alert")))  # fmt: skip
    return hosts


def _remembered(archive: Archive, now_ms: int) -> Rows:
    rows = Rows()

    def add(table: str, *conditions: Condition) -> list[tuple[Any, ...]]:
        found = archive.find(Question(table, columns(table), conditions))
        rows.add(table, found)
        return found

    hosts = [row[0] for row in add("host")]
    for table in ("limit_state", "host_latest", *(name for name in INVENTORIES if name not in _MANY)):
        add(table)
    for some in _slices(hosts):
        for table in _EPISODIC:
            add(table, Condition("host_id", "in", some), Condition("gone_ms", "is", None))
        for table in _FLEETING:
            add(table, Condition("host_id", "in", some), Condition("last_seen_ms", ">=", now_ms - DAY_MS))
    # What was moved today is added to, and must not begin at nothing.
    for some in _slices([row[0] for row in rows.of("peer")]):
        add("peer_day", Condition("peer_id", "in", some), Condition("at_ms", ">=", now_ms - now_ms % DAY_MS))
    alerts = [row[0] for row in add("alert", Condition("closed_ms", "is", None))]
    for some in _slices(alerts):
        for table in ("acknowledgement", "evidence", "notification"):
            add(table, Condition("alert_id", "in", some))
    add("silence", Condition("until_ms", ">", now_ms), Condition("ended_ms", "is", None))
    # What a channel may send in a day is counted by them.
    add("message", Condition("sent_ms", ">=", now_ms - DAY_MS))
    return rows


_EPISODIC: Final = tuple(kind.table for kind in EPISODIC)
_FLEETING: Final = ("peer", "series")
_MANY: Final = frozenset({*_FLEETING, *_EPISODIC})


def _slices(ids: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(ids), IDS_AT_ONCE):
        yield tuple(ids[start : start + IDS_AT_ONCE])
