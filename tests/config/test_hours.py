"""Weekly hours, as people write them."""

from __future__ import annotations

import pytest

from poller.config import hours
from poller.config.mistakes import WrongError
from poller.model import Hours

WEEK = frozenset(range(7))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mon-fri 08:00-18:00", [(frozenset(range(5)), 480, 1080)]),
        ("mon-fri 08:00-18:00; sat 10:00-12:00;", [(frozenset(range(5)), 480, 1080), (frozenset({5}), 600, 720)]),
        ("daily 22:00-06:00", [(WEEK, 1320, 360)]),
        ("8:00-24:00", [(WEEK, 480, 1440)]),
        ("08:00-00:00", [(WEEK, 480, 0)]),
        ("sat, sun", [(frozenset({5, 6}), 0, 1440)]),
        ("Fri-Mon 00:00-24:00", [(frozenset({4, 5, 6, 0}), 0, 1440)]),
        ("mon wed 08:00-12:00 13:00-17:00", [(frozenset({0, 2}), 480, 720), (frozenset({0, 2}), 780, 1020)]),
        ("sun-sun 01:00-02:00", [(frozenset({6}), 60, 120)]),
    ],
)
def test_hours_are_read(text: str, expected: list[tuple[frozenset[int], int, int]]) -> None:
    assert hours.hours(text) == tuple(Hours(days, begin, end) for days, begin, end in expected)


@pytest.mark.parametrize(
    ("text", "predicate"),
    [
        (";", "names no hours"),
        ("mon 08:00", 'has "08:00", which is no span of time'),
        ("mon 08:00-25:00", 'has "25:00", which is no time of day'),
        ("mon 08:00-24:01", 'has "24:01", which is no time of day'),
        ("mon 08:60-09:00", 'has "08:60", which is no time of day'),
        ("mon 08:00-08:00", "begins and ends at the same time"),
        ("mon 24:00-08:00", "begins at 24:00"),
        ("monday 08:00-09:00", 'has "monday", which is no day; did you mean "mon"?'),
        ("mo-fr 08:00-09:00", 'has "mo", which is no day; did you mean "mon"?'),
        ("mon- 08:00-09:00", 'has "", which is no day'),
        ("08:00-09:00 mon", 'has days behind the time in "08:00-09:00 mon"'),
        ("mon 08:00-09:00 tue 10:00-11:00", 'has days behind the time in "mon 08:00-09:00 tue 10:00-11:00"'),
        ("mon\x1b 08:00-09:00", "holds a control character or an invisible one"),
        ("mon \u0668:00-\u0669:00", 'has "\u0668:00", which is no time of day'),
    ],
)
def test_hours_that_cannot_be_say_what_is_wrong(text: str, predicate: str) -> None:
    with pytest.raises(WrongError) as caught:
        hours.hours(text)
    assert caught.value.predicate == predicate


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])
def test_zones_of_the_database_are_known(name: str) -> None:
    assert hours.zone(name) == name


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "europe/berlin", "Mars/Olympus", "\0", "Europe/"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(WrongError):
        hours.zone(name)
