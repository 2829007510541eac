"""Section `people`: reads a file that grows from where it was read before."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Tuple

    from remote_probe.host import Host


class Reach:
    def __init__(self, host: "Host") -> None:
        self.host = host

    def part(self, path: bytes, where: "Callable[[bytes, int], int]", most: int) -> "Tuple[bytes, int, bytes]":
        """(which file that is, where it was read, at most so many bytes of it). Raises OSError.

        `where` is told which file it is (`device:inode`) and its size, and says from which byte on it is wanted.
        """
        descriptor = os.open(self.host.root + path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            about = os.fstat(descriptor)
            which = b"%d:%d" % (about.st_dev, about.st_ino)
            begin = where(which, about.st_size)
            return which, begin, os.pread(descriptor, most, begin)
        finally:
            os.close(descriptor)
