"""Section `mounts`: what is mounted, and the disk, file or server that carries it.

From /proc/self/mountinfo (proc_pid_mountinfo(5)) and /sys/class/block. The kernel's own file systems are left out.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Set, Tuple

    from remote_probe.host import Host, Rows, Value

    Mount = Dict[str, bytes]

MOST = 1000  # rows; a host full of containers has thousands of layers
# Views of the kernel itself: nothing is kept there, and nobody can bring one along.
LEFT_OUT = (
    b"proc", b"sysfs", b"cgroup", b"cgroup2", b"devpts", b"devtmpfs", b"mqueue", b"debugfs", b"tracefs", b"securityfs",
    b"pstore", b"bpf", b"configfs", b"fusectl", b"hugetlbfs", b"binfmt_misc", b"efivarfs", b"rpc_pipefs", b"nsfs",
    b"selinuxfs", b"smackfs", b"nfsd", b"resctrl", b"rootfs", b"binder", b"xenfs", b"openpromfs", b"functionfs",
)  # fmt: skip
BLOCK = b"/sys/class/block/"
FOLDERS = (b"lowerdir", b"upperdir", b"workdir")
# user@server:/path of nfs, sshfs and ceph, [2001:db8::1]:/path, and //server/share of cifs
SERVER = rb"//([^/]+)|(?:[^/@]*@)?(?:\[([^\]]+)\]|([^:/]+)):"


def read(host: "Host") -> "Rows":
    mounts: "Dict[Tuple[bytes, ...], Mount]" = {}
    for mount in host.mounts():
        if mount["type"] not in LEFT_OUT:
            mounts[mount["mountpoint"], mount["device"], mount["type"], mount["root"]] = mount
    chosen = sorted(mounts.values(), key=_layer)[:MOST]
    for mount in chosen:
        yield "mount", _row(host, mount)
    if len(mounts) > MOST:
        raise OSError("%d mounts, of which these are the first %d" % (len(mounts), MOST))


def _layer(mount: "Mount") -> bool:
    """Whether it has no device or server of its own: then it is left out before a stick is."""
    return not (mount["remote"] or mount["device"].startswith(b"/dev/"))


def _row(host: "Host", mount: "Mount") -> "Dict[str, Value]":
    network = mount["remote"] == b"network" and not mount["device"].startswith(b"/dev/")
    disks, files = _carriers(host, _block(host, mount))
    return {
        "mountpoint": mount["mountpoint"],
        "device": mount["device"],
        "type": mount["type"],
        "root": mount["root"],
        "options": parse_options(mount["options"]),
        "removable": int(any(_removable(host, disk) for disk in disks)),
        "usb": int(any(b"/usb" in host.link(BLOCK + disk) for disk in disks)),
        "network": int(network),
        "loop": int(bool(files)),
        "carrier": parse_server(mount["device"]) if network else b" ".join(disks + files),
    }


def _removable(host: "Host", disk: bytes) -> bool:
    return host.text(BLOCK + disk + b"/removable") == b"1" or host.text(BLOCK + disk + b"/device/type") == b"SD"


def _block(host: "Host", mount: "Mount") -> bytes:
    """The kernel's name of the block device, b"" for none. btrfs has numbers of its own; there its source tells."""
    name = b""
    if not mount["number"].startswith(b"0:"):
        name = host.link(b"/sys/dev/block/" + mount["number"]).rpartition(b"/")[2]
    if not name and mount["device"].startswith(b"/dev/"):
        name = (host.link(mount["device"]) or mount["device"]).rpartition(b"/")[2]  # /dev/mapper/home -> ../dm-0
    return name


def _carriers(host: "Host", block: bytes) -> "Tuple[List[bytes], List[bytes]]":
    """(disks, image files) below a block device: its disk, those of an array or of what is encrypted."""
    disks: "List[bytes]" = []
    files: "List[bytes]" = []
    seen: "Set[bytes]" = {b"", b".", b".."}
    left = [block]
    while left:
        name = left.pop(0)
        if name in seen:
            continue
        seen.add(name)
        below = _below(host, BLOCK + name)
        backing = host.text(BLOCK + name + b"/loop/backing_file") if name.startswith(b"loop") else b""
        left += below
        if backing:
            files.append(backing)
        elif not below:
            disks.append(name)
    return disks, files


def _below(host: "Host", folder: bytes) -> "List[bytes]":
    if host.text(folder + b"/partition"):
        return [host.link(folder).split(b"/")[-2:][0]]
    try:
        return host.names(folder + b"/slaves")
    except OSError:
        return []


def parse_server(device: bytes) -> bytes:
    """The machine that a network file system comes from, b"" when its source does not name one."""
    import re

    found = re.match(SERVER, device)
    return next(filter(None, found.groups()), b"") if found else b""


def parse_options(options: bytes) -> bytes:
    """Each once, `ro` instead of `rw` when the mount or its file system is; without the folders of an overlay."""
    words = dict.fromkeys(word for word in options.split(b",") if word and not word.startswith(FOLDERS))
    if b"ro" in words:
        words.pop(b"rw", None)
    return b",".join(words)
