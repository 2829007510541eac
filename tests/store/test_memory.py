"""What a host's next rates are made from comes back from the database as it went in."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from poller.model import Reading, Section, SectionStatus
from poller.store.memory import _KINDS, decode, encode
from tests.store.machines import reading

_VALUES: dict[type, Any] = {
    str: some.text(max_size=20),
    int: some.integers(0, 2**63 - 1),
    float: some.floats(0, 1e15, allow_nan=False),
}


def _row(kind: type) -> some.SearchStrategy[Any]:
    hints = get_type_hints(kind)
    return some.builds(kind, *(_VALUES[hints[field.name]] for field in fields(kind)))


sections = some.builds(
    Section,
    some.text(max_size=10),
    some.sampled_from(SectionStatus),
    some.text(max_size=20),
    some.floats(0, 100),
    some.lists(some.one_of(*map(_row, _KINDS)), max_size=4).map(tuple),
)
readings = some.builds(
    Reading,
    some.floats(0, 1e11),
    some.floats(0, 1e9),
    some.text(max_size=36),
    some.lists(sections, max_size=4).map(tuple),
)


@settings(max_examples=80, deadline=None)
@given(readings)
def test_any_reading_comes_back_equal(one: Reading) -> None:
    assert decode(encode(one)) == one


def test_an_ordinary_reading_is_small() -> None:
    assert len(encode(reading(10_000))) < 8_000
    assert decode(encode(reading(10_000))) == reading(10_000)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "[1,2,3]", "[1,2,3,4]", '[1,2,"b",[5]]', '[1,2,"b",[["cpu","ok","",0,[["CpuTimes",1]]]]]',
        '[1,2,"b",[["x","odd","",0,[]]]]', '[1,2,"b",[["x","ok","",0,[["Unheard",1]]]]]', None,
    ],
)  # fmt: skip
def test_what_another_version_wrote_is_forgotten_not_guessed_at(text: str | None) -> None:
    assert decode(text) is None
