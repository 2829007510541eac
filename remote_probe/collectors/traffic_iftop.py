"""iftop(8) for section `traffic`: what it prints, and which connection of the kernel each of its lines is."""

from remote_probe import inet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, List, Tuple

    from remote_probe.collectors.traffic import Seen
    from remote_probe.host import Host

    Side = Tuple[str, int, bool]  # address, port, whether the address is cut
    Line = Tuple[Side, Side, int, int]  # here, there, bytes sent and received

SLACK = 1.5  # seconds that it may take longer
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
UDP_SERVICES = (53, 123, 443)  # what a short talk over UDP is for, mostly; 443 only where no TCP connection is known


def run(host: "Host", seconds: float, forced: bool) -> "Tuple[bytes, float]":
    """What it prints after a look of so many seconds, and how long that was. OSError when it may not look, or when it
    would see but a part. It counts in steps of two seconds, and ends with the next packet: on a quiet wire, never.
    """
    before = host.read(b"/proc/net/dev")
    used = interfaces(before)
    names = [name.decode("utf-8", "surrogateescape") for name in used]
    if len(used) > 1 and not forced:
        raise OSError("it watches one interface, and this host uses " + ", ".join(names))
    whole = max(1, int(seconds + 1) // 2) * 2
    if host.remaining() < whole + SLACK:  # a look that the deadline cuts would cost the section, and the probe itself
        raise OSError("it looks for %d s, and the deadline leaves %.1f s" % (whole, max(0.0, host.remaining())))
    words = ["iftop", "-t", "-s", "%d" % whole, "-n", "-N", "-P", "-B", "-l", "-L", "1000", "-c", "/dev/null"]
    try:
        output = host.run(words + ["-i"] * bool(names) + names[:1], whole + SLACK)
    except TimeoutError:
        if interfaces(host.read(b"/proc/net/dev")) != used:
            raise OSError("it waits for another packet") from None
        return b"", float(whole)
    if b"=>" not in output and b"umulative" not in output:
        raise PermissionError("it needs root or CAP_NET_RAW")
    return output, float(whole)


def interfaces(content: bytes) -> "Dict[bytes, int]":
    """Of /proc/net/dev (proc_pid_net(5)): those beside lo that moved bytes, and how many; the busiest first."""
    used = {}
    for line in content.split(b"\n")[2:]:
        name, _, numbers = line.strip().partition(b":")
        fields = numbers.split()
        if name != b"lo" and len(fields) > 8:
            used[name] = int(fields[0]) + int(fields[8])
    return {name: used[name] for name in sorted(used, key=lambda name: -used[name]) if used[name]}


def parse_iftop(output: bytes) -> "List[Line]":
    """Two lines for each pair: `HERE => rate rate rate SENT`, `THERE <= rate rate rate RECEIVED`, maybe numbered.

    What has no port (ICMP) is left out. The rest (head, sums, peaks) is not needed and may be missing.
    """
    lines: "List[Line]" = []
    here = None
    for line in output.decode("utf-8", "replace").split("\n"):
        for arrow in (" => ", " <= "):
            left, found, right = line.partition(arrow)
            if not (found and left.split() and right.split()):
                continue
            end = side(left.split()[-1]), size(right.split()[-1])
            if arrow == " => ":
                here = end
            elif here and here[0][1] and end[0][1]:
                lines.append((here[0], end[0], here[1], end[1]))
                here = None
    return lines


def side(text: str) -> "Side":
    """`192.0.2.1:22`, `[2001:db8::1]:22`; an address that does not fit is cut: `[2001:db8:22`."""
    address, _, port = text.rpartition(":")
    if not port.isdigit() or (not text.startswith("[") and address.count(":")):
        return text.strip("[]"), 0, False
    return address.strip("[]"), int(port) & 65535, text.startswith("[") and not address.endswith("]")


def size(text: str) -> int:
    """`1.23KB`, in a locale `1,23KB`: with three digits, and units that are powers of 1024 (readable_size of iftop)."""
    digits = text.rstrip("Bb")
    unit = UNITS.get(digits[-1:], 1)
    digits = digits.rstrip("KMG").replace(",", ".")
    if not digits.replace(".", "", 1).isdigit():
        raise ValueError("%r is no size" % text[:20])
    return int(float(digits) * unit)


def joined(lines: "List[Line]", known: "List[Seen]") -> "Iterator[Seen]":
    """What the kernel knows, with the bytes of the look (none for most), and lines of what it does not know (any more).

    Those are UDP where the port here is one of UDP or the service mostly is, else TCP.
    """
    left = {one[2]: one for one in known if not one[1]}
    datagrams: "Dict[int, int]" = {one[2][1]: one[3] for one in known if one[0] == "udp" and one[1]}
    for line in lines:
        ends = whole(line[0], line[1], left)
        moved = line[2:]
        if ends not in left and ends[2:] + ends[:2] in left:  # it shows the other side as this one
            ends, moved = ends[2:] + ends[:2], moved[::-1]
        one = left.pop(ends, None)
        if one is None:
            udp = ends[1] in datagrams or ends[3] in UDP_SERVICES
            one = "udp" if udp else "tcp", False, ends, datagrams.get(ends[1], inet.NOBODY), "", 0, 0
        yield (*one[:5], *moved)
    yield from (one for one in known if one[1])
    yield from ((*one[:5], 0, 0) for one in left.values())


def whole(here: "Side", there: "Side", known: "Dict[inet.Ends, Seen]") -> "inet.Ends":
    """The ends; where an address is cut those of the known connection that begins so, if there is one."""
    if here[2] or there[2]:
        for ends in known:
            if (ends[1], ends[3]) == (here[1], there[1]) and (
                ends[0].startswith(here[0]) and ends[2].startswith(there[0])
            ):
                return ends
    return here[0], here[1], there[0], there[1]
