"""By which SSH connection the poller came, and which processes are part of it. They are left out everywhere."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Set, Tuple


def caller(read: "Callable[[bytes], bytes]", text: "Callable[[bytes], bytes]") -> bytes:
    """`ADDRESS PORT ADDRESS PORT`, the client's first: the SSH connection by which the poller came; b"" unknown.

    It stands in the environment (ssh(1), SSH_CONNECTION). sudo takes it out of ours, but has it itself.
    """
    process = b"self"
    for _ in range(4):  # sudo may stand there twice, as it keeps a monitor (use_pty)
        try:
            for item in read(b"/proc/" + process + b"/environ").split(b"\0"):
                if item.startswith(b"SSH_CONNECTION="):
                    return item[15:]
        except OSError:
            break
        process = b"".join(text(b"/proc/" + process + b"/stat").rpartition(b")")[2].split()[1:2])
        if text(b"/proc/" + process + b"/comm") != b"sudo":
            break
    return b""


def members(pid: int, stats: "Dict[int, bytes]", text: "Callable[[bytes], bytes]") -> "Set[int]":
    """The process, and what stands between it and the sshd that listens: sudo, a shell, the sshd of the connection.

    One that no sshd started in this way, as that of a poller which asks its own machine, is alone.
    """
    return _way(pid, lambda number: stats.get(number, b""), text)[0]


def listener(pid: int, text: "Callable[[bytes], bytes]") -> bytes:
    """/proc/PID/stat of the sshd that listens and took this connection; b"" when there is none, or it is hidden.

    There is none where systemd listens (sshd.socket) and starts an sshd for each connection.
    """

    def stat(number: int) -> bytes:
        return text(b"/proc/%d/stat" % number)

    found, last = _way(pid, stat, text)
    return stat(last) if last and len(found) > 1 else b""


def _way(pid: int, stat: "Callable[[int], bytes]", text: "Callable[[bytes], bytes]") -> "Tuple[Set[int], int]":
    """(the members, the sshd that listens or 0)."""
    found = {pid}
    between: "Set[int]" = set()
    while stat(pid) and pid not in between:
        name, _, rest = stat(pid).partition(b"(")[2].rpartition(b")")
        if name.startswith((b"sshd", b"dropbear")):
            parent = stat(int(rest.split()[1]))
            title = text(b"/proc/%d/cmdline" % pid)
            titled = title.startswith((b"sshd: ", b"sshd-")) and b"[listener]" not in title
            if not titled and b" (sshd" not in parent and b" (dropbear" not in parent:
                return found, pid
            found |= between | {pid}
        elif pid not in found and not name.endswith(b"sh") and name not in (b"sudo", b"doas", b"su"):
            break
        between.add(pid)
        pid = int(rest.split()[1])
    return found, 0
