"""HOW SESSIONS ARE LOST, for people: a line for the log when it happens, and who is away, or was, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from poller.model import Link, LinkState

# Hosts that one line names; of the others it says how many there are.
_NAMED: Final = 3


class Sessions:
    """Which are held and since when, as the engine told it last."""

    def __init__(self) -> None:
        self._since: dict[str, int] = {}

    def take(self, links: Iterable[LinkState]) -> str:
        """What the engine has told since. The words for the log when any was lost, else ""."""
        lost: dict[str, str] = {}
        for state in links:
            since_ms = self._since.pop(state.host, None)
            if state.link is Link.CONNECTED:
                self._since[state.host] = state.since_ms
            again = state.link is Link.CONNECTED and since_ms != state.since_ms  # lost and made anew within one poll
            if since_ms is not None and (again or state.link is Link.LOST):
                lost[state.host] = state.reason
        return _words(lost)

    def change(self, names: Collection[str]) -> None:
        """The hosts of the configuration as it is now. Who has left it has lost nothing, also when it comes back."""
        self._since = {host: since_ms for host, since_ms in self._since.items() if host in names}


def _words(lost: Mapping[str, str]) -> str:
    """`2 sessions lost: web1: probe/closed: the connection broke; db1: ...`"""
    if not lost:
        return ""
    named = "; ".join(f"{host}: {why or 'for no known reason'}" for host, why in list(lost.items())[:_NAMED])
    more = f"; and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
    return f"{len(lost)} session{'' if len(lost) == 1 else 's'} lost: {named}{more}"


def entries(links: Mapping[str, LinkState]) -> list[dict[str, Any]]:
    """Hosts without a session that should be held, and those that lost one before; by name. Instants in milliseconds.

    `reason` is why (stage/code: sentence), `tries` how often it was tried since, `next_ms` when it is tried next.
    """
    return [
        {
            "host": name,
            "link": str(state.link),
            "since_ms": state.since_ms,
            "tries": state.tries,
            "next_ms": state.next_ms,
            "reason": state.reason,
        }
        for name, state in sorted(links.items())
        if state.reason
    ]
