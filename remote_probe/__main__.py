"""For people: `python3 -m remote_probe [--root DIR | --elsewhere] [section...]` prints this machine's report as XML.

With `--root` the files come from under DIR: another system's /proc, /sys, /etc and /var, mounted or captured. What is
no file is taken from DIR/calls (see `Captured`), so that a captured machine always gives the same report. With
`--elsewhere` it is read as on a system without /proc, from psutil. `--watch [--seconds N] [--loopback]` prints what
happens instead, as it happens: an event of a live watch after the other, for so many seconds (10).
"""

import json
import os
import sys
import time

from remote_probe import collect, collectors, host, render, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Sequence, Tuple

    from remote_probe.host import Usage, Value

USAGE = """\
usage: python3 -m remote_probe [--root DIR | --elsewhere] [%s]...
       python3 -m remote_probe --watch [--seconds N] [--loopback]
""" % "|".join(collectors.NAMES)
SECONDS = 10.0  # that a watch takes
LONGEST_NAME = 200  # characters of a file name below calls/run


class Captured(host.Host):
    """A machine as files. Under `calls`: machine, clock, addresses (a netlink dump), usage (a line per mountpoint),

    options.json and cursors.json (what a request would say, by section), run/WORDS (what that command writes; the
    words joined by `_`, with `:` for a slash). A call whose file is missing is one that this machine does not have.
    """

    ticks = 100
    page = 4096

    def __init__(self, root: bytes) -> None:
        """Raises OSError when there is no such folder, ValueError when one of the JSON files is none."""
        super().__init__(root)
        os.listdir(root or b"/")
        self.options = self._json(b"/calls/options.json")
        self.cursors = self._json(b"/calls/cursors.json")

    def now(self) -> float:
        return collect.parse_uptime(self.text(b"/calls/clock"))

    def machine(self) -> str:
        return self.text(b"/calls/machine").decode("ascii")

    def addresses(self) -> bytes:
        return self.read(b"/calls/addresses")

    def diag(self) -> bytes:
        return self.read(b"/calls/diag")

    def usage(self, mountpoints: "Sequence[bytes]") -> "Dict[bytes, Usage]":
        """A line holds six numbers or a word, and the mountpoint, with the escapes of mountinfo."""
        from remote_probe.mountinfo import unescaped

        known: "Dict[bytes, Usage]" = {}
        for line in self.read(b"/calls/usage").splitlines():
            *answer, name = line.split(b" ")
            numbers = tuple(map(int, answer)) if len(answer) > 1 else answer[0].decode("ascii")
            known[unescaped(name)] = numbers
        return {name: known.get(name, "denied") for name in mountpoints}

    def run(self, command: "Sequence[str]", seconds: float) -> bytes:
        try:
            return self.read(b"/calls/run/" + os.fsencode(file_of(command)))
        except FileNotFoundError:
            raise FileNotFoundError("there is no command %s" % command[0]) from None

    def reach(self, section: str) -> "Any":
        return super().reach(section) if section in BELOW_ROOT else CAPTURED.get(section, Answers)(self)

    def _json(self, path: bytes) -> "Dict[str, Any]":
        try:
            return dict(json.loads(self.read(path).decode("utf-8")))
        except FileNotFoundError:
            return {}


class Answers:
    """Stands for the Reach of a section where that has one: what a method gives is the content of calls/METHOD."""

    def __init__(self, machine: host.Host) -> None:
        self.host = machine

    def __getattr__(self, method: str) -> "Callable[..., bytes]":
        return lambda *_arguments: self.host.read(b"/calls/" + os.fsencode(method))


class Checks(Answers):
    """calls/checks/WORDS holds a line with exit status and seconds, then what the command wrote."""

    def run(self, command: "Sequence[str]", seconds: float) -> "Tuple[int, bytes, bytes, float]":
        try:
            head, _, output = self.host.read(b"/calls/checks/" + os.fsencode(file_of(command))).partition(b"\n")
        except FileNotFoundError:
            raise FileNotFoundError("there is no command %s" % command[0]) from None
        status, took = head.split()
        if float(took) >= seconds:
            raise TimeoutError("killed after %g s" % seconds)
        return int(status), output, b"", float(took)


