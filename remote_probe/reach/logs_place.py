"""Places in open logs: how far a file was read, as a cursor and back, and where the same file is after a rotation."""

from remote_probe.collectors.logs_rotation import PACKED, parse_bases, parse_number, parse_order
from remote_probe.sha import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

HEAD = 256  # bytes that tell one file from another
LONG = 1 << 16  # bytes at the end of a file in which its last line is looked for
MOST = 100  # files that rotation left of one log


class Place:
    """So far a file was read. `head` and `tail` are bytes at the beginning and at the end of what was read.

    It is read no further than to the end that it had when it was opened, and only while it begins as it did then: it
    may be copied and truncated at any moment, and what it held until then stands in a file that was not there yet.
    """

    def __init__(self, file: "Any", offset: int = 0) -> None:
        self.file = file
        self.offset = offset
        self.begin: bytes = file.read(0, min(HEAD, file.size))
        self.head = self.begin[:offset]
        self.tail = file.read(offset - len(self.head), len(self.head))

    def advance(self, data: bytes) -> None:
        self.offset += len(data)
        if len(self.head) < HEAD:
            self.head = (self.head + data)[:HEAD]
        self.tail = (self.tail + data)[-HEAD:]

    def read(self, count: int) -> bytes:
        data: bytes = self.file.read(self.offset, max(0, min(count, self.file.size - self.offset)))
        return data if self.file.read(0, len(self.begin)) == self.begin else b""

    def jump(self, data: bytes) -> bool:
        """Over `data` that follow and are a hole: a writer that goes on where it was leaves one in a truncated file."""
        if not data or data.strip(b"\0") or self.offset + len(data) >= self.file.size:
            return False  # what was not written yet may also look so
        there = self.file.data(self.offset)
        if there is None:
            return False
        self.advance(data)
        self.offset = max(self.offset, there)
        return True

    def __str__(self) -> str:
        file = self.file
        values = (*file.id, self.offset, digest(self.head), digest(self.tail), file.changed, file.size)
        return "%d:%d:%d:%s:%s:%d:%d" % values


class Mark:
    """A cursor that came back."""

    def __init__(self, cursor: str) -> None:
        device, inode, offset, self.head, self.tail, changed, size = cursor.split(":")
        self.id = (int(device), int(inode))
        self.offset, self.changed, self.size = int(offset), int(changed), int(size)

    def place(self, file: "Any") -> "Optional[Place]":
        """The place in a file, if the file is the one that was marked, or begins as it did."""
        if file.size < self.offset or digest(file.read(0, min(HEAD, self.offset))) != self.head:
            return None
        place = Place(file, self.offset)
        return place if digest(place.tail) == self.tail else None


def chain(reach: "Any", path: bytes, cursor: str, last: "Any") -> "Tuple[List[Place], int]":
    """The places to go on from, oldest first, and how many bytes are gone that a cursor knew of.

    `last` is the file that has the path now, None when there is none.
    """
    mark = Mark(cursor)
    place = mark.place(last) if last and last.id == mark.id and mark.offset else None
    if place:
        return [place], 0
    ends = [Place(last)] if last else []
    files = [file for file in left(reach, path, mark.id[1]) if last is None or file.id != last.id]
    renamed = [file for file in files if file.id == mark.id]
    copies = [file for file in [last, *files] if file and mark.offset and file.id != mark.id]
    for file in renamed + copies:
        place = mark.place(file)
        if place:
            newer = files[files.index(file) + 1 :] if file is not last else []
            return [place] + _places(newer, last) + (ends if file is not last else []), 0
    newer = [file for file in files if file.changed > mark.changed]
    return _places(newer, last) + ends, max(0, mark.size - mark.offset)


def _places(files: "List[Any]", last: "Any") -> "List[Place]":
    """The beginnings of files, without a copy of `last`: that is about to be truncated, and still holds all."""
    return [Place(file) for file in files if last is None or not _copied(file, last)]


def _copied(file: "Any", last: "Any") -> bool:
    parts = ((start, min(HEAD, file.size)) for start in (0, max(0, file.size - HEAD)))
    return all(file.read(*part) == last.read(*part) for part in parts)


def left(reach: "Any", path: bytes, inode: int) -> "List[Any]":
    """The files that rotation left in the folder of a log, and the one with that inode; oldest first."""
    folder, _, base = path.rpartition(b"/")
    for _attempt in range(5):  # again when a rotation came in between
        found: "List[Any]" = []
        steady = True
        try:
            there = _left(reach, folder, base, inode)
        except OSError:
            return []  # what is not shown cannot be found
        for name in parse_order(list(there), base)[-MOST:]:
            if name.endswith(PACKED[1:]):
                continue  # not known here
            try:
                file = reach.open(folder + b"/" + name)
                steady = steady and file.id[1] == there[name]
                if not (name.endswith(PACKED) and name[:-3] in there and _packs(file, reach.open(file.path[:-3]))):
                    found.append(file)
            except FileNotFoundError:
                steady = False
            except OSError:
                pass  # not ours to read
        if steady and _left(reach, folder, base, inode) == there:
            break
    if None in [parse_number(name, base) for name in there]:
        found.sort(key=lambda file: (file.changed, file.path))
    return found


def _left(reach: "Any", folder: bytes, base: bytes, inode: int) -> "Dict[bytes, int]":
    names = reach.inodes(folder)
    return {name: names[name] for name in names if name != base and (names[name] == inode or base in parse_bases(name))}


def _packs(packed: "Any", file: "Any") -> bool:
    """Whether a file is just being compressed: the original goes last."""
    head: bytes = file.read(0, HEAD)
    return head.startswith(packed.read(0, HEAD))


def end(file: "Any") -> int:
    """Where the last line begins that is not complete yet, or the end; in a line that is very long somewhere in it."""
    start: int = max(0, file.size - LONG)
    data: bytes = file.read(start, LONG)
    return start + data.rfind(b"\n") + 1


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()[:12]
