"""Section `logs`: what was written to logs since the place that the request names, each line once.

The cursor of a file is `device:inode:offset:head:tail:changed:size`: digests of up to 256 bytes at the beginning of
what was read and at its end, and the file as it was then. A file that does not fit its cursor was rotated: what it was
is looked for in its folder, by inode (renamed) or by digests (copied and truncated, compressed), and read to its end,
then what rotation made since, then the file from its beginning. A cursor moves to a younger file only with the first
line there, because a service may go on writing to the old one for a while.

A line is what ends in a newline; what stands behind the last one waits for its own. Who may write to a file writes what
he likes: nothing in a line that `logger -t sshd` wrote tells that it is not sshd's. For the journal see logs_journal.
"""

from remote_probe.collectors.logs_journal import Journal
from remote_probe.collectors.logs_rotation import parse_own
from remote_probe.collectors.logs_source import NEVER, Source
from remote_probe.reach.logs_place import Place, chain, end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Set, Tuple

    from remote_probe.host import Host, Rows
    from remote_probe.reach.logs import Reach

LONG = 1 << 16  # bytes without a newline that are a line all the same; the rest of it is left out
KEEP = 4096  # bytes of one line that are reported, at most; `render` cuts again
CHUNK = 1 << 18  # bytes read at once
MOST = 100  # files of one log
ALL = 400  # files of all logs
LATE = 2.0  # seconds before the deadline at which no more is read
PLAIN = bytes(set(range(32, 127)) - set(b'&<>"\\'))  # what is one byte in a report, too; anything else at most six


def read(host: "Host") -> "Rows":
    options = host.options.get("logs") or {}
    asked = options.get("logs") or []
    if not asked:
        raise FileNotFoundError("no log is asked for")
    known = host.cursors.get("logs") or {}
    reach: "Reach" = host.reach("logs")
    room = Room(host, options["lines"], options["bytes"], reach.zones())
    tails: "List[Tail]" = []
    for log in asked:
        if "path" in log:
            tails += files(reach, log, known.get(log["name"]) or {}, ALL - len(tails))
    # Those that want little come first, and leave the rest of their share to the others.
    sources: "List[Any]" = sorted(tails, key=lambda tail: tail.behind)
    sources += [Journal(host, log, known.get(log["name"]) or {}) for log in asked if "path" not in log]
    del tails
    while sources:
        for row in sources.pop(0).rows(room, len(sources) + 1):
            yield row


