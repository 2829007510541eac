"""Section `load`: proc_loadavg(5)."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from remote_probe.host import Host, Rows


def read(host: "Host") -> "Rows":
    return parse_loadavg(host.read(b"/proc/loadavg"))


def parse_loadavg(content: bytes) -> "Rows":
    numbers = content.split()[:3]
    if len(numbers) < 3:
        raise ValueError("fewer than three numbers")
    yield "load", dict(zip(("one", "five", "fifteen"), map(float, numbers)))
