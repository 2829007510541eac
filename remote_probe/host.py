"""The machine: everything the probe does to it, and nothing else does anything. Bytes in, bytes out.

A `Host` knows the folder that holds /proc, /sys and /etc, the moment by which all must be done, and the mounts
that must not be touched. What could hang runs in a child process in a group of its own.
"""

import os
import time

from remote_probe import child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterator, List, Sequence, Set, Tuple, Union

    Value = Union[bytes, str, int, float]
    Row = Tuple[str, Dict[str, Value]]
    Rows = Iterator[Row]
    Usage = Union[str, Tuple[int, ...]]

LARGEST = 4 << 20  # bytes of one file or of one command's output; more is cut off
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
HIDDEN = "/proc is mounted with hidepid=, other users' processes cannot be counted"
QUIET = 2.0  # seconds after which a file system that says nothing is stuck


class Host:
    """`root` stands before every path; `deadline` is a moment of time.monotonic(); `stuck` knows mounts by name.

    `options` and `cursors` hold by section what the request says about it. `elsewhere`: there is no /proc here.
    """

    ticks = os.sysconf("SC_CLK_TCK")
    page = os.sysconf("SC_PAGE_SIZE")

    def __init__(
        self,
        root: bytes = b"",
        deadline: float = float("inf"),
        stuck: "Callable[[bytes], bool] | None" = None,
        options: "Dict[str, Any] | None" = None,
        cursors: "Dict[str, Any] | None" = None,
    ) -> None:
        self.root = root
        self.deadline = deadline
        self.stuck = stuck
        self.options = options or {}
        self.cursors = cursors or {}
        self.elsewhere = bool(self.options.get("elsewhere")) or not (root or _has_proc())
        self._stats: "Dict[int, bytes]" = {}
        self._once: "Dict[str, Any]" = {}

    def reach(self, section: str) -> "Any":
        """What one section alone does to the machine: the class Reach of its module in remote_probe/reach."""
        return __import__("remote_probe.reach." + section, None, None, ["Reach"]).Reach(self)

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

    def processes(self) -> "Dict[int, bytes]":
        """/proc/PID/stat of every process, by its PID: read once for all who ask. Raises PermissionError if hidden."""
        if self.elsewhere:
            raise FileNotFoundError("there is no /proc here")
        if not self._stats:
            stats = {}
            for name in self.names(b"/proc"):
                if name.isdigit():
                    try:
                        stats[int(name)] = self.read(b"/proc/" + name + b"/stat")
                    except PermissionError:
                        raise PermissionError(HIDDEN) from None
                    except OSError:
                        pass  # ended since it was listed
            if 1 not in stats:
                raise PermissionError(HIDDEN)
            self._stats = stats
        return self._stats

    def session(self) -> "Set[int]":
        """The PIDs of this probe and of the SSH connection it came by; none where processes are hidden."""
        from remote_probe import session

        try:
            own = int(self.text(b"/proc/self/stat").split(b" ")[0] or 0)
            return session.members(own, self.processes(), self.text)
        except (OSError, ValueError):
            return set()

    def sshd_started(self) -> float:
        """When the sshd began to listen by which the poller came, in seconds after boot (proc_pid_stat(5)); 0 unknown.

        In a container these are seconds after the boot of the machine.
        """
        from remote_probe import session

        try:
            own = int(self.text(b"/proc/self/stat").split(b" ")[0] or 0)
            fields = session.listener(own, self.text).rpartition(b")")[2].split(None, 20)
            return int(fields[19]) / self.ticks if len(fields) > 19 else 0.0
        except ValueError:
            return 0.0

    def link(self, path: bytes) -> bytes:
        """Where a symbolic link points, as it stands there; b"" when it is none or not there."""
        try:
            return os.readlink(self.root + path)
        except OSError:
            return b""

    def usb_port(self, path: bytes) -> bytes:
        """The USB port (`1-1.2`) of what a link in /sys/block or /sys/class names; b"" when it is on none."""
        below = self.link(path).partition(b"/usb")[2].split(b"/")
        ports = [part for part in below if b"-" in part and part.replace(b"-", b"", 1).replace(b".", b"").isdigit()]
        return ports[-1] if ports else b""

    def mounts(self) -> "List[Dict[str, bytes]]":
        """What is mounted, as remote_probe.mountinfo says it. Raises OSError, ValueError."""
        from remote_probe import mountinfo

        return mountinfo.parse_mountinfo(self.read(b"/proc/self/mountinfo"))

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
            output, ended = child.work(_asking(left), QUIET, self.deadline)
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
        if self.elsewhere:
            return os.getpid() % 30 > 0  # nobody can tell: one probe in thirty tries
        own = self.text(b"/proc/self/cmdline")
        folders = (b"/proc/" + name for name in self.names(b"/proc") if name.isdigit())
        twins = (folder for folder in folders if self.text(folder + b"/cmdline") == own)
        return any(self.text(folder + b"/stat").rpartition(b")")[2][1:2] == b"D" for folder in twins)

    def run(self, command: "Sequence[str]", seconds: float) -> bytes:
        """What a command writes to standard output. Raises FileNotFoundError, or TimeoutError when it takes longer."""
        output, ended = child.program(command, PATH, seconds, min(self.deadline, time.monotonic() + seconds))
        if not ended:
            raise TimeoutError("%s did not end within %g s" % (command[0], seconds))
        return output

    def caller(self) -> bytes:
        """`ADDRESS PORT ADDRESS PORT`, the client's first: the SSH connection by which the poller came; b"" unknown."""
        from remote_probe import session

        return session.caller(self.read, self.text)

    def diag(self) -> bytes:
        """The kernel's answer to SOCK_DIAG_BY_FAMILY for TCP: netlink messages, sock_diag(7). Raises OSError."""
        from remote_probe import netlink

        return netlink.sockets()

    def addresses(self) -> bytes:
        """The kernel's answer to RTM_GETADDR for all interfaces: netlink messages, rtnetlink(7). Raises OSError."""
        from remote_probe import netlink

        return netlink.addresses()

    def once(self, name: str, read: "Callable[[], Any]") -> "Any":
        """What `read` gives, or gave to whoever asked first. What it raises is not kept."""
        if name not in self._once:
            self._once[name] = read()
        return self._once[name]


def _has_proc() -> bool:
    return os.path.exists("/proc/stat") or os.path.exists("/proc/self")


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


def _asking(mountpoints: "Sequence[bytes]") -> "Callable[[int], None]":
    return lambda into: _ask_usage(mountpoints, into)


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
