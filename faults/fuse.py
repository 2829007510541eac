"""A file system that answers everything but statvfs(3): what a dead NFS server looks like to a program.

    python -m faults.fuse FOLDER      mounts there (best in a namespace of its own), says `ready`, serves until it ends

Written against the kernel's protocol, linux/fuse.h: every request has a header of 40 bytes (length, opcode, unique,
node, uid, gid, pid), every answer one of 16 (length, error, unique). A request that was read and is never answered
holds its caller in state D: not even SIGKILL ends it before the file system's connection does.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import sys
from typing import Final

REQUEST: Final = struct.Struct("=IIQQIIII")
ANSWER: Final = struct.Struct("=IiQ")
GETATTR, STATFS, INIT = 3, 17, 26
FORGET: Final = (2, 42)
# fuse_init_out of protocol 7.31: version, read-ahead, flags, background, congestion, write size, and what is left at 0.
INITIAL: Final = struct.pack("=IIIIHHIIHHI28x", 7, 31, 65536, 0, 12, 9, 4096, 1, 0, 0, 0)
# fuse_attr_out: valid for 1 s; fuse_attr of node 1, a folder that anybody may enter.
ROOT: Final = struct.pack(
    "=QIIQQQQQQIIIIIIIIII", 1, 0, 0, 1, *(0,) * 5, 0, 0, 0, stat.S_IFDIR | 0o755, 2, 0, 0, 0, 512, 0
)


def mount(folder: str) -> int:
    """Mounts and returns the descriptor that speaks with the kernel. OSError."""
    device = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    data = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
    if libc.mount(b"dead", os.fsencode(folder), b"fuse", 0, data.encode()):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), folder)
    return device


def serve(device: int) -> None:
    while True:
        try:
            request = os.read(device, 1 << 17)
        except OSError as error:
            if error.errno == errno.ENODEV:  # unmounted
                return
            raise
        _, opcode, unique, *_ = REQUEST.unpack_from(request)
        if opcode == STATFS or opcode in FORGET:
            continue  # never an answer; FORGET wants none
        body = {INIT: INITIAL, GETATTR: ROOT}.get(opcode)
        error_number = 0 if body is not None else -errno.ENOSYS
        os.write(device, ANSWER.pack(ANSWER.size + len(body or b""), error_number, unique) + (body or b""))


def main() -> None:
    device = mount(sys.argv[1])
    print("ready", flush=True)
    serve(device)


if __name__ == "__main__":
    main()
