"""config.xml, read again while the daemon runs: taken as a whole, or refused with every mistake and nothing changes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from poller.clock import now_ms
from poller.control import socket_path
from poller.errors import ConfigError, PollerError
from poller.model import Config, Host, Rule, Threshold

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What came of it: `config` is the one in force now; `refused` says why the new one is not, "" when it is.

    `restart`: what of it is not in force before the daemon is started again, a sentence each.
    """

    config: Config
    at_ms: int
    words: str
    refused: str = ""
    restart: tuple[str, ...] = ()


def reload(
    now: Config,
    reread: Callable[[], Config],
    take: Callable[[Config], None] = lambda config: None,
    began: Config | None = None,
) -> Reloaded:
    """Raises nothing for what is wrong with a file, and logs each mistake with its line.

    `take` puts it into force; when that fails, it is called once more with what was in force. `began` is the
    configuration of the daemon's start (else `now`): some of it is in force until its end.
    """
    done = _tried(now, reread, take)
    restart = tuple(_needs_restart(began or now, done.config))
    for what in () if done.refused else restart:
        _log.warning("%s", what)
    return replace(done, restart=restart)


def _tried(now: Config, reread: Callable[[], Config], take: Callable[[Config], None]) -> Reloaded:
    try:
        config = reread()
        _check(now, config)
    except ConfigError as error:
        for mistake in error.mistakes:
            _log.warning("%s%s", mistake, f" ({mistake.hint})" if mistake.hint else "")
        return _refused(now, str(error.mistakes[0]) if error.mistakes else error.sentence, len(error.mistakes))
    except (PollerError, OSError) as error:
        return _refused(now, str(error))
    except Exception as error:  # ours, and no reason to poll nobody any more
        return _failed(now, error)
    words = f"{config.path} is read again: {_differences(now, config)}"
    try:
        take(config)
    except Exception as error:
        take(now)
        return _failed(now, error)
    _log.info("%s", words)
    return Reloaded(config, now_ms(), words)


def _needs_restart(began: Config, config: Config) -> Iterable[str]:
    """What the daemon was made with: its workers, its socket, and how many may log in at once."""
    parts = (
        ("<daemon processes=>", began.processes, config.processes),
        ("<daemon socket=>", socket_path(began), socket_path(config)),
        ("<poll at-once=>", began.at_once, config.at_once),
    )
    for name, there, wanted in parts:
        if there != wanted:
            yield f"{name} is {wanted} in config.xml, and stays {there} until the daemon is started again"


def _failed(now: Config, error: Exception) -> Reloaded:
    _log.error("a fault of the poller itself, at reading %s again: %r", now.path, error, exc_info=error)
    return _refused(now, f"a fault of the poller itself: {error!r}")


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
