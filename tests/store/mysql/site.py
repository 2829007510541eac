"""The same history twice: in a journal, and row by row in MariaDB."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from poller.metrics import CATALOGUE
from poller.model import Alert, Change, ChangeKind, Comparison, MetricValue, Severity
from poller.store import Journal
from poller.store.mysql import connect
from tests.mariadb import Database
from tests.store.machines import START_MS, failed, poll, values

HOSTS: Final = ("Lab1", "db-1", "lab1", "lab2", "web1", "web2")
MINUTES: Final = 40
NOW_MS: Final = START_MS + MINUTES * 60_000
TABLES: Final = (
    "round", "host", "poll", "section", "core", "filesystem", "disk", "interface", "interface_address",
    "system_sample", "core_sample", "filesystem_sample", "disk_sample", "interface_sample", "event", "alert",
    "limit_state", "host_latest", "housekeeping",
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
                    work.store_poll(taken, tuple(_moved(chance, value) for value in values(minute)))
        with journal.transaction() as work:
            for host in HOSTS:
                work.store_comparison(host, Comparison((), (), tuple(_alerts(chance, host))))


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
        *(
            f"""INSERT INTO {table} (id, host_id, {columns}, first_seen_ms, last_seen_ms)
                SELECT h.seq * 4 + i.seq, h.seq, {cells}, 1, 1 FROM seq_1_to_50 h, seq_1_to_4 i;
                INSERT INTO {table}_sample ({table}_id, at_ms) SELECT h.seq * 4 + i.seq, {at} {each_sample}"""
            for table, columns, cells in _INVENTORIES
        ),
    )
    more = ", ".join(f"{table}, {table}_sample" for table, _, _ in _INVENTORIES)
    tables = f"host, poll, system_sample, event, alert, host_latest, {more}"
    database.sql(";\n".join((*statements, f"ANALYZE TABLE {tables}")))


_INVENTORIES: Final = (
    ("core", "core", "i.seq"),
    ("filesystem", "mountpoint, device, type, state", "i.seq, 'd', 't', 'ok'"),
    ("disk", "device, model, size_bytes", "i.seq, 'm', 1"),
    ("interface", "interface, mac, link, mtu, speed_bits_per_second", "i.seq, 'm', 'up', 1, 1"),
)