class Kernel(Answers):
    """calls/kmsg begins with the clock of its times. A file has no number that a copy would keep."""

    def tail(self, path: bytes, inode: int, offset: int) -> "Tuple[int, int, bytes]":
        content = self.host.read(path)
        return 1, len(content), content[offset:] if inode else b""


class People(Answers):
    """The same of utmp and wtmp: each is 1:1."""

    def part(self, path: bytes, where: "Callable[[bytes, int], int]", most: int) -> "Tuple[bytes, int, bytes]":
        content = self.host.read(path)
        begin = where(b"1:1", len(content))
        return b"1:1", begin, content[begin : begin + most]


class TextFiles(Answers):
    """All were written just now: a copy does not keep when."""

    def read(self, path: bytes) -> "Tuple[float, bytes]":
        return self.host.now(), self.host.read(path)


def logs(machine: host.Host) -> "Any":
    """Theirs, but for what a copy does not keep: a log is known by its name, and was written just now."""
    import zlib

    from remote_probe.reach.logs import Reach

    class Logs(Reach):
        def open(self, path: bytes) -> "Any":
            file = super().open(path)
            file.id = (1, zlib.crc32(path))
            file.changed = int(machine.now() * 10**9)
            return file

        def inodes(self, folder: bytes) -> "Dict[bytes, int]":
            return {name: zlib.crc32(folder + b"/" + name) for name in super().inodes(folder)}

    return Logs(machine)


# Sections whose Reach reads files below the root and does nothing else.
BELOW_ROOT = ("sockets",)
# section -> what stands for its Reach, where the content of one file is not enough
CAPTURED: "Dict[str, Any]" = {
    "checks": Checks,
    "kernel": Kernel,
    "people": People,
    "textfiles": TextFiles,
    "logs": logs,
}


def file_of(command: "Sequence[str]") -> str:
    """The name of the file below calls/run that holds what this command writes."""
    return "_".join(command).replace("/", ":")[:LONGEST_NAME]


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


def watch(arguments: "List[str]") -> int:
    """Prints the XML of each event frame until the time is over."""
    import _thread

    from remote_probe.watching.watcher import DEVICES, MOUNTS, Watcher

    loopback = "--loopback" in arguments
    left = [word for word in arguments if word != "--loopback"]
    try:
        seconds = float(left[1]) if left[:1] == ["--seconds"] and len(left) == 2 else SECONDS
        if not 0 < seconds < float("inf") or left[:1] not in ([], ["--seconds"]) or len(left) == 1:
            raise ValueError
    except ValueError:
        sys.stderr.write(USAGE)
        return 2
    request: "Dict[str, Any]" = {"host": "local", "sections": DEVICES + MOUNTS, "contacts": True, "loopback": loopback}
    watcher = Watcher(request, run.send)
    finished = _thread.allocate_lock()
    finished.acquire()

    def end() -> None:
        if not finished.acquire(True, seconds):
            watcher.stop()

    _thread.start_new_thread(end, ())
    watcher.run()
    finished.release()
    return 0


def main(arguments: "List[str]") -> int:
    if set(arguments) & {"-h", "--help"}:
        sys.stdout.write(USAGE)
        return 0
    if arguments[:1] == ["--watch"]:
        return watch(arguments[1:])
    machine = host.Host()
    if arguments[:1] == ["--root"] and len(arguments) > 1:
        try:
            machine = Captured(os.fsencode(os.path.join(arguments[1], "").rstrip("/")))
        except (OSError, ValueError) as error:
            sys.stderr.write("%s: %s\n" % (arguments[1], error))
            return 2
        arguments = arguments[2:]
        os.environ["TZ"] = "UTC"  # else times in its logs would be taken for those of this machine's zone
        time.tzset()
    elif arguments[:1] == ["--elsewhere"]:
        machine = host.Host(options={"elsewhere": True})
        arguments = arguments[1:]
    if not set(arguments) <= set(collectors.NAMES):
        sys.stderr.write(USAGE)
        return 2
    sys.stdout.buffer.write(report(machine, arguments or collectors.NAMES))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
