"""A report is believed to be well-formed only after bounds, schema and identity were checked."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poller.errors import OUTCOMES, HostError
from poller.model import Before, FileSystem, Report, Section, SectionStatus, natural_key
from poller.probe.rates import values
from poller.probe.report import SECTIONS, parse
from remote_probe import collect
from remote_probe.render import report as remote_probe_render
from tests.probe.reports import (
    Asked,
    cpu,
    disk,
    filesystem,
    full,
    interface,
    memory,
    poll,
    reading,
    render,
    report,
    section,
)
from tests.probe.sealing import DIGEST

GOOD = render(report(full()))


def refused(xml: bytes, code: str) -> str:
    """The detail of the refusal."""
    with pytest.raises(HostError) as caught:
        parse(xml, Asked())
    error = caught.value
    assert (error.stage, error.code) == ("report", code), error
    assert OUTCOMES["report", code].security
    assert len(str(error)) < 500
    assert str(error).isascii()
    return error.detail


def test_what_was_rendered_is_what_is_parsed() -> None:
    whole = report(full())
    assert parse(render(whole), Asked()) == whole


def test_a_report_with_two_readings_keeps_both_in_order() -> None:
    both = report(reading(section("cpu", cpu(user=1.0)), uptime=10.0), full(10.5))
    assert parse(render(both), Asked()) == both
    assert parse(render(both), Asked()).now == both.readings[1]


@pytest.mark.parametrize("status", [status for status in SectionStatus if status is not SectionStatus.OK])
def test_a_section_that_failed_says_why_and_has_no_rows(status: SectionStatus) -> None:
    parsed = parse(render(report(reading(section("block", status=status, reason="no such folder")))), Asked())
    assert parsed.now.sections == (Section("block", status, "no such folder", 0.001),)


def test_every_order_of_interfaces_and_addresses_is_taken() -> None:
    network = full().sections[6]
    mixed = report(reading(section("network", *reversed(network.rows))))
    assert parse(render(mixed), Asked()) == mixed


text = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=60)
number = st.integers(0, 2**63 - 1)
seconds = st.integers(0, 10**14).map(lambda ticks: ticks / 64)


@settings(max_examples=100, deadline=None)
@given(text, text, number, number, seconds)
def test_any_text_and_number_in_range_survives(name: str, device: str, size: int, count: int, spent: float) -> None:
    whole = report(
        reading(
            section("cpu", cpu(user=spent)),
            section("filesystem", filesystem(name, device=device, total=size)),
            section("network", interface(name, receive_bytes=count)),
        )
    )
    assert parse(render(whole), Asked()) == whole


# --- what the probe really writes ---


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=1500), min_size=1, max_size=4, unique=True))
def test_no_name_an_unprivileged_user_can_choose_blinds_the_monitor(names: list[bytes]) -> None:
    """Whatever bytes a mountpoint is made of, the report is valid and complete."""
    seen = collect.Reading(["filesystem"])
    rows = [("filesystem", {**asdict(filesystem()), "mountpoint": name, "device": name}) for name in names]
    seen.sections[0].outcome = ("ok", "", 0.0, rows)
    xml = remote_probe_render({"host": "web1", "probe": DIGEST, "python": "3.6", "seconds": 0.1}, [seen])
    mounts = parse(xml, Asked()).now.rows(FileSystem)
    assert len(mounts) == len({natural_key(mount) for mount in mounts}) == len(names)


def test_the_report_of_this_machine_is_valid_and_gives_numbers() -> None:
    ran = subprocess.run([sys.executable, "-m", "remote_probe"], capture_output=True, timeout=60, check=True)
    this = parse(ran.stdout, Asked("local", "0" * 64))
    assert [part.name for part in this.now.sections] == list(SECTIONS)
    found = {value.metric for value in values(Before(), replace(poll(), report=this))}
    assert {"cpu.count", "memory.percent", "load.1m", "uptime.seconds", "processes.total"} <= found


# --- nothing of XML that a report does not need ---

BOMB = b"""<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">%s]><report host="&h;"/>""" % b"".join(
    b'<!ENTITY %c "%s">' % (letter, b"&%c;" % (letter - 1) * 10) for letter in b"bcdefgh"
)
DECLARED = re.sub(rb"^<\?xml[^>]*>", b"", GOOD)


