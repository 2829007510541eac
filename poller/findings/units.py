"""Units that failed, and no longer do."""

from __future__ import annotations

from collections.abc import Iterator

from poller.findings.both import Both
from poller.findings.told import Told, joined
from poller.model import Severity, Unit


def units(both: Both) -> Iterator[Told]:
    """A unit is listed while it failed, or always when it was asked for."""
    for old, new in both.pairs("units", Unit):
        failed, fails = (one is not None and one.active == "failed" for one in (old, new))
        one = new or old
        if fails and not failed:
            yield Told("unit_failed", Severity.MEDIUM, joined(one.unit, f"failed ({one.sub})", one.description))
        elif failed and not fails:
            state = f"is {new.active}" if new else "no longer failed"
            yield Told("unit_recovered", Severity.LOW, joined(one.unit, state, one.description))
