"""What is plugged in and mounted, as a probe reports it. Field names equal the XML attributes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """Section `usb`: one device, hubs and root hubs too (Documentation/ABI/stable/sysfs-bus-usb of the kernel).

    `port` is the path of hub ports such as `1-1.2.3`, of a root hub `usb1`. `vendor`, `product` and `device_class` are
    hex as lsusb(8) shows them; `interface_classes` are class/subclass/protocol (`08/06/50`), in the order of the
    interfaces, separated by spaces, each once. `kind` says what it is for:
    hub, storage, phone, keyboard, mouse, network, bluetooth, audio, video, printer, serial, card or other.
    `speed` in bits per second, 0 unknown. `devices` are the kernel's names of what it brings (sdb eth1), with spaces.
    """

    port: str
    vendor: str
    product: str
    vendor_name: str
    product_name: str
    serial: str
    device_class: str
    interface_classes: str
    kind: str
    speed: int
    devices: str


@dataclass(frozen=True, slots=True)
class Device:
    """Section `devices`: hardware that people add, whatever bus it is on.

    `kind` is mmc, optical, disk, bluetooth, monitor or network; `name` the kernel's (mmcblk0, sr0, sdb, hci0,
    card0-HDMI-A-1, eth1). `size` in bytes, 0 for what has none. `bus` is the USB port it hangs on, or the name of its
    bus (pci, virtio, ...); `removable` 1 or 0.
    """

    kind: str
    name: str
    model: str
    serial: str
    size: int
    removable: int
    bus: str


@dataclass(frozen=True, slots=True)
class Mount:
    """Section `mounts`: one line of /proc/self/mountinfo (proc_pid_mountinfo(5)), escapes undone.

    `root` is the folder of the file system that is mounted ("/" unless it is a bind mount or subvolume). `removable`,
    `usb`, `network` and `loop` are 1 or 0; `carrier` is what carries it: the disk (sdb), the file behind a loop device,
    the server of a network file system, else "".
    """

    mountpoint: str
    device: str
    type: str
    root: str
    options: str
    removable: int
    usb: int
    network: int
    loop: int
    carrier: str


@dataclass(frozen=True, slots=True)
class KernelLog:
    """Section `kernel`: one row, how far its log was read. `source` is kmsg, journal or file.

    `cursor` is the probe's own; it comes back with the next request. `lost`: messages that were overwritten unread, or
    that were more than one report may hold.
    """

    source: str
    began: str
    cursor: str
    lost: int


@dataclass(frozen=True, slots=True)
class KernelMessage:
    """Section `kernel`, element `message`: one that tells of devices or of hardware that fails.

    `at` is epoch seconds by the host's clock, `priority` as in syslog(3), 0 emergency to 7 debug.
    """

    number: int
    at: float
    priority: int
    text: str
