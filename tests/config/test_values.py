"""Texts of attributes to values and nothing else; ranges expand to what a person would count."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.config import ranges, values, variables
from poller.config.mistakes import WrongError
from poller.metrics import BYTES, SECONDS
from poller.model import Hold


@given(st.lists(st.tuples(st.integers(0, 999_999), st.sampled_from(sorted(SECONDS))), min_size=1, max_size=5))
def test_a_duration_is_the_sum_of_its_parts(parts: list[tuple[int, str]]) -> None:
    text = "".join(f"{number}{unit}" for number, unit in parts)
    assert values.duration(text) == sum(number * SECONDS[unit] for number, unit in parts)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("10m", 600), ("1h30m", 5400), ("0.5h", 1800), ("2y", 63072000)]
)
def test_durations_are_seconds(text: str, seconds: float) -> None:
    assert values.duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "10", "s", "-1s", "1 s", "1S", "1e3s", "nans", "1.s", "1s ", "٣s", "1..2s", "1ms"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(WrongError):
        values.duration(text)


@given(st.text(max_size=30))
def test_no_text_breaks_a_parser(text: str) -> None:
    parsers = (values.duration, values.hold, values.name, values.names, values.word, values.text, values.address,
               values.mail_address, values.severities, values.yes_no, values.count(1, 9, "x"), ranges.expand,
               lambda text: variables.fill(text, {}), lambda text: values.number(text, BYTES, ""))  # fmt: skip
    for parse in parsers:
        with contextlib.suppress(WrongError):
            parse(text)


@given(st.text(max_size=60))
def test_what_passes_as_mail_address_holds_nothing_that_could_break_a_header(text: str) -> None:
    with contextlib.suppress(WrongError):
        address = values.mail_address(text)
        assert address.isprintable()
        assert not set(address) & set('\r\n\t <>,;:"()')


@pytest.mark.parametrize(("text", "hold"), [("3 polls", Hold(polls=3)), ("1 poll", Hold()), ("5m", Hold(seconds=300))])
def test_a_hold_is_polls_or_time(text: str, hold: Hold) -> None:
    assert values.hold(text) == hold


@given(st.integers(0, 5000), st.integers(0, 200), st.integers(0, 6))
def test_a_range_counts_from_first_to_last_with_the_digits_that_are_written(first: int, more: int, width: int) -> None:
    written = f"{first:0{width}d}"
    expanded = ranges.expand(f"a[{written}-{first + more}]z")
    assert len(expanded) == more + 1
    assert [int(text[1:-1]) for text in expanded] == list(range(first, first + more + 1))
    if written.startswith("0"):
        assert all(len(text) - 2 >= len(written) for text in expanded)
    assert len(set(expanded)) == len(expanded)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_several_ranges_make_every_combination(sizes: list[int]) -> None:
    expanded = ranges.expand("-".join(f"x[1-{size}]" for size in sizes))
    count = 1
    for size in sizes:
        count *= size
    assert len(set(expanded)) == len(expanded) == count


@given(st.text(alphabet="abc-.:0123456789", max_size=20))
def test_a_text_without_brackets_stands_for_itself(text: str) -> None:
    assert ranges.expand(text) == (text,)
    assert not ranges.has_range(text)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("pc[08-11]", ["pc08", "pc09", "pc10", "pc11"]),
        ("pc[8-11]", ["pc8", "pc9", "pc10", "pc11"]),
        ("pc[1,3,7-9]", ["pc1", "pc3", "pc7", "pc8", "pc9"]),
        ("pc[007]", ["pc007"]),
        ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
        ("[2001:db8::1]", ["[2001:db8::1]"]),
        ("[2001:db8::[1-2]]", ["[2001:db8::1]", "[2001:db8::2]"]),
        ("2001:db8::[9-10]", ["2001:db8::9", "2001:db8::10"]),
    ],
)
def test_ranges_expand(text: str, expanded: list[str]) -> None:
    assert list(ranges.expand(text)) == expanded


@pytest.mark.parametrize(
    "text", ["a[]", "a[-]", "a[1-]", "a[1-2-3]", "a[1,]", "a[x]", "a[1-2", "a[0-99999999]", "a[²]"]
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(WrongError):
        ranges.expand(text)


@given(st.dictionaries(st.from_regex(r"[A-Z_]{1,5}", fullmatch=True), st.text(max_size=9), min_size=1, max_size=4))
def test_variables_are_filled_in_once_and_escapes_stay(environ: dict[str, str]) -> None:
    text = "".join(f"<${{{name}}}>$${{{name}}}" for name in environ)
    assert variables.fill(text, environ) == "".join(f"<{value}>${{{name}}}" for name, value in environ.items())
