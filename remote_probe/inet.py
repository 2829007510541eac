"""What the sections `sockets` and `traffic` share: the kernel's sockets, and which connection is the poller's own.

TCP comes from sock_diag(7), UDP from /proc/net. /proc/net/tcp is for where that does not work: the kernel looks through
all of a large table for each line of it, which takes it several milliseconds on a machine without a single connection.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import FrozenSet, Iterable, Iterator, List, Set, Tuple

    from remote_probe.host import Host

    Ends = Tuple[str, int, str, int]  # local address and port, remote address and port
    # protocol, state, ends, user, inode, send queue, receive queue, cookie ("": over, or none), bytes sent and received
    One = Tuple[str, str, Ends, int, int, int, int, str, int, int]

# include/net/tcp_states.h of the kernel, as netstat(8) calls them
STATES = (
    "", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
    "LAST_ACK", "LISTEN", "CLOSING", "SYN_RECV",
)  # fmt: skip
NOBODY = 4294967295  # the user of a socket that has no owner any more
MDNS = (("224.0.0.251", 5353), ("ff02::fb", 5353))
RESOLVERS = (b"/etc/resolv.conf", b"/run/systemd/resolve/resolv.conf")
FILES = (("tcp", b"tcp"), ("tcp", b"tcp6"), ("udp", b"udp"), ("udp", b"udp6"))


def sockets(host: "Host") -> "List[One]":
    """All of them, read once for both sections. Raises OSError."""
    try:
        return list(host.once("sockets", lambda: counted(host)))
    except Exception:
        return list(host.once("lines", lambda: lines(host, FILES)))


def counted(host: "Host") -> "List[One]":
    """With the bytes of TCP. Raises OSError, and ValueError where the kernel does not count them."""
    return [*parse_diag(host.diag()), *lines(host, FILES[2:])]


def lines(host: "Host", files: "Iterable[Tuple[str, bytes]]") -> "List[One]":
    """Of /proc/net, where nothing is said of bytes. Without IPv6 there are no files of it."""
    found: "List[One]" = []
    for protocol, name in files:
        try:
            content = host.read(b"/proc/net/" + name)
        except FileNotFoundError:
            if name == b"tcp":
                raise  # without that there is nothing to tell
            continue
        found += parse_lines(protocol, content)
        if content and not content.endswith(b"\n"):
            cut(host).append("there are more %s sockets than can be read" % protocol)
    return found


def cut(host: "Host") -> "List[str]":
    """What is said about files that were too long to be read to their end."""
    said: "List[str]" = host.once("cut", list)
    return said


def parse_lines(protocol: str, content: bytes) -> "Iterator[One]":
    """The sockets of /proc/net/{tcp,udp}{,6} (proc_pid_net(5)); a last line that was cut off is none."""
    for line in content.split(b"\n")[1:-1]:
        fields = line.split(None, 10)
        if len(fields) < 10:
            raise ValueError("%r is no socket" % line[:80])
        number, inode, queues = int(fields[3], 16), int(fields[9]), fields[4]
        state = STATES[number] if number < len(STATES) else "%d" % number
        ends = _end(fields[1]) + _end(fields[2])
        uid = int(fields[7]) if inode else NOBODY
        cookie = "%d" % inode if inode else ""
        yield protocol, state, ends, uid, inode, int(queues[:8], 16), int(queues[9:], 16), cookie, 0, 0


def _end(text: bytes) -> "Tuple[str, int]":
    """`0100007F:0016` -> 127.0.0.1, 22: words of 32 bits in the order of the machine's bytes."""
    words = [int(text[i : i + 8], 16) for i in range(0, len(text) - 5, 8)]
    return spelled(b"".join(word.to_bytes(4, sys.byteorder) for word in words)), int(text[-4:], 16)


def parse_diag(dump: bytes) -> "Iterator[One]":
    """Netlink messages with struct inet_diag_msg, and struct tcp_info among the attributes behind it

    (include/uapi/linux/inet_diag.h, tcp.h). What waits only for its time to pass has no tcp_info.
    """
    import _struct

    head, attribute = _struct.Struct("=IH"), _struct.Struct("=HH")
    body, moved = _struct.Struct("=BB2x4B16s16s4xQ4xIIII"), _struct.Struct("=QQ")
    at, size = 0, len(dump)
    while at + 16 <= size:
        length, kind = head.unpack_from(dump, at)
        if length < 16 or at + length > size:
            raise ValueError("a netlink message of %d bytes" % length)
        if kind == 2 and length >= 20:  # NLMSG_ERROR
            import os

            error = -_struct.unpack_from("=i", dump, at + 16)[0]
            raise OSError(error, os.strerror(error))
        if kind == 20 and length >= 88:
            family, state, l1, l0, r1, r0, local, remote, cookie, back, ahead, uid, inode = body.unpack_from(
                dump, at + 16
            )
            where, end, sent, received, over = at + 88, at + length, 0, 0, True
            while where + 4 <= end:
                room, what = attribute.unpack_from(dump, where)
                if what == 2:
                    if room < 140:
                        raise ValueError("this kernel counts no bytes of connections, before Linux 4.1 none does")
                    sent, received = moved.unpack_from(dump, where + 124)
                    over = False
                    break
                where += max(4, room + 3 & ~3)
            if family == 2:
                local, remote = local[:4], remote[:4]
            name = STATES[state] if state < len(STATES) else "%d" % state
            ends = spelled(local), l1 << 8 | l0, spelled(remote), r1 << 8 | r0
            mark = "" if over else "%x" % cookie
            yield "tcp", name, ends, uid if inode else NOBODY, inode, ahead, back, mark, sent, received
        at += length + 3 & ~3


def spelled(raw: bytes) -> str:
    """The text of an address of 4 or 16 bytes; IPv4 in the clothes of IPv6 is IPv4."""
    import _socket  # the C half of socket

    if raw[:12] == b"\0\0\0\0\0\0\0\0\0\0\xff\xff":
        raw = raw[12:]
    return _socket.inet_ntop(_socket.AF_INET if len(raw) == 4 else _socket.AF_INET6, raw)


def parse_resolvers(*contents: bytes) -> "Set[str]":
    """The addresses behind `nameserver` (resolv.conf(5)), written as `spelled` writes them."""
    lines = (line.split() for content in contents for line in content.decode("utf-8", "replace").split("\n"))
    return {_respelled(words[1].split("%")[0]) for words in lines if words[:1] == ["nameserver"] and len(words) > 1}


def _respelled(address: str) -> str:
    """2001:DB8:0:0:0:0:0:1 -> 2001:db8::1; what is no address stays as it is."""
    import _socket

    try:
        return spelled(_socket.inet_pton(_socket.AF_INET6 if ":" in address else _socket.AF_INET, address))
    except (OSError, ValueError):
        return address


def within(ends: "Ends") -> bool:
    """Whether both ends are this machine."""
    return ends[0] == ends[2] or ends[2] == "::1" or ends[2].startswith("127.")


def own(host: "Host") -> "FrozenSet[Ends]":
    """The ends of the connection the poller came by, as each side has them: on its own machine both are there."""
    words = host.caller().decode("ascii", "replace").split()
    if len(words) != 4 or not (words[1] + words[3]).isdigit():
        return frozenset()
    client, server = (words[0].split("%")[0], int(words[1])), (words[2].split("%")[0], int(words[3]))
    return frozenset((server + client, client + server))
