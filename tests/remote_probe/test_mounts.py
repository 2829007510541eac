"""What is mounted is told with what carries it: on fake trees, and on real mounts in a namespace of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from remote_probe.collect import Section
from remote_probe.collectors import mounts
from remote_probe.host import Host
from tests.remote_probe.sysfs import STICK, Sysfs

# Who is not root may mount only in a namespace of users as well.
USERS = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
PCI = "devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0"


@pytest.fixture
def sysfs(tmp_path: Path) -> Sysfs:
    sysfs = Sysfs(tmp_path)
    stick = sysfs.disk("sdb", f"{sysfs.usb('1-1', STICK)}/1-1:1.0/host6/target6:0:0/6:0:0:0", "8:16", removable="1")
    sysfs.partition("sdb1", stick, "8:17")
    disk = sysfs.disk("sda", PCI, "8:0", removable="0")
    sysfs.partition("sda2", disk, "8:2")
    return sysfs


def rows(sysfs: Sysfs, *lines: str) -> list[dict[str, Any]]:
    write(sysfs, lines)
    return [row for _, row in mounts.read(sysfs.host)]


def write(sysfs: Sysfs, lines: tuple[str, ...] | list[str]) -> None:
    (sysfs.root / "proc/self").mkdir(exist_ok=True)
    (sysfs.root / "proc/self/mountinfo").write_bytes("".join(f"{line}\n" for line in lines).encode("latin-1"))


def test_a_stick_is_removable_on_usb_and_carried_by_its_disk(sysfs: Sysfs) -> None:
    line = r"90 27 8:17 / /media/op/KINGSTON\040USB rw,nosuid shared:50 - vfat /dev/sdb1 rw,uid=1000"
    assert rows(sysfs, line) == [
        {
            "mountpoint": b"/media/op/KINGSTON USB",
            "device": b"/dev/sdb1",
            "type": b"vfat",
            "root": b"/",
            "options": b"rw,nosuid,uid=1000",
            "removable": 1,
            "usb": 1,
            "network": 0,
            "loop": 0,
            "carrier": b"sdb",
        }
    ]


def test_a_bind_mount_keeps_the_folder_that_is_mounted_and_read_only_wins(sysfs: Sysfs) -> None:
    (row,) = rows(sysfs, r"91 27 8:2 /srv/a\134b /mnt/tab\011nl\012 ro,relatime - ext4 /dev/sda2 rw,errors=remount-ro")
    assert (row["root"], row["mountpoint"], row["options"]) == (
        rb"/srv/a\b", b"/mnt/tab\tnl\n", b"ro,relatime,errors=remount-ro",
    )  # fmt: skip
    assert (row["removable"], row["usb"], row["carrier"]) == (0, 0, b"sda")


def test_a_file_system_that_the_kernel_made_read_only_is_told_as_read_only(sysfs: Sysfs) -> None:
    """Since Linux 6.15 ext4 does so by an option of its own, and leaves `rw` as it is."""
    line = "91 27 8:2 / /srv rw,relatime shared:50 - ext4 /dev/sda2 rw,errors=remount-ro,emergency_ro"
    (row,) = rows(sysfs, line)
    assert row["options"] == b"relatime,errors=remount-ro,emergency_ro,ro"
    assert b"ro" in sysfs.host.mounts()[0]["options"].split(b",")  # so does section `filesystem`


def test_what_is_encrypted_or_an_array_is_carried_by_the_disks_below(sysfs: Sysfs) -> None:
    for name, number, below in (("md0", "9:0", ["sda2", "sdb1"]), ("dm-0", "253:0", ["md0"])):
        place = sysfs.disk(name, f"devices/virtual/block-{name}", number)
        for slave in below:
            sysfs.link(f"{place}/slaves/{slave}", f"class/block/{slave}")
    (sysfs.root / "dev/mapper").mkdir(parents=True)
    (sysfs.root / "dev/mapper/home").symlink_to("../dm-0")
    plain, volume = rows(
        sysfs,
        "91 27 253:0 / /home rw - ext4 /dev/mapper/home rw",
        "92 27 0:45 /@srv /srv rw - btrfs /dev/mapper/home rw,subvol=/@srv",
    )
    assert plain["carrier"] == volume["carrier"] == b"sda sdb"
    assert (plain["usb"], plain["removable"], plain["loop"]) == (1, 1, 0)


def test_an_image_is_carried_by_its_file(sysfs: Sysfs) -> None:
    place = sysfs.disk("loop3", "devices/virtual/block-loop3", "7:3")
    sysfs.files(f"{place}/loop", backing_file="/srv/disk image.img")
    (row,) = rows(sysfs, "92 27 7:3 / /mnt rw - iso9660 /dev/loop3 ro")
    assert (row["loop"], row["carrier"], row["options"]) == (1, b"/srv/disk image.img", b"ro")


@pytest.mark.parametrize(
    ("kind", "source", "server"),
    [
        ("nfs4", "files.example.org:/export", "files.example.org"),
        ("nfs", "[2001:db8::1]:/export", "2001:db8::1"),
        ("cifs", "//192.0.2.7/share", "192.0.2.7"),
        ("fuse.sshfs", "op@192.0.2.8:/home/op", "192.0.2.8"),
        ("ceph", "192.0.2.1:6789,192.0.2.2:6789:/", "192.0.2.1"),
        ("9p", "hostshare", ""),
    ],
)
def test_a_network_mount_is_carried_by_its_server(sysfs: Sysfs, kind: str, source: str, server: str) -> None:
    (row,) = rows(sysfs, f"93 27 0:50 / /mnt rw - {kind} {source} rw")
    assert (row["network"], os.fsdecode(row["carrier"]), row["usb"]) == (1, server, 0)


def test_layers_automounts_and_empty_sources_are_told_and_views_of_the_kernel_are_not(sysfs: Sysfs) -> None:
    found = rows(
        sysfs,
        "22 27 0:21 / /proc rw - proc proc rw",
        "23 27 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw",
        "24 27 0:30 / /run rw - tmpfs  rw,size=4k",
        "25 27 0:31 / /net rw - autofs systemd-1 rw,fd=5",
        "26 27 0:32 / /var/lib/c/merged rw - overlay overlay rw,lowerdir=/a:/b,upperdir=/c,workdir=/d,index=off",
        "27 27 0:33 / /run/user/1000/doc rw - fuse.portal portal rw",
    )
    assert [(row["type"], row["device"]) for row in found] == [
        (b"fuse.portal", b"portal"), (b"tmpfs", b""), (b"autofs", b"systemd-1"), (b"overlay", b"overlay"),
    ]  # fmt: skip
    assert found[-1]["options"] == b"rw,index=off"


def test_mounts_stacked_on_one_another_are_one_row_when_nothing_tells_them_apart(sysfs: Sysfs) -> None:
    line = "90 27 8:17 / /mnt %s - vfat /dev/sdb1 rw"
    (row,) = rows(sysfs, line % "rw", line % "ro")
    assert row["options"] == b"ro"


def test_a_stick_is_told_beside_thousands_of_layers_and_the_section_says_what_is_missing(sysfs: Sysfs) -> None:
    layers = [f"{number} 27 0:{number} / /c/{number} rw - overlay overlay rw" for number in range(1500)]
    write(sysfs, [*layers, "90 27 8:17 / /media/stick rw - vfat /dev/sdb1 rw"])
    section = Section("mounts")
    section.fill(sysfs.host)
    status, reason, _, found = section.outcome
    assert (status, len(found), reason) == ("ok", 1000, "1501 mounts, of which these are the first 1000")
    assert found[0][1]["mountpoint"] == b"/media/stick"


@given(st.binary(max_size=80))
def test_any_source_names_a_server_or_none(device: bytes) -> None:
    assert isinstance(mounts.parse_server(device), bytes)
    assert isinstance(mounts.parse_options(device), bytes)


REAL = r"""
import json, os, subprocess, sys
from remote_probe.collectors import mounts
from remote_probe.host import Host
top, loop, kind = sys.argv[1:]
def call(*words): subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
call("mount", "--make-rprivate", "/")
call("mount", "-t", kind, loop, top + "/stick with space")
os.mkdir(top + "/stick with space/folder")
call("mount", "--bind", top + "/stick with space/folder", top + "/bound")
call("mount", "-t", "tmpfs", "none", top + "/tmp\nfs")
call("mount", "-t", "overlay", "overlay", "-o", "lowerdir=%s/stick with space:%s/lower" % (top, top), top + "/over")
found = [{k: v.decode() if isinstance(v, bytes) else v for k, v in row.items()} for _, row in mounts.read(Host())]
print(json.dumps([row for row in found if row["mountpoint"].startswith(top)]))
"""


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """(device, type) of an image with a file system: vfat where the kernel has it, else ext4. For root only."""
    if USERS:
        yield "none", "tmpfs"
        return
    kind = "vfat" if "\tvfat\n" in Path("/proc/filesystems").read_text() else "ext4"
    image = tmp_path / "stick.img"
    image.write_bytes(bytes(4 << 20))
    subprocess.run([f"mkfs.{kind}", str(image)], check=True, capture_output=True)
    out = subprocess.run(["losetup", "--find", "--show", str(image)], check=True, capture_output=True, text=True).stdout
    yield out.strip(), kind
    subprocess.run(["losetup", "--detach", out.strip()], check=True)


def test_real_mounts_of_an_image_a_folder_memory_and_layers_are_told(tmp_path: Path, loop: tuple[str, str]) -> None:
    for name in ("stick with space", "bound", "tmp\nfs", "over", "lower"):
        (tmp_path / name).mkdir()
    command = ["unshare", *USERS, "-m", sys.executable, "-c", REAL, str(tmp_path), *loop]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = {Path(row["mountpoint"]).name: row for row in json.loads(done.stdout)}
    stick, bound = found["stick with space"], found["bound"]
    assert (stick["type"], stick["root"], stick["loop"], stick["network"]) == (loop[1], "/", int(not USERS), 0)
    assert stick["carrier"] == bound["carrier"] == ("" if USERS else str(tmp_path / "stick.img"))
    assert (bound["root"], bound["device"]) == ("/folder", stick["device"])
    assert (found["tmp\nfs"]["type"], found["tmp\nfs"]["device"]) == ("tmpfs", "none")
    assert found["over"]["type"] == "overlay"
    assert "lowerdir" not in found["over"]["options"]


def test_this_machine_gives_what_findmnt_shows_of_its_disks() -> None:
    printed = subprocess.run([sys.executable, "-m", "remote_probe", "mounts"], capture_output=True, check=True).stdout
    (section,) = etree.fromstring(printed).iter("section")
    assert section.get("status") == "ok"
    root = [row for row in section if row.get("mountpoint") == "/"]
    assert root
    assert (
        root[-1].get("type")
        == subprocess.run(
            ["findmnt", "-n", "-o", "FSTYPE", "/"], capture_output=True, text=True, check=True
        ).stdout.split()[-1]
    )


def test_a_machine_without_proc_says_so(tmp_path: Path) -> None:
    section = Section("mounts")
    section.fill(Host(os.fsencode(tmp_path)))
    assert section.outcome[0] == "absent"
