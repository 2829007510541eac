"""Section `processes`: how many processes are in which state: /proc/PID/stat (proc_pid_stat(5))."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List

    from remote_probe.host import Host, Rows, Value

STATES = {
    b"R": "running",
    b"S": "sleeping",
    b"D": "uninterruptible",
    b"Z": "zombie",
    b"T": "stopped",
    b"t": "stopped",
    b"I": "idle",
}


def read(host: "Host") -> "Rows":
    yield "processes", count([parse_state(content) for content in host.processes().values()])


def parse_state(content: bytes) -> bytes:
    """The letter behind the name, which stands in brackets and may hold anything, brackets too."""
    fields = content.rpartition(b")")[2].split(None, 1)
    if not fields:
        raise ValueError("%r has no state" % content[:40])
    return fields[0]


def count(states: "List[bytes]") -> "Dict[str, Value]":
    """States that are not in the table (dead, parked) count in the total alone."""
    row: "Dict[str, Value]" = {"total": len(states)}
    for name in sorted(set(STATES.values())):
        row[name] = sum(STATES.get(state) == name for state in states)
    return row
