"""A report is believed to be well-formed only after bounds, schema and identity were checked."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poller.errors import OUTCOMES, HostError
from poller.model import (
    Before,
    FileSystem,
    Flow,
    Listener,
    LoginRecord,
    LogText,
    Mount,
    Process,
    Report,
    Section,
    SectionStatus,
    Sensor,
    Series,
    Socket,
    System,
    UsbDevice,
    natural_key,
)
from poller.probe.kinds import SECTIONS
from poller.probe.report import parse
from poller.probe.values import values
from remote_probe import collect
from remote_probe.render import LONGEST
from remote_probe.render import report as remote_probe_render
from tests.probe.reports import (
    ELEMENTS,
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
    watched,
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


def test_the_longest_text_that_a_probe_writes_is_taken() -> None:
    whole = report(
        reading(section("filesystem", filesystem("x" * LONGEST), status=SectionStatus.OK, reason="<" * LONGEST))
    )
    assert parse(render(whole), Asked()) == whole


def test_every_order_of_interfaces_and_addresses_is_taken() -> None:
    network = full().sections[6]
    mixed = report(reading(section("network", *reversed(network.rows))))
    assert parse(render(mixed), Asked()) == mixed


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


def test_the_declared_encoding_is_not_believed() -> None:
    assert parse(GOOD.replace(b"UTF-8", b"UTF-16"), Asked()) == report(full())


def test_foreign_names_and_namespaces_are_refused() -> None:
    xinclude = b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'
    assert "xi:include" in refused(GOOD.replace(b"</report>", xinclude + b"</report>"), "schema")
    hint = b"<report xmlns:x='http://www.w3.org/2001/XMLSchema-instance' x:noNamespaceSchemaLocation='file:///x' "
    refused(GOOD.replace(b"<report ", hint), "schema")


# --- size and depth ---


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


def test_a_busy_machine_is_no_attack() -> None:
    """All that a probe lists at most, and lines as long as logs have them."""
    lines = (LogText(n, "all", "/var/log/syslog", f"{n:06} {'x' * 113}") for n in range(10_000))
    line = ("192.0.2.7", 22, "198.51.100.4")
    sockets = (Socket("tcp", *line, n, "ESTABLISHED", 0, 0, 0, "sshd") for n in range(1_000))
    flows = (Flow("tcp", *line, n, 1, 0, 5000, 700, "1f") for n in range(1_000))
    busy = report(
        reading(
            section("sockets", *(Listener("tcp", "::", n, 0, "x") for n in range(500)), *sockets),
            section("traffic", *flows),
            section("top", *(Process(n, "x", 0, "root", "S", 1, 0.0, 0.0, 1, "y" * 200) for n in range(84))),
            section("textfiles", *(Series(f"x{n}", "1") for n in range(2_000))),
            section("people", *(LoginRecord(n, "login", "op", "pts/0", "", 7, 1.7e9) for n in range(1_000))),
            section("logs", *lines),
        )
    )
    assert parse(render(busy), Asked()) == busy


# --- the schema ---


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


def test_the_order_of_sections_is_that_of_the_contract() -> None:
    words = (
        "system cpu memory load filesystem block network processes pressure usb devices mounts kernel sockets traffic"
    )
    more = "top units checks textfiles people hardware logs"
    assert list(SECTIONS) == f"{words} {more}".split()


def test_a_row_of_every_kind_is_what_it_was_before() -> None:
    whole = report(watched())
    assert {type(row) for part in whole.now.sections for row in part.rows} == set(ELEMENTS)
    assert parse(render(whole), Asked()) == whole


def test_only_temperatures_may_be_negative() -> None:
    found = parse(render(report(watched())), Asked()).now.rows(Sensor)
    assert found == (Sensor("coretemp Core 0", -12.5, 100.0),)
    whole = render(report(watched()))
    for name in ("load", "raid", "process"):
        changed = re.sub(rb'(<%s [^>]*?=")(\d+\.)' % name.encode(), rb"\1-\2", whole, count=1)
        assert changed != whole
        assert f"/{name} line" in refused(changed, "schema")


def test_rows_that_are_told_apart_by_more_than_a_name_may_share_it() -> None:
    """Two sticks without a serial number in two ports, one port after the other, and one folder mounted twice."""
    stick = UsbDevice("1-1", "0951", "1666", "", "", "", "00", "08", "storage", 0, "")
    mount = Mount("/mnt", "/dev/sdb1", "vfat", "/", "rw", 1, 1, 0, 0, "sdb")
    whole = report(
        reading(
            section("usb", stick, replace(stick, port="1-2"), replace(stick, serial="7")),
            section("mounts", mount, replace(mount, device="/dev/sdc1"), replace(mount, root="/sub")),
        )
    )
    assert parse(render(whole), Asked()) == whole
    twice = report(reading(section("usb", stick, stick)))
    assert "a second row" in refused(render(twice), "schema")


def test_when_its_sshd_began_to_listen_is_told_by_newer_probes_only() -> None:
    system = System("web1", "Linux", "6.1.0", "x86_64", "debian", "12", "Debian 12", 4, 17.25)
    told = render(report(reading(section("system", system))))
    assert b'sshd_started="17.250000"' in told
    for document, started in ((told, 17.25), (told.replace(b' sshd_started="17.250000"', b""), 0.0)):
        (row,) = parse(document, Asked()).now.rows(System)
        assert row == replace(system, sshd_started=started)
    refused(told.replace(b' cpus="4"', b""), "schema")
