"""What is counted of devices, sockets, services, checks, files and hardware."""

from __future__ import annotations

from typing import Any

import pytest

from poller.findings.numbers import numbers
from poller.metrics import CATALOGUE
from poller.model import (
    Check,
    Fault,
    Listener,
    Login,
    Mount,
    People,
    ProcessCount,
    RaidArray,
    Reading,
    Row,
    Section,
    SectionStatus,
    Sensor,
    Series,
    SocketCount,
    TextFile,
    Unit,
    UsbAllow,
    UsbDevice,
    Watch,
)
from tests.findings.readings import reading, section

NAMES = ("sockets", "usb", "mounts", "units", "top", "people", "checks", "textfiles", "hardware")


def found(
    *sections: Section, before: Reading | None = None, watch: Watch | None = None, **when: Any
) -> dict[str, float]:
    values = numbers(before, reading(*sections, **when), watch or Watch())
    assert all(value.metric in CATALOGUE for value in values)
    assert all(tuple(name for name, _ in value.labels) == labels(value.metric) for value in values)
    told = {str(value): value.value for value in values}
    assert len(told) == len(values)
    return told


def labels(metric: str) -> tuple[str, ...]:
    label = CATALOGUE[metric].label
    return (label,) if label else ()


def usb(port: str, kind: str, vendor: str = "0951") -> UsbDevice:
    return UsbDevice(port, vendor, "1666", "", "", "S1", "00", "08", kind, 480_000_000, "")


def mount(mountpoint: str, removable: int, usb: int) -> Mount:
    return Mount(mountpoint, "/dev/x", "vfat", "/", "rw", removable, usb, 0, 0, "")


def unit(name: str, active: str) -> Unit:
    return Unit(name, "loaded", active, "x", "")


def test_sections_that_were_not_read_give_no_numbers() -> None:
    watch = Watch(units=("ssh.service",), processes=("sshd",), ports=(22,))
    assert found(watch=watch) == {}
    for status in (SectionStatus.DENIED, SectionStatus.ABSENT, SectionStatus.FAILED, SectionStatus.TIMEOUT):
        assert found(*(Section(name, status, "why", 0.0) for name in NAMES), watch=watch) == {}


def test_sockets_are_counted_by_state() -> None:
    counts = {("tcp", "ESTABLISHED"): 5, ("tcp", "SYN_RECV"): 3, ("tcp", "LISTEN"): 2, ("tcp", "FIN_WAIT2"): 9}
    counts |= {("udp", "ESTABLISHED"): 1, ("udp", "CLOSE"): 4}
    rows = [SocketCount(*key, count) for key, count in counts.items()]
    assert found(section("sockets", *rows)) == {
        "tcp.established": 5.0, "tcp.syn_sent": 0.0, "tcp.syn_received": 3.0, "tcp.time_wait": 0.0,
        "tcp.close_wait": 0.0, "tcp.listening": 2.0, "udp.sockets": 5.0,
    }  # fmt: skip


@pytest.mark.parametrize("reason", ["", "1000 of 9000 connections are listed"])
def test_a_port_is_listened_on_whatever_the_protocol_and_the_address(reason: str) -> None:
    rows = [Listener("tcp", "0.0.0.0", 22, 0, ""), Listener("udp", "::1", 53, 0, ""), Listener("tcp", "::", 80, 0, "")]  # noqa: S104
    values = found(section("sockets", *rows, reason=reason), watch=Watch(ports=(22, 53, 443)))
    assert {name: value for name, value in values.items() if name.startswith("port")} == {
        'port.listening{port="22"}': 1.0,
        'port.listening{port="53"}': 1.0,
        'port.listening{port="443"}': 0.0,
    }


def test_usb_devices_are_counted_without_hubs_and_those_that_no_rule_lists() -> None:
    rows = [usb("usb1", "hub"), usb("1-1", "hub"), usb("1-1.1", "storage"), usb("1-1.2", "keyboard", "046d")]
    assert found(section("usb", *rows)) == {"usb.devices": 2.0, "usb.unlisted": 2.0}
    watch = Watch(usb_allow=(UsbAllow(vendor="046d"), UsbAllow(port="9-*")))
    assert found(section("usb", *rows), watch=watch) == {"usb.devices": 2.0, "usb.unlisted": 1.0}
    assert found(section("usb")) == {"usb.devices": 0.0, "usb.unlisted": 0.0}


def test_mounts_on_removable_or_usb_devices_are_counted_once_each() -> None:
    rows = [mount("/", 0, 0), mount("/media/a", 1, 1), mount("/media/b", 0, 1), mount("/media/c", 1, 0)]
    assert found(section("mounts", *rows)) == {"mounts.removable": 3.0}


