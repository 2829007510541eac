"""One `<threshold>`: its metric and labels against the catalogue, its numbers in base units, its sides in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from poller import metrics
from poller.config import escalation, values
from poller.config.escalation import NOTHING, Again
from poller.config.mistakes import Mistakes, WrongError, shortened
from poller.config.notify import Notify
from poller.config.structure import Node
from poller.config.vocabulary import LABELS
from poller.metrics import CATALOGUE, Metric
from poller.model import Hold, Severity, Threshold
from poller.model.threshold import is_glob

# Metric, label filters, and whether it is about the future.
Slot = tuple[str, tuple[tuple[str, str], ...], bool]
DOWN: Final = "host.down"
SECURITY: Final = "host.security"
_PERCENT: Final[Mapping[str, int]] = {"%": 1}
_ALONE: Final = (
    *("above", "below", "clear", "reaches", "within", "for", "polls", "severity", "notify", "remind", "evidence"),
)


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold not yet bound to a host. `held` says that it names its own `for=` or `polls=`."""

    threshold: Threshold
    held: bool = True
    notify: Notify | None = None
    off: bool = False
    again: Again = NOTHING

    @property
    def slots(self) -> tuple[Slot, ...]:
        """What a later layer replaces: all limits of one metric and one set of label filters, of now or of later."""
        kinds = (False, True) if self.off else (bool(self.threshold.within),)
        return tuple((self.threshold.metric, self.threshold.labels, kind) for kind in kinds)


def read(parent: Node, mistakes: Mistakes) -> tuple[Limit, ...]:
    """The thresholds inside one element, without those that are wrong."""
    limits = []
    seen: dict[tuple[tuple[Slot, ...], str], int] = {}
    for node in parent.each("threshold"):
        limit = _limit(node, mistakes)
        if limit is None:
            continue
        limits.append(limit)
        key = limit.slots, "off" if limit.off else limit.threshold.key
        if key in seen:
            mistakes.add(node.line, f"this threshold on {limit.threshold.metric} stands twice; "
                                    f"the first is in line {seen[key]}")  # fmt: skip
        seen.setdefault(key, node.line)
    _check_off(parent, limits, mistakes)
    return tuple(limits)


def _check_off(parent: Node, limits: Iterable[Limit], mistakes: Mistakes) -> None:
    on = {slot for limit in limits if not limit.off for slot in limit.slots}
    for limit in limits:
        if limit.off and on & set(limit.slots):
            mistakes.add(_line(limit), f"{limit.threshold.metric} is both set and off inside one <{parent.tag}>")


def _line(limit: Limit) -> int:
    return int(limit.threshold.where.rpartition(":")[2])


def _limit(node: Node, mistakes: Mistakes) -> Limit | None:
    metric = _metric(node, mistakes)
    if metric is None:
        return None
    labels = _labels(node, metric, mistakes)
    where = mistakes.where(node.line)
    if node.value("off", False):
        for name in _ALONE:
            if name in node.settings:
                mistakes.add(node.line_of(name), f'{name}= means nothing beside off="yes"')
        return Limit(Threshold(metric.name, labels, where=where), off=True)
    again = escalation.read(node, mistakes)
    numbers = (
        _future(node, metric, mistakes) if {"reaches", "within"} & node.named else _numbers(node, metric, mistakes)
    )
    if numbers is None:
        return None
    above, below, clear = numbers
    severity = node.value("severity", Severity.HIGH if metric.name in (DOWN, SECURITY) else Severity.MEDIUM)
    hold = Hold(node.value("for", 0.0), node.value("polls", 1))
    threshold = Threshold(
        *(metric.name, labels, above, below, clear, hold, severity),
        where=where,
        within=node.value("within", 0.0),
        evidence=node.value("evidence", False),
    )
    return Limit(threshold, "for" in node.settings or "polls" in node.settings, node.value("notify"), again=again)


def _metric(node: Node, mistakes: Mistakes) -> Metric | None:
    name = node.value("metric")
    if name is None:
        return None
    metric = CATALOGUE.get(name)
    if metric is None:
        close = metrics.closest(name)
        suggestion = f'; did you mean "{close}"?' if close else ""
        mistakes.add(node.line_of("metric"), f'metric="{shortened(name)}" is not a metric{suggestion}',
                     "`poller metrics` lists all of them")  # fmt: skip
    return metric


def _labels(node: Node, metric: Metric, mistakes: Mistakes) -> tuple[tuple[str, str], ...]:
    for label in LABELS:
        if label in node.settings and label != metric.label:
            its = f"its label is {metric.label}=" if metric.label else "it has no labels"
            mistakes.add(node.line_of(label), f"{metric.name} cannot be filtered by {label}=; {its}")
    pattern = node.value(metric.label) if metric.label else None
    if pattern is None:
        return ()
    if metric.label in _SPELLED and not is_glob(pattern):
        right, form, hint = _SPELLED[metric.label]
        if not right(pattern):
            mistakes.add(node.line_of(metric.label), f'{metric.label}="{shortened(pattern)}" {form}', hint)
    return ((metric.label, pattern),)


