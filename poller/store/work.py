"""The work of one transaction: what a batch of finished polls reads and writes. Made by `Journal.transaction`."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from poller.errors import StoreError
from poller.model import (
    Alert,
    AlertMemory,
    Before,
    Comparison,
    Event,
    EvidencePart,
    Findings,
    History,
    MetricValue,
    Needs,
    Notification,
    Poll,
    PollOutcome,
    Reading,
)
from poller.store import notices
from poller.store.alerts import alert_of, remembered, store_comparison
from poller.store.faults import translated
from poller.store.gaps import gaps
from poller.store.history import events_between, history
from poller.store.memory import Recall
from poller.store.notices import Notice
from poller.store.polls import Polls
from poller.store.sql import statements

# Milliseconds; no instant is later.
_NEVER: Final = (1 << 63) - 1


class Work:
    """Valid inside its transaction only. Nothing of it is stored until the transaction ends well."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, polls: Polls, recall: Recall, *, together: bool = False
    ) -> None:
        self._connection = connection
        self._path = path
        self._polls = polls
        self._recall = recall
        self._together = together
        self._memories: dict[str, AlertMemory] = {}
        self._befores: dict[str, Before] = {}

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """All of the block or nothing of it: one poll that cannot be stored does not spoil its batch.

        The exception passes on (SQLite's as StoreError). When SQLite gave up the whole transaction, as it may
        on a full disk, the StoreError has the code `aborted` and the batch is lost as a whole. In a transaction
        `together` there is nothing of the kind: the batch is stored as a whole or not at all.
        """
        if self._together:
            with translated(self._path):
                yield
            return
        self._connection.execute("SAVEPOINT one")
        try:
            with translated(self._path):
                yield
        except BaseException as error:
            self._polls.forget()
            self._memories.clear()
            self._befores.clear()
            if not self._connection.in_transaction:
                raise StoreError(
                    f"{error}; the batch was given up", getattr(error, "hint", ""), code="aborted"
                ) from error
            self._connection.execute("ROLLBACK TO one")
            self._connection.execute("RELEASE one")
            raise
        self._connection.execute("RELEASE one")

    def before(self, host: str) -> Before:
        """What the journal remembers of a host; the default for one never polled."""
        self._polls.look(host)
        before = self._befores[host] = self._recall.before(host)
        return before

    def store_poll(
        self,
        poll: Poll,
        values: Sequence[MetricValue],
        round_id: str | None = None,
        findings: Findings = Findings(),  # noqa: B008 -- frozen
    ) -> bool:
        """Stores a poll with all that it brought. False when a poll of this id is stored already: nothing changes.

        Of logs it holds only what `unread` left: the cursors that it brings are stored with it.
        """
        before = self._befores.pop(poll.host, None) or self._recall.before(poll.host)
        return self._polls.store(poll, values, round_id, findings, before)

    def alert_memory(self, host: str) -> AlertMemory:
        memory = self._memories[host] = remembered(self._connection, host)
        return memory

    def store_comparison(self, host: str, comparison: Comparison) -> None:
        """Replaces the alert memory of a host by the result of comparing, and records every change of an alert."""
        memory = self._memories.pop(host, None) or remembered(self._connection, host)
        same = (comparison.states, comparison.open, comparison.flaps) == (memory.states, memory.open, memory.flaps)
        if comparison.changes or not same:
            store_comparison(self._connection, self._host_id(host, comparison), memory, comparison)

    def _host_id(self, host: str, comparison: Comparison) -> int:
        alerts = (*comparison.open, *(change.alert for change in comparison.changes))
        now_ms = max((alert.updated_ms for alert in alerts), default=0)
        return self._polls.hosts.find(host, now_ms).id

    def store_events(self, host: str, events: Sequence[Event]) -> None:
        """An empty `host` is the poller itself."""
        for event in events:
            self._polls.hosts.store_event(self._polls.hosts.find(host, event.at_ms).id if host else None, event)

    def store_push(self, host: str, at_ms: int, events: Sequence[Event], reading: Reading | None, new: Reading) -> None:
        """What a host told by itself: events, rows of the sections in `new`, and what the next poll is held against.

        `reading` is all that is remembered, renewed by those sections; None leaves that and the inventories alone.
        """
        self.store_events(host, events)
        if reading is not None:
            self._befores.pop(host, None)
            self._polls.renew(host, at_ms, reading, new)

    def told_since(self, host: str, kinds: Collection[str], since_ms: int) -> tuple[Event, ...]:
        """Events of these kinds that are stored and happened after that instant, oldest first."""
        return events_between(self._connection, self._polls.hosts.find(host, since_ms).id, kinds, since_ms + 1, _NEVER)

    def history(self, host: str, needs: Needs, now_ms: int) -> History:
        """What there was before `now_ms`, as far back as `needs` says: at most 20,000 points a metric, 20,000 lines."""
        return history(self._connection, host, needs, now_ms)

    def enqueue(self, notifications: Sequence[Notification]) -> None:
        """Owes these; their alerts are stored already. One that is in the outbox already is not owed twice."""
        notices.enqueue(self._connection, notifications)

    def told(self, alert_id: str) -> tuple[dict[str, int], frozenset[str]]:
        """recipient -> the number of its newest notification of this alert; and who of them got one or is owed one.

        The others' are held back, or could not be delivered: of such an alert they know nothing yet.
        """
        return notices.told(self._connection, alert_id)

    def notified(self, alert_ids: Iterable[str]) -> Mapping[str, Sequence[Notice]]:
        """Of each of these alerts all that was told, is owed, or never will be, oldest first."""
        return notices.notified(self._connection, alert_ids)

    def hold_news(self, hosts: Iterable[str], metric: str, since_ms: int, why: str = "network") -> int:
        """Holds back what is owed about open alerts on `metric` of these hosts that began at `since_ms` or later.

        `why` is `network` or `parent NAME`: only `release_held` with the same word brings it back.
        """
        return notices.hold_news(self._connection, hosts, metric, since_ms, why)

    def release_held(self, now_ms: int, why: str = "network") -> tuple[int, int]:
        """What was held back for that reason is owed when its alert is still open, and suppressed when it is over: how
        many of each."""
        return notices.release_held(self._connection, now_ms, why)

    def undelivered(self, since_ms: int) -> int:
        """How many notifications were given up since then."""
        count: int = self._connection.execute(statements()["undelivered"], {"since_ms": since_ms}).fetchone()[0]
        return count

    def open_alerts(self) -> tuple[Alert, ...]:
        """Of all hosts and the poller itself, oldest first."""
        rows = self._connection.execute(statements()["open_alerts"]).fetchall()
        return tuple(alert_of(host, row) for host, *row in rows)

    def acknowledged(self, now_ms: int) -> frozenset[str]:
        """Ids of the open alerts that somebody takes care of now."""
        rows = self._connection.execute(statements()["acknowledged"], {"now_ms": now_ms}).fetchall()
        return frozenset(number for (number,) in rows)

    def store_evidence(self, alert_id: str, parts: Sequence[EvidencePart]) -> None:
        """What the host was busy with; of each part the first that comes is kept. The alert is stored already."""
        notices.store_evidence(self._connection, alert_id, parts)

    def gaps(self) -> Mapping[str, int]:
        """host -> milliseconds between its last polls (the median); without those polled but once."""
        return gaps(self._connection)

    def newest_reports(self) -> dict[str, int]:
        """host -> the instant of its newest report, for those that ever gave one."""
        return dict(self._connection.execute(statements()["newest_reports"]).fetchall())

    def try_logins(self, host: str) -> None:
        """Forgets refused logins: the next poll tries again."""
        self._connection.execute(statements()["forget_refusals_of"], {"name": host})

    def note(self, task: str, now_ms: int) -> int | None:
        """Notes in `housekeeping` that something was done; returns when it was done before, None for never."""
        row = self._connection.execute(statements()["last_done"], {"task": task}).fetchone()
        self._connection.execute(statements()["note_done"], {"task": task, "now_ms": now_ms})
        return row[0] if row else None

    def noted(self, prefix: str) -> dict[str, int]:
        """What stands in `housekeeping` under names that begin so."""
        return dict(self._connection.execute(statements()["done_like"], {"pattern": f"{prefix}%"}).fetchall())

    def forget(self, task: str) -> None:
        self._connection.execute(statements()["forget_done"], {"task": task})

    def hosts_with_open_alerts(self) -> tuple[str, ...]:
        """Names of the hosts with an open alert or a limit being counted, to close what left the configuration."""
        return tuple(name for (name,) in self._connection.execute(statements()["hosts_with_memory"]).fetchall())

    def begin_round(self, round_id: str, kind: Literal["full", "selected"], now_ms: int, hosts: int) -> None:
        """A round over `hosts` hosts begins."""
        row = {"id": round_id, "kind": kind, "now_ms": now_ms, "hosts": hosts}
        self._connection.execute(statements()["add_round"], row)

    def end_round(self, round_id: str, now_ms: int, outcomes: Mapping[str, int], signal: int = 0) -> None:
        """It is over: polls by outcome, and the signal that ended it early or 0."""
        counts = {str(outcome): outcomes.get(str(outcome), 0) for outcome in PollOutcome}
        row = {"id": round_id, "now_ms": now_ms, "stopped_by": signal, **counts}
        self._connection.execute(statements()["end_round"], row)
