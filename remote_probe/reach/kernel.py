"""What section `kernel` alone does to the machine: it reads the ring buffer record by record, and the end of a file."""

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Tuple

    from remote_probe.host import Host

MOST = 16000  # records of one look; there is no way into the buffer but from its beginning
RECORD = 8192  # bytes; the kernel's own bound (CONSOLE_EXT_LOG_MAX)
SLICE = 2 << 20  # bytes of a file


class Reach:
    def __init__(self, host: "Host") -> None:
        self.host = host

    def kmsg(self, after: int) -> bytes:
        """What /dev/kmsg (Documentation/ABI/testing/dev-kmsg) holds behind the record of that number.

        The first line is the clock of its times, in seconds; it stands still while the machine sleeps. Raises OSError,
        also when there is too much to be read.
        """
        records = [b"%.6f\n" % time.monotonic()]
        descriptor = os.open(self.host.root + b"/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        skip = -1  # not known yet
        try:
            for _ in range(MOST):
                try:
                    record = os.read(descriptor, RECORD)
                    if skip < 0:
                        skip = max(0, after + 1 - int(record.split(b",", 2)[1]))
                    if skip:
                        skip -= 1
                    else:
                        records.append(record)
                except BlockingIOError:
                    return b"".join(records)
                except BrokenPipeError:
                    skip = -1  # overwritten while it was read; the next record is the oldest that is left
        finally:
            os.close(descriptor)
        raise OSError("the kernel keeps more than %d messages" % MOST)

    def tail(self, path: bytes, inode: int, offset: int) -> "Tuple[int, int, bytes]":
        """What was written to a file since: (inode, offset to go on at, whole lines). Raises OSError.

        With inode 0 only where its end is. When it was rotated: the rest of what is now PATH.1, then it from its start.
        """
        descriptor = os.open(self.host.root + path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if not inode:
                return status.st_ino, status.st_size, b""
            rest = b""
            if status.st_ino != inode:
                rest = self._rest(path + b".1", inode, offset)
            if rest or status.st_ino != inode or status.st_size < offset:
                offset = 0
            content = os.pread(descriptor, SLICE, offset)
        finally:
            os.close(descriptor)
        content = content[: content.rfind(b"\n") + 1]
        return status.st_ino, offset + len(content), rest + content

    def _rest(self, path: bytes, inode: int, offset: int) -> bytes:
        try:
            descriptor = os.open(self.host.root + path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            return os.pread(descriptor, SLICE, offset) if os.fstat(descriptor).st_ino == inode else b""
        finally:
            os.close(descriptor)
