"""Why an alert changed, as a sentence for people."""

from __future__ import annotations

from typing import Final

from poller.alerts import flap
from poller.metrics import CATALOGUE
from poller.model import AnyRule, Hold, Rule, Threshold, Verdict
from poller.model.threshold import spelled
from poller.rules.figure import span

GONE: Final = "no longer there"
UNCONFIGURED: Final = "no threshold in the configuration covers it any more"
NO_RULE: Final = "no rule of that name is in the configuration any more"
LIMIT_REMOVED: Final = "its limit is not in the configuration any more"


def breached(verdict: Verdict) -> str:
    """As "97.0 > 90 for 5m", "disk.percent 87, 100% in 5.2h at this pace", "load.1m 9.1: load.1m > 8 for 5m"."""
    rule = verdict.rule
    if isinstance(rule, Rule):
        said = f"{verdict.saw}: {rule.text}" if verdict.saw else rule.text
    elif rule.within:
        said = f"{verdict.saw or _ahead(rule)} at this pace"
    else:
        said = f"{number(verdict.value, rule.metric)} {rule.sign} {spelled(rule.limit)}"
    return " ".join(part for part in (said, _hold(rule.hold)) if part)


def back(verdict: Verdict) -> str:
    """As "back to 41.0, under 75": the value, and the number it had to pass."""
    rule = verdict.rule
    if isinstance(rule, Rule):
        over = rule.clear_text or f"no longer {rule.text}"
        return f"{verdict.saw}: {over}" if verdict.saw else over
    if rule.within:
        return f"{_now(verdict)}no longer {_ahead(rule)}"
    clear = rule.limit if rule.clear is None else rule.clear
    side = "at" if verdict.value == clear else "under" if rule.above is not None else "over"
    return f"back to {number(verdict.value, rule.metric)}, {side} {spelled(clear)}"


def _now(verdict: Verdict) -> str:
    return "" if verdict.value is None else f"now {number(verdict.value, verdict.metric)}: "


def _ahead(rule: Threshold) -> str:
    return f"reaches {spelled(rule.limit)} within {span(rule.within)}"


def unconfigured(metric: str) -> str:
    return UNCONFIGURED if metric in CATALOGUE else NO_RULE


def flapping(changes: int, why: str) -> str:
    """As "flapping, 7 changes in 20 polls: 97.0 > 90"."""
    return f"flapping, {flap.count(changes)} changes in {flap.POLLS} polls: {why}"


def steady(why: str) -> str:
    return f"steady again: {why}"


def limit(rule: AnyRule) -> str:
    """What an alert shows as its limit: "> 90 for 5m", "reaches 100 within 24h", the text of a rule."""
    if isinstance(rule, Threshold) and rule.within:
        return " ".join(part for part in (_ahead(rule), str(rule.hold)) if part)
    return str(rule)


def number(value: float | None, metric: str) -> str:
    """Base units; whole where the metric counts, else one decimal (more for small ones)."""
    if value is None:
        return "unknown"
    known = CATALOGUE.get(metric)
    if known is not None and known.unit in ("count", "bytes", "0 or 1") and value == int(value):
        return str(int(value))
    return f"{value:.1f}" if abs(value) >= 1 or value == 0 else f"{value:.3g}"


def _hold(hold: Hold) -> str:
    parts = []
    if hold.seconds:
        parts.append(f"for {span(hold.seconds)}")
    if hold.polls > 1:
        parts.append(f"for {hold.polls} polls")
    return " and ".join(parts)
