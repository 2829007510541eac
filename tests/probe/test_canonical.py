"""The short way to read a report takes nothing that the long way would not, and makes the same of it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from poller.errors import HostError
from poller.model import Mount, Process, Report, Section, SectionStatus
from poller.probe import canonical
from poller.probe.kinds import SECTIONS
from poller.probe.report import by_tree, kept, parse
from remote_probe.render import ONCE
from tests.probe.reports import Asked, full, memory, reading, render, report, section
from tests.probe.sealing import DIGEST

MOUNT = (
    '<mount mountpoint="/a&amp;b &quot;&lt;&gt;" device="/dev/sda1" type="ext4" root="/" options="rw" '
    'removable="0" usb="0" network="0" loop="0" carrier=""/>'
)
MACHINES = sorted((Path(__file__).parents[1] / "data" / "machines").glob("*/*.xml"))


class Named:
    """Whose report it says it is."""

    def __init__(self, xml: bytes) -> None:
        found = re.search(rb'host="([^"]*)" probe="([^"]*)"', xml)
        assert found
        self.host, self.probe = found[1].decode(), found[2].decode()


def lines(*, same: str = "") -> bytes:
    """As remote_probe/render.py writes it."""
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<report version="1" host="{Asked().host}" probe="{DIGEST}" python="cpython 3.11.2" seconds="0.023321">',
            '<reading clock="1795301584.637554" uptime="46787.55" boot_id="fa98418f">',
            '<section name="load" status="ok" reason="" seconds="0.000024">',
            '<load one="0.21" five="0.21" fifteen="0.3"/>',
            "</section>",
            f'<section name="mounts" status="ok" reason="" seconds="0.01"{same}>',
            *(() if same else (MOUNT,)),
            "</section>",
            '<section name="units" status="absent" reason="systemctl: No such file" seconds="0">',
            "</section>",
            "</reading>",
            "</report>",
            "",
        )
    ).encode()


@pytest.mark.parametrize("file", MACHINES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_the_report_of_every_captured_machine_goes_the_short_way(file: Path) -> None:
    xml = file.read_bytes()
    found = canonical.read(xml, Named(xml))
    assert found is not None
    assert found == by_tree(xml, Named(xml))


def test_every_kind_of_row_can_go_the_short_way() -> None:
    forms = {element for name in SECTIONS for element in canonical._forms(name)}
    assert forms == {element for kinds in SECTIONS.values() for element in kinds}


def test_what_means_something_in_xml_comes_back_as_it_was() -> None:
    found = canonical.read(lines(), Asked())
    assert found == by_tree(lines(), Asked())
    assert found is not None
    (mount,) = found.now.rows(Mount)
    assert isinstance(mount, Mount)
    assert mount.mountpoint == '/a&b "<>'


@settings(max_examples=200, deadline=None)
@given(some.data())
def test_whatever_is_taken_the_short_way_would_be_taken_the_long_way_too(data: some.DataObject) -> None:
    xml = bytearray(data.draw(some.sampled_from([lines(), lines(same=' same="1"')])))
    for _ in range(data.draw(some.integers(1, 3))):
        at = data.draw(some.integers(0, len(xml) - 1))
        piece = data.draw(
            some.binary(max_size=2)
            | some.sampled_from(
                [b"9", b"0" * 20, b"&amp;", b"&#65;", b"<", b">", b"\n", b"\t", b" ", b"\xef\xbf\xbe", b"-"]
            )
            | some.sampled_from(bytes(xml).split(b"\n")).map(lambda line: line + b"\n")
        )
        xml[at : at + data.draw(some.integers(0, 3))] = piece
    previous = kept(by_tree(lines(), Asked()))
    found = canonical.read(bytes(xml), Asked(), previous)
    if found is not None:
        assert by_tree(bytes(xml), Asked(), previous) == found


def test_another_form_of_a_good_report_is_left_to_the_long_way() -> None:
    good = report(full())
    spaced = render(good).replace(b"<section", b"<section ", 1)
    assert canonical.read(spaced, Asked()) is None
    assert parse(spaced, Asked()) == good


@pytest.mark.parametrize("read", [by_tree, parse, canonical.read])
def test_a_section_that_is_the_same_has_the_very_rows_of_the_report_before(read: object) -> None:
    assert callable(read)
    previous = kept(by_tree(lines(), Asked()))
    found = read(lines(same=' same="1"'), Asked(), previous)
    assert isinstance(found, Report)
    before, now = previous.now.section("mounts"), found.now.section("mounts")
    assert before is not None and now is not None
    assert now.rows is before.rows


@pytest.mark.parametrize("previous", [None, kept(report(reading(section("memory", memory()))))])
def test_a_section_that_is_the_same_as_nothing_is_refused(previous: Report | None) -> None:
    assert canonical.read(lines(same=' same="1"'), Asked(), previous) is None
    with pytest.raises(HostError) as caught:
        parse(lines(same=' same="1"'), Asked(), previous)
    assert (caught.value.stage, caught.value.code) == ("report", "schema")


def test_a_section_that_is_the_same_brings_no_rows_of_its_own() -> None:
    both = re.sub(rb'(<section name="mounts"[^>]*)>', rb'\1 same="1">', lines())
    previous = kept(by_tree(lines(), Asked()))
    assert canonical.read(both, Asked(), previous) is None
    with pytest.raises(HostError):
        parse(both, Asked(), previous)


def test_nothing_is_the_same_in_the_first_of_two_readings() -> None:
    first = (
        b'<reading clock="1.5" uptime="2.5" boot_id="fa98418f">\n'
        b'<section name="memory" status="ok" reason="" seconds="0.1" same="1">\n</section>\n</reading>\n'
    )
    both = lines().replace(b"<reading", first + b"<reading", 1)
    previous = kept(report(reading(section("memory", memory()))))
    assert canonical.read(both.replace(b' same="1"', b""), Asked(), previous) is not None
    assert canonical.read(both, Asked(), previous) is None
    with pytest.raises(HostError):
        by_tree(both, Asked(), previous)


def test_what_is_told_once_is_not_kept_for_the_next_report() -> None:
    whole = report(reading(*(Section(name, SectionStatus.OK, "", 0.1) for name in SECTIONS)))
    assert {one.name for one in whole.now.sections} - {one.name for one in kept(whole).now.sections} == set(ONCE)


def test_many_reports_read_the_short_way_are_read_alike() -> None:
    process = Process(7, "a", 0, "root", "S", 1, 1.0, 2.0, 3, 'sh -c "a && b"')
    one = report(reading(Section("top", SectionStatus.OK, "", 0.1, (process, replace(process, pid=8)))))
    assert all(parse(render(one), Asked()) == one for _ in range(30))
