"""Section `usb`: what hangs on USB, mounted or not: /sys/bus/usb/devices (Documentation/ABI/stable/sysfs-bus-usb).

Classes are hex as class/subclass/protocol (usb.org, Defined Class Codes): 08/06/50 is a stick.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, List, Sequence

    from remote_probe.host import Host, Rows, Value

DEVICES = b"/sys/bus/usb/devices"
# What a device is for: the first kind of which one interface begins so. What can carry files or packets goes first.
KINDS = (
    ("phone", ("06/01/01",)),  # PTP and MTP: cameras, too
    ("storage", ("08/",)),
    ("network", ("02/06", "02/0c", "02/0d", "02/0e", "e0/01/03", "ef/04/01")),  # ECM, EEM, NCM, MBIM, RNDIS
)
LATER_KINDS = (
    ("hub", ("09/",)),
    ("bluetooth", ("e0/01/01",)),
    ("video", ("0e/",)),
    ("audio", ("01/",)),
    ("printer", ("07/",)),
    ("card", ("0b/",)),
    ("serial", ("02/02",)),
)
HANDS = {"03/01/01": "keyboard", "03/01/02": "mouse"}
# Where the kernel names what a device brings, and what that makes of a device whose classes do not say.
BROUGHT = ((b"/sys/block", "storage"), (b"/sys/class/net", "network"), (b"/sys/bus/usb-serial/devices", "serial"))
INTERFACE = 4  # type of a descriptor


def read(host: "Host") -> "Rows":
    interfaces: "Dict[bytes, List[bytes]]" = {}
    ports = []
    for name in host.names(DEVICES):
        port, colon, _ = name.partition(b":")
        if not colon:
            ports.append(port)
        elif port.endswith(b"-0"):  # 1-0:1.0 belongs to the root hub usb1
            interfaces.setdefault(b"usb" + port[:-2], []).append(name)
        else:
            interfaces.setdefault(port, []).append(name)
    brought = _brought(host)
    for port in ports:
        try:
            yield "usb", _row(host, port, interfaces.get(port, []), brought.get(port, {}))
        except OSError:
            continue  # pulled out since it was listed


def _row(host: "Host", port: bytes, interfaces: "List[bytes]", brought: "Dict[bytes, str]") -> "Dict[str, Value]":
    folder = DEVICES + b"/" + port + b"/"
    vendor = host.read(folder + b"idVendor").strip()
    classes = [_triple(host, name) for name in interfaces]
    if not classes:  # not authorized: the kernel binds no interface, but knows what it has
        classes = parse_descriptors(_whole(host, folder + b"descriptors"))
    media = any(_media(host, name) for name, triple in zip(interfaces, classes) if triple.startswith("ff/"))
    return {
        "port": port,
        "vendor": vendor,
        "product": host.text(folder + b"idProduct"),
        "vendor_name": _whole(host, folder + b"manufacturer"),
        "product_name": _whole(host, folder + b"product"),
        "serial": _whole(host, folder + b"serial"),
        "device_class": host.text(folder + b"bDeviceClass"),
        "interface_classes": " ".join(dict.fromkeys(classes)),
        "kind": "phone" if media else kind(classes, list(brought.values())),
        "speed": parse_speed(host.text(folder + b"speed")),
        "devices": b" ".join(brought),
    }


def kind(classes: "Sequence[str]", brought: "Sequence[str]" = ()) -> str:
    """What a device with these interfaces is for; of a keyboard with a touch pad, what its first interface is."""
    found = _kinds(classes, KINDS) + list(brought[:1])
    found += [HANDS[triple] for triple in classes if triple in HANDS]
    return (found + _kinds(classes, LATER_KINDS) + ["other"])[0]


def _kinds(classes: "Sequence[str]", table: "Sequence[tuple[str, tuple[str, ...]]]") -> "List[str]":
    return [name for name, beginnings in table if any(triple.startswith(beginnings) for triple in classes)]


def _brought(host: "Host") -> "Dict[bytes, Dict[bytes, str]]":
    """By port: the names of its disks, network interfaces and serial lines, each with what they say it is."""
    ports: "Dict[bytes, Dict[bytes, str]]" = {}
    for folder, meaning in BROUGHT:
        for name in _names(host, folder):
            port = host.usb_port(folder + b"/" + name)
            if port:
                ports.setdefault(port, {})[name] = meaning
    return ports


def _names(host: "Host", folder: bytes) -> "List[bytes]":
    try:
        return host.names(folder)
    except OSError:
        return []


def _triple(host: "Host", interface: bytes) -> str:
    folder = DEVICES + b"/" + interface + b"/bInterface"
    parts = (host.text(folder + part) for part in (b"Class", b"SubClass", b"Protocol"))
    return b"/".join(parts).decode("ascii", "replace")


def _media(host: "Host", interface: bytes) -> bool:
    """Phones that offer MTP under a class of their own name the interface so."""
    return b"MTP" in host.text(DEVICES + b"/" + interface + b"/interface")


def _whole(host: "Host", path: bytes) -> bytes:
    """What a device says of itself may hold any bytes, newlines too."""
    try:
        return host.read(path).strip()
    except OSError:
        return b""


def parse_speed(megabits: bytes) -> int:
    """`1.5`, `480` -> bits per second, 0 when it is not known."""
    number = megabits.replace(b".", b"", 1)
    return int(float(megabits) * 10**6) if number.isdigit() and len(number) < 9 else 0


def parse_descriptors(content: bytes) -> "List[str]":
    """The interfaces in the descriptors of a device (USB 2.0, 9.6), each as class/subclass/protocol."""
    return list(_interfaces(content))


def _interfaces(content: bytes) -> "Iterator[str]":
    at = 0
    while at + 9 <= len(content) and content[at] > 1:
        if content[at + 1] == INTERFACE:
            yield "%02x/%02x/%02x" % tuple(content[at + 5 : at + 8])
        at += content[at]
