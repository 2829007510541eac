"""Disks, cards, drives, adapters, monitors and network cards are told, with what tells one from another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from remote_probe.collect import Section
from remote_probe.collectors import devices
from remote_probe.host import Host
from tests.remote_probe.sysfs import CONTROLLER, STICK, Sysfs

PCI = "devices/pci0000:00/0000:00:1f.2"


@pytest.fixture
def sysfs(tmp_path: Path) -> Sysfs:
    return Sysfs(tmp_path)


def rows(sysfs: Sysfs) -> dict[str, dict[str, Any]]:
    return {os.fsdecode(row["name"]): row for _, row in devices.read(sysfs.host)}  # type: ignore[arg-type]


def edid(name: bytes = b"DELL U2415", serial: bytes = b"7MT0167C2M0L", number: int = 0x4C314C30) -> bytes:
    """VESA E-EDID 3: header, maker DEL, product 0xa0b8, serial number, then four descriptors of 18 bytes."""
    letters = (4 << 10) | (5 << 5) | 12
    head = b"\x00" + b"\xff" * 6 + b"\x00" + letters.to_bytes(2, "big") + b"\xb8\xa0" + number.to_bytes(4, "little")
    blocks = [bytes([1, 2]) + bytes(16)]
    blocks += [b"\x00\x00\x00" + bytes([tag, 0]) + text for tag, text in ((0xFF, serial), (0xFC, name)) if text]
    blocks = [block if len(block) == 18 else (block + b"\n").ljust(18)[:18] for block in blocks]
    return (head.ljust(54, b"\x01") + b"".join(blocks).ljust(72, b"\x00")).ljust(128, b"\x00")


def test_a_stick_has_the_port_it_hangs_on_and_the_serial_number_of_its_device(sysfs: Sysfs) -> None:
    folder = sysfs.usb("1-1", STICK, serial="60A4")
    place = f"{folder}/1-1:1.0/host6/target6:0:0/6:0:0:0"
    sysfs.disk("sdb", place, removable="1", device_vendor="Kingston", device_model="DataTraveler 3.0 ")
    assert rows(sysfs)["sdb"] == {
        "kind": "disk",
        "name": b"sdb",
        "model": b"Kingston DataTraveler 3.0",
        "serial": b"60A4",
        "size": 2048 * 512,
        "removable": 1,
        "bus": b"1-1",
    }


def test_a_disk_in_the_machine_has_the_name_of_its_bus_and_its_own_serial_number(sysfs: Sysfs) -> None:
    place = f"{PCI}/ata1/host0/target0:0:0/0:0:0:0"
    page = b"\x00\x80\x00\x0aS3Z8NB0K11\n"
    sysfs.disk(
        "sda", place, removable="0", device_vendor="ATA     ", device_model="Samsung SSD 860", device_vpd_pg80=page
    )
    sysfs.files("bus/scsi")
    sysfs.link(f"{place}/subsystem", "bus/scsi")
    sysfs.disk("vda", "devices/pci0000:00/0000:00:05.0/virtio2", "254:0", serial="volume-1", device_vendor="0x1af4")
    found = rows(sysfs)
    assert [found["sda"][name] for name in ("model", "serial", "removable", "bus")] == [
        b"Samsung SSD 860", b"S3Z8NB0K11", 0, b"scsi",
    ]  # fmt: skip
    assert (found["vda"]["model"], found["vda"]["serial"]) == (b"", b"volume-1")


def test_an_sd_card_can_be_taken_out_and_a_soldered_chip_cannot(sysfs: Sysfs) -> None:
    sysfs.disk(
        "mmcblk0",
        "devices/platform/sdhci/mmc0:aaaa",
        "179:0",
        device_type="SD",
        device_name="SL16G",
        device_serial="0x1234",
    )
    sysfs.disk("mmcblk1", "devices/platform/sdhci/mmc1:0001", "179:8", device_type="MMC", device_name="8GTF4R")
    sysfs.disk("mmcblk1boot0", "devices/platform/sdhci/mmc1:0001", "179:16")
    found = rows(sysfs)
    assert {name: (row["kind"], row["model"], row["removable"]) for name, row in found.items()} == {
        "mmcblk0": ("mmc", b"SL16G", 1),
        "mmcblk1": ("mmc", b"8GTF4R", 0),
    }
    assert found["mmcblk0"]["serial"] == b"0x1234"


def test_an_optical_drive_counts_without_a_medium_and_a_card_reader_does_not(sysfs: Sysfs) -> None:
    drive = {"removable": "1", "device_vendor": "HL-DT-ST", "device_model": "DVDRAM GH24NSD1"}
    sysfs.disk("sr0", f"{PCI}/ata2/host1/target1:0:0/1:0:0:0", "11:0", size=devices.EMPTY, **drive)
    sysfs.disk("sdc", f"{CONTROLLER}/usb1/1-3/1-3:1.0/host8/target8:0:0/8:0:0:0", "8:32", size=0, removable="1")
    found = rows(sysfs)
    assert list(found) == ["sr0"]
    assert (found["sr0"]["kind"], found["sr0"]["size"], found["sr0"]["model"]) == (
        "optical",
        0,
        b"HL-DT-ST DVDRAM GH24NSD1",
    )


def test_what_has_no_hardware_of_its_own_is_left_out(sysfs: Sysfs) -> None:
    for number, name in enumerate(("loop0", "ram0", "zram0", "dm-0", "md0", "nbd0")):
        sysfs.disk(name, f"devices/virtual/{name}", f"7:{number}")
    sysfs.disk("nvme0c0n1", "devices/pci0000:00/nvme/nvme0", "259:0", hidden="1")
    sysfs.files("class/net/veth1", address="02:00:00:00:00:01")
    assert rows(sysfs) == {}


def test_a_network_card_has_its_ids_and_an_address_only_when_it_is_its_own(sysfs: Sysfs) -> None:
    wired = "devices/pci0000:00/0000:00:1f.6"
    sysfs.files(wired, vendor="0x8086", device="0x15b7")
    sysfs.card("eno1", wired, address="00:00:5e:00:53:01", addr_assign_type="0")
    wireless = sysfs.card("wlan0", "devices/pci0000:00/0000:02:00.0", address="da:a1:19:00:53:02", addr_assign_type="3")
    sysfs.files(f"{wireless}/phy80211", macaddress="00:00:5e:00:53:02")
    sysfs.card("eth7", "devices/pci0000:00/0000:03:00.0", address="da:a1:19:00:53:03", addr_assign_type="1")
    folder = sysfs.usb("1-5", "ff/ff/00", serial="000001")
    sysfs.files(folder, product="AX88179")
    sysfs.card("eth1", f"{folder}/1-5:1.0", address="00:00:5e:00:53:04", addr_assign_type="0")
    assert {name: (row["model"], row["serial"], row["bus"]) for name, row in rows(sysfs).items()} == {
        "eno1": (b"8086:15b7", b"00:00:5e:00:53:01", b""),
        "eth1": (b"AX88179", b"00:00:5e:00:53:04", b"1-5"),
        "eth7": (b"", b"", b""),
        "wlan0": (b"", b"00:00:5e:00:53:02", b""),
    }


def test_a_bluetooth_adapter_is_told_and_its_connections_are_not(sysfs: Sysfs) -> None:
    folder = sysfs.usb("1-7", "e0/01/01", product="0aaa")
    for name in ("hci0", "hci0:11"):
        place = sysfs.files(f"{folder}/1-7:1.0/bluetooth/{name}")
        sysfs.link(f"class/bluetooth/{name}", place)
    assert [(row["kind"], row["name"], row["bus"]) for row in rows(sysfs).values()] == [("bluetooth", b"hci0", b"1-7")]


def test_a_monitor_that_is_connected_is_told_by_what_it_says_of_itself(sysfs: Sysfs) -> None:
    for name, status, data in (("card0-HDMI-A-1", "connected", edid()), ("card0-DP-1", "disconnected", b"")):
        place = sysfs.files(f"devices/pci0000:00/0000:00:02.0/drm/card0/{name}", status=status)
        (sysfs.root / "sys" / place / "edid").write_bytes(data)
        sysfs.link(f"class/drm/{name}", place)
    (monitor,) = rows(sysfs).values()
    assert (monitor["kind"], monitor["model"], monitor["serial"]) == ("monitor", b"DEL DELL U2415", b"7MT0167C2M0L")


def test_a_monitor_without_texts_has_its_numbers() -> None:
    assert devices.parse_edid(edid(b"", b"", 77)) == (b"DEL a0b8", b"77")
    assert devices.parse_edid(edid(b"", b"", 0)) == (b"DEL a0b8", b"")
    assert devices.parse_edid(b"") == (b"", b"")


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_of_a_monitor_are_a_name_or_none(content: bytes, valid: bool) -> None:
    data = (edid()[:8] + content).ljust(128, b"\x00") if valid else content
    assert all(isinstance(text, bytes) for text in devices.parse_edid(data))


def test_broken_numbers_are_no_devices_and_no_error(sysfs: Sysfs) -> None:
    place = sysfs.disk("sdb", f"{PCI}/ata1/host0/target0:0:0/0:0:0:0")
    sysfs.files(place, size=b"-1\xff")
    section = Section("devices")
    section.fill(sysfs.host)
    assert section.outcome[:2] == ("ok", "")


def test_a_machine_without_sys_says_so(tmp_path: Path) -> None:
    section = Section("devices")
    section.fill(Host(os.fsencode(tmp_path)))
    assert section.outcome[0] == "absent"


def test_this_machine_has_the_disks_that_hold_something_and_are_real() -> None:
    printed = subprocess.run([sys.executable, "-m", "remote_probe", "devices"], capture_output=True, check=True).stdout
    (section,) = etree.fromstring(printed).iter("section")
    found = {str(row.get("name")) for row in section if row.get("kind") in ("disk", "mmc")}
    real = {path.name for path in Path("/sys/block").iterdir() if (path / "device").exists()}
    assert section.get("status") == "ok"
    assert found <= real
