"""Section `pressure`: time in which tasks waited, since boot: /proc/pressure (Documentation/accounting/psi.rst)."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, Tuple

    from remote_probe.host import Host, Rows

NOT_SUPPORTED = 95  # EOPNOTSUPP: the kernel can, but was started with psi=0


def read(host: "Host") -> "Rows":
    for resource in ("cpu", "memory", "io"):
        try:
            content = host.read(b"/proc/pressure/" + resource.encode())
        except OSError as error:
            if error.errno == NOT_SUPPORTED:
                raise FileNotFoundError("switched off in the kernel (psi=0)") from None
            raise
        for kind, stalled in parse_pressure(content):
            if (resource, kind) != ("cpu", "full"):  # has no meaning for a whole machine
                yield "pressure", {"resource": resource, "kind": kind, "stalled": stalled}


def parse_pressure(content: bytes) -> "Iterator[Tuple[str, float]]":
    """(some or full, seconds) of `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`."""
    for line in content.split(b"\n"):
        kind, _, rest = line.partition(b" ")
        if kind in (b"some", b"full"):
            total = rest.rpartition(b"total=")[2]
            yield kind.decode("ascii"), int(total) / 10**6
