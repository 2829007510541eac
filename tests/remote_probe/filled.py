"""One section of a machine, as the probe would report it; and machines made of a few files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from remote_probe.collect import Section
from remote_probe.host import Host


def filled(host: Host, name: str) -> tuple[str, str, list[tuple[str, dict[str, Any]]]]:
    """(status, reason, rows) of a section."""
    section = Section(name)
    section.fill(host)
    status, reason, _, rows = section.outcome
    return status, reason, rows


def rows_of(host: Host, name: str, element: str) -> list[dict[str, Any]]:
    """The rows of one kind, of a section that must be read without a complaint."""
    status, reason, rows = filled(host, name)
    assert (status, reason) == ("ok", "")
    return [row for kind, row in rows if kind == element]


def machine(root: Path, files: dict[str, bytes | str], **options: Any) -> Host:
    """A machine that has these files; a name that ends in a slash is an empty folder."""
    for name, content in files.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Host(os.fsencode(root), options=options)
