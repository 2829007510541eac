"""The same history twice: in a journal, and row by row in MariaDB."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from poller.metrics import CATALOGUE
from poller.model import (
    Acknowledgement,
    Alert,
    Change,
    ChangeKind,
    Comparison,
    EvidencePart,
    Message,
    MetricValue,
    Notification,
    Retention,
    Row,
    Severity,
    Silence,
)
from poller.store import Journal, alerting
from poller.store.aging import ROLLUPS
from poller.store.mysql import connect
from tests.mariadb import Database
from tests.store import watched
from tests.store.machines import START_MS, failed, poll, values

HOSTS: Final = ("Lab1", "db-1", "lab1", "lab2", "web1", "web2")
MINUTES: Final = 40
NOW_MS: Final = START_MS + MINUTES * 60_000
TABLES: Final = (
    "round", "host", "poll", "section", "core", "filesystem", "disk", "interface", "interface_address",
    "system_sample", "core_sample", "filesystem_sample", "disk_sample", "interface_sample", "event", "alert",
    "limit_state", "host_latest", "housekeeping", "usb_device", "device", "mount", "listener", "login", "connection",
    "peer", "unit", "service_check", "log_source", "section_state", "series", "series_sample", "peer_sample",
    "peer_day", "process_sample", "log_line", "activity_sample", "acknowledgement", "evidence", "silence", "message",
    "notification", *ROLLUPS,
)  # fmt: skip


def fill(path: Path, *, archived: bool = False) -> None:
    """A journal with six hosts over forty minutes: failures, reboots, alerts, values that end in a half."""
    chance = random.Random(20251009)
    with Journal.open(path, now_ms=START_MS, archived=archived) as journal:
        for minute in range(0, MINUTES + 1, 2):
            with journal.transaction() as work:
                for number, host in enumerate(HOSTS):
                    if chance.random() < 0.15:
                        work.store_poll(failed(host, minute, "connect", chance.choice(("timeout", "refused"))), ())
                        continue
                    boot = f"0b6a4f9e-1111-4222-8333-{number:06d}{minute // 15:06d}"
                    taken = replace(
                        poll(host, minute, number=number, boot_id=boot), seconds=chance.randrange(4000) / 1000
                    )
                    sections = watched.busy() if minute % 10 >= 6 else watched.quiet()
                    moved = (*values(minute), *watched.heat(40 + minute / 4))
                    work.store_poll(
                        watched.with_sections(taken, sections | _TROUBLE),
                        tuple(_moved(chance, value) for value in moved),
                        findings=watched.findings(taken.at_ms),
                    )
        with journal.transaction() as work:
            for host in HOSTS:
                changes = tuple(_alerts(chance, host))
                work.store_comparison(host, Comparison((), (), changes))
                work.enqueue([note for change in changes for note in _notes(change)])
                work.store_evidence(changes[0].alert.id, [EvidencePart("kernel", NOW_MS, "ä 😀\n\\ '")])
        _tell(journal)
        # As if nothing of that time could come any more.
        journal.roll_up(Retention(samples=1.0), NOW_MS + 2 * 3_600_000)


_TROUBLE: Final[dict[str, Sequence[Row]]] = {"units": (watched.BROKEN,), "checks": watched.CHECKS}


def _moved(chance: random.Random, value: MetricValue) -> MetricValue:
    """Half of the shares end exactly between two rounded numbers, where databases disagree."""
    if CATALOGUE[value.metric].unit not in ("percent", "seconds"):
        return value
    moved = chance.randrange(0, 400) / 4 if chance.random() < 0.5 else chance.uniform(0, 100)
    return value._replace(value=moved)


def _alerts(chance: random.Random, host: str) -> Iterator[Change]:
    for number in range(4):
        opened = START_MS + chance.randrange(MINUTES) * 60_000
        labels = (("mountpoint", f'/mnt/ä 😀 "{number}" \\ \''),) if number % 2 else ()
        alert = Alert(f"{host}-{number}", host, "disk.percent" if labels else "cpu.percent", labels,
                      chance.choice(list(Severity)), chance.uniform(80, 100), "> 80 for 60s", opened,
                      opened + 60_000, opened - 30_000)  # fmt: skip
        if number < 2:
            yield Change(ChangeKind.OPENED, alert, "")
        else:
            yield Change(ChangeKind.CLOSED, replace(alert, closed_ms=opened + chance.randrange(90_000)), "")


def _notes(change: Change) -> Iterator[Notification]:
    alert = change.alert
    for who in ("ops", "net", "boss"):
        yield Notification(f"{alert.id}-{who}", alert, change.kind, who, 1, alert.opened_ms)


def _tell(journal: Journal) -> None:
    """Some of it was told, some not; somebody takes care of two alerts, and some of it is silent."""
    outbox = journal.outbox()
    for number, minute in enumerate((0, 12, 13, 30, MINUTES)):
        ids = tuple(f"{host}-{number % 4}-{'ops' if number < 4 else 'net'}" for host in HOSTS)
        message = Message(f"m{number}", "ops" if number < 4 else "net", ("mail", "sms")[number % 2],
                          START_MS + minute * 60_000, "[HIGH] ä 😀", ids, digest=number == 3)  # fmt: skip
        outbox.delivered(message)
    outbox.hold([f"{host}-0-boss" for host in HOSTS], "downtime nightly")
    outbox.suppress([f"{host}-1-boss" for host in HOSTS], "short", NOW_MS)
    outbox.failed([f"{host}-2-boss" for host in HOSTS], "550 ä", NOW_MS, channel="mail", retry_ms=None)
    outbox.close()
    taken = Acknowledgement("k0", "lab1-0", START_MS, "ops", "it's \\ 'on' ä", None)
    alerting.acknowledge(journal.path, taken)
    alerting.acknowledge(journal.path, replace(taken, id="k1", author="net", at_ms=NOW_MS))
    alerting.acknowledge(journal.path, replace(taken, id="k2", alert_id="web1-1", until_ms=NOW_MS))
    for number in range(4):
        silence = Silence(
            f"s{number}", START_MS, NOW_MS + 60_000, START_MS, "ops", "ä", ("lab*", "web[12]")[number % 2]
        )
        alerting.add_silence(journal.path, silence)
    alerting.end_silence(journal.path, "s3", "net", START_MS + 300_000)


def copy(path: Path, database: Database) -> None:
    """Every row as it is, ids and all."""
    with closing(sqlite3.connect(path)) as source, connect(database.writer) as target, target.transaction():
        for table in TABLES:
            cursor = source.execute(f"SELECT * FROM {table}")
            target.insert(table, [column[0] for column in cursor.description], cursor.fetchall())


def fill_large(database: Database) -> None:
    """50 hosts with four cores, disks, ... each over six hours, made by the server itself (its Sequence engine)."""
    at = f"{NOW_MS - 21_600_000} + t.seq * 60000"
    each_poll, each_sample = "FROM seq_1_to_50 h, seq_1_to_360 t", "FROM seq_1_to_50 h, seq_1_to_4 i, seq_1_to_360 t"
    statements = (
        "INSERT INTO host (id, name, first_seen_ms) SELECT seq, CONCAT('h', seq), 1 FROM seq_1_to_50",
        f"""INSERT INTO poll (id, host_id, at_ms, outcome)
            SELECT CONCAT(h.seq, '-', t.seq), h.seq, {at}, IF(t.seq % 20, 'ok', 'failed') {each_poll}""",
        f"INSERT INTO system_sample (host_id, at_ms, cpu_percent) SELECT h.seq, {at}, 1 {each_poll}",
        f"""INSERT INTO host_latest SELECT seq, CONCAT(seq, '-360'), {NOW_MS}, 'ok', '', '', '', 1, 0, {NOW_MS},
            1, 1, 1, 1, '/' FROM seq_1_to_50""",
        f"""INSERT INTO event SELECT CONCAT(h.seq, '-', t.seq), h.seq, IF(t.seq % 9, 'k', 'rebooted'),
            {NOW_MS} - t.seq * 900000, 'low', '' FROM seq_1_to_50 h, seq_1_to_400 t""",
        f"""INSERT INTO alert (id, open_key, host_id, metric, labels, severity, limit_text, since_ms, opened_ms,
            updated_ms, closed_ms) SELECT CONCAT(h.seq, '-', t.seq), IF(t.seq = 1, h.seq, NULL), h.seq, 'm', '{{}}',
            'low', '', {at}, {at}, {at}, IF(t.seq = 1, NULL, {at}) FROM seq_1_to_50 h, seq_1_to_200 t""",
        """INSERT INTO notification (id, alert_id, kind, recipient, number, at_ms, severity, limit_text, since_ms,
            opened_ms, updated_ms, state, message_id) SELECT CONCAT(alert.id, '-', t.seq), alert.id, 'opened',
            CONCAT('r', t.seq), 1, opened_ms, 'low', '', since_ms, opened_ms, updated_ms, 'delivered', alert.id
            FROM alert, seq_1_to_2 t""",
        "INSERT INTO message SELECT id, 'ops', 'mail', opened_ms, '', 0 FROM alert",
        "INSERT INTO acknowledgement SELECT id, id, opened_ms, 'ops', '', NULL, NULL, '', opened_ms FROM alert",
        *(
            f"""INSERT INTO {table} (id, host_id, {columns}, first_seen_ms, last_seen_ms)
                SELECT h.seq * 4 + i.seq, h.seq, {cells}, 1, 1 FROM seq_1_to_50 h, seq_1_to_4 i;
                INSERT INTO {table}_sample ({table}_id, at_ms) SELECT h.seq * 4 + i.seq, {at} {each_sample}"""
            for table, columns, cells in _INVENTORIES
        ),
        *_watched(at),
    )
    more = ", ".join(f"{table}, {table}_sample" for table, _, _ in _INVENTORIES)
    more += ", connection, listener, peer, peer_sample, peer_day, process_sample, log_line"
    more += ", notification, message, acknowledgement"
    tables = f"host, poll, system_sample, event, alert, host_latest, {more}"
    database.sql(";\n".join((*statements, f"ANALYZE TABLE {tables}")))


def _watched(at: str) -> Iterator[str]:
    """Connections that are mostly over, a hundred peers each, processes and log lines."""
    things = "FROM seq_1_to_50 h, seq_1_to_{} i"
    for table, cells in (("connection", "'tcp', '192.0.2.1', i.seq, '198.51.100.7', 443, 0, 0, '', '', 1, 1"),
                         ("listener", "'tcp', '::', i.seq, 0, ''")):  # fmt: skip
        first = f"{NOW_MS} - i.seq * 50000"
        yield f"""INSERT INTO {table} SELECT NULL, h.seq, {cells}, {first}, {first},
            IF(i.seq % 20, {first} + 60000, NULL) {things.format(400)}"""
    yield f"""INSERT INTO peer SELECT h.seq * 1000 + i.seq, h.seq, 'tcp', 0, CONCAT('198.51.100.', i.seq), 443, 0, '',
        'internet', 0, 1, {NOW_MS} - i.seq * 60000 {things.format(100)}"""
    times = "FROM seq_1_to_50 h, seq_1_to_{} i, seq_1_to_{} t"
    yield f"INSERT INTO peer_sample SELECT h.seq * 1000 + i.seq, {at}, 1, 1, 60, 1, 0 {times.format(100, 10)}"
    midnight = NOW_MS - NOW_MS % 86_400_000
    yield f"""INSERT INTO peer_day SELECT h.seq * 1000 + i.seq, {midnight} - t.seq * 86400000, 1, 1, 0, {NOW_MS}
        {times.format(100, 5)}"""
    yield f"INSERT INTO process_sample SELECT h.seq, {at}, i.seq, 'p', 0, '', 1, 1, '' {times.format(2, 360)}"
    yield f"""INSERT INTO log_line SELECT h.seq, {at}, i.seq, 'auth', '/a', {at}, 'sshd', 1, 6, 'low', 1, 0, 'm'
        {times.format(2, 360)}"""


_INVENTORIES: Final = (
    ("core", "core", "i.seq"),
    ("filesystem", "mountpoint, device, type, state", "i.seq, 'd', 't', 'ok'"),
    ("disk", "device, model, size_bytes", "i.seq, 'm', 1"),
    ("series", "metric, label", "'hardware.celsius', i.seq"),
    ("interface", "interface, mac, link, mtu, speed_bits_per_second", "i.seq, 'm', 'up', 1, 1"),
)
