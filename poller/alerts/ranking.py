"""Which of several limits on one subject is spoken of: the one that is worst, and the one that clears last."""

from __future__ import annotations

from poller.model import AnyRule, Severity, Threshold


def rank(rule: AnyRule) -> tuple[Severity, bool, float]:
    """Orders active limits: the most severe comes last, and of those the one furthest out.

    What will be comes before what is.
    """
    if not isinstance(rule, Threshold):
        return rule.severity, True, 0.0
    return rule.severity, not rule.within, rule.limit if rule.above is not None else -rule.limit


def ease(rule: AnyRule) -> tuple[bool, float]:
    """Orders limits by how far the value must go back to clear them; the last to clear comes first."""
    if not isinstance(rule, Threshold):
        return False, 0.0
    clear = rule.limit if rule.clear is None else rule.clear
    return bool(rule.within), clear if rule.above is not None else -clear
