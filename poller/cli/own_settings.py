"""`poller config show` without a host: journal, archive, retention, who is told and how, the poller's own limits."""

from __future__ import annotations

import dataclasses
from typing import Any

from poller.cli import alert_settings
from poller.cli.limits import limit_document, limits
from poller.cli.settings import Settings
from poller.model import ArchiveSettings, Config, MailServer


def document(config: Config) -> dict[str, Any]:
    """The stable JSON form. Paths are absolute, durations seconds, sizes bytes; secrets by their reference."""
    return {
        "file": str(config.path),
        "hosts": len(config.hosts),
        "at-once": config.at_once,
        "daemon": {
            "processes": config.processes,
            "socket": None if config.socket is None else str(config.socket),
        },
        "journal": {"path": str(config.journal), "bound": config.journal_bound},
        "archive": _archive(config.archive),
        "retention": dataclasses.asdict(config.retention),
        "mail": _mail(config.mail),
        **alert_settings.document(config),
        "thresholds": [limit_document(threshold) for threshold in config.thresholds],
    }


def show(settings: Settings) -> None:
    """The same as tables, an element of config.xml after the other."""
    from poller.cli.table import cell, plain_table

    found = document(settings.config)
    table = plain_table("ELEMENT", "SETTING", "VALUE")
    table.add_row("file", "", cell(found["file"]))
    for element, name, value in _rows(found):
        table.add_row(element, name, cell(value))
    settings.out.print(table, "", limits(settings.config.thresholds), sep="\n")


def _rows(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    rows = [("poll", "hosts", str(found["hosts"])), ("poll", "at-once", str(found["at-once"]))]
    for element in ("daemon", "journal", "archive", "retention", "mail"):
        values = found[element]
        if values is None:
            rows.append((element, "", _NONE[element]))
        else:
            rows += [(element, name, _shown(element, name, value)) for name, value in values.items()]
    return rows + alert_settings.rows(found)


_NONE = {"archive": "none: the journal keeps history", "mail": "none: nobody is told by mail"}


def _shown(element: str, name: str, value: Any) -> str:
    from poller.cli.table import written
    from poller.rules.figure import span

    if value is None:
        return "-"
    if element == "retention" or name == "timeout":
        return span(value)
    return written(value, "bytes") if name == "bound" else str(value)


def _archive(archive: ArchiveSettings | None) -> dict[str, Any] | None:
    if archive is None:
        return None
    found: dict[str, Any] = {"url": str(archive)}
    if archive.kind == "mysql":
        found["tls"] = archive.tls
        found["ca"] = None if archive.ca is None else str(archive.ca)
        found["password"] = None if archive.password is None else str(archive.password)
    return found | {"timeout": archive.timeout}


def _mail(mail: MailServer | None) -> dict[str, Any] | None:
    if mail is None:
        return None
    return {
        "server": mail.server,
        "port": mail.port,
        "security": mail.security,
        "user": mail.user,
        "password": None if mail.password is None else str(mail.password),
        "from": mail.sender,
        "ca-file": None if mail.ca_file is None else str(mail.ca_file),
        "timeout": mail.timeout,
        "quota": mail.quota or None,
    }
