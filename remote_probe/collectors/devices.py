"""Section `devices`: disks, cards and optical drives, network cards, Bluetooth adapters and monitors, from /sys."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Tuple

    from remote_probe.host import Host, Row, Rows

SECTOR = 512  # bytes; the kernel's unit in /sys/block, whatever the disk's own is
EMPTY = 0x1FFFFF  # sectors that the kernel says of an optical drive without a medium
# No hardware of their own. Floppy drives and nbd have sizes only while they are used.
VIRTUAL = (b"loop", b"ram", b"zram", b"dm-", b"md", b"nbd", b"zd", b"fd", b"drbd", b"bcache")
# Descriptors of a monitor (VESA E-EDID 3.10): what stands in their fourth byte.
NAME, SERIAL = 0xFC, 0xFF


def read(host: "Host") -> "Rows":
    for name in host.names(b"/sys/block"):
        yield from _disk(host, name, b"/sys/block/" + name)
    for name in _names(host, b"/sys/class/net"):
        yield from _card(host, name, b"/sys/class/net/" + name)
    for name in _names(host, b"/sys/class/bluetooth"):
        folder = b"/sys/class/bluetooth/" + name
        if b":" not in name:  # hci0:11 is a connection
            yield _row(host, "bluetooth", name, folder, b"", host.text(folder + b"/address"))
    for name in _names(host, b"/sys/class/drm"):
        folder = b"/sys/class/drm/" + name
        if host.text(folder + b"/status") == b"connected":
            model, serial = parse_edid(_bytes(host, folder + b"/edid"))
            yield _row(host, "monitor", name, folder + b"/device", model, serial)


def _row(
    host: "Host", kind: str, name: bytes, folder: bytes, model: bytes, serial: bytes, size: int = 0, removable: int = 0
) -> "Row":
    """Of what is on USB, the device there knows model and serial number when nothing else does."""
    port = host.usb_port(folder)
    device = b"/sys/bus/usb/devices/" + port
    bus = port or host.link(folder + b"/device/subsystem").rpartition(b"/")[2]
    return (
        "device",
        {
            "kind": kind,
            "name": name,
            "model": model or (port and host.text(device + b"/product")),
            "serial": serial or (port and host.text(device + b"/serial")),
            "size": size,
            "removable": removable,
            "bus": bus,
        },
    )


def _disk(host: "Host", name: bytes, folder: bytes) -> "List[Row]":
    """None for what is virtual, and for a card reader without a card: the card is what counts."""
    size, optical, card = _number(host.text(folder + b"/size")), name.startswith(b"sr"), name.startswith(b"mmcblk")
    if name.startswith(VIRTUAL) or host.text(folder + b"/hidden") == b"1" or not (size or optical):
        return []
    if card and not name[6:].isdigit():
        return []  # mmcblk0boot0: a part of the chip
    device = folder + b"/device"
    words = (host.text(device + b"/vendor"), host.text(device + b"/model") or host.text(device + b"/name"))
    model = b" ".join(word for word in words if word not in (b"", b"ATA") and not word.startswith(b"0x"))
    serial = host.text(folder + b"/serial") or host.text(device + b"/serial")
    if not serial and not host.usb_port(folder):  # what a USB bridge says there is often its own invention
        serial = _bytes(host, device + b"/vpd_pg80")[4:].strip()
    removable = host.text(folder + b"/removable") == b"1" or host.text(device + b"/type") == b"SD"
    size = 0 if optical and size == EMPTY else size
    kind = "optical" if optical else "mmc" if card else "disk"
    return [_row(host, kind, name, folder, model, serial, size * SECTOR, int(removable))]


def _card(host: "Host", name: bytes, folder: bytes) -> "List[Row]":
    """A network interface with hardware behind it. An address that was set or made up is no serial number."""
    if not host.link(folder + b"/device"):
        return []
    ids = host.text(folder + b"/device/vendor"), host.text(folder + b"/device/device")
    model = b":".join(number[2:] for number in ids if number.startswith(b"0x"))
    address = host.text(folder + b"/phy80211/macaddress")
    if not address and host.text(folder + b"/addr_assign_type") == b"0":
        address = host.text(folder + b"/address")
    return [_row(host, "network", name, folder, model, address)]


def _names(host: "Host", folder: bytes) -> "List[bytes]":
    try:
        return host.names(folder)
    except OSError:
        return []


def _bytes(host: "Host", path: bytes) -> bytes:
    try:
        return host.read(path)
    except OSError:
        return b""


def _number(text: bytes) -> int:
    return int(text) if text.isdigit() and len(text) < 19 else 0


def parse_edid(edid: bytes) -> "Tuple[bytes, bytes]":
    """(`DEL DELL U2415`, serial) from what a monitor says of itself; maker and product number when it has no name."""
    if len(edid) < 128 or edid[:8] != b"\x00\xff\xff\xff\xff\xff\xff\x00":
        return b"", b""
    maker = int.from_bytes(edid[8:10], "big")
    letters = bytes(64 + (maker >> shift & 31) for shift in (10, 5, 0))
    texts = {NAME: b"%04x" % int.from_bytes(edid[10:12], "little"), SERIAL: b""}
    number = int.from_bytes(edid[12:16], "little")
    if number:
        texts[SERIAL] = b"%d" % number
    for at in range(54, 126, 18):
        if edid[at : at + 3] == bytes(3) and edid[at + 3] in texts:
            texts[edid[at + 3]] = edid[at + 5 : at + 18].split(b"\n")[0].strip()
    return letters + b" " + texts[NAME], texts[SERIAL]