@pytest.mark.parametrize(
    "xml",
    [
        BOMB,
        b'<!DOCTYPE report [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + DECLARED,
        b'<!DOCTYPE report SYSTEM "http://192.0.2.1/x.dtd">' + DECLARED,
        b"<!DOCTYPE report>" + DECLARED,
        b'<?xml version="1.0"?>\n<!DOCTYPE report>' + DECLARED,
        b"<?xml-stylesheet href='file:///etc/passwd'?>" + DECLARED,
        GOOD.replace(b"</report>", b"<?php x?></report>"),
        GOOD.replace(b"</report>", b"<!-- x --></report>"),
        GOOD.replace(b"</report>", b"<![CDATA[x]]></report>"),
        GOOD.replace(b"web1", b"&web1;", 1),
        GOOD.decode().encode("utf-16"),
        DECLARED.decode().encode("utf-16-le"),
        b"",
        b"x",
        b"<report",
        GOOD[:-3],
        GOOD + b"<report/>",
        GOOD.replace(b"web1", b"web\x00", 1),
        GOOD.replace(b"web1", b"web\x1b", 1),
        GOOD.replace(b"web1", b"web\xff", 1),
        b"\x1f\x8b" + GOOD,
    ],
)
def test_what_is_no_plain_xml_is_refused(xml: bytes) -> None:
    start = time.process_time()
    refused(xml, "xml")
    assert time.process_time() - start < 1.0


def test_the_declared_encoding_is_not_believed() -> None:
    assert parse(GOOD.replace(b"UTF-8", b"UTF-16"), Asked()) == report(full())


def test_an_encoding_that_hides_a_doctype_is_refused() -> None:
    hidden = b'<?xml version="1.0" encoding="UTF-7"?>' + (
        b"+ADwAIQ-DOCTYPE r [+ADwAIQ-ENTITY x SYSTEM +ACI-file:///etc/passwd+ACI-+AD4]+AD4-" + DECLARED
    )
    refused(hidden, "xml")


def test_foreign_names_and_namespaces_are_refused() -> None:
    xinclude = b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'
    assert "xi:include" in refused(GOOD.replace(b"</report>", xinclude + b"</report>"), "schema")
    hint = b"<report xmlns:x='http://www.w3.org/2001/XMLSchema-instance' x:noNamespaceSchemaLocation='file:///x' "
    refused(GOOD.replace(b"<report ", hint), "schema")


def test_no_file_is_opened_for_a_hostile_report(tmp_path: Path) -> None:
    """A named pipe would block whoever opens it: the parse comes back, so nobody did."""
    import os

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    refused(b'<!DOCTYPE r [<!ENTITY x SYSTEM "file://%s">]><r>&x;</r>' % bytes(pipe), "xml")
    refused(b'<!DOCTYPE r SYSTEM "file://%s"><r/>' % bytes(pipe), "xml")


# --- size and depth ---

