"""What is allowed in config.xml, and hardly meant: somebody who would never be told, a host that cannot be watched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    """Without a contact nothing is doubted of who is told: then alerts are only stored, and that is meant."""
    heard = (*_unheard(config), *_unused(config)) if config.contacts else ()
    return (*heard, *_unwatched(config))


def _unheard(config: Config) -> Iterator[Doubt]:
    meant = {name for name, origins in config.origins.items() if origins.get("notify", _DEFAULT) != _DEFAULT}
    silent = [host.name for host in config.hosts if host.name not in meant and not _told(host.judged)]
    if silent:
        of = _listed(silent) if len(silent) < len(config.hosts) else "any host"
        yield Doubt(f"nobody is told of {of}", "notify= of <poller>, <group>, <host>, <threshold> or <rule> says who")


def _unwatched(config: Config) -> Iterator[Doubt]:
    """Hosts that were to tell at once what happens, over a session that is not held."""
    unheld = [host.name for host in config.hosts if host.live and (host.cold or host.via == "ping")]
    if unheld:
        yield Doubt(
            f'live="yes" does nothing for {_listed(unheld)}', 'no session is held with cold="yes" or via="ping"'
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


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
