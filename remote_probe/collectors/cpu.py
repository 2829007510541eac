"""Section `cpu`: what the CPUs spent their time on since boot, in all and for each one online: proc_stat(5)."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict

    from remote_probe.host import Host, Rows, Value

MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice")


def read(host: "Host") -> "Rows":
    return parse_stat(host.read(b"/proc/stat"), host.ticks)


def parse_stat(content: bytes, ticks: int) -> "Rows":
    """Core `all`, then the cores online, in seconds. Columns that an older kernel does not have are 0."""
    if not content.startswith(b"cpu "):
        raise ValueError("the first line is not about all CPUs")
    for line in content.split(b"\n"):
        if not line.startswith(b"cpu"):
            return
        fields = line.split()
        if len(fields) < 5:
            raise ValueError("%r has fewer than four numbers" % line[:40])
        times = [int(field) / ticks for field in fields[1 : len(MODES) + 1]]
        times += [0.0] * (len(MODES) - len(times))
        row: "Dict[str, Value]" = {"core": fields[0][3:] or "all"}
        row.update(zip(MODES, times))
        yield "cpu", row
