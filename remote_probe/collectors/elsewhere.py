"""Hosts without /proc (FreeBSD, macOS, ...): the usual sections from psutil, where that is installed.

What the system does not count is 0 or "". psutil itself is looked for where this interpreter keeps its packages: the
probe runs without them (-I -S).
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

    from remote_probe.host import Host, Rows, Value

NOBODY = 4294967295  # the user of a socket whose process may not be seen
# Views of the kernel, layers over what another row shows, and what is held in memory.
VIRTUAL = (
    "devfs", "fdescfs", "procfs", "linprocfs", "linsysfs", "nullfs", "unionfs", "ptyfs", "kernfs", "mqueuefs", "autofs",
    "tmpfs", "mfs", "cd9660", "udf", "proc", "ctfs", "objfs", "sharefs", "lofs", "mntfs", "fd", "dev",
)  # fmt: skip
REMOTE = ("nfs", "smb", "cifs", "afp", "webdav", "fuse", "sshfs", "9p", "afs")
STATES = {
    "running": "running", "sleeping": "sleeping", "waking": "running", "disk-sleep": "uninterruptible",
    "zombie": "zombie", "stopped": "stopped", "tracing-stop": "stopped", "idle": "idle",
}  # fmt: skip


def read(host: "Host", section: str) -> "Rows":
    """The rows of one section. FileNotFoundError when psutil is not there."""
    library = psutil()
    try:
        for row in READERS[section](host, library):
            yield row
    except library.AccessDenied:
        raise PermissionError("the system shows this to root alone") from None


def boot() -> "Tuple[float, bytes]":
    """Seconds since boot, and which boot that was: its moment to ten seconds, which a clock that is set may move."""
    import time

    booted = psutil().boot_time()
    return max(0.0, time.time() - booted), b"boot-%d" % round(booted, -1)


def psutil() -> "Any":
    try:
        import psutil as found
    except ImportError:
        sys.path += [folder for folder in packages(os.geteuid() == 0) if folder not in sys.path]
        try:
            import psutil as found
        except ImportError:
            version = "%d.%d" % sys.version_info[:2]
            raise FileNotFoundError("there is no /proc here; install psutil for Python " + version) from None
    return found


def packages(root: bool) -> "List[str]":
    """The folders of installed packages. A user's own count for that user alone: root runs nobody else's code."""
    import site

    folders = site.getsitepackages([os.path.dirname(os.path.dirname(sys.executable)), sys.prefix, sys.exec_prefix])
    return folders + ([] if root else [site.getusersitepackages()])


def _system(host: "Host", library: "Any") -> "Rows":
    from remote_probe.collectors.system import parse_release

    here = os.uname()
    try:
        release = parse_release(host.read(b"/etc/os-release"))
    except OSError:
        release = {}
    yield (
        "system",
        {
            "hostname": here.nodename,
            "kernel": here.sysname,
            "release": here.release,
            "machine": host.machine(),
            "distribution": release.get("ID", b""),
            "distribution_version": release.get("VERSION_ID", b""),
            "distribution_name": release.get("PRETTY_NAME", b""),
            "cpus": library.cpu_count() or 0,
        },
    )


def _cpu(host: "Host", library: "Any") -> "Rows":
    from remote_probe.collectors.cpu import MODES

    cores = [("all", library.cpu_times())]
    cores += [("%d" % number, times) for number, times in enumerate(library.cpu_times(percpu=True))]
    for core, times in cores:
        yield "cpu", dict({mode: float(getattr(times, mode, 0.0)) for mode in MODES}, core=core)


def _memory(host: "Host", library: "Any") -> "Rows":
    memory, swap = library.virtual_memory(), library.swap_memory()
    row: "Dict[str, Value]" = {"total": memory.total, "available": memory.available, "free": memory.free}
    row.update({name: getattr(memory, name, 0) for name in ("buffers", "cached", "shared", "slab")})
    row.update(dirty=0, swap_total=swap.total, swap_free=swap.free, swapped_in=swap.sin, swapped_out=swap.sout)
    yield "memory", row


def _load(host: "Host", library: "Any") -> "Rows":
    yield "load", dict(zip(("one", "five", "fifteen"), os.getloadavg()))


def _partitions(library: "Any") -> "List[Dict[str, Any]]":
    """Mounts as the collectors of Linux have them, texts as bytes."""
    found = {}
    for part in library.disk_partitions(all=True):
        if part.fstype not in VIRTUAL:
            remote = part.fstype.startswith(REMOTE) or part.device.startswith("//")
            texts = (("mountpoint", part.mountpoint), ("device", part.device), ("type", part.fstype))
            found[part.mountpoint] = dict({name: os.fsencode(text) for name, text in texts}, remote=remote)
            found[part.mountpoint]["options"] = os.fsencode(part.opts)
    return [found[name] for name in sorted(found)]


def _filesystem(host: "Host", library: "Any") -> "Rows":
    from remote_probe.collectors.filesystem import row

    mounts: "Dict[bytes, Dict[str, Any]]" = {}
    for mount in sorted(_partitions(library), key=lambda mount: len(mount["mountpoint"])):
        mounts.setdefault(mount["device"], mount)
    chosen = sorted(mounts.values(), key=lambda mount: mount["mountpoint"])
    usage = host.usage([mount["mountpoint"] for mount in chosen if not mount["remote"]])
    for mount in chosen:
        answer = "skipped" if mount["remote"] else usage.get(mount["mountpoint"], "stuck")
        if answer in ("skipped", "stuck", "denied") or not isinstance(answer, str):
            yield "filesystem", row(mount, answer)


def _mounts(host: "Host", library: "Any") -> "Rows":
    for mount in _partitions(library):
        row: "Dict[str, Value]" = {name: mount[name] for name in ("mountpoint", "device", "type", "options")}
        network = mount["remote"] and not mount["device"].startswith(b"/dev/")
        carrier = mount["device"].rpartition(b":")[0] if network else mount["device"].rpartition(b"/")[2]
        row.update(root=b"/", removable=0, usb=0, network=int(network), loop=0, carrier=carrier)
        yield "mount", row


def _block(host: "Host", library: "Any") -> "Rows":
    for device, counted in sorted((library.disk_io_counters(perdisk=True) or {}).items()):
        yield (
            "disk",
            {
                "device": device,
                "model": "",
                "size": 0,
                "reads": counted.read_count,
                "read_bytes": counted.read_bytes,
                "read_seconds": getattr(counted, "read_time", 0) / 1000,
                "writes": counted.write_count,
                "write_bytes": counted.write_bytes,
                "write_seconds": getattr(counted, "write_time", 0) / 1000,
                "busy_seconds": getattr(counted, "busy_time", 0) / 1000,
            },
        )


def _network(host: "Host", library: "Any") -> "Rows":
    addresses, states = library.net_if_addrs(), library.net_if_stats()
    for name, counted in sorted(library.net_io_counters(pernic=True).items()):
        state = states.get(name)
        macs = [one.address for one in addresses.get(name, ()) if one.family == library.AF_LINK]
        row: "Dict[str, Value]" = {"interface": name, "mac": macs[0].replace("-", ":") if macs else ""}
        row.update(link="unknown" if state is None else "up" if state.isup else "down")
        row.update(mtu=state.mtu if state else 0, speed=state.speed * 10**6 if state else 0)
        for way, side, tail in (("receive", "recv", "in"), ("transmit", "sent", "out")):
            row[way + "_bytes"] = getattr(counted, "bytes_" + side)
            row[way + "_packets"] = getattr(counted, "packets_" + side)
            row[way + "_errors"] = getattr(counted, "err" + tail)
            row[way + "_dropped"] = getattr(counted, "drop" + tail)
        yield "interface", row
    for key in sorted({(name, *_address(one)) for name, each in addresses.items() for one in each if _address(one)}):
        yield "address", dict(zip(("interface", "family", "address", "prefix"), key))


def _address(one: "Any") -> "Tuple[Any, ...]":
    """(family, address, prefix length), () for what is no IP address."""
    import _socket

    if one.family not in (_socket.AF_INET, _socket.AF_INET6):
        return ()
    inet = one.family == _socket.AF_INET
    mask = _socket.inet_pton(one.family, one.netmask) if one.netmask else b"\xff" * (4 if inet else 16)
    prefix = bin(int.from_bytes(mask, "big")).count("1")
    return "inet" if inet else "inet6", one.address.partition("%")[0], prefix


def _sockets(host: "Host", library: "Any") -> "Rows":
    own, seen, counts = _own(library), set(), {}  # type: ignore[var-annotated]
    owners: "Dict[Any, Tuple[int, str]]" = {}
    for one in library.net_connections(kind="inet"):
        protocol = "tcp" if one.type == 1 else "udp"  # SOCK_STREAM
        ends = _ends(one.laddr) + _ends(one.raddr)
        if ends in own:
            continue
        state = one.status if protocol == "tcp" else "ESTABLISHED" if one.raddr else "CLOSE"
        counts[protocol, state] = counts.get((protocol, state), 0) + 1
        listening = state == "LISTEN" or (protocol == "udp" and not one.raddr)
        key = (protocol, ends[:2] if listening else ends)
        if key in seen or not (listening or one.raddr) or len(seen) >= 2000:
            continue
        seen.add(key)
        if one.pid not in owners:
            owners[one.pid] = _owner(library, one.pid)
        row: "Dict[str, Value]" = {"protocol": protocol, "uid": owners[one.pid][0], "process": owners[one.pid][1]}
        if listening:
            yield "listener", dict(row, address=ends[0], port=ends[1])
        else:
            row.update(zip(("local_address", "local_port", "remote_address", "remote_port"), ends))
            yield "socket", dict(row, state=state, send_queue=0, receive_queue=0)
    for (protocol, state), count in sorted(counts.items()):
        yield "socket_count", {"protocol": protocol, "state": state, "count": count}


def _ends(end: "Any") -> "Tuple[str, int]":
    if not end:
        return "", 0
    address = end[0].partition("%")[0]
    return address[7:] if address.startswith("::ffff:") and "." in address else address, end[1]


def _owner(library: "Any", pid: "int | None") -> "Tuple[int, str]":
    try:
        process = library.Process(pid) if pid else None
        return (process.uids().real, process.name()) if process else (NOBODY, "")
    except library.Error:
        return NOBODY, ""


def _own(library: "Any") -> "List[Tuple[Any, ...]]":
    """Both views of the SSH connection by which the poller came. sudo takes it out of ours, but has it itself."""
    words = os.environ.get("SSH_CONNECTION", "").split()
    process = library.Process().parent()
    try:
        while not words and process and process.name() == "sudo":
            words = process.environ().get("SSH_CONNECTION", "").split()
            process = process.parent()
    except (library.Error, AttributeError):  # not every system shows an environment
        pass
    if len(words) != 4:
        return []
    client, server = _ends((words[0], int(words[1]))), _ends((words[2], int(words[3])))
    return [client + server, server + client]


def _people(host: "Host", library: "Any") -> "Rows":
    began = str(host.cursors.get("people", ""))
    row: "Dict[str, Value]" = {"source": "utmp", "booted": float(library.boot_time()), "reboot_pending": 0}
    yield "people", dict(row, reboot_reason="", began=began, cursor="")
    seen = set()
    for one in library.users():  # the poller's own login has no terminal, and so no record
        key = one.name, one.terminal or "", float(one.started)
        if key not in seen:
            seen.add(key)
            login: "Dict[str, Value]" = dict(zip(("user", "terminal", "since"), key))
            yield "login", dict(login, source=one.host or "", pid=getattr(one, "pid", 0) or 0)


def _processes(host: "Host", library: "Any") -> "Rows":
    row: "Dict[str, Any]" = dict.fromkeys(("total", *STATES.values()), 0)
    for pid in library.pids():
        try:
            state = STATES.get(library.Process(pid).status(), "")
        except library.AccessDenied:
            state = ""
        except library.Error:
            continue  # ended since it was listed
        row["total"] += 1
        if state:
            row[state] += 1
    yield "processes", row


READERS = {
    "system": _system,
    "cpu": _cpu,
    "memory": _memory,
    "load": _load,
    "filesystem": _filesystem,
    "block": _block,
    "network": _network,
    "processes": _processes,
    "mounts": _mounts,
    "sockets": _sockets,
    "people": _people,
}
