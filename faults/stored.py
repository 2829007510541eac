"""X5: texts that a host chooses are stored as they came, in every field, and do nothing to the database."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import closing
from dataclasses import fields, replace
from typing import Any, Final

from uuid6 import uuid7

from faults.lab import Lab
from faults.names import TEXTS
from faults.near import local, near
from faults.site import LabSite
from poller.clock import now_ms
from poller.config import load
from poller.intake import Intake
from poller.model import FileSystem, Interface, Poll, PollOutcome, Report, Row, Section, SectionStatus
from poller.probe.envelope import open_report
from poller.probe.report import parse
from poller.store import Journal
from poller.store.archive import ship
from remote_probe.render import escaped
from tests.mariadb import make_database
from tests.mariadb import running as mariadb
from tests.probe.reports import render, report, watched
from tests.probe.sealing import ask, seal

# Tables whose rows are not those of a host.
FIXED: Final = frozenset(
    {"metric", "schema_migration", "round", "archive_state", "housekeeping", "history_bound", "sqlite_sequence"}
)
# Tables with a row more for each text that is a number.
NUMBERS: Final = frozenset({"series", "series_sample"})


def naughty_report(text: str, host: str) -> Report:
    """A whole report whose every free text is `text`."""
    now = watched()
    parts = tuple(_with(part, text) for part in now.sections)
    return replace(report(replace(now, sections=parts, boot_id=text), host=host), python=text)


def _with(part: Section, text: str) -> Section:
    """The same section with `text` in all that is text, and one row of each key that it makes equal."""
    if part.name == "pressure":
        return replace(part, status=SectionStatus.DENIED, reason=text, rows=())
    rows: dict[Any, Row] = {}
    for row in part.rows:
        names = [field.name for field in fields(row) if str(field.type) == "str" and not _fixed(row, field.name)]
        changed = replace(row, **dict.fromkeys(names, text))  # type: ignore[arg-type]
        rows.setdefault((type(row), tuple(getattr(changed, name) for name in names)), changed)
    return replace(part, rows=tuple(rows.values()))


def _fixed(row: Row, name: str) -> bool:
    """What the schema gives the words for; the row of all cores, that `cpu` is made of; what would make news old."""
    words = {FileSystem: "state", Interface: "link"}
    return words.get(type(row)) == name or name == "began" or (name == "core" and getattr(row, name) == "all")


COLUMNS: Final = (
    "SELECT table_name, column_name, column_type FROM information_schema.columns"
    " WHERE table_schema = database() ORDER BY table_name, ordinal_position"
)
# Where each text of such a report is stored.
PLACES: Final = (
    *(("host", column) for column in ("hostname", "kernel", "kernel_release", "machine", "distribution",
                                      "distribution_version", "distribution_name", "python", "boot_id")),
    ("core", "core"), ("filesystem", "mountpoint"), ("filesystem", "device"), ("filesystem", "type"),
    ("disk", "device"), ("disk", "model"), ("interface", "interface"), ("interface", "mac"),
    ("interface_address", "interface"), ("interface_address", "family"), ("interface_address", "address"),
    *(("usb_device", column) for column in ("port", "vendor_name", "product_name", "serial", "kind", "devices")),
    ("device", "name"), ("device", "model"), ("device", "serial"), ("mount", "mountpoint"), ("mount", "device"),
    ("mount", "options"), ("mount", "carrier"), ("listener", "process"), ("login", "account"), ("login", "terminal"),
    ("login", "source"), ("unit", "unit"), ("unit", "description"), ("service_check", "name"),
    ("service_check", "output"), ("log_source", "log"), ("log_source", "path"), ("log_source", "reason"),
)  # fmt: skip


def filled(site: LabSite, texts: Iterable[bytes], *, archived: bool = False) -> list[str]:
    """Takes a full poll of each text into the site's journal, sealed and opened; the names of their hosts."""
    chosen = list(texts)
    names = [f"n{number}" for number in range(len(chosen))]
    told = 'notify="ops"' if site.inbox else ""
    limit = '<thresholds name="all"><threshold metric="disk.percent" above="0"/></thresholds>'
    site.write(local(*names, more=f'thresholds="all" {told}'), more=(site.inbox.xml if site.inbox else "") + limit)
    config = load(site.config, {"HOME": str(site.folder)})
    with closing(Journal.open(config.journal, now_ms=now_ms(), archived=archived)) as journal:
        round_id = str(uuid7())
        with journal.transaction() as work:
            work.begin_round(round_id, "full", now_ms(), len(names))
        intake = Intake(journal, config, round_id, keep=True)
        for name, text in zip(names, chosen, strict=True):
            intake.take([_polled(name, escaped(text))])
    return names


