"""config.xml, read again while the daemon runs: taken as a whole, or refused with every mistake and nothing changes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from poller.clock import now_ms
from poller.errors import ConfigError, PollerError
from poller.model import Config, Host, Rule, Threshold

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What came of it: `config` is the one in force now; `refused` says why the new one is not, "" when it is."""

    config: Config
    at_ms: int
    words: str
    refused: str = ""


def reload(now: Config, reread: Callable[[], Config]) -> Reloaded:
    """Never raises for what is wrong with a file. Each mistake is logged with its line."""
    try:
        config = reread()
        _check(now, config)
    except ConfigError as error:
        for mistake in error.mistakes:
            _log.warning("%s%s", mistake, f" ({mistake.hint})" if mistake.hint else "")
        return _refused(now, str(error.mistakes[0]) if error.mistakes else error.sentence, len(error.mistakes))
    except (PollerError, OSError) as error:
        return _refused(now, str(error))
    words = f"{config.path} is read again: {_differences(now, config)}"
    for what in ("processes", "socket"):
        if getattr(config, what) != getattr(now, what):
            _log.warning("<daemon %s=> stays as it was until the daemon is started again", what)
    _log.info("%s", words)
    return Reloaded(config, now_ms(), words)


def _refused(now: Config, why: str, mistakes: int = 1) -> Reloaded:
    more = f" and {mistakes - 1} more" if mistakes > 1 else ""
    words = f"{now.path} is refused, what was in force stays: {why}{more}"
    _log.warning("%s", words)
    return Reloaded(now, now_ms(), words, why)


def _check(now: Config, then: Config) -> None:
    if then.journal != now.journal:
        raise PollerError(
            f"the journal cannot be another one while the daemon runs: {then.journal}",
            "stop the daemon, move the file, and start it again",
            code="reload",
        )


def _differences(now: Config, then: Config) -> str:
    """In words: how many hosts there are, and which came, went or changed."""
    before, after = _hosts(now), _hosts(then)
    both = after.keys() & before.keys()
    counts = {
        "new": len(after.keys() - both),
        "gone": len(before.keys() - both),
        "changed": sum(_told_apart(before[name]) != _told_apart(after[name]) for name in both),
    }
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "no host has changed"
    return f"{len(after)} host{'' if len(after) == 1 else 's'}, {said}"


def _hosts(config: Config) -> dict[str, Host]:
    return {host.name: host for host in config.hosts}


def _told_apart(host: Host) -> tuple[object, ...]:
    """All but the line of the file at which it stands, which moves when something is written above it."""
    return replace(host, where="", thresholds=(), rules=()), *_nowhere(host.thresholds), *_nowhere(host.rules)


def _nowhere(judged: Iterable[Threshold | Rule]) -> Iterable[Threshold | Rule]:
    return (replace(one, where="") for one in judged)
