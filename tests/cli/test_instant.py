"""Times on the command line: ages, dates and times to come, as config.xml writes durations; nothing out of reach."""

from __future__ import annotations

import click
import pytest

from poller.cli.instant import instant, later, seconds, shown
from poller.clock import now_ms

CONTEXT = click.Context(click.Command("test"))
WHEN = click.Option(["--when"])
MINUTE_MS = 60_000


@pytest.mark.parametrize(("text", "minutes"), [("now", 0), ("90s", 1.5), ("1h30m", 90), ("2w", 20_160)])
def test_a_duration_is_an_age_or_a_time_to_come(text: str, minutes: float) -> None:
    before, ago, ahead, after = now_ms(), instant(CONTEXT, WHEN, text), later(CONTEXT, WHEN, text), now_ms()
    assert ago is not None and ahead is not None
    assert before <= ago + minutes * MINUTE_MS <= after
    assert before <= ahead - minutes * MINUTE_MS <= after


@pytest.mark.parametrize("text", ["2026-01-31T08:00", "2026-01-31 08:00Z", "2026-01-31T09:00+01:00"])
def test_a_date_is_utc_unless_it_says_so(text: str) -> None:
    at_ms = instant(CONTEXT, WHEN, text)
    assert at_ms is not None and at_ms == later(CONTEXT, WHEN, text)
    assert shown(at_ms) == "2026-01-31 08:00:00"


@pytest.mark.parametrize("text", ["", "x", "10", "-1h", "999999999y", "999999d"])
def test_what_is_no_time_or_out_of_reach_is_refused(text: str) -> None:
    for read in (instant, later, seconds):
        with pytest.raises(click.BadParameter):
            read(CONTEXT, WHEN, text)
