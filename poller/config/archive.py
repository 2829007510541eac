"""`<archive>`: the url with what stands beside it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from poller.config.mistakes import Mistakes
from poller.config.structure import Node
from poller.model import ArchiveSettings


def build(root: Node, journal: Path, mistakes: Mistakes) -> ArchiveSettings | None:
    """The archive of <archive>, with what stands beside url=; what does not go together is noted."""
    node = root.one("archive")
    settings: ArchiveSettings | None = node.value("url") if node else None
    if node is None or settings is None:
        return None
    password = node.value("password-file") or node.value("password-env")
    if settings.kind == "sqlite":
        for name in sorted(node.named & {"password-file", "password-env"}):
            mistakes.add(node.line_of(name), f"{name}= means nothing for an SQLite file", "leave it out")
        if settings.path is not None and _same(settings.path, journal):
            mistakes.add(
                node.line_of("url"),
                "the archive is the journal itself",
                "leave <archive> out: the journal keeps history too, or name another file",
            )
    return dataclasses.replace(settings, password=password, timeout=node.value("timeout", settings.timeout))


def _same(one: Path, other: Path) -> bool:
    """Also through links; neither needs to exist."""
    return one == other or one.resolve() == other.resolve()
