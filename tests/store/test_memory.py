"""What a host's next rates are made from comes back from the database as it went in."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from poller.model import (
    PASSING,
    Listener,
    LoadAverage,
    Process,
    Reading,
    Row,
    Section,
    SectionStatus,
    Series,
    SocketCount,
)
from poller.store import Journal
from poller.store.memory import _KINDS, decode, encode, remembered
from tests.store.machines import reading
from tests.store.watching import mount, read, seen, store, usb

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
    some.none() | some.floats(0, 1e9) | some.just(math.inf),
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
    assert decode(encode(one)) == short(one)


def short(one: Reading) -> Reading:
    """Of processes only what their use is counted from comes back."""
    return replace(one, sections=tuple(replace(each, rows=tuple(map(_used, each.rows))) for each in one.sections))


def _used(row: Row) -> Row:
    return Process(row.pid, "", 0, "", "", 0, row.started, row.cpu, 0, "") if isinstance(row, Process) else row


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


def test_what_schema_2_wrote_comes_back_as_it_was() -> None:
    old = '[1.5,60.0,"b",[["load","ok","",0.1,[["LoadAverage",1.25,0.75,0.5]]],["usb","denied","no",0.1,[]]]]'
    found = decode(old)
    assert found == Reading(1.5, 60.0, "b", (
        Section("load", SectionStatus.OK, "", 0.1, (LoadAverage(1.25, 0.75, 0.5),)),
        Section("usb", SectionStatus.DENIED, "no", 0.1),
    ))  # fmt: skip


# --- sections that are not read each time ---


def at(uptime: float, *sections: Section, boot_id: str = "b") -> Reading:
    return Reading(uptime, uptime, boot_id, sections)


def kept(*readings: Reading) -> dict[str, tuple[tuple[Row, ...], float | None]]:
    """Section -> rows and uptime of what is remembered after these."""
    memory: Reading | None = None
    for one in readings:
        memory = decode(encode(remembered(memory, one)))
    assert memory is not None
    return {section.name: (section.rows, section.uptime) for section in memory.sections}


def test_a_section_that_was_not_asked_for_keeps_its_rows_and_their_age() -> None:
    first = at(60, read("usb", usb()), read("mounts", mount()))
    found = kept(first, at(120, read("mounts")), at(180, read("load")))
    assert found == {"usb": ((usb(),), 60.0), "mounts": ((), 120.0), "load": ((), None)}


@pytest.mark.parametrize("status", [SectionStatus.DENIED, SectionStatus.FAILED, SectionStatus.TIMEOUT])
def test_a_section_that_could_not_be_read_keeps_its_rows_too(status: SectionStatus) -> None:
    assert kept(at(60, read("usb", usb())), at(120, read("usb", status=status, reason="no"))) == {
        "usb": ((usb(),), 60.0)
    }
    assert kept(at(120, read("usb", status=status, reason="no"))) == {"usb": ((), None)}


def test_after_a_reboot_what_is_from_before_it_has_no_age_that_counts() -> None:
    found = kept(at(9000, read("usb", usb())), at(30, read("load"), boot_id="c"), at(90, read("load"), boot_id="c"))
    assert found == {"usb": ((usb(),), math.inf), "load": ((), None)}


def test_what_is_told_once_is_not_remembered() -> None:
    assert Series in PASSING
    found = kept(at(60, read("textfiles", Series("a", "1")), read("usb", usb())))
    assert found == {"textfiles": ((), None), "usb": ((usb(),), None)}


def test_the_journal_remembers_each_section(journal: Journal) -> None:
    store(journal, seen("web1", 1, read("usb", usb())))
    store(journal, seen("web1", 2, read("mounts", mount())))
    found = journal.before(["web1"])["web1"].reading
    assert found is not None
    assert found.uptime == 120.0
    ages = {section.name: section.uptime for section in found.sections}
    assert (ages["usb"], ages["mounts"], ages["cpu"]) == (60.0, None, None)
    without = replace(found, sections=tuple(one for one in found.sections if one.name not in ("usb", "mounts")))
    assert set(without.sections) == set(reading(2).sections)


def test_a_section_without_what_is_told_once_keeps_its_rows_while_they_are_the_same() -> None:
    listener = Listener("tcp", "0.0.0.0", 22, 0, "sshd")  # noqa: S104 - what a host tells
    was = reading_of(listener, SocketCount("tcp", "LISTEN", 1))
    first = remembered(None, was)
    again = remembered(first, reading_of(listener, SocketCount("tcp", "LISTEN", 2)))
    assert first.sections[0].rows == (listener,)
    assert again.sections[0].rows is first.sections[0].rows
    gone = remembered(again, reading_of(SocketCount("tcp", "LISTEN", 0)))
    assert gone.sections[0].rows == ()


def test_a_section_that_failed_and_has_rows_that_are_told_once_all_the_same_is_remembered_without_them() -> None:
    section = Section("sockets", SectionStatus.FAILED, "half of it", 0.0, (SocketCount("tcp", "LISTEN", 1),))
    one = remembered(None, Reading(1.0, 1.0, "boot", (section,)))
    assert one.sections == (replace(section, rows=()),)
    assert decode(encode(one)) == one


def reading_of(*rows: Row) -> Reading:
    return Reading(1.0, 1.0, "boot", (Section("sockets", SectionStatus.OK, "", 0.0, rows),))
