"""Asking the kernel for addresses, rtnetlink(7), and TCP sockets, sock_diag(7). Anybody may."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator, Tuple

FAMILIES = (2, 10)  # IPv4, IPv6
STATES = (1 << 13) - 2  # a bit for each of include/net/tcp_states.h: all
INFO = 1 << 1  # with struct tcp_info
LARGEST = 32 << 20  # bytes of an answer; about 90,000 connections
MOST = 4 << 20  # bytes of all addresses
QUIET = 2.0  # seconds


def sockets(protocol: int = 6, states: int = STATES, extensions: int = INFO) -> bytes:
    """The answers for both families, messages joined; `protocol` is 6 for TCP, 17 for UDP. Raises OSError."""
    import _socket

    netlink = _socket.socket(16, _socket.SOCK_RAW | _socket.SOCK_CLOEXEC, 4)  # AF_NETLINK, NETLINK_SOCK_DIAG
    try:
        netlink.settimeout(QUIET)
        wanted = protocol, extensions, states
        return b"".join(part for family in FAMILIES for part in _asked(netlink, family, wanted))
    finally:
        netlink.close()


def _asked(netlink: "Any", family: int, wanted: "Tuple[int, int, int]") -> "Iterator[bytes]":
    """struct nlmsghdr (SOCK_DIAG_BY_FAMILY, request and dump), struct inet_diag_req_v2; parts up to NLMSG_DONE."""
    import _struct

    netlink.send(_struct.pack("=IHHIIBBBxI48x", 72, 20, 0x301, 1, 0, family, *wanted))
    room = LARGEST
    while room > 0:
        part = netlink.recv(1 << 16)
        yield part
        room -= len(part)
        if _struct.unpack_from("=H", part, 4)[0] in (2, 3) or _struct.unpack_from("=H", part, len(part) - 16)[0] == 3:
            break


def addresses() -> bytes:
    """The answer to RTM_GETADDR for all interfaces, netlink messages. Raises OSError."""
    import _socket  # the C half of socket, whose Python half costs as much as all collectors

    netlink = _socket.socket(16, _socket.SOCK_RAW | _socket.SOCK_CLOEXEC, 0)  # AF_NETLINK, NETLINK_ROUTE
    try:
        netlink.settimeout(QUIET)
        # struct nlmsghdr (request and dump), struct rtgenmsg
        netlink.send(_number(20, 4) + _number(22, 2) + _number(0x301, 2) + _number(1, 4) + bytes(8))
        answer = b""
        while len(answer) < MOST:
            part = netlink.recv(1 << 16)
            answer += part
            if _number(3, 2) in (part[4:6], part[-16:-14]):  # NLMSG_DONE, alone or last
                break
        return answer
    finally:
        netlink.close()


def _number(value: int, size: int) -> bytes:
    return value.to_bytes(size, sys.byteorder)
