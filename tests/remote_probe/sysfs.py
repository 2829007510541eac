"""A machine's /sys as a test wants it: real folders below `devices`, and the links by which the kernel shows them."""

from __future__ import annotations

import os
from pathlib import Path

from remote_probe.host import Host

CONTROLLER = "devices/pci0000:00/0000:00:14.0"
STICK, MTP, KEYBOARD, MOUSE, HUB, ECM = "08/06/50", "ff/ff/00", "03/01/01", "03/01/02", "09/00/00", "02/06/00"


class Sysfs:
    """`root` holds proc, sys and dev."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("sys/bus/usb/devices", "sys/block", "sys/class/block", "sys/class/net", "sys/dev/block", "proc"):
            (root / folder).mkdir(parents=True)

    @property
    def host(self) -> Host:
        return Host(os.fsencode(self.root))

    def files(self, folder: str, **files: str | bytes) -> str:
        """Attributes, with the newline that the kernel ends them with."""
        path = self.root / "sys" / folder
        path.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (path / name).write_bytes(data + b"\n")
        return folder

    def link(self, name: str, folder: str) -> None:
        """/sys/NAME -> the folder, relative as the kernel has it."""
        path = self.root / "sys" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(os.path.relpath(self.root / "sys" / folder, path.parent))

    def usb(self, port: str, *classes: str, vendor: str = "0951", product: str = "1666", **files: str | bytes) -> str:
        """A device; returns its folder. Interfaces are numbered from 0."""
        folder = usb_folder(port)
        files.setdefault("speed", "480")
        device_class = "09" if HUB in classes else "00"
        self.files(folder, idVendor=vendor, idProduct=product, bDeviceClass=device_class, **files)
        self.link(f"bus/usb/devices/{port}", folder)
        for number, triple in enumerate(classes):
            name = f"{port.replace('usb', '') + '-0' if port.startswith('usb') else port}:1.{number}"
            parts = dict(
                zip(("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol"), triple.split("/"), strict=True)
            )
            self.files(f"{folder}/{name}", **parts)
            self.link(f"bus/usb/devices/{name}", f"{folder}/{name}")
        return folder

    def disk(self, name: str, folder: str, number: str = "8:16", size: int = 2048, **files: str | bytes) -> str:
        """A whole disk below a folder of devices; what begins with `device_` is an attribute of the device."""
        place = self.files(f"{folder}/block/{name}", size=str(size), **_without(files))
        self.files(f"{folder}", **_only(files))
        self.link(f"{place}/device", folder)
        for shown in (f"block/{name}", f"class/block/{name}", f"dev/block/{number}"):
            self.link(shown, place)
        return place

    def partition(self, name: str, disk: str, number: str) -> None:
        place = self.files(f"{disk}/{name}", partition="1", size="1024")
        self.link(f"class/block/{name}", place)
        self.link(f"dev/block/{number}", place)

    def card(self, name: str, folder: str, **files: str | bytes) -> str:
        """A network interface of the device in `folder`."""
        place = self.files(f"{folder}/net/{name}", **files)
        self.link(f"{place}/device", folder)
        self.link(f"class/net/{name}", place)
        return place


def usb_folder(port: str) -> str:
    """Where a port is among the devices: 1-1.2 hangs on the hub 1-1, and that on the root hub usb1."""
    if port.startswith("usb"):
        return f"{CONTROLLER}/{port}"
    bus, _, path = port.partition("-")
    ports = path.split(".")
    steps = (f"{bus}-{'.'.join(ports[: count + 1])}" for count in range(len(ports)))
    return "/".join((CONTROLLER, f"usb{bus}", *steps))


def _only(files: dict[str, str | bytes]) -> dict[str, str | bytes]:
    return {name.removeprefix("device_"): text for name, text in files.items() if name.startswith("device_")}


def _without(files: dict[str, str | bytes]) -> dict[str, str | bytes]:
    return {name: text for name, text in files.items() if not name.startswith("device_")}
