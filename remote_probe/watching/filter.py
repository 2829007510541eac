"""The kernel's filter before a packet socket, in classic BPF (Documentation/networking/filter.rst). Pure.

Offsets count from the head of the network layer, as SOCK_DGRAM has it, whatever the link looks like. A VLAN tag is
usually taken off by then; a second one (802.1ad) may still stand before the packet.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Tuple, Union

    # code, number, where to go on when it holds and when not ("": to the next line); or the name of a place
    Line = Union[str, Tuple[int, int, str, str]]

WORD, HALF, BYTE, BYTE_AT, HEADER, IS, HAS, AND, RETURN = 0x20, 0x28, 0x30, 0x50, 0xB1, 0x15, 0x45, 0x54, 0x06
ABOUT = 0xFFFFF000  # SKF_AD_OFF: what the kernel knows of a packet beside its bytes
PROTOCOL, DIRECTION, HARDWARE = ABOUT, ABOUT + 4, ABOUT + 28
TO_US, FROM_US, LOOPBACK = 0, 4, 772  # PACKET_HOST, PACKET_OUTGOING (packet(7)), ARPHRD_LOOPBACK
IP4, IP6, TAGS = 0x0800, 0x86DD, (0x8100, 0x88A8)
TCP, UDP = 6, 17
BEFORE = (0, 43, 44, 51, 60, 135)  # IPv6 headers that stand before that of TCP; who they belong to is found out later
FRAGMENT = 0x1FFF  # not the first one
SYN, SYN_ACK = 0x02, 0x12
KEPT = 256  # bytes of a packet: all headers


def program(protocol: int, loopback: bool = False) -> bytes:
    """struct sock_filter of each line. Passes the TCP segments that begin a connection, or all UDP datagrams;

    only those that this machine sends or gets, of `loopback` too where that is wanted.
    """
    lines: "List[Line]" = [
        (WORD, DIRECTION, "", ""),
        (IS, TO_US, "link", ""),
        (IS, FROM_US, "link", "drop"),
        "link",
        (HALF, HARDWARE, "", ""),
        (IS, LOOPBACK, "kind" if loopback else "drop", "kind"),
        "kind",
        (HALF, PROTOCOL, "", ""),
        (IS, IP4, "four0", ""),
        (IS, IP6, "six0", ""),
        (IS, TAGS[0], "tag", ""),
        (IS, TAGS[1], "tag", "drop"),
        "tag",
        (HALF, 2, "", ""),
        (IS, IP4, "four4", ""),
        (IS, IP6, "six4", "drop"),
        *_four(0, protocol),
        *_four(4, protocol),
        *_six(0, protocol),
        *_six(4, protocol),
        "keep",
        (RETURN, KEPT, "", ""),
        "drop",
        (RETURN, 0, "", ""),
    ]
    return assembled(lines)


def _four(base: int, protocol: int) -> "List[Line]":
    begins: "List[Line]" = [
        (HEADER, base, "", ""),
        (BYTE_AT, base + 13, "", ""),
        (AND, SYN_ACK, "", ""),
        (IS, SYN, "keep", "drop"),
    ]
    return [
        "four%d" % base,
        (BYTE, base + 9, "", ""),
        (IS, protocol, "", "drop"),
        (HALF, base + 6, "", ""),
        (HAS, FRAGMENT, "drop", "keep" if protocol == UDP else ""),
        *(begins if protocol == TCP else []),
    ]


def _six(base: int, protocol: int) -> "List[Line]":
    begins: "List[Line]" = [
        "flags%d" % base,
        (BYTE, base + 40 + 13, "", ""),
        (AND, SYN_ACK, "", ""),
        (IS, SYN, "keep", "drop"),
    ]
    before: "List[Line]" = [(IS, number, "keep", "") for number in BEFORE[:-1]]
    return [
        "six%d" % base,
        (BYTE, base + 6, "", ""),
        (IS, protocol, "keep" if protocol == UDP else "flags%d" % base, ""),
        *before,
        (IS, BEFORE[-1], "keep", "drop"),
        *(begins if protocol == TCP else []),
    ]


def assembled(lines: "List[Line]") -> bytes:
    """Places become distances; each is at most 255 lines ahead."""
    import _struct

    places: "Dict[str, int]" = {}
    code: "List[Tuple[int, int, str, str]]" = []
    for line in lines:
        if isinstance(line, str):
            places[line] = len(code)
        else:
            code.append(line)
    data = b""
    for here, (what, number, yes, no) in enumerate(code):
        ahead = [places[place] - here - 1 if place else 0 for place in (yes, no)]
        data += _struct.pack("=HBBI", what, ahead[0], ahead[1], number)
    return data
