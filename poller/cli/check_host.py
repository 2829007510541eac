"""The answer of `poller check --host NAME`: whether the host answers, what is open there, and its vital numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from poller.cli import firing, last_known
from poller.cli.bounds import configured, datum
from poller.cli.perfdata import PerfDatum
from poller.cli.plugin import Answer, State, worst
from poller.cli.table import ago, quantity
from poller.metrics import CATALOGUE
from poller.model import MetricValue, Severity

if TYPE_CHECKING:
    from poller.model import Alert, Config, Host
    from poller.store.views import HostStatus

# Metric -> the name under which other plugins report it: check_load, check_icmp.
_VITALS: Final = {"cpu.percent": "cpu", "memory.percent": "memory", "swap.percent": "swap", "load.1m": "load1"}
_ECHO: Final = {"ping.seconds": "rta", "ping.loss_percent": "pl"}
_DISKS: Final = 3
_ALERTS: Final = 5


def look(config: Config, host: Host, now: int, max_age_ms: int | None) -> Answer:
    """What is known of the host, from its newest poll and its open alerts. Only reads."""
    from poller.store import views

    seen = {one.name: one for one in views.hosts(config.journal)}
    status = seen.get(host.name)
    if status is None or status.at_ms is None:
        return Answer(State.UNKNOWN, f"{host.name} was never polled: `poller run --host {host.name}`")
    bound = last_known.bound_ms(host) if max_age_ms is None else max_age_ms
    if last_known.too_old(status.at_ms, now, bound):
        return Answer(State.UNKNOWN, f"{host.name} was polled last {ago(status.at_ms, now)}: is the poller at work?")
    open_alerts = [told(alert) for alert in status.alerts]
    if status.outcome == "failed":
        behind = last_known.blamed(config, host, seen)
        return Answer(*_failed(host, status, behind, now, [state for state, _ in open_alerts]))
    if last_known.too_old(last_known.known_ms(host, status), now, bound):
        return Answer(State.UNKNOWN, f"{host.name} gave its last report {ago(status.report_ms, now)}")
    values = echo(config, host, now - bound, now) if host.via == "ping" else vitals(config, host)
    data = tuple(_datum(host, value) for value in values)
    words = listed([words for _, words in open_alerts]) or _well(values)
    when = f"polled {ago(status.at_ms, now)}"
    return Answer(worst(state for state, _ in open_alerts), f"{host.name}: {words}{', ' if words else ''}{when}", data)


def _failed(host: Host, status: HostStatus, behind: str, now: int, others: Sequence[State]) -> tuple[State, str]:
    """A host that does not answer is down as soon as config.xml says so; before that it is worth a look."""
    down = any(alert.metric == "host.down" for alert in status.alerts) or _down(host, status, now)
    state = State.CRITICAL if down else worst([State.WARNING, *others])
    why = f"{status.stage}/{status.code}: {status.error}"
    if behind:
        return state, f"{host.name} is unreachable: {behind} is down ({why})"
    polls = f"{status.failures} poll{'' if status.failures == 1 else 's'} failed"
    return state, f"{host.name} is down: {why}" if down else f"{host.name}: {polls}: {why}"


def _down(host: Host, status: HostStatus, now: int) -> bool:
    """As `down-after=` has it, also when no threshold is on host.down."""
    hold = host.poll.down_after
    if hold.seconds:
        return status.report_ms is not None and now - status.report_ms > hold.seconds * 1000
    return status.failures >= hold.polls


def told(alert: Alert) -> tuple[State, str]:
    """What an open alert means here, and its words."""
    return State.CRITICAL if alert.severity is Severity.HIGH else State.WARNING, firing.told(alert)


def listed(parts: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = f" and {len(parts) - _ALERTS} more" if len(parts) > _ALERTS else ""
    return ", ".join(parts[:_ALERTS]) + more


def vitals(config: Config, host: Host) -> tuple[MetricValue, ...]:
    """cpu, memory, swap, load, and the fullest disks."""
    from poller.store import views

    values = views.latest(config.journal, host.name)
    disks = sorted((value for value in values if value.metric == "disk.percent"), key=lambda one: -one.value)
    known = {value.metric: value for value in values}
    return (*(known[name] for name in _VITALS if name in known), *disks[:_DISKS])


def echo(config: Config, host: Host, since_ms: int, now: int) -> tuple[MetricValue, ...]:
    """What the newest echo requests gave."""
    journal = config.journal
    return tuple(value for name in _ECHO for value in last_known.newest(journal, host.name, name, since_ms, now))


def _datum(host: Host, value: MetricValue) -> PerfDatum:
    unit = CATALOGUE[value.metric].unit
    name = (_VITALS | _ECHO).get(value.metric) or value.labels[0][1]
    return datum(name, value.value, unit, configured(host, value, unit))


def _well(values: Iterable[MetricValue]) -> str:
    """The same numbers for people: `cpu 12%, load1 0.31, / 55%`."""
    names = _VITALS | _ECHO
    return ", ".join(f"{names.get(value.metric) or value.labels[0][1]} {_short(value)}" for value in values)


def _short(value: MetricValue) -> str:
    unit = CATALOGUE[value.metric].unit
    if unit == "seconds" and value.value < 1:
        return f"{value.value * 1000:.3g} ms"
    return f"{value.value:.0f}%" if unit == "percent" else quantity(value.value, unit)
