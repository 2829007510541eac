"""What begins a contact is found in any packet, by the kernel's filter and behind it alike; the rest is nobody's."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_probe.watching import connections, filter, packets, uevents
from remote_probe.watching.contacts import Contacts

TCP, UDP = 6, 17
SYN, ACK, SYN_ACK, RST = 0x02, 0x10, 0x12, 0x04
A4, B4 = socket.inet_aton("192.0.2.1"), socket.inet_aton("192.0.2.2")
A6, B6 = (socket.inet_pton(socket.AF_INET6, text) for text in ("2001:db8::1", "2001:db8::2"))
PORTS = struct.pack(">HH", 40000, 443)
IP4, IP6, TAG, OTHER = 0x0800, 0x86DD, 0x88A8, 0x0806
ETHERNET = 1


def tcp(flags: int) -> bytes:
    return PORTS + bytes(8) + bytes([0x50, flags]) + bytes(6)


UDP_HEAD = PORTS + struct.pack(">HH", 9, 0) + b"x"


def four(inner: bytes, protocol: int, *, options: bytes = b"", offset: int = 0) -> bytes:
    length = 20 + len(options)
    head = struct.pack(">BBHHHBBH", 0x40 | length // 4, 0, length + len(inner), 1, offset, 64, protocol, 0)
    return head + A4 + B4 + options + inner


def six(inner: bytes, protocol: int, *before: tuple[int, bytes]) -> bytes:
    """`before`: (kind, all of the header but its first byte)."""
    kinds = [kind for kind, _ in before] + [protocol]
    chain = b"".join(bytes([after]) + rest for (_, rest), after in zip(before, kinds[1:], strict=True))
    return struct.pack(">IHBB", 6 << 28, len(chain + inner), kinds[0], 64) + A6 + B6 + chain + inner


HOP, FRAGMENT, LATER = (0, b"\0" + bytes(6)), (44, b"\0" + bytes(6)), (44, b"\0" + b"\0\x10" + bytes(4))
AUTH = (51, b"\4" + bytes(22))


def passes(program: bytes, packet: bytes, kind: int, direction: int = 0, hardware: int = ETHERNET) -> int:
    """Classic BPF, as Documentation/networking/filter.rst has it: how many bytes are kept."""
    known = {filter.PROTOCOL: kind, filter.DIRECTION: direction, filter.HARDWARE: hardware}
    lines = list(struct.iter_unpack("=HBBI", program))
    a = x = at = 0
    while True:
        code, yes, no, number = lines[at]
        at += 1
        if code == 0x06:
            return int(number)
        if code in (0x20, 0x28, 0x30, 0x50):
            size = {0x20: 4, 0x28: 2}.get(code, 1)
            where = number + (x if code == 0x50 else 0)
            if number in known:
                a = known[number]
            elif where + size > len(packet):
                return 0
            else:
                a = int.from_bytes(packet[where : where + size], "big")
        elif code == 0xB1:
            if number >= len(packet):
                return 0
            x = (packet[number] & 15) * 4
        elif code == 0x54:
            a &= number
        else:
            at += yes if (a == number if code == 0x15 else a & number) else no


BEGIN = [
    (four(tcp(SYN), TCP), IP4, TCP),
    (four(tcp(SYN | 0xC0), TCP, options=bytes(8)), IP4, TCP),
    (four(UDP_HEAD, UDP), IP4, UDP),
    (four(UDP_HEAD, UDP, offset=0x2000), IP4, UDP),
    (six(tcp(SYN), TCP), IP6, TCP),
    (six(tcp(SYN), TCP, HOP, (60, HOP[1]), AUTH), IP6, TCP),
    (six(UDP_HEAD, UDP), IP6, UDP),
    (six(UDP_HEAD, UDP, HOP, FRAGMENT), IP6, UDP),
]
OTHERS = [
    (four(tcp(ACK), TCP), IP4, TCP),
    (four(tcp(SYN_ACK), TCP), IP4, TCP),
    (four(tcp(RST), TCP), IP4, TCP),
    (four(tcp(SYN), TCP, offset=1), IP4, TCP),
    (four(UDP_HEAD, UDP, offset=0x2001), IP4, UDP),
    (four(UDP_HEAD, UDP), IP4, TCP),
    (four(tcp(SYN), TCP), IP4, UDP),
    (six(tcp(SYN_ACK), TCP), IP6, TCP),
    (six(UDP_HEAD, 58), IP6, UDP),
]


@pytest.mark.parametrize(("packet", "kind", "protocol"), BEGIN)
def test_what_begins_something_passes_with_and_without_a_tag_before_it(packet: bytes, kind: int, protocol: int) -> None:
    program = filter.program(protocol)
    tagged = struct.pack(">HH", 0x4007, kind) + packet
    assert passes(program, packet, kind) == passes(program, tagged, TAG) == filter.KEPT
    assert passes(program, packet, kind, direction=4) == filter.KEPT
    found = packets.begun(packet, protocol)
    assert found == (A4 + B4 if kind == IP4 else A6 + B6) + PORTS


@pytest.mark.parametrize(("packet", "kind", "protocol"), OTHERS)
def test_what_begins_nothing_does_not(packet: bytes, kind: int, protocol: int) -> None:
    assert passes(filter.program(protocol), packet, kind) == 0
    assert passes(filter.program(protocol), struct.pack(">HH", 7, kind) + packet, TAG) == 0
    assert packets.begun(packet, protocol) is None


def test_later_fragments_behind_further_headers_are_left_out_at_last() -> None:
    assert packets.begun(six(UDP_HEAD, UDP, HOP, LATER), UDP) is None
    assert packets.begun(six(tcp(SYN_ACK), TCP, HOP), TCP) is None
    assert packets.begun(six(tcp(SYN), TCP, *[HOP] * 20), TCP) is None, "nobody has twenty of them"


@pytest.mark.parametrize("protocol", [TCP, UDP])
def test_arp_other_machines_and_loopback_are_not_passed_on(protocol: int) -> None:
    packet = four(tcp(SYN) if protocol == TCP else UDP_HEAD, protocol)
    program = filter.program(protocol)
    assert passes(program, packet, OTHER) == 0
    assert passes(program, struct.pack(">HH", 7, OTHER) + packet, TAG) == 0
    assert [passes(program, packet, IP4, direction) > 0 for direction in range(6)] == [
        True, False, False, False, True, False,
    ]  # fmt: skip
    assert passes(program, packet, IP4, hardware=filter.LOOPBACK) == 0
    assert passes(filter.program(protocol, loopback=True), packet, IP4, hardware=filter.LOOPBACK) == filter.KEPT


@given(st.binary(max_size=120), st.sampled_from([TCP, UDP]), st.sampled_from([IP4, IP6, TAG]))
def test_any_bytes_are_a_contact_or_none(data: bytes, protocol: int, kind: int) -> None:
    for packet in (data, b"\x45" + data, b"\x60" + data):
        found = packets.begun(packet, protocol)
        assert found is None or len(found) in (12, 36)
        assert passes(filter.program(protocol), packet, kind) in (0, filter.KEPT)


@given(st.binary(max_size=200))
def test_any_message_is_a_uevent_or_none(data: bytes) -> None:
    for message in (data, b"add@/x\0" + data):
        for hint in uevents.hinted(uevents.parse_uevent(message)):
            assert set(hint) == {"subsystem", "action", "path", "name"}


def test_of_usb_only_whole_devices_are_hinted_and_of_disks_their_partitions_too() -> None:
    def told(**variables: str) -> list[dict[str, bytes | str | int | float]]:
        text = "\0".join(["add@/x", *(f"{name}={value}" for name, value in variables.items())])
        return uevents.hinted(uevents.parse_uevent(text.encode() + b"\0"))

    stick = told(ACTION="add", DEVPATH="/devices/usb1/1-1", SUBSYSTEM="usb", DEVTYPE="usb_device", PRODUCT="951/1666/1")
    assert stick == [{"subsystem": b"usb", "action": b"add", "path": b"/devices/usb1/1-1", "name": b"1-1"}]
    assert told(ACTION="add", DEVPATH="/d/1-1/1-1:1.0", SUBSYSTEM="usb", DEVTYPE="usb_interface") == []
    assert told(ACTION="bind", DEVPATH="/devices/usb1/1-1", SUBSYSTEM="usb", DEVTYPE="usb_device") == []
    assert told(ACTION="add", DEVPATH="/d/block/sdb/sdb1", SUBSYSTEM="block", DEVTYPE="partition")[0]["name"] == b"sdb1"
    assert told(ACTION="add", DEVPATH="/d/net/eth1", SUBSYSTEM="net", INTERFACE="eth1")[0]["name"] == b"eth1"
    assert told(ACTION="add", DEVPATH="/d/tty1", SUBSYSTEM="tty") == []


def test_a_disk_without_hardware_is_no_hint_and_a_card_is() -> None:
    def told(subsystem: str, path: str) -> bool:
        variables = {"ACTION": "add", "DEVPATH": path, "SUBSYSTEM": subsystem, "DEVTYPE": "disk"}
        named = {name.encode(): value.encode() for name, value in variables.items()}
        return bool(uevents.hinted(named))

    virtual = [f"/devices/virtual/block/{name}" for name in ("dm-3", "loop7", "md0", "zram0", "loop7/loop7p1")]
    assert not any(told("block", path) for path in virtual)
    assert told("block", "/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sdc")
    assert told("net", "/devices/virtual/net/tun0")


@given(st.binary(max_size=200))
def test_any_answer_of_the_kernel_is_connections_or_an_error(data: bytes) -> None:
    for dump in (data, b"\x80\0\0\0\x14\0" + data.ljust(122, b"\0")):
        try:
            assert all(len(key) in (12, 36) for _, _, key in connections.parse_ends("tcp", dump))
        except (ValueError, OSError):
            continue


RESOLVERS = (
    b"nameserver 192.0.2.53\nnameserver fe80::1%eth0\nnameserver 2001:DB8:0:0:0:0:0:1\n"
    b"nameserver ::ffff:192.0.2.55\nnameserver x\0y\nnameserver\n"
)


class Machine:
    """Where two addresses are its own."""

    def __init__(self) -> None:
        self.listed = 0

    def caller(self) -> bytes:
        return b"192.0.2.9 50000 192.0.2.1 22"

    def read(self, path: bytes) -> bytes:
        return RESOLVERS if path == b"/etc/resolv.conf" else b""

    def addresses(self) -> bytes:
        self.listed += 1
        return b""


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        (("192.0.2.1", 40000, "192.0.2.2", 443), True),
        (("192.0.2.1", 22, "192.0.2.9", 50000), False),
        (("192.0.2.1", 22, "192.0.2.9", 50001), True),
        (("192.0.2.1", 40000, "192.0.2.53", 53), False),
        (("192.0.2.1", 40000, "192.0.2.53", 853), True),
        (("192.0.2.1", 40000, "192.0.2.54", 53), True),
        (("fe80::2", 40000, "fe80::1", 53), False),
        (("2001:db8::2", 40000, "2001:db8::1", 53), False),
        (("2001:db8::2", 40000, "2001:db8::3", 53), True),
        (("192.0.2.1", 40000, "192.0.2.55", 53), False),
        (("192.0.2.1", 5353, "224.0.0.251", 5353), False),
        (("127.0.0.1", 40000, "127.0.0.2", 80), False),
        (("192.0.2.1", 40000, "192.0.2.1", 80), False),
    ],
)
def test_whom_a_machine_talks_to_is_told_but_for_what_is_always_there(
    ends: tuple[str, int, str, int], told: bool
) -> None:
    machine: Callable[[], Machine] = Machine
    assert bool(Contacts(machine, False).row("udp", ends, False, "packet")) is told  # type: ignore[arg-type]


def test_strangers_packets_do_not_make_it_list_its_addresses_each_time() -> None:
    machine, now = Machine(), [0.0]
    contacts = Contacts(lambda: machine, False, lambda: now[0])  # type: ignore[arg-type,return-value]
    for now[0] in (0.0, 0.5, 1.0, 1.9):
        assert not contacts.ours("203.0.113.5")
    assert machine.listed == 1
    now[0] = 2.5
    contacts.ours("203.0.113.5")
    assert machine.listed == 2
