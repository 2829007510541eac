"""What changed, and why: histories in text files, and what must hold in every one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from poller.alerts import compare
from poller.alerts.reason import number
from poller.model import (
    Alert,
    AlertMemory,
    Change,
    ChangeKind,
    Comparison,
    Hold,
    MetricValue,
    Severity,
    Sight,
    Threshold,
    World,
)
from poller.rules import judge
from poller.rules.figure import span
from tests.alerts.replay import HOST, play

HISTORIES = sorted(Path(__file__).with_name("histories").glob("*.txt"))
HIGH = Threshold("cpu.percent", above=90.0, clear=75.0, severity=Severity.HIGH, notify=("ops",))
MEDIUM = Threshold("cpu.percent", above=80.0, notify=("net",))
READ = Sight(frozenset({"cpu", "filesystem"}))


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_history(path: Path) -> None:
    polls = list(play(path))
    assert polls
    for line, expected, happened in polls:
        assert happened == expected, line


def after(
    memory: AlertMemory | Comparison, values: dict[str, float], thresholds: list[Threshold], now_ms: int = 1000
) -> Comparison:
    """One poll of disks by mountpoint, or of the cpu under the name "cpu"."""
    given = [
        MetricValue("cpu.percent", value)
        if name == "cpu"
        else MetricValue("disk.percent", value, (("mountpoint", name),))
        for name, value in values.items()
    ]
    known = AlertMemory(memory.states, memory.open, memory.flaps)
    verdicts = judge(thresholds, World(now_ms, given, READ))
    return compare(HOST, verdicts, known, thresholds, now_ms, lambda: f"id-{now_ms}")


def test_an_alert_says_what_when_how_bad_and_since_when() -> None:
    waiting = after(AlertMemory(), {"cpu": 97.0}, [replace(HIGH, hold=Hold(60.0))], 1000)
    assert waiting.changes == ()
    opened = after(waiting, {"cpu": 98.0}, [replace(HIGH, hold=Hold(60.0))], 61_000)
    alert = Alert(
        "id-61000", HOST, "cpu.percent", (), Severity.HIGH, 98.0, "> 90 for 60s", 61_000, 61_000, 1000,
        reason="98.0 > 90 for 1m",
    )  # fmt: skip
    assert opened.open == (alert,)
    assert opened.changes == (Change(ChangeKind.OPENED, alert, "98.0 > 90 for 1m", ("ops",)),)


def test_an_open_alert_shows_the_newest_value_without_a_change() -> None:
    opened = after(AlertMemory(), {"cpu": 97.0}, [HIGH], 1000)
    later = after(opened, {"cpu": 99.0}, [HIGH], 2000)
    assert later.changes == ()
    (alert,) = later.open
    assert (alert.id, alert.value, alert.opened_ms, alert.updated_ms) == ("id-1000", 99.0, 1000, 2000)


def test_a_closed_alert_is_told_to_those_of_its_highest_limit_with_the_value_that_closed_it() -> None:
    opened = after(AlertMemory(), {"cpu": 97.0}, [MEDIUM, HIGH], 1000)
    closed = after(opened, {"cpu": 5.0}, [MEDIUM, HIGH], 2000)
    assert (closed.open, closed.states) == ((), ())
    (change,) = closed.changes
    assert change.notify == ("ops",)
    assert (change.alert.value, change.alert.closed_ms, change.alert.reason) == (5.0, 2000, "back to 5.0, under 75")


def test_each_label_value_is_an_episode_of_its_own() -> None:
    full = Threshold("disk.percent", above=85.0)
    opened = after(AlertMemory(), {"/": 90.0, "/var": 95.0, "/srv": 10.0}, [full])
    assert [dict(change.alert.labels)["mountpoint"] for change in opened.changes] == ["/", "/var"]
    then = after(opened, {"/": 10.0, "/srv": 99.0}, [full], 2000)
    assert [(str(change.kind), change.alert.labels[0][1], change.reason) for change in then.changes] == [
        ("closed", "/", "back to 10.0, under 85"),
        ("opened", "/srv", "99.0 > 85"),
        ("closed", "/var", "no longer there"),
    ]


def test_a_host_without_thresholds_closes_everything_as_unconfigured() -> None:
    """How a host that left the configuration is ended."""
    opened = after(AlertMemory(), {"cpu": 97.0}, [HIGH])
    ended = compare(HOST, (), AlertMemory(opened.states, opened.open), (), 2000, lambda: "never")
    assert [change.kind for change in ended.changes] == [ChangeKind.UNCONFIGURED]
    assert (ended.states, ended.open) == ((), ())


def test_a_filter_that_no_longer_covers_a_mount_ends_its_alert_as_unconfigured() -> None:
    opened = after(AlertMemory(), {"/": 90.0, "/var": 90.0}, [Threshold("disk.percent", above=85.0)])
    only_root = [Threshold("disk.percent", (("mountpoint", "/"),), above=85.0)]
    narrowed = after(opened, {"/": 90.0, "/var": 90.0}, only_root, 2000)
    assert [(str(change.kind), change.alert.labels[0][1]) for change in narrowed.changes] == [("unconfigured", "/var")]


def test_where_two_thresholds_are_alike_the_later_one_counts() -> None:
    general = Threshold("disk.percent", above=85.0, notify=("ops",))
    special = Threshold("disk.percent", (("mountpoint", "/var"),), above=85.0, hold=Hold(polls=2), notify=("net",))
    first = after(AlertMemory(), {"/": 90.0, "/var": 90.0}, [general, special])
    second = after(first, {"/": 90.0, "/var": 90.0}, [general, special], 2000)
    assert [change.notify for change in (*first.changes, *second.changes)] == [("ops",), ("net",)]


def test_an_open_alert_whose_limit_states_were_lost_is_kept_until_the_value_clears() -> None:
    """A journal rebuilt from the archive knows open alerts, but no states."""
    opened = after(AlertMemory(), {"cpu": 97.0}, [HIGH])
    held = replace(HIGH, hold=Hold(600.0))
    for value in (97.0, 80.0):
        kept = after(AlertMemory((), opened.open), {"cpu": value}, [held], 2000)
        assert (kept.changes, [alert.id for alert in kept.open]) == ((), ["id-1000"])
    closed = after(AlertMemory((), opened.open), {"cpu": 10.0}, [held], 2000)
    assert [change.kind for change in closed.changes] == [ChangeKind.CLOSED]


def test_instants_never_run_backwards_in_an_alert() -> None:
    opened = after(AlertMemory(), {"cpu": 97.0}, [HIGH], 5000)
    (alert,) = after(opened, {"cpu": 98.0}, [HIGH], 1000).open
    assert (alert.opened_ms, alert.updated_ms) == (5000, 5000)
    (change,) = after(opened, {"cpu": 1.0}, [HIGH], 1000).changes
    assert (change.alert.closed_ms, change.alert.updated_ms) == (5000, 5000)


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [
        (97.04, "cpu.percent", "97.0"),
        (0.0, "cpu.percent", "0.0"),
        (0.0123, "cpu.percent", "0.0123"),
        (1.0, "host.down", "1"),
        (1e12, "disk.used_bytes", "1000000000000"),
        (2.5, "load.1m", "2.5"),
        (-3.25, "clock.offset_seconds", "-3.2"),
        (None, "cpu.percent", "unknown"),
    ],
)
def test_numbers_read_well(value: float | None, metric: str, text: str) -> None:
    assert number(value, metric) == text


def test_durations_read_as_in_the_configuration() -> None:
    assert [span(seconds) for seconds in (90, 300, 7200, 86400, 0.5)] == ["90s", "5m", "2h", "1d", "0.5s"]