MEASURE = """
import resource, sys, time
from poller.errors import HostError
from poller.probe.report import parse
from tests.probe.reports import Asked, render, report, full
parse(render(report(full())), Asked())
xml = eval(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.process_time()
try:
    parse(xml, Asked())
    code = "accepted"
except HostError as error:
    code = error.code
print(code, time.process_time() - start, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
parse(render(report(full())), Asked())
"""
HEAVY = {
    "10 M elements": 'b"<report>" + b"<a/>" * 10_000_000 + b"</report>"',
    "8 M elements, within the size": 'b"<report>" + b"<a/>" * 8_000_000 + b"</report>"',
    "as many known elements as may be": 'b"<report>" + b"<cpu/>" * 49_990 + b"</report>"',
    "depth 100,000": 'b"<report>" * 100_000 + b"</report>" * 100_000',
    "depth 17": 'b"<report>" * 17 + b"</report>" * 17',
    "an attribute of 50 MB": """b'<report host="' + b"x" * 50_000_000 + b'"/>'""",
    "an attribute of 30 MB": """b'<report host="' + b"&lt;" * 7_500_000 + b'"/>'""",
    "100,000 attributes": """b"<report" + b"".join(b' a%d=""' % n for n in range(100_000)) + b"/>" """,
    "a million attributes": """b"<report>" + (b"<cpu core='' user='' nice='' system=''/>") * 49_990 + b"</report>" """,
    "many attributes of many": """b"<report>" + (
        b"<cpu core='' user='' nice='' system='' idle='' iowait='' irq='' steal=''/>") * 49_990 + b"</report>" """,
    "100,000 namespaces": """b"<report" + b"".join(b' xmlns:a%d="u"' % n for n in range(100_000)) + b"/>" """,
    "a long name": 'b"<" + b"a" * 20_000_000 + b"/>"',
    "a long text": 'b"<report>" + b"x" * 30_000_000 + b"</report>"',
    "white space": 'b"<report>" + b" " * 30_000_000 + b"</report>"',
    "zeros": "bytes(30_000_000)",
}


@pytest.mark.parametrize("what", HEAVY)
def test_a_heavy_report_is_refused_fast_and_small_and_the_next_one_is_read(what: str) -> None:
    command = [sys.executable, "-c", MEASURE, HEAVY[what]]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    code, spent, grown = ran.stdout.split()
    assert code in ("xml", "schema")
    assert float(spent) < 2.0
    assert float(grown) < 100


