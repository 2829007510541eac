"""Who is talking, from the kernel's sockets: sock_diag(7), each second, for whom packets are not to be had.

What begins and ends between two looks is not seen, unless it still waits for its time to pass (TIME_WAIT).
"""

import time

from remote_probe import inet, netlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Iterator, List, Optional, Set, Tuple

    from remote_probe.host import Host, Value
    from remote_probe.watching.contacts import Contacts

PERIOD = 1.0  # seconds
LISTEN = 10
# ESTABLISHED, FIN_WAIT1 and 2, TIME_WAIT, CLOSE_WAIT, LAST_ACK, LISTEN, CLOSING
STATES = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 9 | 1 << LISTEN | 1 << 11
CONNECTED = 1 << 1  # of UDP, where everything else is CLOSE


class Connections:
    """Compares what is with what was. The first look tells nothing. Raises OSError."""

    def __init__(
        self, machine: "Callable[[], Host]", contacts: "Contacts", clock: "Callable[[], float]" = time.monotonic
    ) -> None:
        self._machine, self._contacts, self._clock = machine, contacts, clock
        self._known: "Optional[Set[bytes]]" = None
        self.due = 0.0
        self.take()

    def close(self) -> None:
        self._known = None

    def take(self) -> "List[Dict[str, Value]]":
        """Those that are new since the last look. Raises OSError, ValueError."""
        begin = self._clock()
        fresh, ports, known = [], set(), set()
        for protocol, state, key in self._all():
            if state == LISTEN:
                ports.add((protocol, key[:2]))
            elif key[2:4] != b"\0\0":
                known.add(key)
                if self._known is not None and key not in self._known:
                    fresh.append((protocol, key))
        self._known = known
        self.due = begin + max(PERIOD, 20 * (self._clock() - begin))
        rows = (self._row(protocol, key, (protocol, key[:2]) in ports) for protocol, key in fresh)
        return [row for row in rows if row]

    def _row(self, protocol: str, key: bytes, inbound: bool) -> "Dict[str, Value]":
        """`key`: ports, then both addresses."""
        half = (len(key) - 4) // 2
        local, remote = inet.spelled(key[4 : 4 + half]), inet.spelled(key[4 + half :])
        ends = local, int.from_bytes(key[:2], "big"), remote, int.from_bytes(key[2:4], "big")
        return self._contacts.row(protocol, ends, inbound, "sock_diag")

    def _all(self) -> "Iterator[Tuple[str, int, bytes]]":
        yield from parse_ends("tcp", netlink.sockets(6, STATES, 0))
        try:
            yield from parse_ends("udp", netlink.sockets(17, CONNECTED, 0))
        except OSError:  # no udp_diag here
            for _, state, ends, *_ in inet.lines(self._machine(), inet.FILES[2:]):
                if state == "ESTABLISHED":
                    yield "udp", 1, _packed(ends)


def parse_ends(protocol: str, dump: bytes) -> "Iterator[Tuple[str, int, bytes]]":
    """(protocol, state, ports and addresses) of struct inet_diag_msg. Nothing else of it is looked at."""
    import _struct

    head = _struct.Struct("=IH")
    at, size = 0, len(dump)
    while at + 16 <= size:
        length, kind = head.unpack_from(dump, at)
        if length < 16 or at + length > size:
            raise ValueError("a netlink message of %d bytes" % length)
        if kind == 2 and length >= 20:  # NLMSG_ERROR
            raise OSError(-_struct.unpack_from("=i", dump, at + 16)[0], "sock_diag refuses")
        if kind == 20 and length >= 88:
            width = 4 if dump[at + 16] == 2 else 16
            ports, local, remote = at + 20, at + 24, at + 40
            key = dump[ports : ports + 4] + dump[local : local + width] + dump[remote : remote + width]
            yield protocol, dump[at + 17], key
        at += length + 3 & ~3


def _packed(ends: "Tuple[str, int, str, int]") -> bytes:
    import _socket

    family = _socket.AF_INET6 if ":" in ends[0] + ends[2] else _socket.AF_INET
    ports = ends[1].to_bytes(2, "big") + ends[3].to_bytes(2, "big")
    return ports + _socket.inet_pton(family, ends[0]) + _socket.inet_pton(family, ends[2])
