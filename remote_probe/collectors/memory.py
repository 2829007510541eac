"""Section `memory`: proc_meminfo(5), and the pages swapped since boot from /proc/vmstat. In bytes."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict

    from remote_probe.host import Host, Rows, Value

FIELDS = {
    "total": b"MemTotal",
    "free": b"MemFree",
    "buffers": b"Buffers",
    "cached": b"Cached",
    "shared": b"Shmem",
    "slab": b"Slab",
    "dirty": b"Dirty",
    "swap_total": b"SwapTotal",
    "swap_free": b"SwapFree",
}


def read(host: "Host") -> "Rows":
    row = parse_meminfo(host.read(b"/proc/meminfo"))
    row.update(swapped_in=0, swapped_out=0)
    try:
        row.update(parse_vmstat(host.read(b"/proc/vmstat"), host.page))
    except (OSError, ValueError):
        yield "memory", row
        raise
    yield "memory", row


def parse_meminfo(content: bytes) -> "Dict[str, Value]":
    sizes = {}
    for line in content.split(b"\n"):
        name, _, value = line.partition(b":")
        if name in FIELDS.values() or name in (b"MemAvailable", b"SReclaimable"):
            sizes[name] = int(value.replace(b"kB", b"")) * 1024
    if b"MemTotal" not in sizes:
        raise ValueError("MemTotal is missing")
    row: "Dict[str, Value]" = {name: sizes.get(field, 0) for name, field in FIELDS.items()}
    # Kernels before 3.14 do not say what is available; this is near to what they mean.
    near = sum(sizes.get(name, 0) for name in (b"MemFree", b"Buffers", b"Cached", b"SReclaimable"))
    row["available"] = sizes.get(b"MemAvailable", max(0, near - sizes.get(b"Shmem", 0)))
    return row


def parse_vmstat(content: bytes, page: int) -> "Dict[str, Value]":
    counters = dict(line.split() for line in content.split(b"\n") if line.startswith((b"pswpin ", b"pswpout ")))
    return {
        "swapped_in": int(counters.get(b"pswpin", 0)) * page,
        "swapped_out": int(counters.get(b"pswpout", 0)) * page,
    }