class Room:
    """How many lines and bytes may still be reported. `zone` is that of the machine."""

    def __init__(self, host: "Host", lines: int, size: int, zone: str) -> None:
        self.host = host
        self.lines = lines
        self.size = size
        self.zone = zone
        self.number = 0

    def share(self, waiting: int) -> "Tuple[int, int]":
        """(lines, bytes) for one of so many: a line at least, so that each goes on; none when it is late."""
        if self.host.remaining() < LATE:
            return 0, 0
        return max(1, self.lines // waiting), max(1, self.size // waiting)

    def take(self, count: int, lines: int, size: int) -> int:
        """So many rows that count for `lines` and `size`; returns the number before the first of them."""
        self.lines = max(0, self.lines - lines)
        self.size = max(0, self.size - size)
        self.number += count
        return self.number - count


def files(reach: "Reach", log: "Dict[str, Any]", known: "Dict[str, str]", most: int) -> "List[Tail]":
    """A Tail for each file of a log; one that says so when nothing fits its pattern, or too much."""
    pattern = log["path"].encode("utf-8", "surrogateescape")
    if not reach.is_pattern(pattern):
        return [Tail(reach, log, pattern, known)] if most > 0 else []
    there = set(reach.expanded(pattern))
    gone = {path for path in map(reach.path, known) if path != pattern and reach.fits(path, pattern)}
    paths = parse_own(sorted(there | gone))
    tails = [Tail(reach, log, path, known) for path in paths[: max(0, min(MOST, most))]]
    seen: "Set[Any]" = set()
    tails = [tail for tail in tails if tail.once(seen) and (tail.path in there or tail.chain)]
    if not there or len(paths) > min(MOST, most):
        tails.append(Tail(reach, log, pattern, known))
        if there:
            tails[-1].state, tails[-1].reason = "failed", "%d files fit, which is too many" % len(paths)
    return tails


class Tail(Source):
    """One file of a log and what rotation made of it: `chain` are the places still to be read from, oldest first."""

    def __init__(self, reach: "Reach", log: "Dict[str, Any]", path: bytes, known: "Dict[str, str]") -> None:
        spelled = reach.spelled(path)
        Source.__init__(self, log["name"], path, known.get(spelled, ""))
        # A file that comes later is new, but for one that could not be opened at the first contact.
        fresh = not log["start"] and (not any(known.values()) or known.get(spelled) == "")
        self.extra = max(0, len(spelled) + len(self.log) - 100)  # each line names both
        self.texts: "List[bytes]" = []
        self.last: "Any" = None
        self.chain: "List[Place]" = []
        try:
            self.last = reach.open(path)
        except OSError as error:
            self.failed(error)
        try:
            self._find(reach, fresh)
        except (OSError, ValueError) as error:
            self.failed(error)
        self.behind = sum(max(0, place.file.size - place.offset) for place in self.chain)

    def once(self, seen: "Set[Any]") -> bool:
        """False for a file that another name of this log led to."""
        if self.last is None:
            return True
        new = self.last.id not in seen
        seen.add(self.last.id)
        return new

    def _find(self, reach: "Reach", fresh: bool) -> None:
        if ":" in self.began and self.state in ("ok", "absent"):
            self.chain, self.lost = chain(reach, self.path, self.began, self.last)
            if self.lost:
                self.reason = "it was rotated or truncated before it was read to its end"
        elif self.last:
            self.chain = [Place(self.last, end(self.last) if fresh else 0)]
            self.cursor = str(self.chain[0])
        elif self.state == "absent" and not self.began:
            self.cursor = NEVER

    def rows(self, room: "Room", waiting: int) -> "Rows":
        lines, size = room.share(waiting)
        left = size
        try:
            left = self._read(lines, size)
        except OSError as error:
            self.failed(error)
        if self.behind and self.state == "ok":
            self.state = "behind"
        number = room.take(len(self.texts), len(self.texts), size - left)
        yield "log", self.row(room.zone)
        log, path = self.log, self.path
        for text in self.texts:
            number += 1
            yield "line", {"number": number, "log": log, "path": path, "text": text}

    def _read(self, lines: int, size: int) -> int:
        """Fetches the lines that come next, at most so many; returns what is left of `size` bytes of a report."""
        rest: "List[bytes]" = []  # last lines without newline: complete as soon as a younger file has lines
        self.behind = 0
        for index, place in enumerate(self.chain):
            data = b""
            ended = False
            while not ended and len(self.texts) < lines and size > 0:
                data = place.read(min(max(size, LONG + 1), CHUNK))
                some, used, lost = parse_chunk(data, place.tail[-1:], lines - len(self.texts), size)
                ended = not used and not place.jump(data)
                if not ended:
                    self.texts += rest + some
                    rest = []
                    size -= used + 5 * len(data[:used].translate(None, PLAIN)) + self.extra * len(some) or len(data)
                    self.lost += lost
                    place.advance(data[:used])
                    self.cursor = str(place)
            if not ended:
                self.behind = sum(max(0, later.file.size - later.offset) for later in self.chain[index:])
                break
            rest += [line for line in [data[:KEEP].strip(b"\0\r")] if line]
        return size


def parse_chunk(data: bytes, before: bytes, most: int, size: int) -> "Tuple[List[bytes], int, int]":
    """(lines, bytes of `data` used, bytes of them that nobody will read): whole lines, at most so many and so large.

    `before` is the byte that stands before `data`; if that ends no line, the rest of one that was too long comes first.
    """
    used = lost = 0
    if before not in (b"", b"\n", b"\0"):
        used = lost = data.find(b"\n") + 1 or len(data)
    begin = len(data) - len(data[used:].lstrip(b"\0"))
    if begin == len(data):
        return [], used, lost
    stop = data.rfind(b"\n", begin, begin + size) + 1 or data.find(b"\n", begin) + 1
    if stop:
        lines = data[begin:stop].split(b"\n", most)
        used = stop - len(lines.pop())
        lost += sum(len(line) - LONG for line in lines if len(line) > LONG)
    elif len(data) - begin > LONG:
        lines, used = [data[begin:]], len(data)
    else:
        return [], used, lost
    if b"\0" in data or b"\r" in data:
        lines = [line.lstrip(b"\0").rstrip(b"\r") for line in lines]
    return [line[:KEEP] for line in lines], used, lost
