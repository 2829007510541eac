"""What a reader found: hosts by group, and what could not be carried over, by line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ImportedHost:
    """`name` may hold ranges. `settings` are attributes of <host> or <group> by their names in config.xml."""

    name: str
    group: str = ""
    tags: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was left out, or needs a look. `line` is 1-based, 0 for the whole file."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Inventory:
    hosts: tuple[ImportedHost, ...]
    notes: tuple[Note, ...]
