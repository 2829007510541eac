"""Section `hardware`: temperatures, arrays of disks, and what the kernel counts of errors.

hwmon (Documentation/hwmon/sysfs-interface.rst), else thermal zones; /proc/mdstat (md(4)); EDAC
(Documentation/admin-guide/ras.rst), ioerr_cnt of SCSI disks, errors_count of ext4, error_stats of btrfs, and of network
cards carrier_changes with receive and transmit errors. A machine that has none of it gives no rows.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, List, Set, Tuple

    from remote_probe.host import Host, Rows, Value

BROKEN = 10**6  # thousandths of a degree; a sensor that says more is none
HOTTEST = 250000  # thousandths of a degree; a limit above or below zero is the chip's way to say it has none


def read(host: "Host") -> "Rows":
    """Raises FileNotFoundError where /sys is not mounted."""
    host.names(b"/sys/class")
    for name, celsius, critical in unique(list(_hwmon(host)) or list(_zones(host))):
        yield "sensor", {"sensor": name, "celsius": celsius, "critical": critical}
    try:
        mdstat = host.read(b"/proc/mdstat")
    except FileNotFoundError:
        mdstat = b""
    for row in {row["array"]: row for row in parse_mdstat(mdstat)}.values():
        yield "raid", row
    for kind, device, count in _faults(host):
        yield "fault", {"kind": kind, "device": device, "count": count}


def unique(sensors: "List[Tuple[bytes, float, float]]") -> "Iterator[Tuple[bytes, float, float]]":
    """The same with a number behind the second and further ones of a name."""
    seen: "Set[bytes]" = set()
    for name, celsius, critical in sensors:
        number, one = 1, name
        while one in seen:
            number += 1
            one = b"%s %d" % (name, number)
        seen.add(one)
        yield one, celsius, critical


def parse_mdstat(content: bytes) -> "Iterator[Dict[str, Value]]":
    """A row for each array. Where the kernel has no count (as [2/1]: linear, raid0, inactive), members are counted."""
    if b" : active" not in content and b" : inactive" not in content:
        return  # most machines have none, and need no `re` then
    import re

    for block in re.split(rb"\n(?=\S)", content):
        head = re.match(rb"(\S+) : (active|inactive)(?: \([^)]*\))*((?: \S+)*)", block)
        if not head or (head.group(2) == b"inactive" and b"super external:" in block):
            continue  # the latter only holds arrays, and is always so
        words = head.group(3).split()
        members = [word for word in words if b"[" in word and not word.endswith(b"(S)")]
        level = words[0] if words and b"[" not in words[0] else b""
        counted = re.search(rb"\[(\d+)/(\d+)\]", block)
        state = head.group(2).decode("ascii")
        disks = int(counted.group(1)) if counted else max(len(members), len(words) if state == "inactive" else 0)
        working = int(counted.group(2)) if counted else sum(not word.endswith(b"(F)") for word in members)
        done = re.search(rb"(?:recovery|resync|reshape) *= *([\d.]+)%", block)
        if state == "inactive":
            working = 0
        elif done:
            state = "recovering"
        elif working < disks:
            state = "degraded"
        percent = float(done.group(1)) if done else 0.0
        yield {
            "array": head.group(1), "level": level, "state": state,
            "disks": disks, "working": min(disks, working), "recovering": percent,
        }  # fmt: skip


def parse_number(content: bytes) -> "int | None":
    """Decimal, or hexadecimal as 0x1f; None of what is neither, as of a sensor that cannot be read now."""
    try:
        return int(content, 16 if content[:2] == b"0x" else 10)
    except ValueError:
        return None


def _hwmon(host: "Host") -> "Iterator[Tuple[bytes, float, float]]":
    """(chip/label, degrees, critical degrees or 0). Old kernels keep the files one folder deeper."""
    for chip in _names(host, b"/sys/class/hwmon"):
        for path in (b"/sys/class/hwmon/" + chip, b"/sys/class/hwmon/" + chip + b"/device"):
            inputs = [name for name in _names(host, path) if name.startswith(b"temp") and name.endswith(b"_input")]
            for name in inputs:
                start = path + b"/" + name[:-5]
                label = host.text(start + b"label") or name[:-6]
                yield from _sensor(host, host.text(path + b"/name") or chip, label, start + b"input", start + b"crit")
            if inputs:
                break


def _zones(host: "Host") -> "Iterator[Tuple[bytes, float, float]]":
    for zone in _names(host, b"/sys/class/thermal"):
        path = b"/sys/class/thermal/" + zone + b"/"
        if zone.startswith(b"thermal_zone"):
            yield from _sensor(host, b"thermal", host.text(path + b"type") or zone, path + b"temp", b"")


def _sensor(
    host: "Host", chip: bytes, label: bytes, path: bytes, limit: bytes
) -> "Iterator[Tuple[bytes, float, float]]":
    degrees, critical = parse_number(host.text(path)), parse_number(host.text(limit)) if limit else None
    if degrees is not None and abs(degrees) < BROKEN:
        critical = critical if critical and 0 < critical < HOTTEST else 0
        yield chip + b"/" + label, degrees / 1000.0, critical / 1000.0


def _faults(host: "Host") -> "Iterator[Tuple[str, bytes, int]]":
    """(kind, device, how many since boot)."""
    for folder, file, kind in (
        (b"/sys/devices/system/edac/mc", b"ce_count", "memory_corrected"),
        (b"/sys/devices/system/edac/mc", b"ue_count", "memory_uncorrected"),
        (b"/sys/block", b"device/ioerr_cnt", "disk"),
        (b"/sys/fs/ext4", b"errors_count", "filesystem"),
    ):
        for name in _names(host, folder):
            count = parse_number(host.text(folder + b"/" + name + b"/" + file))
            if count is not None:
                yield kind, name, count
    for name in _names(host, b"/sys/fs/btrfs"):
        folder = b"/sys/fs/btrfs/" + name + b"/devinfo/"
        for device in _names(host, folder):
            try:
                words = host.read(folder + device + b"/error_stats").split()
            except OSError:
                continue
            yield "filesystem", name + b"/" + device, sum(int(word) for word in words if word.isdigit())
    for name in _names(host, b"/sys/class/net"):
        folder = b"/sys/class/net/" + name
        if b"device" in _names(host, folder):  # a card, and no bridge or tunnel
            files = (b"/carrier_changes", b"/statistics/rx_errors", b"/statistics/tx_errors")
            yield "link", name, sum(parse_number(host.text(folder + file)) or 0 for file in files)


def _names(host: "Host", path: bytes) -> "List[bytes]":
    try:
        return host.names(path)
    except OSError:
        return []
