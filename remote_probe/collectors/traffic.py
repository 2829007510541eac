"""Section `traffic`: who talks to whom, and the kernel's own counts of it: /proc/net/{snmp,snmp6,netstat}.

The best source that works is named in the row `traffic`: iftop(8), a look of some seconds at all packets; else
sock_diag(7), what the kernel counted for each TCP connection since it began; else `ss -tin`, which asks the same;
else connections without bytes. `options` may name one. Of UDP only iftop knows bytes, those of DNS too; what a TCP
connection moved the kernel knows better, beside iftop too: that counts since it began, and not in a look alone.
"""

from remote_probe import inet
from remote_probe.inet import MDNS, parse_resolvers, within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Set, Tuple

    from remote_probe.host import Host, Rows, Value
    from remote_probe.inet import Ends, One

    # protocol, whether it waits for others, its ends, user, cookie ("" when it is over), bytes sent and received
    Seen = Tuple[str, bool, Ends, int, str, int, int]
    # seconds of the look, 0 when the bytes count since each connection began; what is seen; and where there is a look,
    # the open TCP connections with what the kernel counted since they began
    Told = Tuple[float, Iterable[Seen], List[Seen]]

SOURCES = ("iftop", "sock_diag", "ss", "counts")
MOST = 1000  # flows that are listed, those with the most bytes
COUNTERS = {
    "active_opens": (b"Tcp:", b"ActiveOpens"),
    "passive_opens": (b"Tcp:", b"PassiveOpens"),
    "attempt_fails": (b"Tcp:", b"AttemptFails"),
    "resets": (b"Tcp:", b"EstabResets"),
    "retransmits": (b"Tcp:", b"RetransSegs"),
    "syncookies": (b"TcpExt:", b"SyncookiesSent"),
    "listen_overflows": (b"TcpExt:", b"ListenOverflows"),
    "listen_drops": (b"TcpExt:", b"ListenDrops"),
    "udp_no_ports": (b"Udp:", b"NoPorts"),
    "udp_in_errors": (b"Udp:", b"InErrors"),
}
OPENING = ("SYN_SENT", "SYN_RECV", "CLOSE")


def read(host: "Host") -> "Rows":
    snmp, netstat = _content(host, b"/proc/net/snmp"), _content(host, b"/proc/net/netstat")
    if b"Tcp: " in snmp and netstat:
        yield "protocols", parse_protocols(snmp, netstat, six=_content(host, b"/proc/net/snmp6"))
    options = host.options.get("traffic", {})
    source, look, why = best(host, options.get("source", "auto"), float(options.get("seconds", 2.0)))
    seconds, seen, counted = look
    chosen = Chosen(seen, inet.own(host), parse_resolvers(*(_content(host, name) for name in inet.RESOLVERS)), counted)
    yield (
        "traffic",
        {
            "source": source,
            "seconds": seconds,
            "dns_sent": chosen.dns[0],
            "dns_received": chosen.dns[1],
            "left_out": max(0, len(chosen.flows) - MOST),
            "why": why,
            "own": chosen.own,
            "counted": int(bool(counted) or source in ("sock_diag", "ss")),
        },
    )
    yield from chosen.rows()


def best(host: "Host", wanted: str, seconds: float) -> "Tuple[str, Told, str]":
    """(source, what it tells, why it is no better source). Only `counts` may fail."""
    complaints = []
    start = SOURCES.index(wanted) if wanted in SOURCES else 0
    if start:
        complaints.append("%s is asked for" % wanted)
    for source in SOURCES[start:-1]:  # what is better than the one asked for is not tried
        try:
            look, seen, counted = _SOURCES[source](host, seconds, wanted == source)
            return source, (look, list(seen), counted), "; ".join(complaints)
        except Exception as error:
            text = (error.strerror if isinstance(error, OSError) else "") or str(error)
            complaints.append("%s: %s" % (source, text))
    seen = talking(host.once("lines", lambda: inet.lines(host, inet.FILES)))
    return "counts", (0.0, seen, []), "; ".join(complaints)


def _iftop(host: "Host", seconds: float, forced: bool) -> "Told":
    from remote_probe.collectors import traffic_iftop

    if not forced:
        host.run(("iftop", "-h"), 2.0)  # is it there at all?
        known, _ = _known(host)
        waiting = any(one[1] and one[0] == "udp" and one[2][0][:4] not in ("127.", "::1") for one in known)
        if not (waiting or any(one[4] for one in Chosen(known, inet.own(host), set()).flows)):  # open ones
            raise OSError("nobody here talks to another machine")
    output, look = traffic_iftop.run(host, seconds, forced)
    known, counted = _known(host)
    return look, traffic_iftop.joined(traffic_iftop.parse_iftop(output), known), counted


