"""The answer of `poller check --host poller`: whether the poller does its rounds, and what it says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from poller.cli import last_known
from poller.cli.check_host import listed, told
from poller.cli.perfdata import PerfDatum
from poller.cli.plugin import Answer, State, worst
from poller.cli.settings import counted
from poller.cli.table import ago

if TYPE_CHECKING:
    from poller.model import Config
    from poller.store.views import RoundStatus


def look(config: Config, now: int, max_age_ms: int | None) -> Answer:
    """Critical when the last round over all hosts is too old, however well that was. Only reads."""
    from poller.store import views

    last = views.last_round(config.journal)
    if last is None:
        return Answer(State.UNKNOWN, "no round over all hosts yet: `poller run` makes one")
    bound = max_age_ms
    if bound is None:
        bound = max((last_known.bound_ms(host) for host in config.hosts), default=0)
    owed = views.backlog(config.journal)
    open_alerts = [told(alert) for alert in views.own_alerts(config.journal)]
    words = [words for _, words in open_alerts]
    state = worst(state for state, _ in open_alerts)
    if last_known.too_old(last.started_ms, now, bound):
        state = State.CRITICAL
        words.insert(0, "no round is made any more")
    words.append(f"last round {ago(last.started_ms, now)} over {counted(last.hosts, 'host')}")
    return Answer(state, f"poller: {listed(words)}", (*_of_round(last), PerfDatum("owed", owed.owed, least=0.0)))


def _of_round(last: RoundStatus) -> tuple[PerfDatum, ...]:
    """A round that goes on has no numbers yet."""
    if last.ended_ms is None:
        return ()
    counts = {"ok": last.ok, "partial": last.partial, "failed": last.failed, "skipped": last.skipped}
    seconds = PerfDatum("round", (last.ended_ms - last.started_ms) / 1000, "seconds", least=0.0)
    return (seconds, *(PerfDatum(name, count, least=0.0, most=last.hosts) for name, count in counts.items()))
