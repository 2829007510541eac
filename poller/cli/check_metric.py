"""The answer of `poller check --metric NAME`: the newest values of one number, or the alerts of one rule."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from poller.cli import last_known
from poller.cli.bounds import Bounds, configured, datum
from poller.cli.check_host import listed, told
from poller.cli.plugin import Answer, State, worst
from poller.cli.table import ago
from poller.errors import UsageError
from poller.metrics import CATALOGUE, OWN, closest
from poller.model import MetricValue

if TYPE_CHECKING:
    from poller.model import Alert, Config, Host

_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which number and which of its labels (a glob; None: all), against what, and how old it may be (None: usual)."""

    metric: str
    label: str | None = None
    bounds: Bounds | None = None
    max_age_ms: int | None = None

    def fits(self, labels: Sequence[tuple[str, str]]) -> bool:
        return self.label is None or any(fnmatchcase(text, self.label) for _, text in labels)


@dataclass(frozen=True, slots=True)
class _Measured:
    """One value, what it means, and words for people."""

    value: MetricValue
    state: State
    words: str
    bounds: Bounds


def measure(config: Config, host: Host, wanted: Wanted, now: int) -> Answer:
    """The newest value of each label that is asked for; the worst one counts. Only reads."""
    if wanted.metric in (rule.name for rule in host.rules):
        return _rule(config, host, wanted, now)
    if wanted.metric not in CATALOGUE or wanted.metric.startswith(OWN):
        meant = closest(wanted.metric)
        raise UsageError(
            f"{host.name} has no metric or rule {wanted.metric!r}",
            f"did you mean {meant}?" if meant else "`poller metrics` lists the metrics",
        )
    values = _values(config, host, wanted, now)
    open_alerts = () if wanted.bounds else _open(config, host, wanted)
    measured = [_measured(host, wanted, value, open_alerts) for value in values]
    state = worst(one.state for one in measured)
    words = [one.words for one in measured if one.state is state] if state is not State.OK else _fine(measured)
    data = tuple(
        datum(_label(one.value), one.value.value, CATALOGUE[wanted.metric].unit, one.bounds) for one in measured
    )
    return Answer(state, f"{host.name}: {listed(words)}", data)


def _values(config: Config, host: Host, wanted: Wanted, now: int) -> list[MetricValue]:
    """Never none: then it is not known, which is an error of its own."""
    bound = last_known.bound_ms(host, CATALOGUE[wanted.metric].section)
    bound = bound if wanted.max_age_ms is None else wanted.max_age_ms
    values = last_known.newest(config.journal, host.name, wanted.metric, now - bound, now)
    found = [value for value in values if wanted.fits(value.labels)]
    if found:
        return found
    which = f"{wanted.metric}{{{wanted.label}}}" if wanted.label is not None else wanted.metric
    if not values:
        raise UsageError(
            f"{host.name} has no value of {which} of the last {bound / 1000:.0f} s", _last(config, host, now)
        )
    labels = [text for value in values for _, text in value.labels]
    meant = difflib.get_close_matches(wanted.label or "", labels, n=1)
    hint = f"did you mean --label {meant[0]}?" if meant else f"there is {listed(labels) or 'no label'}"
    raise UsageError(f"{host.name} has no value of {which}", hint)


def _last(config: Config, host: Host, now: int) -> str:
    from poller.store import views

    status = next((one for one in views.hosts(config.journal) if one.name == host.name), None)
    if status is None or status.at_ms is None:
        return f"it was never polled: `poller run --host {host.name}`"
    said = f": {status.stage}/{status.code}" if status.stage else ""
    return (
        f"polled {ago(status.at_ms, now)}, {status.outcome}{said}; its newest report came {ago(status.report_ms, now)}"
    )


def _open(config: Config, host: Host, wanted: Wanted) -> tuple[Alert, ...]:
    from poller.store import views

    alerts = (alert for one in views.hosts(config.journal) if one.name == host.name for alert in one.alerts)
    return tuple(alert for alert in alerts if alert.metric == wanted.metric and wanted.fits(alert.labels))


def _measured(host: Host, wanted: Wanted, value: MetricValue, open_alerts: Sequence[Alert]) -> _Measured:
    from poller.notify import wording

    unit = CATALOGUE[value.metric].unit
    bounds = wanted.bounds or configured(host, value, unit)
    state, passed = bounds.state(value.value)
    words = f"{_name(value)} {wording.quantity(value.value, unit)}"
    if passed is not None:
        words += f" {passed.why(value.value, lambda number: wording.quantity(number, unit))}"
    for alert in open_alerts:
        # It may be open though the value passes no limit now: it has not come back below `clear`, or it is a forecast.
        as_alert, said = told(alert)
        if alert.labels == value.labels and as_alert.rank > state.rank:
            state, words = as_alert, f"{words}, open: {said}"
    return _Measured(value, state, words, bounds)


def _name(value: MetricValue) -> str:
    return f"{value.metric}{{{value.labels[0][1]}}}" if value.labels else value.metric


def _label(value: MetricValue) -> str:
    """A value with a label is known by that alone, as check_disk has it."""
    return value.labels[0][1] if value.labels else value.metric


def _fine(measured: Sequence[_Measured]) -> list[str]:
    """A few of them with their values; of many only how many."""
    if len(measured) <= _NAMED:
        return [one.words for one in measured]
    return [f"{len(measured)} values of {measured[0].value.metric} are within their limits"]


def _rule(config: Config, host: Host, wanted: Wanted, now: int) -> Answer:
    """A rule has no number of its own: it fires or it does not, as of the newest report."""
    from poller.store import views

    if wanted.bounds:
        raise UsageError(f"{wanted.metric} is a rule, which has no number to hold against a range", "leave them out")
    status = next((one for one in views.hosts(config.journal) if one.name == host.name), None)
    bound = last_known.bound_ms(host) if wanted.max_age_ms is None else wanted.max_age_ms
    if status is None or last_known.too_old(last_known.known_ms(host, status), now, bound):
        raise UsageError(f"{host.name} gave no report in the last {bound / 1000:.0f} s", _last(config, host, now))
    firing = [told(alert) for alert in _open(config, host, wanted)]
    words = listed([words for _, words in firing]) or f"{wanted.metric} does not fire"
    return Answer(worst(state for state, _ in firing), f"{host.name}: {words}")
