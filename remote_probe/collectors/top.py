"""Section `top`: the processes that used most and hold most, and how many there are of given names.

/proc/PID/stat of all (proc_pid_stat(5)), `status` and, if asked for, `cmdline` of the few. Who is busy now can be told
from two reports only; candidates are therefore the processes that used most CPU time in their life, those that used
most for their age, and the largest. Left out are the probe and the SSH connection it came by, and zombies in counts.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, NamedTuple, Sequence

    from remote_probe.host import Host, Rows

    class Stat(NamedTuple):
        pid: int
        name: bytes
        state: bytes
        ticks: int
        threads: int
        started: int
        pages: int


CANDIDATES = 64
COMMAND = 200  # bytes of a command line; more is cut off
COMM = 15  # bytes of a name; the kernel cuts off more (TASK_COMM_LEN)


def read(host: "Host") -> "Rows":
    options = host.options.get("top", {})
    own = host.session()
    stats = [parse_stat(pid, content) for pid, content in host.processes().items() if pid not in own]
    users = {uid: user for user, uid in parse_passwd(_file(host, b"/etc/passwd"))}
    for pid, name, state, ticks, threads, started, pages in chosen(stats, options.get("count", 10)):
        uid = parse_uid(_file(host, b"/proc/%d/status" % pid))
        if uid is not None:
            yield (
                "process",
                {
                    "pid": pid,
                    "name": name,
                    "uid": uid,
                    "user": users.get(uid, b""),
                    "state": state,
                    "threads": threads,
                    "started": started / host.ticks,
                    "cpu": ticks / host.ticks,
                    "memory": pages * host.page,
                    "command": _command(host, pid)[:COMMAND] if options.get("commands") else b"",
                },
            )
    living = [stat for stat in stats if stat[2] not in b"ZX"]
    for asked in sorted(set(options.get("names", ()))):
        yield "process_count", {"name": asked, "count": _count(host, living, asked.encode("utf-8"))}


def parse_stat(pid: int, content: bytes) -> "Stat":
    """(pid, name, state, ticks of CPU, threads, started in ticks after boot, resident pages)."""
    head, _, rest = content.rpartition(b")")
    field = rest.split(None, 22)  # the third of the manual is the first here
    if len(field) < 22:
        raise ValueError("%r is no process" % content[:80])
    name = head.partition(b"(")[2]
    return (  # type: ignore[return-value]  # a plain tuple is made in a third of the time
        pid, name, field[0], int(field[11]) + int(field[12]), int(field[17]), int(field[19]), max(0, int(field[21])),
    )  # fmt: skip


def chosen(stats: "Sequence[Stat]", count: int) -> "List[Stat]":
    """The candidates, by PID."""
    now = max([stat[5] for stat in stats] or [0]) + 100  # in ticks; who began last began a moment ago
    by_life = sorted(stats, key=lambda stat: -stat[3])[:CANDIDATES]
    by_age = sorted(stats, key=lambda stat: -stat[3] / (now - stat[5]))[:count]
    by_size = sorted(stats, key=lambda stat: -stat[6])[:count]
    return sorted(set(by_life + by_age + by_size))


def parse_passwd(content: bytes) -> "List[tuple[bytes, int]]":
    """(user, uid) of passwd(5), the last line first: of two names for one uid, the first in the file counts."""
    lines = [line.split(b":", 3) for line in content.split(b"\n")]
    return [(line[0], int(line[2])) for line in reversed(lines) if len(line) > 3 and line[2].isdigit()]


def parse_uid(content: bytes) -> "int | None":
    """The effective uid; None of a process that has ended."""
    at = content.find(b"\nUid:")
    numbers = content[at:].split(None, 3)[1:3]
    return int(numbers[1]) if at >= 0 and len(numbers) > 1 else None


def _count(host: "Host", stats: "Sequence[Stat]", asked: bytes) -> int:
    """Of names that the kernel cut off, the command line says which is meant, if there is one."""
    pids = [stat[0] for stat in stats if stat[1] == asked[:COMM]]
    if len(asked) > COMM:
        paths = [_file(host, b"/proc/%d/cmdline" % pid).split(b"\0")[0] for pid in pids]
        return sum(path.rpartition(b"/")[2] in (asked, b"") for path in paths)
    return len(pids)


def _command(host: "Host", pid: int) -> bytes:
    return _file(host, b"/proc/%d/cmdline" % pid).rstrip(b"\0").replace(b"\0", b" ")


def _file(host: "Host", path: bytes) -> bytes:
    try:
        return host.read(path)
    except OSError:
        return b""
