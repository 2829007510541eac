"""Section `block`: whole disks and what they did since boot: /sys/block (Documentation/block/stat.rst)."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict

    from remote_probe.host import Host, Rows, Value

SECTOR = 512  # bytes; the kernel's unit here whatever the disk's own is
# Made of other disks, of memory or of files; or without a medium most of the time.
VIRTUAL = (b"loop", b"ram", b"zram", b"dm-", b"md", b"sr", b"fd", b"nbd")


def read(host: "Host") -> "Rows":
    for device in host.names(b"/sys/block"):
        folder = b"/sys/block/" + device
        size = host.text(folder + b"/size")
        if device.startswith(VIRTUAL) or size in (b"", b"0") or host.text(folder + b"/hidden") == b"1":
            continue
        try:
            counters = parse_stat(host.read(folder + b"/stat"))
        except OSError:
            continue  # pulled out since it was listed
        model = host.text(folder + b"/device/model") or host.text(folder + b"/device/name")
        row: "Dict[str, Value]" = {"device": device, "model": model, "size": int(size) * SECTOR}
        row.update(counters)
        yield "disk", row


def parse_stat(content: bytes) -> "Dict[str, Value]":
    """Requests, bytes and seconds; `busy_seconds` is the time with at least one request in flight."""
    fields = [int(field) for field in content.split()]
    if len(fields) < 10:
        raise ValueError("fewer than ten numbers")
    return {
        "reads": fields[0],
        "read_bytes": fields[2] * SECTOR,
        "read_seconds": fields[3] / 1000,
        "writes": fields[4],
        "write_bytes": fields[6] * SECTOR,
        "write_seconds": fields[7] / 1000,
        "busy_seconds": fields[9] / 1000,
    }
