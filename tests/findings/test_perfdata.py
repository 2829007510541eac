"""Performance data as plugins of all kinds write it, and as nobody should."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.findings.perfdata import parse
from poller.findings.series import parse_value


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("time=0.5s;1;2;0;10", {"time": 0.5}),
        ("rta=0.043000ms;100;500;0 pl=0%;20;60;0", {"rta": 0.000043, "pl": 0.0}),
        ("/=2643MB;5948;5958;0;5968 /boot=68MB;88;93;0;98", {"/": 2643 * 2**20, "/boot": 68 * 2**20}),
        ("a=1B b=1KB c=1kB d=1GB e=1TB f=1KiB", {"a": 1, "b": 1024, "c": 1024, "d": 2**30, "e": 2**40, "f": 1024}),
        ("us=3us ns=3ns", {"us": 3e-6, "ns": 3e-9}),
        ("'disk C:\\\\ used'=5%;;;0;100", {"disk C:\\\\ used": 5.0}),
        ("'it''s'=1 'two words'=2c", {"it's": 1.0, "two words": 2.0}),
        ("load1=0.010;5.000;10.000;0;", {"load1": 0.01}),
        ("temp=-12.5C fan=1200rpm", {"temp": -12.5, "fan": 1200.0}),
        ("range=5;10:20;@1:2;~:3", {"range": 5.0}),
        ("big=1.5e+3 plus=+2 dot=.5 end=5.", {"big": 1500.0, "plus": 2.0, "dot": 0.5, "end": 5.0}),
        ("unknown=U;1;2 a=U known=1", {"known": 1.0}),
        ("check::multi::time=1s", {"check::multi::time": 1.0}),
        ("=5 a= b c=x 'open=3 good=1 d=1,5 e=0x10 f==4", {"good": 1.0}),
        ("a=1e999 b=" + "9" * 100 + " c=1", {"c": 1.0}),
        ("", {}),
    ],
)
def test_numbers_come_in_base_units_and_what_is_broken_takes_nothing_with_it(
    text: str, found: dict[str, float]
) -> None:
    assert dict(parse(text)) == pytest.approx(found)


@given(st.one_of(st.text(max_size=80), st.text("ab='; 1.e-+U%MsB\t", max_size=60)))
def test_any_text_is_numbers_or_nothing(text: str) -> None:
    for label, value in parse(text):
        assert label and math.isfinite(value)


@given(
    st.dictionaries(
        st.text(st.characters(blacklist_characters="=\n\r", blacklist_categories=("Z", "C")), min_size=1, max_size=12),
        st.floats(allow_nan=False, allow_infinity=False, width=32),
        max_size=5,
    )
)
def test_what_a_plugin_wrote_is_what_is_found(numbers: dict[str, float]) -> None:
    quoted = (f"'{label.replace(chr(39), chr(39) * 2)}'={value!r};1;2" for label, value in numbers.items())
    assert dict(parse(" ".join(quoted))) == numbers


@pytest.mark.parametrize("text", ["NaN", "+Inf", "-Inf", "inf", "", "x", "1_000", "1e999", "0x10", "9" * 999, "\u0661"])
def test_a_value_of_a_textfile_that_is_no_number_is_none(text: str) -> None:
    assert parse_value(text) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_value_of_a_textfile_is_the_number_it_says(value: float) -> None:
    assert parse_value(repr(value)) == value
