"""One poll's values against the limits: each label value apart, strictly beyond, and what is missing is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.metrics import CATALOGUE
from poller.model import MetricValue, Sight, Standing, Threshold, World
from poller.rules import judge

ALL = Sight(frozenset({"cpu", "memory", "filesystem", "network"}))
CPU = Threshold("cpu.percent", above=90.0, clear=75.0)
DISK = Threshold("disk.percent", above=85.0)
VAR = Threshold("disk.percent", (("mountpoint", "/var*"),), above=70.0)


def disk(mountpoint: str, percent: float) -> MetricValue:
    return MetricValue("disk.percent", percent, (("mountpoint", mountpoint),))


def standing(limit: Threshold, value: float) -> Standing:
    """How one value stands to it."""
    label = CATALOGUE[limit.metric].label
    seen = MetricValue(limit.metric, value, ((label, "/"),) if label else ())
    (verdict,) = (one for one in judge([limit], World(0, [seen], ALL)) if one.value is not None)
    return verdict.standing


def told(
    thresholds: list[Threshold], values: list[MetricValue], sight: Sight = ALL
) -> list[tuple[str, str, float | None]]:
    """(label value, standing, value) per verdict."""
    return [
        (verdict.labels[0][1] if verdict.labels else "", str(verdict.standing), verdict.value)
        for verdict in judge(thresholds, World(0, values, sight))
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(95.0, "breach"), (90.1, "breach"), (90.0, "between"), (75.1, "between"), (75.0, "ok"), (0.0, "ok")],
)
def test_above_is_strict_and_clear_ends_the_band(value: float, expected: str) -> None:
    assert standing(CPU, value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(4.0, "breach"), (5.0, "between"), (9.9, "between"), (10.0, "ok"), (50.0, "ok")]
)
def test_below_is_above_upside_down(value: float, expected: str) -> None:
    assert standing(Threshold("disk.inodes_free", below=5.0, clear=10.0), value) == expected


@pytest.mark.parametrize("limit", [{"above": 0.0}, {"below": 0.0}])
def test_without_a_clear_value_the_limit_itself_is_ok(limit: dict[str, float]) -> None:
    assert standing(Threshold("host.down", **limit), 0.0) == Standing.OK  # type: ignore[arg-type]


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_higher_value_never_stands_better(value: float, more: float, band: float) -> None:
    order = [Standing.OK, Standing.BETWEEN, Standing.BREACH]
    limit = Threshold("cpu.percent", above=50.0, clear=50.0 - band)
    assert order.index(standing(limit, value + more)) >= order.index(standing(limit, value))


def test_a_threshold_without_a_filter_judges_each_label_value_apart() -> None:
    assert told([DISK], [disk("/", 90.0), disk("/srv", 10.0)]) == [("/", "breach", 90.0), ("/srv", "ok", 10.0)]


def test_a_filter_is_a_glob_that_sees_case_and_only_its_matches_are_judged() -> None:
    values = [disk("/", 90.0), disk("/var", 90.0), disk("/var/log", 1.0), disk("/VAR", 90.0)]
    assert told([VAR], values) == [("/var", "breach", 90.0), ("/var/log", "ok", 1.0)]


def test_glob_characters_in_a_mountpoint_are_not_a_pattern() -> None:
    exact = Threshold("disk.percent", (("mountpoint", "/a"),), above=1.0)
    assert told([exact], [disk("/[a]", 90.0), disk("/*", 90.0)]) == []


def test_a_metric_that_was_not_given_is_unknown_when_its_section_could_not_be_read() -> None:
    assert told([DISK, CPU], [], Sight()) == [("", "unknown", None), ("", "unknown", None)]


def test_a_label_value_that_is_there_without_a_number_is_unknown() -> None:
    """A stuck mount, or a counter that went back."""
    sight = Sight(ALL.sections, frozenset({("mountpoint", "/"), ("mountpoint", "/mnt"), ("interface", "eth0")}))
    assert told([DISK], [disk("/", 1.0)], sight) == [("/", "ok", 1.0), ("/mnt", "unknown", None)]
    assert told([VAR], [], sight) == []


def test_a_label_value_that_is_gone_has_no_verdict_when_its_section_was_read() -> None:
    assert told([DISK], [disk("/", 1.0)], Sight(ALL.sections, frozenset({("mountpoint", "/")}))) == [("/", "ok", 1.0)]


def test_of_a_section_read_in_part_what_is_missing_is_unknown() -> None:
    sight = Sight(frozenset(), frozenset({("mountpoint", "/")}))
    assert told([DISK], [disk("/", 1.0)], sight) == [("/", "ok", 1.0), ("", "unknown", None)]


def test_a_rate_that_is_missing_is_unknown_although_its_section_was_read() -> None:
    assert told([CPU], []) == [("", "unknown", None)]


def test_what_the_poll_itself_tells_is_judged_without_a_report() -> None:
    down = Threshold("host.down", above=0.5)
    assert told([down], [MetricValue("host.down", 1.0)], Sight()) == [("", "breach", 1.0)]


def test_two_limits_on_one_metric_give_a_verdict_each() -> None:
    both = [Threshold("cpu.percent", above=80.0), CPU]
    assert told(both, [MetricValue("cpu.percent", 85.0)]) == [("", "breach", 85.0), ("", "between", 85.0)]
