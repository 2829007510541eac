"""Section `filesystem`: mounted file systems that hold files of their own, one row for each device, as df(1).

From /proc/self/mountinfo (proc_pid_mountinfo(5)), /proc/filesystems and statvfs(3).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List

    from remote_probe.host import Host, Rows, Value

    Mount = Dict[str, bytes]

# Always full by nature, or a layer over what another row shows.
LEFT_OUT = (
    b"squashfs", b"iso9660", b"udf", b"erofs", b"cramfs", b"romfs", b"overlay", b"tmpfs",
    b"fuse.snapfuse", b"fuse.lxcfs", b"fuse.gvfsd-fuse", b"fuse.portal",
)  # fmt: skip
# /proc/filesystems calls them `nodev`, yet they keep files.
KEPT = (b"zfs", b"ubifs", b"bcachefs", b"btrfs")


def read(host: "Host") -> "Rows":
    mounts = chosen(host.mounts(), parse_filesystems(host.read(b"/proc/filesystems")))
    usage = host.usage([mount["mountpoint"] for mount in mounts if not mount["remote"]])
    broken = []
    for mount in mounts:
        # What waits for another machine or for a program is named and not touched.
        answer = "skipped" if mount["remote"] else usage.get(mount["mountpoint"], "not asked before the deadline")
        if isinstance(answer, str) and answer not in ("skipped", "stuck", "denied"):
            name = str(mount["mountpoint"], "utf-8", "surrogateescape")
            broken.append(name + ": " + answer)
        else:
            yield "filesystem", row(mount, answer)
    if broken:
        raise OSError("; ".join(broken))


def row(mount: "Mount", answer: "str | tuple[int, ...]") -> "Dict[str, Value]":
    """As df(1): what is reserved for root is neither used nor available."""
    state = answer if isinstance(answer, str) else "ok"
    size, blocks, free, available, inodes, inodes_free = (0,) * 6 if isinstance(answer, str) else answer
    return {
        "mountpoint": mount["mountpoint"],
        "device": mount["device"],
        "type": mount["type"],
        "state": state,
        "read_only": int(b"ro" in mount["options"].split(b",")),
        "total": blocks * size,
        "used": max(0, blocks - free) * size,
        "available": available * size,
        "inodes": inodes,
        "inodes_free": inodes_free,
    }


def chosen(mounts: "List[Mount]", virtual: "List[bytes]") -> "List[Mount]":
    """Those with files of their own, in the order of their mountpoints; of one device the one nearest to its root."""
    visible = {mount["mountpoint"]: mount for mount in mounts}  # the last mount on a folder hides the others
    best: "Dict[bytes, Mount]" = {}
    for mount in sorted(visible.values(), key=_nearness):
        if _real(mount, virtual):
            best.setdefault(mount["number"], mount)
    return sorted(best.values(), key=lambda mount: mount["mountpoint"])


def _nearness(mount: "Mount") -> "tuple[bool, int, bytes]":
    return mount["root"] != b"/", len(mount["mountpoint"]), mount["mountpoint"]


def _real(mount: "Mount", virtual: "List[bytes]") -> bool:
    kind = mount["type"]
    if kind == b"overlay" and mount["mountpoint"] == b"/":
        return True  # the root of a container, and all it has
    return kind not in LEFT_OUT and (kind in KEPT or mount["remote"] != b"" or kind not in virtual)


def parse_filesystems(content: bytes) -> "List[bytes]":
    """The types that need no device."""
    return [line[6:] for line in content.split(b"\n") if line.startswith(b"nodev\t")]
