"""For people: `python3 -m remote_probe [--root DIR] [section...]` prints the report of this machine as plain XML.

With `--root` the files come from under DIR: another system's /proc, /sys and /etc, mounted or captured. What is no
file is taken from DIR/calls (see `Captured`), so that a captured machine always gives the same report.
"""

import os
import sys
import time

from remote_probe import collect, collectors, host, render, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Sequence

    from remote_probe.host import Usage, Value

USAGE = "usage: python3 -m remote_probe [--root DIR] [%s]...\n" % "|".join(collectors.NAMES)


class Captured(host.Host):
    """A machine as files. Under `calls`: machine, clock, addresses (a netlink dump), usage (a line per mountpoint)."""

    ticks = 100
    page = 4096

    def now(self) -> float:
        return float(self.text(b"/calls/clock") or 0)

    def machine(self) -> str:
        return self.text(b"/calls/machine").decode("ascii")

    def addresses(self) -> bytes:
        return self.read(b"/calls/addresses")

    def usage(self, mountpoints: "Sequence[bytes]") -> "Dict[bytes, Usage]":
        """A line holds six numbers or a word, and the mountpoint, with the escapes of mountinfo."""
        from remote_probe.collectors.filesystem import unescaped

        known: "Dict[bytes, Usage]" = {}
        for line in self.read(b"/calls/usage").splitlines():
            *answer, name = line.split(b" ")
            numbers = tuple(map(int, answer)) if len(answer) > 1 else answer[0].decode("ascii")
            known[unescaped(name)] = numbers
        return {name: known.get(name, "denied") for name in mountpoints}


def report(machine: host.Host, sections: "Sequence[str]") -> bytes:
    """The XML of one complete reading."""
    begin = time.monotonic()
    collection = collect.Collection(sections, 0)
    collection.run(machine)
    head: "Dict[str, Value]" = {
        "host": "local",
        "probe": "0" * 64,
        "python": run.python(),
        "seconds": time.monotonic() - begin,
    }
    return render.report(head, collection.readings)


def main(arguments: "List[str]") -> int:
    if set(arguments) & {"-h", "--help"}:
        sys.stdout.write(USAGE)
        return 0
    machine = host.Host()
    if arguments[:1] == ["--root"] and len(arguments) > 1:
        machine = Captured(os.fsencode(arguments[1].rstrip("/")))
        arguments = arguments[2:]
    if not set(arguments) <= set(collectors.NAMES):
        sys.stderr.write(USAGE)
        return 2
    sys.stdout.buffer.write(report(machine, arguments or collectors.NAMES))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