LEAK = """
import resource
from poller.errors import HostError
from poller.probe.report import parse
from tests.probe.reports import Asked
def hostile(round):
    names = b"".join(b"<e%s%d_%d/>" % (b"x" * 100, round, n) for n in range(20_000))
    blank = b"".join(b"<cpu/>" + bytes(b" \\n\\t "[n >> bit & 3] for bit in range(0, 40, 2)) for n in range(20_000))
    for xml in (b"<report>" + names + b"</report>", b"<report>" + blank + b"</report>"):
        try:
            parse(xml, Asked())
        except HostError:
            pass
for round in range(3):
    hostile(round)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for round in range(3, 12):
    hostile(round)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_a_host_that_invents_names_does_not_fill_the_pollers_memory() -> None:
    """libxml2 keeps every name it met; unchecked, these would cost 3 MB each, for good."""
    ran = subprocess.run([sys.executable, "-c", LEAK], capture_output=True, text=True, timeout=60, check=True)
    assert float(ran.stdout) < 8


def test_a_large_machine_is_no_attack() -> None:
    """512 cores, 2,000 interfaces with hostile names, 1,000 mounts, in two readings."""
    cores = section("cpu", cpu("all"), *(cpu(str(core), user=1.0) for core in range(512)))
    mounts = section("filesystem", *(filesystem(f"/mnt/{n}" + "='" * 400) for n in range(1000)))
    cards = section("network", *(interface(f"veth{n}") for n in range(2000)))
    large = report(reading(cores), reading(cores, mounts, cards))
    assert parse(render(large), Asked()) == large


# --- the schema ---


def change(old: str, new: str) -> Callable[[bytes], bytes]:
    def changed(xml: bytes) -> bytes:
        assert old.encode() in xml
        return xml.replace(old.encode(), new.encode(), 1)

    return changed


WRONG = {
    "missing attribute": ("/report/reading/section[1]/system", change(' machine="x86_64"', "")),
    "extra attribute": ("/report/reading/section[1]/system", change("<system ", '<system mac="x" ')),
    "unknown attribute": ("/report/reading/section/system", change("<system ", '<system colour="red" ')),
    "unknown element": ("/report/reading/section/sytem", change("<system ", "<sytem ")),
    "element elsewhere": ("/report/cpu", change("</reading>\n", '</reading><cpu core="x"/>')),
    "text": ("/report/reading", change("</reading>", "surprise</reading>")),
    "negative integer": ("/report/reading/section[1]/system", change('cpus="2"', 'cpus="-2"')),
    "integer with a sign": ("/report/reading/section[1]/system", change('cpus="2"', 'cpus="+2"')),
    "integer with a point": ("/report/reading/section[1]/system", change('cpus="2"', 'cpus="2.0"')),
    "2^63": ("/report/reading/section[1]/system", change('cpus="2"', f'cpus="{2**63}"')),
    "2^70": ("/report/reading/section[1]/system", change('cpus="2"', f'cpus="{2**70}"')),
    "empty integer": ("/report/reading/section[1]/system", change('cpus="2"', 'cpus=""')),
    "hexadecimal": ("/report/reading/section[1]/system", change('cpus="2"', 'cpus="0x2"')),
    "underscore": ("/report/reading/section[1]/system", change('cpus="2"', 'cpus="1_0"')),
    "arabic digits": ("/report/reading/section[1]/system", change('cpus="2"', 'cpus="٢"')),
    "1e400": ("/report/reading/section[4]/load", change('one="1.500000"', 'one="1e400"')),
    "1e5": ("/report/reading/section[4]/load", change('one="1.500000"', 'one="1e5"')),
    "NaN": ("/report/reading/section[4]/load", change('one="1.500000"', 'one="NaN"')),
    "INF": ("/report/reading/section[4]/load", change('one="1.500000"', 'one="INF"')),
    "negative decimal": ("/report/reading/section[4]/load", change('one="1.500000"', 'one="-1.5"')),
    "huge decimal": ("/report/reading/section[4]/load", change('one="1.500000"', f'one="{10**300}"')),
    "empty decimal": ("/report/reading/section[4]/load", change('one="1.500000"', 'one=""')),
    "long text": ("/report/reading/section[1]/system", change("x86_64", "x" * 4097)),
    "unknown state": ("/report/reading/section[5]/filesystem[1]", change('state="ok"', 'state="fine"')),
    "flag of 2": ("/report/reading/section[5]/filesystem[1]", change('read_only="0"', 'read_only="2"')),
    "unknown link": ("/report/reading/section[7]/interface", change('link="up"', 'link="maybe"')),
    "unknown resource": ("/report/reading/section[9]/pressure[3]", change('resource="memory"', 'resource="disk"')),
    "unknown status": ("/report/reading/section[1]", change('status="ok"', 'status="great"')),
    "unknown section": ("/report/reading/section[1]", change('name="system"', 'name="systems"')),
    "two systems": ("/report/reading/section[1]/system[2]", lambda xml: re.sub(rb"(<system [^>]*>)", rb"\1\1", xml)),
    "another version": ("/report", change('version="1"', 'version="2"')),
    "no reading": ("/report", lambda xml: re.sub(rb"(?s)<reading.*</reading>", b"", xml)),
    "three readings": ("/report/reading[3]", lambda xml: re.sub(rb"(?s)(<reading.*</reading>)", rb"\1\1\1", xml)),
    "a section twice": (
        "/report/reading/section[5]",
        lambda xml: re.sub(rb"(?s)(<section name=.load.*?</section>).*?</section>", rb"\1\1", xml),
    ),
    "sections reordered": (
        "/report/reading/section[4]",
        lambda xml: re.sub(rb"(?s)(<section name=\"memory.*?</section>)(.*?</section>)", rb"\2\1", xml),
    ),
    "rows of another section": ("/report/reading/section[1]/system", change('name="system"', 'name="cpu"')),
    "rows mixed": (
        "/report/reading/section[3]/load",
        lambda xml: re.sub(rb"(<memory [^>]*>)", rb"\1<load one='1' five='1' fifteen='1'/>", xml),
    ),
    "a core twice": ("/report/reading/section[2]/cpu[3]", change('core="1"', 'core="0"')),
    "a mountpoint twice": ("/report/reading/section[5]/filesystem[2]", change('point="/var"', 'point="/"')),
    "an address twice": (
        "/report/reading/section[7]/address[2]",
        lambda xml: re.sub(rb"(<address [^>]*>)", rb"\1\1", xml, count=1),
    ),
    "a pressure twice": ("/report/reading/section[9]/pressure[2]", change('kind="full"', 'kind="some"')),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_against_the_schema_is_refused_with_its_place(what: str) -> None:
    path, changed = WRONG[what]
    xml = changed(GOOD)
    assert xml != GOOD
    detail = refused(xml, "schema")
    assert re.fullmatch(re.escape(path) + r" line \d+: .+", detail, re.DOTALL), detail


def test_two_rows_of_one_disk_or_interface_are_refused() -> None:
    for rows in ((disk(), disk()), (interface(), interface())):
        name = "block" if rows[0] == disk() else "network"
        detail = refused(render(report(reading(section(name, *rows)))), "schema")
        assert "a second row" in detail


def test_the_line_of_the_fault_is_named() -> None:
    lines = GOOD.split(b"\n")
    at = next(number for number, line in enumerate(lines, 1) if b"<load " in line)
    assert f"line {at}:" in refused(GOOD.replace(b'one="1.5', b'one="x1.5'), "schema")


def test_the_largest_integer_is_taken() -> None:
    most = report(reading(section("memory", memory(total=2**63 - 1))))
    assert parse(render(most), Asked()) == most


# --- identity ---


def test_a_report_of_another_host_or_probe_is_refused() -> None:
    with pytest.raises(HostError, match="web2") as caught:
        parse(GOOD, Asked(host="web2"))
    assert caught.value.code == "identity"
    with pytest.raises(HostError) as caught:
        parse(GOOD, Asked(probe="cd" * 32))
    assert caught.value.code == "identity"
    assert "\x1b" not in refused(render(report(full(), host="web\u009b1")), "identity")


def test_many_threads_validate_at_once_without_disturbing_each_other() -> None:
    bad = GOOD.replace(b'cpus="2"', b'cpus="-2"')
    failures: list[object] = []
    gate = threading.Barrier(8)

    def work() -> None:
        gate.wait(30)
        for _ in range(40):
            try:
                assert isinstance(parse(GOOD, Asked()), Report)
                assert "system line" in refused(bad, "schema")
            except BaseException as error:  # carried to the main thread
                failures.append(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures


def test_the_first_validation_may_happen_in_many_threads_at_once() -> None:
    """Building a schema in several threads races in libxml2; ours is built once."""
    script = """
import threading
from tests.probe.reports import Asked, full, render, report
from poller.probe.report import parse
good, gate, done = render(report(full())), threading.Barrier(16), []
def work():
    gate.wait(30)
    done.append(parse(good, Asked()))
threads = [threading.Thread(target=work) for _ in range(16)]
[thread.start() for thread in threads]
[thread.join(30) for thread in threads]
assert len(done) == 16
"""
    subprocess.run([sys.executable, "-c", script], timeout=60, check=True)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_mutation_ends_in_anything_but_a_report_or_a_refusal(data: st.DataObject) -> None:
    xml = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(xml) - 1))
        piece = data.draw(
            st.sampled_from([b"", b"<", b">", b'"', b"&", b"=", b"/", b"x", b"9", b"\x00", b"\xff", b"-"])
        )
        xml[position : position + data.draw(st.integers(0, 4))] = piece
    try:
        assert isinstance(parse(bytes(xml), Asked()), Report)
    except HostError as error:
        assert error.stage == "report"


def test_the_order_of_sections_is_that_of_the_contract() -> None:
    order = ["system", "cpu", "memory", "load", "filesystem", "block", "network", "processes", "pressure"]
    assert list(SECTIONS) == order