def _polled(host: str, text: str) -> Poll:
    """What the poller makes of such an answer."""
    request = ask(host)
    sealed = seal(render(naughty_report(text, host)), request.body)
    found = parse(open_report(sealed, request), request)
    return Poll(
        str(uuid7()), host, now_ms(), PollOutcome.PARTIAL, report=found, address=text[:200], host_key="SHA256:x"
    )


def counts(site: LabSite) -> dict[str, int]:
    tables = [name for (name,) in site.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {table: site.rows(f'SELECT count(*) FROM "{table}"')[0][0] for table in tables}


def stored(lab: Lab) -> str:
    site = near(lab, "")
    texts = TEXTS[:: lab.size(short=3, full=1)]
    filled(site, [b"benign"])
    before, schema = counts(site), site.rows("SELECT type, name, sql FROM sqlite_master ORDER BY name")
    for path in site.folder.glob("poller.db*"):
        path.unlink()
    names = filled(site, texts)
    after = counts(site)
    for table, count in before.items():
        expected = count if table in FIXED else count * len(texts)
        if table in NUMBERS:
            assert expected <= after[table] <= expected + 3 * len(texts), f"{table} has {after[table]} rows"
            continue
        assert after[table] == expected, f"{table} has {after[table]} rows, not {expected}"
    assert site.rows("SELECT type, name, sql FROM sqlite_master ORDER BY name") == schema, "the schema changed"
    checked = 0
    for name, text in zip(names, texts, strict=True):
        for table, column in PLACES:
            checked += _exact(site, table, column, name, escaped(text))
    there = "" if lab.short else f", {_on_mariadb(lab, site, texts)} on MariaDB"
    return f"{len(texts)} full polls: {checked} fields byte-exact on SQLite{there}; rows and schema unchanged"


def _on_mariadb(lab: Lab, site: LabSite, texts: tuple[bytes, ...]) -> int:
    """The same texts, shipped: how many fields are byte-exact there, too."""
    database = make_database(lab.enter(mariadb()))
    schema = database.sql(COLUMNS)
    for path in site.folder.glob("poller.db*"):
        path.unlink()
    names = filled(site, texts, archived=True)
    with closing(Journal.open(site.journal, now_ms=now_ms())) as journal:
        shipped = ship(journal, database.writer, 1 << 30, threading.Event(), now_ms)
    assert (shipped.rejected, shipped.waiting, shipped.away) == (0, 0, None), shipped
    assert database.sql(COLUMNS) == schema, "information_schema changed"
    tables = database.sql("SHOW FULL TABLES WHERE table_type = 'BASE TABLE'").split()[::3]
    for table, count in counts(site).items():
        if table in tables and table not in FIXED:
            there = int(database.sql(f"SELECT count(*) FROM `{table}`"))
            assert there == count, f"{table}: {there} rows on MariaDB, {count} on SQLite"
    checked = 0
    for table, column in PLACES:
        for line in database.sql(_field(table, column)).splitlines():
            name, _, value = line.partition("\t")
            checked += bytes.fromhex(value) == escaped(texts[names.index(name)]).encode()
    assert checked == len(texts) * len(PLACES), f"{checked} fields of {len(texts) * len(PLACES)} are byte-exact"
    return checked


def _field(table: str, column: str) -> str:
    """Host and hexadecimal text. (The row of all cores is no core.)"""
    source = "host" if table == "host" else f"host JOIN {table} ON {table}.host_id = host.id"
    return f"SELECT DISTINCT host.name, hex({table}.{column}) FROM {source}"


def _exact(site: LabSite, table: str, column: str, host: str, text: str) -> int:
    """One field, compared as bytes."""
    values = {bytes.fromhex(value) for name, value in site.rows(_field(table, column)) if name == host}
    assert values == {text.encode()}, f"{table}.{column} of {text!a} holds {values!a}"
    return 1
