"""What is allowed in config.xml, and hardly meant: somebody who would never be told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from poller.model import AnyRule, Config

# More names than this would hide what is said of them.
_NAMED: Final = 5
# What `Config.origins` has for a value that no line of the file sets.
_DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A sentence, and what to do about it."""

    sentence: str
    hint: str


def doubts(config: Config) -> tuple[Doubt, ...]:
    """Of who is told. Without a contact nothing is doubted: then alerts are only stored, and that is meant."""
    return (*_unheard(config), *_unused(config)) if config.contacts else ()


def _unheard(config: Config) -> Iterator[Doubt]:
    meant = {name for name, origins in config.origins.items() if origins.get("notify", _DEFAULT) != _DEFAULT}
    silent = [host.name for host in config.hosts if host.name not in meant and not _told(host.judged)]
    if silent:
        more = f" and {len(silent) - _NAMED} more" if len(silent) > _NAMED else ""
        of = f"{', '.join(silent[:_NAMED])}{more}" if len(silent) < len(config.hosts) else "any host"
        yield Doubt(f"nobody is told of {of}", "notify= of <poller>, <group>, <host>, <threshold> or <rule> says who")


def _unused(config: Config) -> Iterator[Doubt]:
    told = _told(config.thresholds).union(*(_told(host.judged) | set(host.notify) for host in config.hosts))
    for contact in config.contacts if told else ():
        if contact.name not in told:
            yield Doubt(f'contact "{contact.name}" is told of nothing', "name it in notify= or <escalate>")
    used = {name for contact in config.contacts for name in contact.channels}
    for channel in config.channels:
        if channel.name not in used:
            yield Doubt(f'channel "{channel.name}" is in channels= of no contact', "name it there, or remove it")


def _told(rules: Iterable[AnyRule]) -> set[str]:
    """Whom any of these names, at once or later."""
    return {
        name for rule in rules for names in (rule.notify, *(one.notify for one in rule.escalations)) for name in names
    }
