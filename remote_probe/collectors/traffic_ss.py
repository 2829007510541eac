"""ss(8) for section `traffic`, where the kernel answers it and not us: the output of `ss -tuaine`."""

from remote_probe import inet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Tuple

    from remote_probe.collectors.traffic import Seen

WAITS = ("LISTEN", "UNCONN")
OPENING = ("SYN-SENT", "SYN-RECV")


def parse_ss(output: bytes) -> "List[Seen]":
    """A line for each socket, and one that begins with a blank for what the kernel says of it.

    ValueError when it says nothing of bytes, as before Linux 4.1 and with an old ss.
    """
    seen: "List[Seen]" = []
    told = False
    for line in output.decode("utf-8", "replace").split("\n"):
        words = line.split()
        if line[:1] in (" ", "\t"):
            values = fields(words)
            if "bytes_acked" in values or "bytes_received" in values:
                told = True
                if seen:
                    moved = number(values, "bytes_acked"), number(values, "bytes_received")
                    seen[-1] = (*seen[-1][:5], *moved)
        elif words[:1] in (["tcp"], ["udp"]) and len(words) > 5 and words[1] not in OPENING:
            seen.append(socket(words))
    if not told and any(one[0] == "tcp" and one[4] and not one[1] for one in seen):
        raise ValueError("it tells no bytes")
    return seen


def socket(words: "List[str]") -> "Seen":
    """`tcp ESTAB 0 0 192.0.2.1:22 192.0.2.50:51234 uid:1000 ino:16001 sk:3`; uid 0 is not said."""
    values = fields(words[6:])
    over = values.get("ino", "0") == "0"
    uid = inet.NOBODY if over else number(values, "uid")
    cookie = "" if over else values.get("sk", values["ino"])
    return words[0], words[1] in WAITS, end(words[4]) + end(words[5]), uid, cookie, 0, 0


def end(text: str) -> "Tuple[str, int]":
    """`192.0.2.1:22`, `[fe80::1]%eth0:22`, `[::ffff:192.0.2.1]:22`, `*:22`, `0.0.0.0:*`."""
    address, _, port = text.rpartition(":")
    address = address.split("%")[0].strip("[]")
    if address.startswith("::ffff:") and "." in address:
        address = address[7:]
    return "::" if address == "*" else address, int(port) if port.isdigit() else 0


def fields(words: "List[str]") -> "Dict[str, str]":
    return {name: value for name, _, value in (word.partition(":") for word in words)}


def number(values: "Dict[str, str]", name: str) -> int:
    value = values.get(name, "0")
    if not value.isdigit():
        raise ValueError("%s is %r" % (name, value[:20]))
    return int(value)
