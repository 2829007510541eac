"""What journald or a syslog daemon kept of the kernel's messages, for section `kernel`."""

import time

from remote_probe.jsontext import parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List, Optional, Sequence, Tuple

    from remote_probe.collectors.kernel import Log, Message
    from remote_probe.host import Host

LINE = (
    rb"(?:(\w{3}) +(\d+) (\d\d):(\d\d):(\d\d)|(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d))"
    rb" \S+ kernel: (?:\[ *\d+\.\d+\] )?(.*)"
)
MONTHS = b"JanFebMarAprMayJunJulAugSepOctNovDec"
FILES = (b"/var/log/kern.log", b"/var/log/messages")
SECONDS = 5.0  # journalctl may take
TAIL = 1 << 16  # bytes of a file that are looked at for its last messages
INFO = 6


def journal(host: "Host", place: str, last: int) -> "Log":
    """The cursor is the journal's. When there is none the newest entry gives it, if the user may see it."""
    since = "--after-cursor=" + place if place else "--lines=%d" % (last or 1)
    output = host.run(("journalctl", "--quiet", "--no-pager", "--output=json", since, "_TRANSPORT=kernel"), SECONDS)
    cursor, messages = parse_journal(output)
    if not (cursor or place):
        raise PermissionError("journalctl shows no message of the kernel to this user")
    return cursor or place, 0, messages if place or last else []


def parse_journal(output: bytes) -> "Tuple[str, List[Message]]":
    """(cursor of the last whole entry, messages) of `journalctl --output=json` (systemd.journal-fields(7))."""
    cursor, messages = "", []
    for line in output.split(b"\n")[:-1]:
        entry = parsed(line.decode("utf-8", "replace"))
        if not isinstance(entry, dict) or "__CURSOR" not in entry:
            raise ValueError("%r is no entry of a journal" % line[:40])
        cursor, text = str(entry["__CURSOR"]), _field(entry.get("MESSAGE"))
        if _field(entry.get("SYSLOG_FACILITY")) == b"0":
            at = int(_field(entry.get("__REALTIME_TIMESTAMP"))) / 1e6
            messages.append((at, int(_field(entry.get("PRIORITY")) or INFO), text))
    return cursor, messages


def _field(value: "object") -> bytes:
    """Text, or a list of bytes for what is no UTF-8; of a field that is there twice, a list, neither."""
    if isinstance(value, list):
        return bytes(byte for byte in value if isinstance(byte, int) and 0 <= byte < 256)
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else b""


def file(host: "Host", place: str, last: int) -> "Log":
    """The cursor is path, inode and offset."""
    path, inode, offset = place.split(" ") if place else ("", "0", "0")
    error: "Optional[OSError]" = None
    for name in [path.encode("ascii")] if path else FILES:
        try:
            reach = host.reach("kernel")
            found = reach.tail(name, int(inode), int(offset))
            if last:
                found = reach.tail(name, found[0], max(0, found[1] - TAIL))
        except OSError as reason:
            error = error if isinstance(error, PermissionError) else reason
            continue
        messages = list(parse_syslog(found[2], host.now()))
        return "%s %d %d" % (name.decode("ascii"), found[0], found[1]), 0, messages
    raise error or OSError("no log")


def parse_syslog(content: bytes, now: float) -> "Iterator[Message]":
    """Lines as syslog daemons write them, with the time of RFC 3164 (no year, local zone) or RFC 3339."""
    lines = [line for line in content.split(b"\n") if b" kernel: " in line]
    if not lines:
        return
    import re

    for line in lines:
        found = re.match(LINE, line)
        if found:
            yield parse_time(found.groups()[:12], now), INFO, found.group(13)


def parse_time(parts: "Sequence[bytes]", now: float) -> float:
    """Epoch seconds. A time without a year is the newest of that name that is not in the future."""
    if not parts[0]:
        year, month, day, hour, minute, second = (int(part) for part in parts[5:11])
        zone = parts[11].replace(b":", b"").replace(b"Z", b"+0000")
        east = (int(zone[1:3]) * 60 + int(zone[3:5])) * (-60 if zone[:1] == b"-" else 60)
        years = year - (month < 3)  # days since 1970, in years that begin in March
        days = years * 365 + years // 4 - years // 100 + years // 400 + ((month + 9) % 12 * 153 + 2) // 5 + day - 719469
        return max(0.0, float(days * 86400 + hour * 3600 + minute * 60 + second - east))
    month = MONTHS.find(parts[0]) // 3 + 1
    rest = (int(parts[1]), int(parts[2]), int(parts[3]), int(parts[4]), 0, 0, -1)
    year = time.localtime(now).tm_year
    at = time.mktime((year, month, *rest))
    return max(0.0, at if at < now + 86400 else time.mktime((year - 1, month, *rest)))
