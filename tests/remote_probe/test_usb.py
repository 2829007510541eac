"""What hangs on USB is told with its port, names and purpose, whatever it says of itself."""

from __future__ import annotations

import contextlib
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
from remote_probe.collectors import usb
from remote_probe.host import Host
from tests.remote_probe.sysfs import ECM, HUB, KEYBOARD, MOUSE, MTP, STICK, Sysfs, usb_folder


@pytest.fixture
def sysfs(tmp_path: Path) -> Sysfs:
    return Sysfs(tmp_path)


def rows(sysfs: Sysfs) -> dict[str, dict[str, Any]]:
    return {os.fsdecode(row["port"]): row for _, row in usb.read(sysfs.host)}  # type: ignore[arg-type]


def test_a_stick_that_is_not_mounted_is_seen_with_its_names_and_its_disk(sysfs: Sysfs) -> None:
    folder = sysfs.usb("1-1.2", STICK, manufacturer="Kingston", product="DataTraveler", serial="60A44C413E4AF1A0")
    sysfs.files(folder, idProduct="1666", product="DataTraveler 3.0")
    sysfs.disk("sdb", f"{folder}/1-1.2:1.0/host6/target6:0:0/6:0:0:0")
    assert rows(sysfs)["1-1.2"] == {
        "port": b"1-1.2",
        "vendor": b"0951",
        "product": b"1666",
        "vendor_name": b"Kingston",
        "product_name": b"DataTraveler 3.0",
        "serial": b"60A44C413E4AF1A0",
        "device_class": b"00",
        "interface_classes": "08/06/50",
        "kind": "storage",
        "speed": 480_000_000,
        "devices": b"sdb",
    }


def test_a_phone_is_known_by_its_class_or_by_the_name_of_an_interface_of_its_own(sysfs: Sysfs) -> None:
    sysfs.usb("1-1", "06/01/01", "ff/42/01")
    folder = sysfs.usb("1-2", MTP, "ff/42/01")
    sysfs.files(f"{folder}/1-2:1.0", interface="MTP")
    sysfs.usb("1-3", "ff/42/01")
    assert [row["kind"] for row in rows(sysfs).values()] == ["phone", "phone", "other"]


def test_a_network_card_of_an_unknown_class_is_known_by_its_interface(sysfs: Sysfs) -> None:
    folder = sysfs.usb("2-1", "ff/ff/00", speed="5000")
    sysfs.card("eth1", f"{folder}/2-1:1.0")
    sysfs.usb("2-2", ECM)
    found = rows(sysfs)
    assert (found["2-1"]["kind"], found["2-1"]["devices"], found["2-1"]["speed"]) == ("network", b"eth1", 5_000_000_000)
    assert found["2-2"]["kind"] == "network"


@pytest.mark.parametrize(
    ("classes", "kind"),
    [
        ([KEYBOARD, "03/00/00"], "keyboard"),
        ([MOUSE, KEYBOARD], "mouse"),
        (["01/01/00", "03/00/00"], "audio"),
        (["0e/01/00", "01/01/00"], "video"),
        (["07/01/02"], "printer"),
        (["0b/00/00"], "card"),
        (["02/02/01", "0a/00/00"], "serial"),
        (["e0/01/01", "e0/01/01"], "bluetooth"),
        (["e0/01/03", "0a/00/00"], "network"),
        (["08/06/62"], "storage"),
        ([KEYBOARD, STICK], "storage"),
        ([HUB, STICK], "storage"),
        ([HUB], "hub"),
        (["fe/01/01"], "other"),
    ],
)
def test_what_a_device_is_for_follows_from_its_interfaces(sysfs: Sysfs, classes: list[str], kind: str) -> None:
    sysfs.usb("3-1", *classes)
    (row,) = rows(sysfs).values()
    assert (row["kind"], row["interface_classes"]) == (kind, " ".join(dict.fromkeys(classes)))


