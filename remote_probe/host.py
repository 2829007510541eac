"""The machine: everything the probe does to it, and nothing else does anything. Bytes in, bytes out.

A `Host` knows the folder that holds /proc, /sys and /etc, the moment by which all must be done, and the mounts
that must not be touched. What could hang runs in a child process in a group of its own.
"""

import os
import select
import signal
import time
from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Iterator, List, Sequence, Tuple, Union

    Value = Union[bytes, str, int, float]
    Row = Tuple[str, Dict[str, Value]]
    Rows = Iterator[Row]
    Usage = Union[str, Tuple[int, ...]]

LARGEST = 4 << 20  # bytes of one file or of one command's output; more is cut off
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
HOUR = 3600.0  # no child lives longer
QUIET = 2.0  # seconds after which a file system that says nothing is stuck

_children: "set[int]" = set()


class Host:
    """`root` stands before every path; `deadline` is a moment of time.monotonic(); `stuck` knows mounts by name."""

    ticks = os.sysconf("SC_CLK_TCK")
    page = os.sysconf("SC_PAGE_SIZE")

    def __init__(
        self, root: bytes = b"", deadline: float = float("inf"), stuck: "Callable[[bytes], bool] | None" = None
    ) -> None:
        self.root = root
        self.deadline = deadline
        self.stuck = stuck

    def remaining(self) -> float:
        """Seconds until the deadline; negative when it has passed."""
        return self.deadline - time.monotonic()

    def now(self) -> float:
        """The machine's wall clock, in epoch seconds."""
        return time.time()

    def machine(self) -> str:
        """The hardware name, as `uname -m`."""
        return os.uname().machine

    def read(self, path: bytes) -> bytes:
        """The content of a file. Raises OSError."""
        descriptor = os.open(self.root + path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return _drain(descriptor)
        finally:
            os.close(descriptor)

    def text(self, path: bytes) -> bytes:
        """The first line of a small file, b"" when there is none to read."""
        try:
            return self.read(path).split(b"\n")[0].strip()
        except OSError:
            return b""

    def names(self, path: bytes) -> "List[bytes]":
        """The names in a folder, sorted. Raises OSError."""
        return sorted(os.listdir(self.root + path))

    def usage(self, mountpoints: "Sequence[bytes]") -> "Dict[bytes, Usage]":
        """statvfs(3) of each: (frsize, blocks, bfree, bavail, files, ffree), or "stuck", "denied" or an error's text.

        One child asks for all of them; where it hangs, that mount is stuck and another child goes on behind it.
        Those it did not come to before the deadline are not in the answer. Of the mounts known to be stuck one is
        tried again, as the last, unless a child of an earlier probe still hangs: there is never more than one.
        """
        known = [name for name in mountpoints if self.stuck and self.stuck(name)]
        again = known[int(self.now()) % len(known) :][:1] if known and not self.haunted() else []
        answers: "Dict[bytes, Usage]" = {name: "stuck" for name in known if name not in again}
        left = [name for name in mountpoints if name not in known] + again
        while left:
            output, ended = _child(partial(_ask_usage, left), QUIET, self.deadline)
            lines = output.split(b"\n")[:-1]
            answers.update(zip(left, map(_usage, lines)))
            left = left[len(lines) :]
            if self.remaining() <= 0:
                break
            if left:
                answers[left.pop(0)] = "the child process ended early" if ended else "stuck"
        return answers

    def haunted(self) -> bool:
        """Whether a child of an earlier probe hangs in the kernel: same command line, state D."""
        own = self.text(b"/proc/self/cmdline")
        folders = (b"/proc/" + name for name in self.names(b"/proc") if name.isdigit())
        twins = (folder for folder in folders if self.text(folder + b"/cmdline") == own)
        return any(self.text(folder + b"/stat").rpartition(b")")[2][1:2] == b"D" for folder in twins)

    def run(self, command: "Sequence[str]", seconds: float) -> bytes:
        """What a command writes to standard output. Raises FileNotFoundError, or TimeoutError when it takes longer."""
        paths = [folder + "/" + command[0] for folder in PATH.split(":")]
        program = next((path for path in paths if os.access(path, os.X_OK)), None)
        if program is None:
            raise FileNotFoundError("there is no command %s" % command[0])
        output, ended = _child(
            partial(_execute, program, command), seconds, min(self.deadline, time.monotonic() + seconds)
        )
        if not ended:
            raise TimeoutError("%s did not end within %g s" % (command[0], seconds))
        return output

    def addresses(self) -> bytes:
        """The kernel's answer to RTM_GETADDR for all interfaces: netlink messages, rtnetlink(7). Raises OSError."""
        import _socket  # the C half of socket, whose Python half costs as much as all collectors
        import sys

        def number(value: int, size: int) -> bytes:
            return value.to_bytes(size, sys.byteorder)

        request = number(20, 4) + number(22, 2) + number(0x301, 2) + number(1, 4) + bytes(8)
        netlink = _socket.socket(16, _socket.SOCK_RAW | _socket.SOCK_CLOEXEC, 0)
        try:
            netlink.settimeout(QUIET)
            netlink.send(request)
            answer = b""
            while len(answer) < LARGEST:
                part = netlink.recv(1 << 16)
                answer += part
                if number(3, 2) in (part[4:6], part[-16:-14]):  # NLMSG_DONE, alone or last
                    break
            return answer
        finally:
            netlink.close()


def end_children() -> None:
    """Kills every child that is still there, with whatever it started."""
    for child in list(_children):
        _end(child)


def _drain(descriptor: int) -> bytes:
    parts = []
    room = LARGEST
    while room > 0:
        part = os.read(descriptor, min(room, 1 << 16))
        if not part:
            break
        parts.append(part)
        room -= len(part)
    return b"".join(parts)


def _child(work: "Callable[[int], None]", quiet: float, until: float) -> "Tuple[bytes, bool]":
    """What `work` writes to its descriptor in a child, and whether it ended by itself:

    before it was silent for `quiet` seconds and before the moment `until`.
    """
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        _live(work, into, min(until - time.monotonic(), HOUR))
    _children.add(child)
    os.close(into)
    try:
        return _listen(out, quiet, until)
    finally:
        os.close(out)
        _end(child)


def _live(work: "Callable[[int], None]", into: int, seconds: float) -> None:
    """The life of a child: no descriptor of its parent's, a group of its own, and an end set by the kernel."""
    try:
        os.setpgid(0, 0)
        signal.alarm(max(1, int(seconds) + 5))  # should the parent be killed
        for descriptor in (0, 1, 2):
            os.close(descriptor)
        work(into)
    finally:
        os._exit(0)


def _listen(out: int, quiet: float, until: float) -> "Tuple[bytes, bool]":
    poll = select.poll()
    poll.register(out, select.POLLIN | select.POLLHUP)
    output = b""
    while len(output) < LARGEST:
        if not poll.poll(max(0.0, min(quiet, until - time.monotonic())) * 1000):
            return output, False
        part = os.read(out, 1 << 16)
        if not part:
            break
        output += part
    return output, True


def _end(child: int) -> None:
    """Kills a child and its group and waits a moment for it; one that hangs in the kernel is left to init."""
    for patience in (0.0, 0.001, 0.01, 0.05):
        try:
            os.kill(child, signal.SIGKILL)
            os.killpg(child, signal.SIGKILL)
        except OSError:
            pass  # not leader of its group yet, or no longer there
        time.sleep(patience)
        try:
            if os.waitpid(child, os.WNOHANG)[0]:
                _children.discard(child)
                return
        except OSError:
            _children.discard(child)
            return


def _ask_usage(mountpoints: "Sequence[bytes]", into: int) -> None:
    """One line for each, as soon as it is known: six numbers, or an error number."""
    for name in mountpoints:
        try:
            s = os.statvfs(name)
            line = "%d %d %d %d %d %d\n" % (s.f_frsize, s.f_blocks, s.f_bfree, s.f_bavail, s.f_files, s.f_ffree)
        except OSError as error:
            line = "%d\n" % (error.errno or 5)
        os.write(into, line.encode("ascii"))


def _usage(line: bytes) -> "Usage":
    numbers = tuple(map(int, line.split()))
    if len(numbers) > 1:
        return numbers
    return "denied" if numbers[0] in (1, 13) else os.strerror(numbers[0])  # EPERM, EACCES


def _execute(program: str, command: "Sequence[str]", into: int) -> None:
    null = os.open("/dev/null", os.O_RDWR)  # becomes 0, the lowest free one
    os.dup2(into, 1)
    os.dup2(null, 2)
    os.execve(program, list(command), {"PATH": PATH, "LC_ALL": "C"})  # noqa: S606 -- no shell is wanted
