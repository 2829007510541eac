"""A range of a monitoring plugin means what the guidelines say, explains itself, and prints back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.cli.perfdata import PerfDatum, quoted
from poller.cli.range import Range
from poller.cli.table import figures
from poller.errors import UsageError


@pytest.mark.parametrize(
    ("text", "fine", "alerting"),
    [
        ("10", (0, 5, 10), (-0.1, 10.1)),
        ("10:", (10, 1e12), (9.9, -1)),
        ("~:10", (-1e12, 10), (10.1,)),
        ("10:20", (10, 15, 20), (9.9, 20.1)),
        ("@10:20", (9.9, 20.1), (10, 15, 20)),
        ("@10", (-1, 11), (0, 10)),
        ("~:", (-1e12, 0, 1e12), ()),
        (":10", (0, 10), (-1, 11)),
        (":", (0, 1e12), (-1,)),
        ("-5:5", (-5, 0, 5), (-5.1, 5.1)),
        ("0.5:.75", (0.5, 0.75), (0.49, 0.76)),
        ("0:0", (0,), (-1, 1)),
    ],
)
def test_a_range_alerts_as_the_guidelines_say(text: str, fine: tuple[float, ...], alerting: tuple[float, ...]) -> None:
    one = Range.parse(text)
    assert not any(map(one.alerts, fine))
    assert all(map(one.alerts, alerting))


@pytest.mark.parametrize(
    "text",
    ["", "@", "~", "@~", "ten", "10:5", "1e3", "nan", "inf", "10:20:30", "10:~", "10 20", "@@1", "10%", "٣"],
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Range.parse(text)


@pytest.mark.parametrize(
    ("text", "value", "why", "explained"),
    [
        ("90", 97, "> 90", "0 to 90"),
        ("10:", 3, "< 10", "10 and more"),
        ("~:10", 11, "> 10", "up to 10"),
        ("@10:20", 15, "in 10 to 20", "10 to 20"),
        ("@~:", 15, "in any number", "any number"),
    ],
)
def test_a_range_explains_itself(text: str, value: float, why: str, explained: str) -> None:
    one = Range.parse(text)
    assert one.why(value, figures) == why
    assert one.explained(figures) == explained


_ENDS = st.integers(-(10**12), 10**12).map(lambda number: number / 1000)


@given(_ENDS | st.just(-math.inf), _ENDS | st.just(math.inf), st.booleans(), _ENDS)
def test_what_is_printed_is_read_as_the_same_range(low: float, high: float, inside: bool, value: float) -> None:
    one = Range(min(low, high), max(low, high), inside)
    again = Range.parse(str(one))
    assert again == one and str(again) == str(one)
    assert again.alerts(value) is not Range(one.low, one.high, not inside).alerts(value)


def test_what_is_no_number_is_never_fine() -> None:
    assert Range.parse("~:").alerts(math.nan)


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("/var", "/var"),
        ("cpu", "cpu"),
        ("/mnt/my disk", "'/mnt/my disk'"),
        ("it's", "'it''s'"),
        ("a=b", "'a\\x3db'"),
        ("a|b", "'a\\x7cb'"),
        ("a\nb\x1b[2J", "'a\\nb\\x1b[2J'"),
        ("", "-"),
    ],
)
def test_a_label_of_performance_data_ends_neither_itself_nor_the_line(label: str, shown: str) -> None:
    assert quoted(label) == shown


@pytest.mark.parametrize(
    ("datum", "shown"),
    [
        (PerfDatum("cpu", 12.3456789, "percent", Range(0, 80), Range(0, 90), 0, 100), "cpu=12.345679%;80;90;0;100"),
        (PerfDatum("size", 2.0**40, "bytes", None, Range.parse("1024:")), "size=1099511627776B;;1024:"),
        (PerfDatum("rta", 0.0000124, "seconds"), "rta=0.000012s"),
        (PerfDatum("rate", 1e-12, "per second"), "rate=0"),
        (PerfDatum("offset", -0.25, "seconds", Range.parse("-1:1")), "offset=-0.25s;-1:1"),
        (PerfDatum("odd", math.inf, "any"), "odd=U"),
    ],
)  # fmt: skip
def test_performance_data_have_no_exponent_and_no_empty_end(datum: PerfDatum, shown: str) -> None:
    assert str(datum) == shown