def test_a_tree_of_hubs_five_deep_gives_each_of_them_and_what_hangs_on_the_last(sysfs: Sysfs) -> None:
    sysfs.usb("usb1", HUB, vendor="1d6b", product="0002")
    path = "1-1"
    for step in ("", ".4", ".1", ".1", ".1"):
        path += step
        sysfs.usb(path, HUB)
    sysfs.usb(f"{path}.2", STICK, speed="12")
    sysfs.disk("sdc", f"{usb_folder(f'{path}.2')}/{path}.2:1.0/host7/target7:0:0/7:0:0:0")
    found = rows(sysfs)
    assert [row["kind"] for row in found.values()] == ["hub"] * 5 + ["storage", "hub"]
    assert found["1-1.4.1.1.1.2"]["devices"] == b"sdc"
    assert found["1-1.4.1.1.1"]["devices"] == found["1-1.4.1.1"]["devices"] == b""
    assert found["usb1"]["interface_classes"] == "09/00/00"


def test_a_device_that_is_not_authorized_is_still_known_for_what_it_is(sysfs: Sysfs) -> None:
    folder = sysfs.usb("1-4")
    device = bytes([18, 1, 0, 2, 0, 0, 0, 64]) + bytes(10)
    configuration = bytes([9, 2, 32, 0, 1, 1, 0, 128, 50])
    interface = bytes([9, 4, 0, 0, 2, 8, 6, 80, 0])
    (sysfs.root / "sys" / folder / "descriptors").write_bytes(device + configuration + interface + b"\x07\x05")
    (row,) = rows(sysfs).values()
    assert (row["kind"], row["interface_classes"]) == ("storage", "08/06/50")


def test_names_may_hold_any_bytes_and_the_report_holds_them_all(sysfs: Sysfs) -> None:
    hostile = b'\x1b[31m"<&]]>\xff\x00\n<usb/>\\'
    sysfs.usb("1-1", STICK, manufacturer=hostile, serial=hostile + b"A" * 5000)
    sysfs.files(usb_folder("1-1"), product=hostile)
    (row,) = rows(sysfs).values()
    assert row["vendor_name"] == row["product_name"] == hostile
    assert len(row["serial"]) > 5000


def test_a_device_that_is_pulled_out_while_it_is_read_costs_only_its_own_row(sysfs: Sysfs) -> None:
    sysfs.usb("1-1", STICK)
    sysfs.usb("1-2", STICK)
    (sysfs.root / "sys" / usb_folder("1-1") / "idVendor").unlink()
    assert list(rows(sysfs)) == ["1-2"]


def test_a_machine_without_usb_says_that_it_has_none(tmp_path: Path) -> None:
    section = Section("usb")
    section.fill(Host(os.fsencode(tmp_path)))
    assert section.outcome[0] == "absent"


def test_this_machine_gives_a_section_that_says_what_it_has() -> None:
    printed = subprocess.run([sys.executable, "-m", "remote_probe", "usb"], capture_output=True, check=True).stdout
    (section,) = etree.fromstring(printed).iter("section")
    there = sorted(name for name in _listed("/sys/bus/usb/devices") if ":" not in name)
    assert section.get("status") == ("ok" if there else "absent")
    assert sorted(str(row.get("port")) for row in section) == there


def _listed(folder: str) -> list[str]:
    return [path.name for path in Path(folder).iterdir()] if Path(folder).is_dir() else []


@given(st.binary(max_size=200))
def test_any_descriptors_give_interfaces_or_none(content: bytes) -> None:
    assert all(len(triple) == 8 for triple in usb.parse_descriptors(content))


@given(st.one_of(st.binary(max_size=20), st.text("0123456789.-+e_", max_size=12).map(str.encode)))
def test_any_speed_is_a_number_of_bits_or_unknown(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert usb.parse_speed(content) >= 0


def test_speeds_are_bits_per_second() -> None:
    assert [usb.parse_speed(text) for text in (b"1.5", b"480", b"20000", b"unknown", b"")] == [
        1_500_000, 480_000_000, 20_000_000_000, 0, 0,
    ]  # fmt: skip