def _known(host: "Host") -> "Tuple[List[Seen], List[Seen]]":
    """As the kernel has them now, wherever that can be read, and those with counts of bytes."""
    try:
        known = talking(inet.counted(host))
    except Exception:
        return talking(inet.lines(host, inet.FILES)), []
    return known, [one for one in known if one[0] == "tcp" and one[4]]


def _sock_diag(host: "Host", _seconds: float, _forced: bool) -> "Told":
    return 0.0, talking(host.once("sockets", lambda: inet.counted(host))), []


def _ss(host: "Host", _seconds: float, _forced: bool) -> "Told":
    from remote_probe.collectors import traffic_ss

    return 0.0, traffic_ss.parse_ss(host.run(("ss", "-tuaine"), 10.0)), []


_SOURCES = {"iftop": _iftop, "sock_diag": _sock_diag, "ss": _ss}


def talking(sockets: "Iterable[One]") -> "List[Seen]":
    """Those that wait for others, and those that are or were connected."""
    seen: "List[Seen]" = []
    for protocol, state, ends, uid, _, _, _, cookie, sent, received in sockets:
        waits = state == "LISTEN" or (protocol == "udp" and not ends[3])
        if waits or (ends[3] and state not in OPENING):
            seen.append((protocol, waits, ends, uid, cookie, sent, received))
    return seen


def _content(host: "Host", path: bytes) -> bytes:
    try:
        return host.read(path)
    except OSError:
        return b""


def parse_protocols(*contents: bytes, six: bytes = b"") -> "Dict[str, Value]":
    """Two lines for each protocol, names and numbers; snmp6 has a line for each number."""
    known: "Dict[Tuple[bytes, bytes], int]" = {}
    for content in contents:
        lines = content.split(b"\n")
        for names, numbers in zip(lines[::2], lines[1::2]):
            head = names.split(b" ", 1)[0]
            known.update(((head, name), int(value)) for name, value in zip(names.split()[1:], numbers.split()[1:]))
    more = dict(line.split()[:2] for line in six.split(b"\n") if line.startswith((b"Udp6NoPorts", b"Udp6InErrors")))
    row: "Dict[str, Value]" = {name: max(0, known.get(where, 0)) for name, where in COUNTERS.items()}
    row["udp_no_ports"] = max(0, known.get(COUNTERS["udp_no_ports"], 0)) + int(more.get(b"Udp6NoPorts", 0))
    row["udp_in_errors"] = max(0, known.get(COUNTERS["udp_in_errors"], 0)) + int(more.get(b"Udp6InErrors", 0))
    return row


class Chosen:
    """The flows that are told, busiest first: not those within the machine, of mDNS, of the poller, to the resolvers.

    `dns` are the bytes sent to and received from these, `own` is the cookie of the poller's connection.
    """

    def __init__(
        self, seen: "Iterable[Seen]", own: "frozenset[Ends]", resolvers: "Set[str]", counted: "Iterable[Seen]" = ()
    ) -> None:
        seen = list(seen)
        self.flows: "List[Seen]" = []
        self.counted = {(one[2], one[4]): one[5:] for one in counted}
        self.dns = [0, 0]
        self.own = ""
        self.listening = {(one[0], one[2][1]) for one in seen if one[1]}
        for one in seen:
            _, waits, ends, _, cookie, sent, received = one
            if waits or within(ends) or ends[:2] in MDNS or ends[2:] in MDNS:
                continue
            if ends in own:
                self.own = cookie or self.own
            elif ends[3] == 53 and ends[2] in resolvers:
                self.dns[0] += sent
                self.dns[1] += received
            else:
                self.flows.append(one)

    def rows(self) -> "Rows":
        """At most MOST; those that are over come last among those without bytes."""
        known: "Set[Any]" = set()
        for one in sorted(self.flows, key=lambda one: (-one[5] - one[6], not one[4]))[:MOST]:
            protocol, _, ends, uid, cookie, *moved = one
            if protocol == "tcp" and (ends, cookie) in self.counted:
                moved = list(self.counted[ends, cookie])
            if (protocol, ends, cookie) not in known:
                known.add((protocol, ends, cookie))
                yield (
                    "flow",
                    {
                        "protocol": protocol,
                        "local_address": ends[0],
                        "local_port": ends[1],
                        "remote_address": ends[2],
                        "remote_port": ends[3],
                        "inbound": int((protocol, ends[1]) in self.listening),
                        "uid": uid,
                        "sent": moved[0],
                        "received": moved[1],
                        "cookie": cookie,
                    },
                )
