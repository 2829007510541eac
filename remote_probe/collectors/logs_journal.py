"""The journal of systemd as a source of lines. The cursor is that of the newest entry that was told.

`unit`, `pid` and `uid` are journald's own words: the client of one that is `trusted` cannot forge them. `program` is
the client's: `logger -t sshd` says sshd, but its `uid` and `unit` are those of who ran it.
"""

from remote_probe.collectors.logs_source import NEVER, Source
from remote_probe.jsontext import parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple, Union

    from remote_probe.host import Host, Rows, Value

FIELDS = "MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,SYSLOG_PID,_COMM,_PID,_UID,_SYSTEMD_UNIT,_TRANSPORT"
ENTRY = 3  # lines that one entry counts for: it has more to say
KEEP = 4096  # bytes or characters of one field that are reported, at most


class Journal(Source):
    """What journalctl(1) tells of a unit, of a program, or of both."""

    def __init__(self, host: "Host", log: "Dict[str, Any]", known: "Dict[str, str]") -> None:
        Source.__init__(self, log["name"], b"journal", known.get("journal", ""))
        self.host = host
        self.start = log["start"]
        self.filter = ["--%s=%s" % (key, log[key]) for key in ("unit", "identifier") if log.get(key)]

    def rows(self, room: "Any", waiting: int) -> "Rows":
        lines, size = room.share(waiting)
        left = size
        entries: "List[Dict[str, Value]]" = []
        try:
            if lines:
                entries, left = self._entries(max(1, lines // ENTRY), size)
        except (OSError, ValueError, KeyError) as error:
            self.failed(error)
            if self.state == "absent":
                self.cursor = self.began or NEVER
        number = room.take(len(entries), ENTRY * len(entries), size - left)
        yield "log", self.row(room.zone)
        for values in entries:
            number += 1
            values.update(number=number, log=self.log)
            yield "entry", values

    def _entries(self, most: int, size: int) -> "Tuple[List[Dict[str, Value]], int]":
        """The next entries, and what is left of `size`."""
        there, readable = self.host.reach("logs").journals()
        if not there:
            raise FileNotFoundError("no journal is kept")
        if not readable:
            raise PermissionError("only root and members of adm or systemd-journal may read it")
        if not self.began and not self.start:
            newest, _more, _left = parse_journal(self._run("--lines=1"), "", 1, size)
            self.cursor = newest[0][0] if newest else NEVER
            return [], size
        command = list(self.filter)
        if self.began not in ("", NEVER):
            # not --after-cursor: where the entry of the cursor does not fit the filter, that leaves the next one out
            command.append("--cursor=" + self.began)
        found, more, left = parse_journal(self._run("--all", *command), self.began, most, size)
        if more and not found:  # the next one is larger than all that a command may say
            found, more, left = parse_journal(self._run(*command), self.began, most, size)
        self.cursor = found[-1][0] if found else self.began or NEVER
        self.state = "behind" if more else "ok"
        return [row for _, row in found], left

    def _run(self, *command: str) -> bytes:
        where = (
            ["--directory=" + (self.host.root + b"/var/log/journal").decode("utf-8", "surrogateescape")]
            if self.host.root
            else []
        )
        always = ["journalctl", "--output=json", "--output-fields=" + FIELDS, "--no-pager", "--quiet"]
        return self.host.run(always + where + list(command), 10.0)


def parse_journal(
    output: bytes, told: str, most: int, size: int
) -> "Tuple[List[Tuple[str, Dict[str, Value]]], bool, int]":
    """[(cursor, row)] of at most so many entries and bytes without the one that was `told`; whether there are more; and
    what is left of `size`.

    Journal Export Format as JSON: a field is a text, an array of bytes, an array of several of these, or null if it
    is too large (systemd.io, JOURNAL_EXPORT_FORMATS; journalctl(1), --output=json).
    """
    found: "List[Tuple[str, Dict[str, Value]]]" = []
    *lines, rest = output.split(b"\n")
    for line in lines:
        entry = parsed(line.decode("utf-8"))
        cursor = str(entry["__CURSOR"])
        if told and _moment(cursor) == _moment(told):
            continue
        if len(found) == most or size <= 0:
            return found, True, size
        found.append((cursor, parse_entry(entry)))
        size -= 6 * len(str(found[-1][1]["text"]))
    return found, bool(rest), size


def parse_entry(entry: "Dict[str, Any]") -> "Dict[str, Value]":
    """`trusted` when journald itself says who wrote it (systemd.journal-fields(7), fields with an underscore)."""
    kernel = entry.get("_TRANSPORT") == "kernel"
    large = "(larger than 4096 bytes)" if entry.get("MESSAGE", "") is None else ""
    return {
        "number": 0,
        "log": "",
        "at": int(entry["__REALTIME_TIMESTAMP"]) / 1e6,
        "program": _field(entry, "SYSLOG_IDENTIFIER") or _field(entry, "_COMM"),
        "pid": _count(entry, "_PID") or _count(entry, "SYSLOG_PID") or 0,
        "uid": _count(entry, "_UID") or 0,
        "unit": _field(entry, "_SYSTEMD_UNIT"),
        "priority": min(7, _count(entry, "PRIORITY", 6)),
        "trusted": int(kernel or ("_PID" in entry and "_UID" in entry)),
        "text": large or _field(entry, "MESSAGE"),
    }


def _moment(cursor: str) -> str:
    """Boot, times and digest of an entry, without the file it stands in: that changes when journald moves it."""
    return cursor.partition(";b=")[2] or cursor


def _field(entry: "Dict[str, Any]", name: str) -> "Union[str, bytes]":
    value = entry.get(name) or ""
    if isinstance(value, list) and isinstance(value[0], int):
        return bytes(value[:KEEP])
    if isinstance(value, list):
        return _field({name: value[0]}, name)
    return str(value)[:KEEP]


def _count(entry: "Dict[str, Any]", name: str, default: int = 0) -> int:
    text = str(entry.get(name))
    return int(text) if 1 <= len(text) <= 9 and not text.strip("0123456789") else default
