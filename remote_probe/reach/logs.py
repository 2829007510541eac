"""What section `logs` does to the machine: opens logs, which may have been compressed, and asks for the time zone.

Only regular files are opened: a fifo, a device or a folder under the name of a log is refused.
"""

import os
import stat
import time
import zlib

from remote_probe.render import escaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Match, Optional, Tuple

    from remote_probe.host import Host

MOST = 10000  # names of one folder that are looked at
UNPACKED = 256 << 20  # bytes of a compressed file that are looked at
PIECE = 1 << 16
YEAR = 366 * 86400
STEP = 14 * 86400  # no time zone changes twice within


class Reach:
    """Paths are those of the machine, as bytes; all methods raise OSError unless they say otherwise."""

    def __init__(self, host: "Host") -> None:
        self.host = host

    def spelled(self, path: bytes) -> str:
        """A path as the report, and so the request, writes it."""
        return escaped(path)

    def path(self, spelled: str) -> bytes:
        """The other way round; of what was cut the beginning."""
        if "\\" not in spelled:
            return spelled.encode("utf-8", "surrogateescape")
        import re

        def byte(match: "Match[bytes]") -> bytes:
            return b"\\" if match.group(1) == b"\\" else bytes([int(match.group(1)[1:], 16)])

        return re.sub(rb"\\(\\|x[0-9a-f]{2})", byte, spelled.encode("utf-8", "surrogateescape"))

    def open(self, path: bytes) -> "File":
        """Of links only those that root made, or the owner of the file: nobody else is to choose what is read here."""
        full = self.host.root + path
        seen = os.stat(full)
        if os.lstat(full).st_uid not in (0, seen.st_uid):
            raise PermissionError(13, "a link that somebody else made", full)
        if not stat.S_ISREG(seen.st_mode):
            raise OSError(22, "no regular file", full)
        descriptor = os.open(full, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        kind = Packed if path.endswith(b".gz") else File
        return kind(self.host, descriptor, path)

    def inodes(self, folder: bytes) -> "Dict[bytes, int]":
        """Name -> inode of what is in a folder."""
        with os.scandir(self.host.root + folder or b"/") as entries:
            return {entry.name: entry.inode() for _, entry in zip(range(MOST), entries)}

    def expanded(self, pattern: bytes) -> "List[bytes]":
        """The paths that fit, sorted; wildcards do not match slashes, nor a dot in front. Never raises OSError."""
        found = [b""]
        for part in pattern.split(b"/")[1:]:
            if self.is_pattern(part):
                found = [folder + b"/" + name for folder in found for name in self._matching(folder, part)]
            else:
                found = [folder + b"/" + part for folder in found]
            found = found[:MOST]
        return [path for path in found if os.path.lexists(self.host.root + path)]

    def is_pattern(self, path: bytes) -> bool:
        return any(mark in path for mark in b"*?[")

    def fits(self, path: bytes, pattern: bytes) -> bool:
        import fnmatch

        pairs = list(zip(path.split(b"/"), pattern.split(b"/")))
        return path.count(b"/") == pattern.count(b"/") and all(fnmatch.fnmatchcase(*pair) for pair in pairs)

    def _matching(self, folder: bytes, part: bytes) -> "List[bytes]":
        import fnmatch

        try:
            names = sorted(self.inodes(folder))
        except OSError:
            return []
        return [name for name in fnmatch.filter(names, part) if part[:1] == b"." or name[:1] != b"."]

    def journals(self) -> "Tuple[bool, bool]":
        """Whether there is a journal of the whole system, and whether it may be read. Never raises."""
        there = readable = False
        for top in (b"/var/log/journal", b"/run/log/journal"):
            try:
                self.inodes(top)
            except OSError as error:
                there = there or not isinstance(error, FileNotFoundError)
            for path in self.expanded(top + b"/*/system*"):
                there = True
                readable = readable or os.access(self.host.root + path, os.R_OK)
        return there, readable

    def zones(self) -> str:
        """The time zone over the past year: seconds east, then (epoch second, seconds east from there) per change."""
        if self.host.root:
            return self.host.text(b"/calls/zone").decode("ascii", "replace") or "0"
        end = int(self.host.now())
        words = [_east(end - YEAR)]
        for start in range(end - YEAR, end, STEP):
            before, after = start, min(start + STEP, end)
            if _east(before) == _east(after):
                continue
            while after - before > 1:
                middle = (before + after) // 2
                before, after = (middle, after) if _east(middle) == words[-1] else (before, middle)
            words += [after, _east(after)]
        return " ".join(map(str, words))


def _east(moment: int) -> int:
    return time.localtime(moment).tm_gmtoff


class File:
    """An open log. `id` is (device, inode); `size` in bytes and `changed`, in nanoseconds, are those of now."""

    def __init__(self, host: "Host", descriptor: int, path: bytes) -> None:
        self.host = host
        self.path = path
        self._descriptor = descriptor
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise OSError(22, "no regular file", host.root + path)
        self.id = (state.st_dev, state.st_ino)
        self.changed = state.st_mtime_ns
        self.size = self._size(state.st_size)

    def __del__(self) -> None:
        os.close(self._descriptor)

    def _size(self, size: int) -> int:
        return size

    def read(self, offset: int, count: int) -> bytes:
        """At most `count` bytes; fewer only at the end."""
        return os.pread(self._descriptor, count, offset)

    def data(self, offset: int) -> "Optional[int]":
        """Where the first bytes behind `offset` are that were written; None when there are none: lseek(2)."""
        try:
            return os.lseek(self._descriptor, offset, os.SEEK_DATA)
        except OSError:
            return None


class Packed(File):
    """One that gzip(1) made; `size` and `read` are about what is inside (RFC 1952)."""

    def _size(self, size: int) -> int:
        return int.from_bytes(os.pread(self._descriptor, 4, max(0, size - 4)), "little")

    def read(self, offset: int, count: int) -> bytes:
        """Unpacks from the beginning, holding no more than what is asked for."""
        if offset + count > UNPACKED:
            return b""
        inside = zlib.decompressobj(31)
        parts: "List[bytes]" = []
        at = place = 0
        while at < offset + count and not inside.eof:
            packed = inside.unconsumed_tail
            if not packed:
                packed = os.pread(self._descriptor, PIECE, place)
                place += len(packed)
            if not packed:
                break
            try:
                part = inside.decompress(packed, min(offset + count - at, 4 * PIECE))
            except zlib.error:
                break  # damaged, or no gzip at all: what came before is all there is
            if self.host.remaining() < 1:
                raise TimeoutError("it takes too long to unpack %s" % escaped(self.path))
            parts.append(part[max(0, offset - at) :])
            at += len(part)
        return b"".join(parts)

    def data(self, offset: int) -> "Optional[int]":
        return offset
