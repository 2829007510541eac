"""Who begins to talk, from the packets themselves: packet(7), which needs CAP_NET_RAW.

The kernel passes on what may begin something (`filter`): the first segment of a TCP connection, and UDP datagrams, of
which only the first of each flow is told. One socket for each, so that a flood of one does not hide the other.
"""

import time

from remote_probe.watching import filter as filters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List, Optional

    from remote_probe.host import Value
    from remote_probe.inet import Ends
    from remote_probe.watching.contacts import Contacts

FAMILY, ALL = 17, 0x0300  # AF_PACKET; ETH_P_ALL in the order of the network
SOL_PACKET, STATISTICS, ATTACH_FILTER = 263, 6, 26
ROOM = 1 << 19  # bytes that may wait in the kernel
MOST = 100  # packets taken at once...
REST = 0.05  # ...before so many seconds pass: a flood costs a few percent of a core, and the kernel counts the rest
FLOWS = 4096  # remembered; those silent for longest are forgotten first
AGE = 120.0  # seconds of silence after which a flow is a new one
HEADERS = 8  # of IPv6 before that of TCP or UDP
NAMES = {filters.TCP: "tcp", filters.UDP: "udp"}


class Tap:
    """One packet socket behind its filter. Raises OSError, PermissionError where it is not allowed."""

    def __init__(self, protocol: int, contacts: "Contacts", clock: "Callable[[], float]" = time.monotonic) -> None:
        self._protocol, self._contacts, self._clock = protocol, contacts, clock
        self._seen: "Dict[bytes, float]" = {}
        self.rests_until = 0.0
        self._socket = _opened(filters.program(protocol, contacts.loopback))

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def take(self) -> "List[Dict[str, Value]]":
        """Those whose first packet came. Raises OSError."""
        rows: "List[Dict[str, Value]]" = []
        for _ in range(MOST):
            try:
                packet, (_, kind, _, _, _) = self._socket.recvfrom(filters.KEPT)
            except BlockingIOError:
                return rows
            except OSError as error:
                if error.errno != 100:  # ENETDOWN: an interface went down
                    raise
                continue
            row = self._told(packet[4:] if kind in filters.TAGS else packet)
            if row:
                rows.append(row)
        self.rests_until = self._clock() + REST
        return rows

    def dropped(self) -> int:
        """How many packets the kernel had no room for since this was last asked."""
        import _struct

        dropped: int = _struct.unpack("=II", self._socket.getsockopt(SOL_PACKET, STATISTICS, 8))[1]
        return dropped

    def _told(self, packet: bytes) -> "Optional[Dict[str, Value]]":
        found = begun(packet, self._protocol)
        if found is None or self._known(found):
            return None
        from remote_probe.inet import spelled

        half = (len(found) - 4) // 2
        source = spelled(found[:half]), int.from_bytes(found[-4:-2], "big")
        target = spelled(found[half:-4]), int.from_bytes(found[-2:], "big")
        inbound = not self._contacts.ours(source[0])
        if inbound and not self._contacts.ours(target[0]):
            return None  # it only passes through
        ends: "Ends" = target + source if inbound else source + target
        return self._contacts.row(NAMES[self._protocol], ends, inbound, "packet")

    def _known(self, flow: bytes) -> bool:
        """Whether it was seen lately, in either direction; from now on it was."""
        half = (len(flow) - 4) // 2
        key = max(flow, flow[half:-4] + flow[:half] + flow[-2:] + flow[-4:-2])
        now = self._clock()
        before = self._seen.pop(key, None)
        self._seen[key] = now  # the last of all
        if len(self._seen) > FLOWS:
            del self._seen[next(iter(self._seen))]
        return before is not None and now - before < AGE


def begun(packet: bytes, protocol: int) -> "Optional[bytes]":
    """Addresses and ports, source and target each, of what may begin a contact; None for anything else.

    IPv4 (RFC 791), or IPv6 with further headers (RFC 8200). What the filter passed is not taken for granted.
    """
    place = _four(packet, protocol) if packet[:1] and packet[0] >> 4 == 4 else _six(packet, protocol)
    if place is None or len(packet) < place + (14 if protocol == filters.TCP else 8):
        return None
    if protocol == filters.TCP and packet[place + 13] & filters.SYN_ACK != filters.SYN:
        return None
    addresses = packet[12:20] if packet[0] >> 4 == 4 else packet[8:40]
    return addresses + packet[place : place + 4]


def _four(packet: bytes, protocol: int) -> "Optional[int]":
    """Where the header of TCP or UDP begins."""
    if len(packet) < 20 or packet[9] != protocol or int.from_bytes(packet[6:8], "big") & filters.FRAGMENT:
        return None
    return max(20, (packet[0] & 15) * 4)


def _six(packet: bytes, protocol: int) -> "Optional[int]":
    if len(packet) < 40 or packet[0] >> 4 != 6:
        return None
    kind, place = packet[6], 40
    for _ in range(HEADERS):
        if kind == protocol:
            return place
        if kind not in filters.BEFORE or len(packet) < place + 8:
            return None
        if kind == 44 and int.from_bytes(packet[place + 2 : place + 4], "big") >> 3:
            return None  # a later fragment
        kind, place = packet[place], place + _length(kind, packet[place + 1])
    return None


def _length(kind: int, said: int) -> int:
    """Bytes of a header of IPv6: fragment headers have a fixed length, authentication headers (RFC 4302) count in 4."""
    return 8 if kind == 44 else (said + 2) * 4 if kind == 51 else (said + 1) * 8


def _opened(program: bytes) -> "_Socket":
    """What came before the filter stood is thrown away."""
    import _socket
    import _struct
    from array import array

    kind = _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC | _socket.SOCK_NONBLOCK
    tap = _socket.socket(FAMILY, kind, ALL)
    try:
        tap.setsockopt(_socket.SOL_SOCKET, _socket.SO_RCVBUF, ROOM)
        code = array("B", program)
        # struct sock_fprog: how many, and where they stand
        tap.setsockopt(_socket.SOL_SOCKET, ATTACH_FILTER, _struct.pack("HP", len(program) // 8, code.buffer_info()[0]))
        for _ in range(10 * MOST):
            tap.recv(1)
    except BlockingIOError:
        pass
    except OSError:
        tap.close()
        raise
    return tap


if TYPE_CHECKING:
    from _socket import socket as _Socket  # noqa: N812
