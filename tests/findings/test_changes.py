"""What came, went or changed between two polls is an event, and nothing is that was not read both times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from poller.findings.changes import changes
from poller.findings.told import LONGEST, MOST
from poller.model import (
    Device,
    Event,
    Listener,
    Login,
    Mount,
    RaidArray,
    Row,
    SectionStatus,
    Severity,
    Unit,
    UsbAllow,
    UsbDevice,
    Watch,
)
from tests.probe.reports import reading, section

AT = 1_700_000_000_000
SERIAL = "60A44C413E4AF1A0"
STICK = UsbDevice(
    "1-1.2", "0951", "1666", "Kingston", "DataTraveler", SERIAL, "00", "08/06/50", "storage", 480_000_000, "sdb"
)
DISK = Device("disk", "sdb", "Kingston DataTraveler", "60A44C413E4AF1A0", 1 << 33, 1, "1-1.2")
MOUNT = Mount("/media/stick", "/dev/sdb1", "vfat", "/", "rw,nosuid", 1, 1, 0, 0, "sdb")
LISTENER = Listener("tcp", "0.0.0.0", 8080, 1000, "python3")  # noqa: S104 -- what a report says
LOGIN = Login("op", "pts/0", "192.0.2.1", 4711, 1.7e9)
UNIT = Unit("web.service", "loaded", "failed", "failed", "A web server")
ARRAY = RaidArray("md0", "raid1", "active", 2, 2, 0.0)
SECTIONS: dict[type[Any], str] = {
    UsbDevice: "usb", Device: "devices", Mount: "mounts", Listener: "sockets", Login: "people", Unit: "units",
    RaidArray: "hardware",
}  # fmt: skip


def between(
    before: list[Row], now: list[Row], kind: type[Any], watch: Watch | None = None, **moment: str
) -> list[Event]:
    old, new = reading(section(SECTIONS[kind], *before)), reading(section(SECTIONS[kind], *now), **moment)  # type: ignore[arg-type]
    return list(changes(old, new, AT, watch or Watch()))


@pytest.mark.parametrize(
    ("row", "came", "gone", "details"),
    [
        (STICK, "usb_attached", "usb_removed",
         "storage 0951:1666 Kingston DataTraveler serial 60A44C413E4AF1A0 at port 1-1.2 (sdb)"),
        (DISK, "device_attached", "device_removed",
         "disk sdb Kingston DataTraveler serial 60A44C413E4AF1A0 on 1-1.2"),
        (MOUNT, "mounted", "unmounted", "/dev/sdb1 on /media/stick type vfat (rw,nosuid) from removable usb sdb"),
        (LISTENER, "listener_new", "listener_gone", "tcp 0.0.0.0:8080 python3 uid 1000"),
        (LOGIN, "login", "logout", "op on pts/0 from 192.0.2.1"),
    ],
)  # fmt: skip
def test_what_comes_and_goes_is_told_once_each_way(row: Row, came: str, gone: str, details: str) -> None:
    (event,) = between([], [row], type(row))
    assert (event.kind, event.at_ms, event.details) == (came, AT, details)
    (event,) = between([row], [], type(row))
    assert (event.kind, event.severity, event.details) == (gone, Severity.LOW, details)
    assert between([row], [row], type(row)) == []


@pytest.mark.parametrize("kind", ["storage", "phone", "network"])
def test_what_can_carry_data_is_medium_unless_it_is_listed(kind: str) -> None:
    row = replace(STICK, kind=kind)
    listed = Watch(usb_allow=(UsbAllow(vendor="0951", serial="60A4*"),))
    other = Watch(usb_allow=(UsbAllow(vendor="0951", serial="70*"),))
    assert [between([], [row], UsbDevice, watch)[0].severity for watch in (Watch(), other, listed)] == [
        Severity.MEDIUM, Severity.MEDIUM, Severity.LOW,
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["hub", "keyboard", "mouse", "audio", "other"])
def test_other_usb_devices_are_low(kind: str) -> None:
    assert between([], [replace(STICK, kind=kind)], UsbDevice)[0].severity is Severity.LOW


def test_another_device_at_the_same_port_is_one_gone_and_one_come() -> None:
    events = between([STICK], [replace(STICK, serial="other")], UsbDevice)
    assert [event.kind for event in events] == ["usb_attached", "usb_removed"]


def test_a_card_is_medium_and_a_disk_on_usb_leaves_that_to_its_usb_device() -> None:
    card = Device("mmc", "mmcblk0", "SL16G", "0x1", 1 << 34, 1, "mmc")
    monitor = Device("monitor", "card0-DP-1", "DEL", "1", 0, 0, "pci")
    old = reading(section("devices"), section("usb"))
    new = reading(section("devices", card, DISK, monitor), section("usb", STICK))
    found = {event.details.split()[0]: event.severity for event in changes(old, new, AT, Watch())}
    assert found == {"storage": Severity.MEDIUM, "mmc": Severity.MEDIUM, "disk": Severity.LOW, "monitor": Severity.LOW}


def test_a_disk_that_has_another_name_after_a_reboot_did_not_come() -> None:
    renamed = replace(DISK, name="sdc")
    assert between([DISK], [renamed], Device, boot_id="boot-2") == []
    assert len(between([DISK], [renamed], Device)) == 2
    bare = replace(DISK, serial="")
    assert len(between([bare], [replace(bare, name="sdc")], Device, boot_id="boot-2")) == 2


def test_mounts_are_medium_when_somebody_brought_them() -> None:
    own = replace(MOUNT, removable=0, usb=0, carrier="sda")
    share = replace(own, device="//192.0.2.7/x", type="cifs", network=1, carrier="192.0.2.7")
    assert [between([], [row], Mount)[0].severity for row in (MOUNT, share, own)] == [
        Severity.MEDIUM, Severity.MEDIUM, Severity.LOW,
    ]  # fmt: skip


def test_a_file_system_that_becomes_read_only_is_high_and_other_options_are_nothing() -> None:
    frozen = replace(MOUNT, options="ro,nosuid")
    (event,) = between([MOUNT], [frozen], Mount)
    assert (event.kind, event.severity) == ("remounted", Severity.HIGH)
    assert event.details.startswith("read-only: /dev/sdb1 on /media/stick")
    (event,) = between([frozen], [MOUNT], Mount)
    assert (event.kind, event.severity) == ("remounted", Severity.LOW)
    assert between([MOUNT], [replace(MOUNT, options="rw,noatime,errors=remount-ro")], Mount) == []


@pytest.mark.parametrize(
    ("address", "severity"),
    [
        *((address, Severity.LOW) for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "127.0.0.53")),
        *((address, Severity.MEDIUM) for address in ("::", "192.0.2.1", "fe80::1%eth0", "odd")),
    ],
)
def test_a_listener_is_medium_when_others_can_reach_it(address: str, severity: Severity) -> None:
    assert between([], [replace(LISTENER, address=address)], Listener)[0].severity is severity


def test_ports_that_the_kernel_gave_to_a_udp_client_are_no_listeners_to_tell() -> None:
    assert between([], [replace(LISTENER, protocol="udp", port=40000)], Listener) == []
    assert len(between([], [replace(LISTENER, protocol="udp", port=5353)], Listener)) == 1


def test_units_are_told_when_they_fail_and_when_they_no_longer_do() -> None:
    running = replace(UNIT, active="active", sub="running")
    (failed,) = between([running], [UNIT], Unit)
    assert (failed.kind, failed.severity, failed.details) == (
        "unit_failed", Severity.MEDIUM, "web.service failed (failed) A web server",
    )  # fmt: skip
    assert [event.kind for event in between([], [UNIT], Unit)] == ["unit_failed"]
    assert [event.details for event in between([UNIT], [running], Unit)] == ["web.service is active A web server"]
    assert [event.kind for event in between([UNIT], [], Unit)] == ["unit_recovered"]
    assert between([running], [], Unit) == between([], [running], Unit) == []


def test_an_array_that_loses_a_disk_or_vanishes_is_high_and_one_that_is_whole_again_low() -> None:
    degraded = replace(ARRAY, working=1)
    (event,) = between([ARRAY], [degraded], RaidArray)
    assert (event.kind, event.severity) == ("raid_changed", Severity.HIGH)
    assert event.details == "md0 raid1 active, 1 of 2 disks (was: raid1 active, 2 of 2 disks)"
    assert between([ARRAY], [], RaidArray)[0].severity is Severity.HIGH
    assert between([degraded], [ARRAY], RaidArray)[0].severity is Severity.LOW
    assert between([degraded], [replace(degraded, recovering=12.5)], RaidArray) == []


def test_the_first_look_at_a_host_or_at_a_section_tells_nothing() -> None:
    assert changes(None, reading(section("usb", STICK)), AT, Watch()) == ()
    assert changes(reading(), reading(section("usb", STICK)), AT, Watch()) == ()
    assert changes(reading(section("usb", STICK)), reading(), AT, Watch()) == ()


@pytest.mark.parametrize(
    "status", [SectionStatus.DENIED, SectionStatus.FAILED, SectionStatus.TIMEOUT, SectionStatus.ABSENT]
)
def test_a_section_that_could_not_be_read_does_not_make_everything_vanish(status: SectionStatus) -> None:
    whole, broken = reading(section("usb", STICK)), reading(section("usb", status=status, reason="why"))
    partly = reading(section("usb", reason="why"))
    for other in (broken, partly):
        assert changes(whole, other, AT, Watch()) == changes(other, whole, AT, Watch()) == ()


def test_of_too_many_mounts_those_that_somebody_brought_are_still_told() -> None:
    layer = Mount("/c/1", "overlay", "overlay", "/", "rw", 0, 0, 0, 0, "")
    old = reading(section("mounts", reason="1500 mounts, of which these are the first 1000"))
    new = reading(section("mounts", MOUNT, layer, reason="1501 mounts, of which these are the first 1000"))
    assert [event.details.split()[0] for event in changes(old, new, AT, Watch())] == ["/dev/sdb1"]


def test_a_host_that_mounts_hundreds_at_once_makes_a_bounded_number_of_events() -> None:
    rows: list[Row] = [replace(MOUNT, mountpoint=f"/c/{number}", usb=0, removable=0) for number in range(MOST + 50)]
    events = between([], rows, Mount)
    assert len(events) == MOST + 1
    assert events[-1] == Event("mounted", AT, Severity.LOW, "and 50 more at the same time")


def test_details_of_endless_names_are_one_line_that_fits() -> None:
    (event,) = between([], [replace(STICK, vendor_name="x" * 1024, product_name="y" * 1024)], UsbDevice)
    assert len(event.details) <= LONGEST
    assert event.details.startswith("storage 0951:1666 xxx")