def test_units_are_active_or_not_and_a_unit_that_is_not_there_is_not() -> None:
    rows = [unit("ssh.service", "active"), unit("x.service", "failed"), unit(r"dev-a\\x2db.swap", "activating")]
    watch = Watch(units=("ssh.service", "gone.service", r"dev-a\x2db.swap"))
    assert found(section("units", *rows), watch=watch) == {
        "units.failed": 1.0,
        'unit.active{unit="ssh.service"}': 1.0,
        'unit.active{unit="x.service"}': 0.0,
        'unit.active{unit="gone.service"}': 0.0,
        r'unit.active{unit="dev-a\x2db.swap"}': 0.0,
    }
    assert found(section("units")) == {"units.failed": 0.0}


def test_of_a_section_that_broke_off_only_what_was_seen_is_told() -> None:
    watch = Watch(units=("gone.service",), processes=("gone",))
    assert found(section("units", unit("ssh.service", "active"), reason="broken"), watch=watch) == {
        'unit.active{unit="ssh.service"}': 1.0
    }
    assert found(section("top", ProcessCount("sshd", 2), reason="broken"), watch=watch) == {
        'process.count{name="sshd"}': 2.0
    }
    assert found(section("usb", usb("1-1", "storage"), reason="broken")) == {}


def test_processes_asked_for_have_a_count_also_when_there_is_none() -> None:
    assert found(section("top", ProcessCount("sshd", 2)), watch=Watch(processes=("sshd", "nginx"))) == {
        'process.count{name="sshd"}': 2.0,
        'process.count{name="nginx"}': 0.0,
    }


def test_people_are_counted_where_somebody_keeps_account_of_them() -> None:
    rows = [Login("admin", f"pts/{number}", "", 1, 1.0) for number in range(3)]
    about = People("utmp", 1.0, 1, "kernel", "", "")
    assert found(section("people", about, *rows)) == {"users.logged_in": 3.0, "reboot.pending": 1.0}
    assert found(section("people", People("", 1.0, 0, "", "", ""))) == {"reboot.pending": 0.0}


def test_checks_give_their_status_and_their_numbers() -> None:
    rows = [Check("web", 2, "CRITICAL", "time=150ms;1;2 'bytes out'=2KB broken", 0.1), Check("dns", 0, "OK", "", 0.1)]
    assert found(section("checks", *rows)) == {
        'check.status{check="web"}': 2.0,
        'check.status{check="dns"}': 0.0,
        'check.value{value="web/time"}': 0.15,
        'check.value{value="web/bytes out"}': 2048.0,
    }


def test_textfiles_give_their_series_and_their_age_by_the_clock_of_the_host() -> None:
    rows: list[Row] = [
        TextFile("/a.prom", 1_699_999_940.0, ""),
        TextFile("/ahead.prom", 1_700_000_060.0, ""),
        TextFile("/missing.prom", 0.0, "No such file or directory"),
        Series('a{b="c"}', "1.5e3"),
        Series("nan", "NaN"),
        Series("inf", "+Inf"),
        Series("negative", "-7"),
    ]
    values = {
        value.metric + value.labels[0][1]: value.value
        for value in numbers(None, reading(section("textfiles", *rows)), Watch())
    }
    assert values == {
        "textfile.age_seconds/a.prom": 60.0,
        "textfile.age_seconds/ahead.prom": 0.0,
        'textfile.valuea{b="c"}': 1500.0,
        "textfile.valuenegative": -7.0,
    }


def test_temperatures_and_arrays_are_told_as_they_are() -> None:
    rows: list[Row] = [Sensor("coretemp/Package", -3.5, 100.0), RaidArray("md0", "raid1", "degraded", 2, 1, 0.0)]
    assert found(section("hardware", *rows)) == {
        'hardware.celsius{sensor="coretemp/Package"}': -3.5,
        'raid.missing_disks{array="md0"}': 1.0,
    }


def faults(disk: int, memory: int, link: int, **when: Any) -> Reading:
    return reading(hardware(disk, memory, link), **when)


def hardware(disk: int, memory: int, link: int) -> Section:
    rows = (Fault("disk", "sda", disk), Fault("memory_corrected", "mc0", memory), Fault("link", "eth0", link))
    return section("hardware", *rows)


def test_errors_are_those_since_the_last_poll_and_cables_are_told_apart() -> None:
    assert found(hardware(7, 3, 12), before=faults(5, 3, 2, uptime=940.0)) == {
        'hardware.faults_of{fault="disk/sda"}': 2.0,
        'hardware.faults_of{fault="memory_corrected/mc0"}': 0.0,
        'hardware.faults_of{fault="link/eth0"}': 10.0,
        "hardware.faults": 2.0,
    }


def test_errors_of_another_boot_or_of_none_are_not_counted() -> None:
    assert found(hardware(7, 3, 12)) == {}
    assert found(hardware(7, 3, 12), before=faults(5, 3, 2, boot="boot-0", uptime=900.0)) == {}
    assert found(hardware(7, 3, 12), before=reading(uptime=900.0)) == {}


def test_a_counter_that_went_back_or_is_new_tells_nothing() -> None:
    now = section("hardware", Fault("disk", "sda", 1), Fault("disk", "sdb", 9), Fault("link", "eth0", 1))
    assert found(now, before=faults(5, 0, 0, uptime=900.0)) == {'hardware.faults_of{fault="link/eth0"}': 1.0}
