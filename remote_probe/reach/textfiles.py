"""Section `textfiles`: reads a file and tells when it was written."""

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Tuple

    from remote_probe.host import Host

LARGEST = 1 << 20  # bytes of one file; more is cut off


class Reach:
    def __init__(self, host: "Host") -> None:
        self.host = host

    def read(self, path: bytes) -> "Tuple[float, bytes]":
        """(epoch seconds of its last change, content) of a regular file. Raises OSError; never waits for a pipe."""
        descriptor = os.open(self.host.root + path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode):
                raise OSError("no regular file")
            parts = []
            for _ in range(LARGEST >> 16):
                parts.append(os.read(descriptor, 1 << 16))
                if not parts[-1]:
                    break
            return about.st_mtime, b"".join(parts)
        finally:
            os.close(descriptor)
