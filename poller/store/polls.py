"""One finished poll -> its rows: the attempt, what could not be read, inventories, samples, and what comes next."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from poller.errors import STAGES
from poller.model import (
    SUDO_DENIED_MS,
    Before,
    Event,
    Findings,
    MetricValue,
    Poll,
    PollOutcome,
    Reading,
    Report,
    SectionStatus,
    Severity,
)
from poller.store import logins
from poller.store.cursors import store_cursors
from poller.store.hosts import Hosts, KnownHost, storable
from poller.store.inventory import Inventory, Sighting
from poller.store.kinds import SERIES
from poller.store.memory import Recall, remembered, stuck_mounts
from poller.store.pending import Pending
from poller.store.samples import Samples
from poller.store.sql import statements
from poller.store.talks import Talks
from poller.store.told import store_briefs, store_lines, store_processes


class Polls:
    """Stores polls on a connection that is in a transaction."""

    def __init__(self, connection: sqlite3.Connection, recall: Recall) -> None:
        self._connection = connection
        self._recall = recall
        self._pending = Pending(connection)
        # hosts of which rows wait
        self._waiting: set[str] = set()
        self.hosts = Hosts(connection, self._pending)
        self.bulk = True  # may samples be stored, or does the disk have no room for them?
        self._inventory = Inventory(connection, self._pending)
        self._talks = Talks(connection, self._inventory)
        # host -> the newest poll that was stored here; and those of which nobody else can have stored one since
        self._newest: dict[str, str] = {}
        self._certain: set[str] = set()

    def forget(self) -> None:
        """What was looked up may no longer be so: after a rollback, or when another process has written."""
        self.hosts.forget()
        self._inventory.forget()
        self._newest.clear()
        self._certain.clear()
        self._pending.forget()
        self._waiting.clear()

    def gather(self, *, together: bool) -> None:
        """Whether rows wait for those of other hosts, until `flush`."""
        self._pending.together = together

    def flush(self) -> None:
        """Writes all that waits."""
        self._pending.flush()
        self._waiting.clear()

    def look(self, host: str) -> None:
        """Before something is read of this host: nothing of it waits."""
        if host in self._waiting:
            self.flush()

    def doubt(self) -> None:
        """Somebody else has written, mostly about other things: what is known of a host is good if no poll of it was
        stored but ours."""
        self._certain.clear()

    def _host(self, name: str, at_ms: int) -> KnownHost:
        host = self.hosts.find(name, at_ms)
        if name in self._certain:
            return host
        row = self._connection.execute(statements()["latest_poll"], {"host_id": host.id}).fetchone()
        if row is None or row[0] != self._newest.get(name):
            self.hosts.forget_host(name)
            self._inventory.forget_host(host.id)
        self._certain.add(name)
        return self.hosts.find(name, at_ms)

    def store(
        self, poll: Poll, values: Sequence[MetricValue], round_id: str | None, findings: Findings, before: Before
    ) -> bool:
        """False when this poll was stored before; then nothing changes. `before` is what the journal remembers now."""
        self.look(poll.host)
        host = self._host(poll.host, poll.at_ms)
        if not self._connection.execute(statements()["add_poll"], _row(poll, host.id, round_id)).rowcount:
            return False
        if self._pending.together:
            self._waiting.add(poll.host)
        if poll.security and not self._known_trouble(host.id, poll):
            details = f"{poll.stage}/{poll.code}: {poll.error}"
            self.hosts.store_event(host.id, Event("security", poll.at_ms, Severity.HIGH, details))
        samples = Samples(values)
        if poll.report is not None:
            sighting = self._store_report(host, poll, poll.report, samples, before)
            self._store_findings(host.id, poll.at_ms, findings, sighting)
        else:
            self._store_without_report(host.id, poll, samples)
            for event in findings.events:
                self.hosts.store_event(host.id, event)
        if poll.sudo_denied:
            until = {"host_id": host.id, "until_ms": poll.at_ms + SUDO_DENIED_MS}
            self._connection.execute(statements()["remember_sudo"], until)
        logins.remember(self._pending, host.id, poll)
        self._newest[poll.host] = poll.id
        self._certain.add(poll.host)
        return True

    def renew(self, host: str, at_ms: int, reading: Reading, new: Reading) -> None:
        """Sections that were read between two polls: `new` holds them, `reading` all that is remembered from now on."""
        host_id = self._host(host, at_ms).id
        self._inventory.see(host_id, at_ms, new)
        text = self._recall.encoded(host, reading)
        self._connection.execute(statements()["renew_reading"], {"host_id": host_id, "reading": text})

    def _known_trouble(self, host_id: int, poll: Poll) -> bool:
        """Whether the poll before ended the same way: one event when it begins, not one a minute while it lasts."""
        row = self._connection.execute(statements()["latest_trouble"], {"host_id": host_id}).fetchone()
        return bool(row == (poll.stage, poll.code))

    def _store_without_report(self, host_id: int, poll: Poll, samples: Samples) -> None:
        """Either kind may know how the host answered to echo requests. Of one that is only pinged that is all."""
        if poll.ping is not None and self.bulk:
            samples.store(self._pending, host_id, poll.at_ms, {})
        if poll.outcome is not PollOutcome.OK:
            self._store_failure(host_id, poll)
            return
        self._pending.add(statements()["touch_host"], [{"id": host_id, "now_ms": poll.at_ms}])
        self._store_latest(host_id, poll, samples)

    def _store_latest(self, host_id: int, poll: Poll, samples: Samples) -> None:
        row = {"host_id": host_id, "poll_id": poll.id, "at_ms": poll.at_ms, "outcome": poll.outcome.value}
        self._pending.add(statements()["latest_report"], [row | {"seconds": poll.seconds} | samples.highlights()])

    def _store_failure(self, host_id: int, poll: Poll) -> None:
        self._connection.execute(
            statements()["latest_failure"],
            {
                "host_id": host_id,
                "poll_id": poll.id,
                "at_ms": poll.at_ms,
                "outcome": poll.outcome.value,
                "stage": poll.stage,
                "code": poll.code,
                "error": storable(poll.error),
                "seconds": poll.seconds,
                "failed": int(poll.outcome is PollOutcome.FAILED),
            },
        )

    def _store_report(self, host: KnownHost, poll: Poll, report: Report, samples: Samples, before: Before) -> Sighting:
        self._store_sections(poll.id, report)
        self.hosts.describe(host, poll, report)
        sighting = self._inventory.see(host.id, poll.at_ms, report.now)
        if self.bulk:
            samples.store(self._pending, host.id, poll.at_ms, sighting.ids)
            series = self._inventory.note(SERIES, host.id, poll.at_ms, samples.series)
            samples.store_series(self._pending, poll.at_ms, series)
        self._store_latest(host.id, poll, samples)
        store_cursors(self._connection, host.id, poll.at_ms, report.now, before.cursors)
        memory = {
            "host_id": host.id,
            "reading": self._recall.encoded(poll.host, remembered(before.reading, report.now)),
            "stuck": stuck_mounts(report.now),
            "address": poll.address,
        }
        self._pending.add(statements()["remember_reading"], [memory])
        return sighting

    def _store_findings(self, host_id: int, at_ms: int, findings: Findings, sighting: Sighting) -> None:
        """On a disk that is nearly full only what happened and what logs say."""
        for event in findings.events:
            self.hosts.store_event(host_id, event)
            if event.kind == "clock_skew":
                skew = {"host_id": host_id, "skewed": int(event.severity > Severity.LOW)}
                self._connection.execute(statements()["remember_skew"], skew)
        store_lines(self._connection, host_id, at_ms, findings.lines)
        store_briefs(self._connection, host_id, at_ms, findings.briefs)
        if self.bulk:
            store_processes(self._pending, host_id, at_ms, findings.processes)
            self._talks.store_talks(host_id, at_ms, findings.talks)
            self._talks.store_connections(host_id, at_ms, findings.connections, sighting)

    def _store_sections(self, poll_id: str, report: Report) -> None:
        """Sections of either reading that have something to say; the newest word counts."""
        rows = {
            section.name: {
                "poll_id": poll_id,
                "name": section.name,
                "status": section.status.value,
                "reason": section.reason,
                "seconds": section.seconds,
            }
            for reading in report.readings
            for section in reading.sections
            if section.reason or section.status is not SectionStatus.OK
        }
        if rows:
            self._pending.add(statements()["add_section"], rows.values())


def _row(poll: Poll, host_id: int, round_id: str | None) -> dict[str, Any]:
    """The columns of table `poll`. A stage that was not reached is NULL, not 0."""
    row: dict[str, Any] = {f"{stage}_seconds": poll.stages.get(stage) for stage in STAGES}
    row.update(
        id=poll.id,
        host_id=host_id,
        round_id=round_id,
        at_ms=poll.at_ms,
        outcome=poll.outcome.value,
        stage=poll.stage,
        code=poll.code,
        error=storable(poll.error),
        security=poll.security,
        seconds=poll.seconds,
        collect_seconds=poll.report.seconds if poll.report else None,
        sent_bytes=poll.sent_bytes,
        received_bytes=poll.received_bytes,
        address=poll.address,
        host_key=poll.host_key,
        sudo_denied=poll.sudo_denied,
        asked_ms=poll.asked_ms or None,
        answered_ms=poll.answered_ms or None,
        host_clock_ms=round(poll.report.now.clock * 1000) if poll.report else None,
    )
    return row