def _is_port(text: str) -> bool:
    digits = text.removeprefix("udp/")
    return re.fullmatch(r"[1-9][0-9]{0,4}", digits) is not None and int(digits) <= 65535


def _is_unit(text: str) -> bool:
    return re.fullmatch(r"\S+\.[a-z]+", text) is not None


# Labels of which another spelling would never be met, and what is said of one.
_SPELLED: Final[Mapping[str, tuple[Callable[[str], bool], str, str]]] = {
    "port": (_is_port, "is not a port", "write 22, or udp/53 where TCP does not count"),
    "unit": (_is_unit, "is not the whole name of a systemd unit", "write it as systemctl shows it: ssh.service"),
}


def _numbers(node: Node, metric: Metric, mistakes: Mistakes) -> tuple[float | None, float | None, float | None] | None:
    """above, below, clear; None when something is wrong with them."""
    found: dict[str, float] = {}
    right = True
    for name in ("above", "below", "clear"):
        setting = node.settings.get(name)
        if setting is not None:
            try:
                found[name] = number(setting.value, metric)
            except WrongError as wrong:
                mistakes.add(setting.line, f'{name}="{shortened(setting.raw)}" {wrong.predicate}', wrong.hint)
                right = False
    if right and "above" not in found and "below" not in found and metric.unit == "0 or 1":
        found |= {"above": 0.0} if metric.higher_is_worse else {"below": 1.0}
    if right:
        right = _check_sides(node, metric, found, mistakes)
    return (found.get("above"), found.get("below"), found.get("clear")) if right else None


def _future(node: Node, metric: Metric, mistakes: Mistakes) -> tuple[float | None, float | None, None] | None:
    """The limit of reaches=, on the side that is the worse one of the metric."""
    for name, other in (("reaches", "within"), ("within", "reaches")):
        if name in node.named and other not in node.named:
            mistakes.add(node.line_of(name), f"{name}= needs {other}=",
                         'write both: reaches="100" within="24h"')  # fmt: skip
            return None
    if metric.unit == "0 or 1":
        mistakes.add(node.line_of("reaches"), f"reaches= is about numbers that move, and {metric.name} is 0 or 1")
        return None
    setting = node.settings.get("reaches")
    if setting is None or "within" not in node.settings or {"above", "below", "clear"} & node.named:
        return None  # the vocabulary's walk has said so
    try:
        limit = number(setting.value, metric)
    except WrongError as wrong:
        mistakes.add(setting.line, f'reaches="{shortened(setting.raw)}" {wrong.predicate}', wrong.hint)
        return None
    return (limit, None, None) if metric.higher_is_worse else (None, limit, None)


def _check_sides(node: Node, metric: Metric, found: Mapping[str, float], mistakes: Mistakes) -> bool:
    if "above" in found and "below" in found:
        return False  # the vocabulary's walk has said so
    if "above" not in found and "below" not in found:
        mistakes.add(node.line, f"the threshold on {metric.name} needs above= or below=")
        return False
    side = "above" if "above" in found else "below"
    clear = found.get("clear", found[side])
    written = {name: f'{name}="{shortened(node.settings[name].raw)}"' for name in found if name in node.settings}
    if clear > found[side] if side == "above" else clear < found[side]:
        other = "more" if side == "above" else "less"
        mistakes.add(
            node.line_of("clear"),
            f"{written['clear']} is {other} than {written.get(side, 'the limit')}",
            "clear= says when all is well again: it lies on the good side of the limit",
        )
        return False
    return True


def number(text: str, metric: Metric) -> float:
    """A limit in the metric's base unit: `90`, `90%`, `5GiB`, `10m`, as far as the unit allows it."""
    unit = metric.unit
    if unit.startswith("bytes"):
        return values.number(text, metrics.BYTES, " of bytes: write 1000, 500MB or 5GiB")
    if unit == "seconds":
        return values.number(text, metrics.SECONDS, " of seconds: write 2.5, 30s, 10m or 1d")
    if unit == "percent":
        value = values.number(text, _PERCENT, " of percent")
        if not 0 <= value <= 100:
            raise WrongError("is not between 0 and 100 percent")
        return value
    value = values.number(text, {}, "")
    if unit == "0 or 1" and not 0 <= value <= 1:
        raise WrongError(f"is not between 0 and 1, and {metric.name} is 0 or 1")
    return value
