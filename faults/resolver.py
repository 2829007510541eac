"""A name server on loopback that answers by the name it is asked for, or not at all.

    python -m faults.resolver        serves 127.0.0.1:53 (in a namespace of its own), says `ready`, runs until it ends

The first label of a name says what happens; see `ANSWERS`. Written against RFC 1035, 4.1; one question a message.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections import Counter
from typing import Final

HERE: Final = "127.0.0.1"
OTHER: Final = "127.0.0.2"
NO_ROUTE: Final = "2001:db8::1"
HOLE: Final = "fd00::9"
NXDOMAIN, SERVFAIL = 3, 2
A, AAAA = 1, 28
# The addresses of a name, for each time that it is asked for (the last one again and again); None: no answer.
ANSWERS: Final[dict[str, tuple[tuple[str, ...] | int | None, ...]]] = {
    "web": ((HERE,),),
    "nx": (NXDOMAIN,),
    "fail": (SERVFAIL,),
    "void": (None,),
    "moves": ((HERE,), (OTHER,)),
    "flaky": ((HERE,), None),
    "six": ((NO_ROUTE,),),
    "both": ((NO_ROUTE, HERE),),
    "hole": ((HOLE, HERE),),
}


class Resolver:
    def __init__(self) -> None:
        self._asked: Counter[tuple[str, int]] = Counter()

    def answer(self, message: bytes) -> bytes | None:
        number, _, questions, *_ = struct.unpack_from("!6H", message)
        name, end = _name(message)
        kind, _ = struct.unpack_from("!2H", message, end)
        label = name.partition(".")[0].rstrip("0123456789")
        known = ANSWERS.get(label, (NXDOMAIN,))
        turn = self._asked[label, kind]
        self._asked[label, kind] += 1
        found = known[min(turn, len(known) - 1)]
        if found is None:
            return None
        code, addresses = (found, ()) if isinstance(found, int) else (0, found)
        records = b"".join(_record(address) for address in addresses if _kind(address) == kind)
        count = sum(_kind(address) == kind for address in addresses)
        return struct.pack("!6H", number, 0x8180 | code, questions, count, 0, 0) + message[12 : end + 4] + records


def _name(message: bytes) -> tuple[str, int]:
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode("ascii"))
        at += 1 + message[at]
    return ".".join(labels), at + 1


def _kind(address: str) -> int:
    return AAAA if ":" in address else A


def _record(address: str) -> bytes:
    packed = ipaddress.ip_address(address).packed
    return struct.pack("!3HIH", 0xC00C, _kind(address), 1, 0, len(packed)) + packed


def main() -> None:
    resolver = Resolver()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind((HERE, 53))
        print("ready", flush=True)
        while True:
            message, sender = listener.recvfrom(4096)
            answer = resolver.answer(message)
            if answer is not None:
                listener.sendto(answer, sender)


if __name__ == "__main__":
    main()
