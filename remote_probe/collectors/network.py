"""Section `network`: interfaces with their counters, and their addresses.

Counters are those of /proc/net/dev, which is one file for all; the rest is in /sys/class/net
(Documentation/ABI/testing/sysfs-class-net) and, for addresses, in an rtnetlink(7) answer.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, List, Tuple

    from remote_probe.host import Host, Rows, Value

# Columns of /proc/net/dev
COUNTERS = {
    "receive_bytes": 0,
    "receive_packets": 1,
    "receive_errors": 2,
    "receive_dropped": 3,
    "transmit_bytes": 8,
    "transmit_packets": 9,
    "transmit_errors": 10,
    "transmit_dropped": 11,
}
DONE, ERROR, NEWADDR = 3, 2, 20  # types of netlink messages
IFA_ADDRESS, IFA_LOCAL = 1, 2
FAMILIES = {2: "inet", 10: "inet6"}  # as ip(8) calls them


def read(host: "Host") -> "Rows":
    names = {}
    for name, counters in parse_dev(host.read(b"/proc/net/dev")).items():
        folder = b"/sys/class/net/" + name
        names[int(host.text(folder + b"/ifindex") or 0)] = name
        row: "Dict[str, Value]" = {"interface": name}
        row.update(_settings(host, folder))
        row.update(counters)
        yield "interface", row
    for index, family, address, prefix in parse_addresses(host.addresses()):
        if index in names:
            yield (
                "address",
                {"interface": names[index], "family": family, "address": address, "prefix": prefix},
            )


def _settings(host: "Host", folder: bytes) -> "Dict[str, Value]":
    link = parse_link(host.text(folder + b"/operstate"), host.text(folder + b"/carrier"))
    speed = host.text(folder + b"/speed") if link == "up" else b""  # -1 or an error: it has none
    return {
        "mac": host.text(folder + b"/address"),
        "link": link,
        "mtu": int(host.text(folder + b"/mtu") or 0),
        "speed": int(speed) * 10**6 if speed.isdigit() and int(speed) < 1 << 31 else 0,
    }


def parse_link(state: bytes, carrier: bytes) -> str:
    """RFC 2863 operational state -> up, down or unknown. Drivers without one (lo, tun) may still see a carrier."""
    if state == b"up" or (state == b"unknown" and carrier == b"1"):
        return "up"
    return "unknown" if state in (b"unknown", b"") else "down"


def parse_dev(content: bytes) -> "Dict[bytes, Dict[str, Value]]":
    """Counters by interface, in the order of the file."""
    rows: "Dict[bytes, Dict[str, Value]]" = {}
    for line in content.split(b"\n")[2:]:
        name, colon, rest = line.strip().partition(b":")
        if colon:
            fields = [int(field) for field in rest.split()]
            if len(fields) < 16 or not name:
                raise ValueError("%r has fewer than sixteen numbers" % line[:40])
            rows[name] = {attribute: fields[column] for attribute, column in COUNTERS.items()}
    return rows


def parse_addresses(dump: bytes) -> "List[Tuple[int, str, str, int]]":
    """(interface index, family, address, prefix length) of each RTM_NEWADDR message, each once."""
    addresses = []
    for kind, body in _messages(dump, 16):
        if kind == NEWADDR and len(body) >= 8 and body[0] in FAMILIES:
            attributes = dict(_messages(body[8:], 4))
            address = attributes.get(IFA_LOCAL) or attributes.get(IFA_ADDRESS) or b""
            found = (_number(body[4:8]), FAMILIES[body[0]], spelled(address), body[1])
            if found not in addresses:
                addresses.append(found)
        elif kind == ERROR:
            raise ValueError("the kernel refused to list addresses")
    return addresses


def _messages(data: bytes, header: int) -> "Iterator[Tuple[int, bytes]]":
    """(type, body) of netlink messages (length in 4 bytes) or of the attributes in one (length in 2)."""
    width = 4 if header == 16 else 2
    while len(data) >= header:
        length = _number(data[:width])
        if length < header:
            raise ValueError("a netlink message of %d bytes" % length)
        yield _number(data[width : width + 2]), data[header:length]
        data = data[(length + 3) & ~3 :]


def _number(data: bytes) -> int:
    return int.from_bytes(data, sys.byteorder)


def spelled(address: bytes) -> str:
    """Dotted quad, or RFC 5952: the longest run of two or more zero groups becomes `::`."""
    if len(address) == 4:
        return ".".join(map(str, address))
    if len(address) != 16:
        raise ValueError("an address of %d bytes" % len(address))
    text = ":".join("%x" % int.from_bytes(address[i : i + 2], "big") for i in range(0, 16, 2))
    for run in range(8, 1, -1):
        zeros = ":".join("0" * run)
        at = (":" + text + ":").find(":" + zeros + ":")
        if at >= 0:
            return text[:at].rstrip(":") + "::" + text[at + len(zeros) :].lstrip(":")
    return text
