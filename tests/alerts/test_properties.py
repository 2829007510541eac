"""What must hold in every history, whatever is seen and however the configuration is edited meanwhile."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from poller.alerts.flap import flaps
from poller.model import AlertMemory, ChangeKind, Comparison, Hold, Severity, Threshold
from tests.alerts.replay import Player

LIMITS = [
    Threshold("disk.percent", above=90.0, clear=75.0, hold=Hold(120.0), severity=Severity.HIGH),
    Threshold("disk.percent", above=80.0, hold=Hold(polls=2)),
    Threshold("disk.percent", above=85.0, clear=60.0),
    Threshold("disk.percent", below=5.0, clear=10.0, severity=Severity.LOW),
    Threshold("disk.percent", (("mountpoint", "other"),), above=1.0),
]
ENDS = (ChangeKind.CLOSED, ChangeKind.UNCONFIGURED)
PROBLEMS = (ChangeKind.OPENED, ChangeKind.FLAPPING)
START_MS = 1_700_000_000_000
MINUTE_MS = 60_000

seen = st.one_of(st.integers(0, 100).map(str), st.sampled_from(["?", "gone", "91", "89", "76", "74"]))
restless = st.sampled_from(["99", "1", "99", "50", "?", "gone", "87"])
moments = st.one_of(st.just(MINUTE_MS), st.integers(-3_600_000, 600_000), st.just(86_400_000))
configurations = st.lists(st.sampled_from(LIMITS), unique=True, max_size=3)
polls = st.one_of(
    st.lists(st.tuples(moments, seen, st.none() | configurations), min_size=1, max_size=40),
    st.lists(st.tuples(st.just(MINUTE_MS), restless, st.none()), min_size=10, max_size=80),
)
Polls = list[tuple[int, str, list[Threshold] | None]]
Played = list[tuple[str, AlertMemory, Comparison]]


def replay(steps: Polls, limits: Sequence[Threshold] = (LIMITS[2], LIMITS[3])) -> Played:
    """(what was seen, memory before, result) of each poll."""
    player = Player("disk.percent", list(limits))
    now_ms, played = START_MS, []
    for step_ms, value, thresholds in steps:
        now_ms += step_ms
        if thresholds is not None:
            player.thresholds = thresholds
        before = player.memory
        played.append((value, before, player.poll(now_ms, value)))
    return played


@settings(max_examples=150, deadline=None)
@given(polls)
def test_no_problem_is_told_twice_without_an_end_and_no_end_without_a_problem(steps: Polls) -> None:
    open_id, flapping = None, False
    for _value, _before, result in replay(steps):
        for change in result.changes:
            if open_id is None:
                assert change.kind in PROBLEMS, "a change of what is not open"
                open_id = change.alert.id
            assert change.alert.id == open_id
            assert change.kind is not ChangeKind.OPENED or change.alert.opened_ms == change.alert.updated_ms
            assert (change.alert.closed_ms is not None) == (change.kind in ENDS)
            assert change.reason
            assert change.alert.reason == change.reason
            flapping = change.kind is ChangeKind.FLAPPING
            open_id = None if change.kind in ENDS else open_id
        assert [(alert.id, alert.flapping) for alert in result.open] == ([(open_id, flapping)] if open_id else [])


@settings(max_examples=150, deadline=None)
@given(polls)
def test_an_alert_opens_once_and_flaps_and_steadies_in_turn(steps: Polls) -> None:
    kinds: dict[str, list[ChangeKind]] = {}
    for _value, _before, result in replay(steps):
        for change in result.changes:
            kinds.setdefault(change.alert.id, []).append(change.kind)
    for told in kinds.values():
        assert told[0] in PROBLEMS
        assert ChangeKind.OPENED not in told[1:]
        turns = [kind for kind in told if kind in (ChangeKind.FLAPPING, ChangeKind.STEADY)]
        assert all(turns[place] is not turns[place + 1] for place in range(len(turns) - 1))
        for kind, after in itertools.pairwise(told):
            if kind is ChangeKind.FLAPPING:
                assert after is ChangeKind.STEADY or after in ENDS, "nothing else is told while it flaps"


@settings(max_examples=150, deadline=None)
@given(polls)
def test_a_poll_that_could_not_tell_changes_nothing_unless_the_configuration_did(steps: Polls) -> None:
    unchanged: Polls = [(step_ms, value, None) for step_ms, value, _thresholds in steps]
    for value, before, result in replay(unchanged):
        if value == "?":
            assert result.changes == ()
            assert replace(before, gap_ms=0) == AlertMemory(result.states, result.open, result.flaps)


@settings(max_examples=100, deadline=None)
@given(polls)
def test_playing_it_again_gives_the_same(steps: Polls) -> None:
    assert replay(steps) == replay(steps)


@settings(max_examples=100, deadline=None)
@given(polls)
def test_severity_is_that_of_the_highest_active_limit_and_changes_are_told_unless_it_flaps(steps: Polls) -> None:
    told = None
    for value, _before, result in replay(steps):
        for change in result.changes:
            if change.kind is ChangeKind.ROSE:
                assert told is not None
                assert change.alert.severity > told
            if change.kind is ChangeKind.FELL:
                assert told is not None
                assert change.alert.severity < told
            told = change.alert.severity
        for alert in result.open:
            active = [Severity.parse(state.key.split(" ")[2]) for state in result.states if state.active]
            assert alert.flapping or alert.severity == told
            if value not in ("?", "gone") and active:
                assert max(active) == alert.severity
            if value not in ("?", "gone") and not alert.flapping:
                assert active


@settings(max_examples=100, deadline=None)
@given(polls)
def test_what_is_remembered_is_there_once_and_no_longer_than_needed(steps: Polls) -> None:
    for value, _before, result in replay(steps):
        keys = [(state.metric, state.labels, state.key) for state in result.states]
        assert len(keys) == len(set(keys))
        assert all(state.polls >= 1 for state in result.states)
        assert all(flap.changes or flap.flapping for flap in result.flaps)
        flapping = {(alert.metric, alert.labels) for alert in result.open if alert.flapping}
        assert {(flap.metric, flap.labels) for flap in result.flaps if flap.flapping} == flapping
        for flap in result.flaps:
            if flap.flapping and value != "?":
                assert flaps(flap.changes, before=True)


# Six changes in a row make it flap; before that each is told. After that at most its end and, 15 polls later, the next.
MOST_AN_HOUR = 20


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["99", "1"]), min_size=60, max_size=180))
def test_however_restless_a_value_is_people_are_told_so_often_an_hour_at_most(values: list[str]) -> None:
    steps: Polls = [(MINUTE_MS, value, None) for value in values]
    told = [len(result.changes) for _value, _before, result in replay(steps)]
    assert max(sum(told[begin : begin + 60]) for begin in range(len(told))) <= MOST_AN_HOUR


def test_a_value_that_changes_with_every_poll_is_told_six_times_and_then_no_more() -> None:
    steps: Polls = [(MINUTE_MS, value, None) for value in ("99", "1") * 300]
    told = [change.kind for _value, _before, result in replay(steps) for change in result.changes]
    assert len(told) == 6
    assert told[-1] is ChangeKind.FLAPPING


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["91", "89", "80", "76"]), min_size=1, max_size=60))
def test_a_value_that_swings_within_the_band_alerts_at_most_once(values: list[str]) -> None:
    banded = Threshold("disk.percent", above=90.0, clear=75.0)
    steps: Polls = [(MINUTE_MS, value, None) for value in values]
    assert sum(len(result.changes) for _value, _before, result in replay(steps, [banded])) <= 1


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 300_000), seen, st.none()), min_size=1, max_size=40))
def test_a_hold_is_never_over_early(steps: Polls) -> None:
    held = Threshold("disk.percent", above=50.0, hold=Hold(300.0, 3))
    over, now_ms = [], START_MS
    for (step_ms, value, _none), (_value, _before, result) in zip(steps, replay(steps, [held]), strict=True):
        now_ms += step_ms
        if value not in ("?", "gone") and float(value) > 50:
            over.append(now_ms)
        elif value != "?":
            over.clear()
        if any(change.kind in PROBLEMS for change in result.changes):
            assert len(over) >= 3
            assert now_ms - over[0] >= 300_000
