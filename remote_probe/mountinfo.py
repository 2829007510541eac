"""What is mounted, from /proc/self/mountinfo (proc_pid_mountinfo(5)): the parser that two collectors need. Pure."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List

    Mount = Dict[str, bytes]

# They wait for another machine...
NETWORK = (
    b"nfs", b"nfs4", b"cifs", b"smb3", b"smbfs", b"ncpfs", b"afs", b"coda", b"ceph", b"glusterfs", b"lustre", b"9p",
    b"virtiofs", b"beegfs", b"gpfs", b"orangefs", b"pvfs2", b"gfs2", b"ocfs2", b"vboxsf",
    b"fuse.sshfs", b"fuse.glusterfs", b"fuse.ceph", b"fuse.rclone", b"fuse.s3fs", b"fuse.curlftpfs", b"fuse.smbnetfs",
)  # fmt: skip
# ... and they for a program.
PROGRAM = (b"fuse", b"fuseblk")


def parse_mountinfo(content: bytes) -> "List[Mount]":
    """`36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue` for each mount.

    Keys are number, root, mountpoint, options (of the mount, then of the file system), type, device, and remote: what
    it waits for, b"network", b"program" or b"" for nothing. `emergency_ro`, with which ext4 leaves `rw` as it is since
    Linux 6.15, means `ro`.
    """
    mounts = []
    for line in content.split(b"\n"):
        if line:
            left, _, right = line.partition(b" - ")
            before, after = left.split(b" "), right.split(b" ")
            if len(before) < 6 or len(after) < 2:
                raise ValueError("%r is no mount" % line[:80])
            kind = unescaped(after[0])
            options = b",".join([before[5], *after[2:3]])
            if b"emergency_ro" in options.split(b","):
                options += b",ro"
            mounts.append(
                {
                    "number": before[2],
                    "root": unescaped(before[3]),
                    "mountpoint": unescaped(before[4]),
                    "options": options,
                    "type": kind,
                    "device": unescaped(after[1]),
                    "remote": _remote(kind),
                }
            )
    return mounts


def _remote(kind: bytes) -> bytes:
    if kind in NETWORK:
        return b"network"
    return b"program" if kind in PROGRAM or kind.startswith(b"fuse.") else b""


def unescaped(name: bytes) -> bytes:
    r"""Undoes the kernel's octal escapes: space, tab, newline and backslash arrive as \040, \011, \012 and \134."""
    first, *parts = name.split(b"\\")
    for part in parts:
        octal = part[:3]
        if len(octal) == 3 and all(digit in b"01234567" for digit in octal) and octal[0] < ord("4"):
            first += bytes([int(octal, 8)]) + part[3:]
        else:
            first += b"\\" + part
    return first
