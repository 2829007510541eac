"""Section `system`: names and versions, from /proc/sys/kernel, os-release(5) and /sys/devices/system/cpu/online."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict

    from remote_probe.host import Host, Rows, Value


def read(host: "Host") -> "Rows":
    release: "Dict[str, bytes]" = {}
    for path in (b"/etc/os-release", b"/usr/lib/os-release"):
        try:
            release = parse_release(host.read(path))
            break
        except OSError:
            pass  # some machines have none; the kernel's part is worth reporting alone
    try:
        cpus = parse_online(host.read(b"/sys/devices/system/cpu/online"))
    except OSError:
        cpus = count_cores(host.read(b"/proc/stat"))
    row: "Dict[str, Value]" = {
        "hostname": host.text(b"/proc/sys/kernel/hostname"),
        "kernel": host.text(b"/proc/sys/kernel/ostype"),
        "release": host.text(b"/proc/sys/kernel/osrelease"),
        "machine": host.machine(),
        "distribution": release.get("ID", b""),
        "distribution_version": release.get("VERSION_ID", b""),
        "distribution_name": release.get("PRETTY_NAME", b""),
        "cpus": cpus,
    }
    started = host.sshd_started()
    yield "system", {**row, "sshd_started": started} if started else row


def parse_release(content: bytes) -> "Dict[str, bytes]":
    """os-release(5): shell assignments, with quotes and backslashes as the shell has them."""
    values = {}
    for line in content.split(b"\n"):
        name, equals, value = line.strip().partition(b"=")
        if equals and not name.startswith(b"#"):
            values[name.decode("ascii", "replace")] = _unquoted(value)
    return values


def _unquoted(value: bytes) -> bytes:
    quote = value[:1]
    if quote not in (b'"', b"'") or len(value) < 2 or value[-1:] != quote:
        return value
    value = value[1:-1]
    if quote == b'"':
        for char in (b'"', b"$", b"`", b"\\"):
            value = value.replace(b"\\" + char, char)
    return value


def parse_online(content: bytes) -> int:
    """How many CPUs a list such as `0-3,5` names."""
    count = 0
    for part in content.strip().split(b","):
        first, _, last = part.partition(b"-")
        count += int(last or first) - int(first) + 1
    return count


def count_cores(content: bytes) -> int:
    """How many CPUs /proc/stat lists, where /sys is not to be seen."""
    return sum(line[:3] == b"cpu" and line[3:4].isdigit() for line in content.split(b"\n"))
