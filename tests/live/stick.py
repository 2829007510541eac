"""A stick, seen step by step: the device, then its disk, then what is mounted from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from poller.model import Device, Mount, Reading, Row, UsbDevice
from tests.findings.readings import reading, section

BARE: Final = UsbDevice("1-2", "0951", "1666", "Kingston", "DataTraveler", "60A4", "00", "08", "storage", 480, "")
STICK: Final = replace(BARE, devices="sdb")
DISK: Final = Device("disk", "sdb", "DataTraveler", "60A4", 1 << 33, 1, "1-2")
MOUNT: Final = Mount("/media/stick", "/dev/sdb1", "vfat", "/", "rw,nosuid", 1, 1, 0, 0, "sdb")
ROOT: Final = Mount("/", "/dev/sda1", "ext4", "/", "rw,relatime", 0, 0, 0, 0, "sda")
LOOP: Final = Mount("/mnt/image", "/dev/loop0", "ext4", "/", "rw", 0, 0, 0, 1, "/srv/image")
# A network adapter of a class of its maker's own: what it is for shows when its driver has it.
ADAPTER: Final = UsbDevice("1-3", "0bda", "8153", "Realtek", "USB 10/100/1000 LAN", "01", "00", "ff", "other", 5000, "")
DRIVEN: Final = replace(ADAPTER, kind="network", devices="enx00e04c680001")

NOTHING: Final[Mapping[str, Sequence[Row]]] = {"usb": (), "devices": (), "mounts": (ROOT,)}
PLUGGED: Final = {**NOTHING, "usb": (BARE,)}
READ: Final = {**NOTHING, "usb": (STICK,), "devices": (DISK,)}
MOUNTED: Final = {**READ, "mounts": (ROOT, MOUNT)}

WHOLE: Final = (
    "storage 0951:1666 Kingston DataTraveler serial 60A4 at port 1-2 (sdb); disk sdb DataTraveler serial 60A4 on 1-2; "
    "/dev/sdb1 on /media/stick type vfat (rw,nosuid) from removable usb sdb"
)


def seen(rows: Mapping[str, Sequence[Row]], uptime: float, boot: str = "boot-1") -> Reading:
    """As a push has it."""
    return reading(*(section(name, *some) for name, some in rows.items()), uptime=uptime, boot=boot)
