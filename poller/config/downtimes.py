"""`<downtime>`: when nobody is told of what happens on some hosts, every week or once, by the clock of a place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fnmatch import filter as fitting
from typing import Final

from poller.config import hours, ranges
from poller.config.contacts import check_names
from poller.config.mistakes import Mistakes, WrongError, meant, shortened
from poller.config.structure import Node
from poller.model import Downtime, Host, Hours

# Each is compared as a glob with every host that something is to be told of.
_MOST: Final = 200


def downtimes(root: Node, hosts: Sequence[Host], mistakes: Mistakes) -> tuple[Downtime, ...]:
    """All that are right; hosts, groups and tags that they name must be there."""
    found = []
    lines: dict[str, int] = {}
    for node in root.each("downtime"):
        name = node.value("name", "")
        if name in lines:
            mistakes.add(node.line_of("name"), f'downtime "{name}" stands twice; the first is in line {lines[name]}')
        if name:
            lines.setdefault(name, node.line_of("name"))
        check_names(node, "groups", "group", [group.value("name", "") for group in root.each("group")], mistakes)
        check_names(node, "tags", "tag", sorted({tag for host in hosts for tag in host.tags}), mistakes)
        downtime = _downtime(node, name, _hosts(node, hosts, mistakes), mistakes)
        if downtime is not None:
            found.append(downtime)
    return tuple(found)


def _hosts(node: Node, hosts: Sequence[Host], mistakes: Mistakes) -> tuple[str, ...]:
    """Names and globs. Brackets are ranges, as in name= of a host: as a glob pc[1-20] would fit pc1 and pc2 alone."""
    names = [host.name for host in hosts]
    found: list[str] = []
    for word in node.value("hosts", "").split():
        try:
            globs = ranges.expand(word)
        except WrongError as wrong:
            mistakes.add(node.line_of("hosts"), f'hosts="{shortened(word)}" {wrong.predicate}', wrong.hint)
            continue
        if len(globs) > _MOST:
            mistakes.add(node.line_of("hosts"), f'hosts="{shortened(word)}" stands for more than {_MOST} hosts',
                         "name their group or a tag, or write a glob: pc*")  # fmt: skip
            continue
        stranger = next((glob for glob in globs if not fitting(names, glob)), None)
        if stranger is not None:
            mistakes.add(node.line_of("hosts"), f'hosts="{shortened(stranger)}" fits no host{meant(stranger, names)}',
                         "write names, ranges such as pc[01-40], or globs such as db*")  # fmt: skip
        found += globs
    return tuple(found)


def _downtime(node: Node, name: str, hosts: tuple[str, ...], mistakes: Mistakes) -> Downtime | None:
    begin, end, zone = node.value("from"), node.value("until"), node.value("zone")
    if begin is None or end is None or zone is None:
        return None
    weekly: Hours | None = None
    from_ms = until_ms = 0
    if isinstance(begin, str) and isinstance(end, str):
        weekly = _weekly(node, begin, end, zone, mistakes)
    elif isinstance(begin, datetime) and isinstance(end, datetime):
        from_ms, until_ms = _once(node, begin, end, zone, mistakes)
    else:
        mistakes.add(node.line_of("until"), "from= and until= are of two kinds, a time of day and a moment",
                     "write both as 02:00 (every week) or both as 2026-12-01 02:00 (once)")  # fmt: skip
        return None
    return Downtime(
        name=name,
        hosts=hosts,
        groups=node.value("groups", ()),
        tags=node.value("tags", ()),
        hours=weekly,
        from_ms=from_ms,
        until_ms=until_ms,
        comment=node.value("comment", ""),
        where=mistakes.where(node.line),
    )


def _weekly(node: Node, begin: str, end: str, zone: str, mistakes: Mistakes) -> Hours:
    days = node.value("days", frozenset(range(7)))
    try:
        return Hours(days, *hours.checked_span(hours.clock(begin), hours.clock(end)), zone=zone)
    except WrongError as wrong:
        mistakes.add(node.line_of("from"), f'downtime "{node.value("name", "")}" {wrong.predicate}', wrong.hint)
        return Hours(days, zone=zone)


def _once(node: Node, begin: datetime, end: datetime, zone: str, mistakes: Mistakes) -> tuple[int, int]:
    """Milliseconds since the epoch. A time that the clock skips counts by the offset before, of two the first."""
    from zoneinfo import ZoneInfo

    if "days" in node.named:
        mistakes.add(node.line_of("days"), "days= means nothing where from= and until= are dates")
    place = ZoneInfo(zone)
    from_ms, until_ms = (int(each.replace(tzinfo=place).timestamp() * 1000) for each in (begin, end))
    if until_ms <= from_ms:
        mistakes.add(node.line_of("until"), f"until={_quoted(node, 'until')} is not after from={_quoted(node, 'from')}")
    return from_ms, until_ms


def _quoted(node: Node, name: str) -> str:
    return f'"{shortened(node.settings[name].raw)}"'
