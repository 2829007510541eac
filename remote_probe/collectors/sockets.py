"""Section `sockets`: what listens and what is connected, as netstat(8) shows it."""

from remote_probe import inet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, List, Tuple

    from remote_probe.host import Host, Rows
    from remote_probe.inet import Ends, One

MOST = 1000  # connections that are listed; the counts know all


def read(host: "Host") -> "Rows":
    table = Table(inet.sockets(host), inet.own(host))
    listed = (table.connected + table.waiting)[:MOST]
    names = host.reach("sockets").processes({b"%d" % one[4] for one in table.listening + listed} - {b"0"})
    yield from table.rows(listed, names)
    total = len(table.connected) + len(table.waiting)
    reasons = ["%d of %d connections are listed" % (len(listed), total)] if total > len(listed) else []
    if reasons + inet.cut(host):
        raise OSError("; ".join(reasons + inet.cut(host)))


class Table:
    """All sockets but those between the `own` ends."""

    def __init__(self, sockets: "Iterable[One]", own: "frozenset[Ends]") -> None:
        self.listening: "List[One]" = []
        self.connected: "List[One]" = []
        self.waiting: "List[One]" = []  # in state TIME_WAIT: gone for all but the kernel
        self.counts: "Dict[Tuple[str, str], int]" = {}
        counts = self.counts
        for one in sockets:
            protocol, state, ends = one[:3]
            if ends in own:
                continue
            counts[protocol, state] = counts.get((protocol, state), 0) + 1
            if state == "TIME_WAIT":
                self.waiting.append(one)
            elif state == "LISTEN" or (protocol == "udp" and not ends[3]):
                self.listening.append(one)
            elif ends[3]:  # else bound or closed, but neither waiting nor connected
                self.connected.append(one)

    def rows(self, listed: "List[One]", names: "Dict[bytes, bytes]") -> "Rows":
        """Several sockets with the same ends (SO_REUSEPORT) are one row."""
        seen = set()
        for protocol, _, (address, port, _, _), uid, inode, *_ in self.listening:
            if (protocol, address, port) not in seen:
                seen.add((protocol, address, port))
                yield (
                    "listener",
                    {
                        "protocol": protocol,
                        "address": address,
                        "port": port,
                        "uid": uid,
                        "process": names.get(b"%d" % inode, b""),
                    },
                )
        known = set()
        for protocol, state, ends, uid, inode, ahead, back, *_ in listed:
            if (protocol, ends) not in known:
                known.add((protocol, ends))
                yield (
                    "socket",
                    {
                        "protocol": protocol,
                        "local_address": ends[0],
                        "local_port": ends[1],
                        "remote_address": ends[2],
                        "remote_port": ends[3],
                        "state": state,
                        "send_queue": ahead,
                        "receive_queue": back,
                        "uid": uid,
                        "process": names.get(b"%d" % inode, b""),
                    },
                )
        for (protocol, state), count in sorted(self.counts.items()):
            yield "socket_count", {"protocol": protocol, "state": state, "count": count}
