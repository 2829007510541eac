"""Section `people`: who is logged in, who came and went, and whether the machine waits to be rebooted.

Logins are those of utmp(5) or, where there is none, of systemd-logind (/run/systemd/sessions); records are those of
wtmp since the last poll, of a rotated one first. The login of the poller itself is left out.

A reboot is pending when the distribution says so (/run/reboot-required), or when the kernel that runs is installed here
and a newer one of its kind is too (/boot/vmlinuz-*, /lib/modules). What needs-restarting(1) finds out beside is not
asked: it takes seconds.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

    from remote_probe.host import Host, Rows, Value

    Record = Tuple[int, int, bytes, bytes, bytes, float]

# utmp(5): size of a record, byte order, how it ends. 64-bit machines that also run older 32-bit programs (x86) have
# 32-bit times, others (aarch64, riscv64) do not. Which it is, is told from the content.
LAYOUTS = [(384, "<", "iIi16s20x"), (400, "<", "qqq16s24x"), (384, ">", "iIi16s20x"), (400, ">", "qqq16s24x")]
HEAD = "hxxi32s4s32s256shh"
MOST = 192000  # bytes of wtmp in one report: 500 records of 384, 480 of 400
ACTIONS = {2: "boot", 7: "login", 8: "logout"}
RUN_LEVEL = 1  # with the user `shutdown`, the last record of a boot
USER = 7
LAST_TYPE = 9
YOUNGEST, OLDEST = 10**8, 2**33  # seconds of a moment that tells a layout: 1973 to 2242


def read(host: "Host") -> "Rows":
    own = host.session()
    began = str(host.cursors.get("people", ""))
    cursor, records = _records(host, began)
    source, logins = _logins(host)  # after the records: who comes in between is told next time, and once
    reason = _reboot(host)
    yield (
        "people",
        {
            "source": source,
            "booted": parse_btime(host.read(b"/proc/stat")),
            "reboot_pending": int(reason != b""),
            "reboot_reason": reason,
            "began": began,
            "cursor": cursor,
        },
    )
    rows = {(row["user"], row["terminal"], row["since"]): row for row in logins if row["pid"] not in own}
    for row in rows.values():
        yield "login", row
    number = 0
    for kind, pid, terminal, user, origin, at in records:
        action = "shutdown" if (kind, user) == (RUN_LEVEL, b"shutdown") else ACTIONS.get(kind)
        if action and pid not in own:
            number += 1
            row = {"number": number, "action": action, "user": user, "terminal": terminal}
            row.update(source=origin, pid=pid, at=at)
            yield "record", row


def parse_utmp(content: bytes) -> "Tuple[int, List[Record]]":
    """The size of a record, and (type, pid, terminal, user, from where, epoch seconds) of each that makes sense.

    The layout is that in which most of the content does.
    """
    import _struct

    best: "Tuple[int, int, List[Record]]" = (0, LAYOUTS[0][0], [])
    for size, order, tail in sorted(LAYOUTS, key=lambda layout: len(content) % layout[0] > 0):
        layout = _struct.Struct(order + HEAD + tail)
        records = [layout.unpack_from(content, at) for at in range(0, len(content) - size + 1, size)]
        sane = [one for one in records if 0 < one[0] <= LAST_TYPE and one[1] >= 0 and 0 <= one[10] < 10**6]
        score = size * sum(YOUNGEST < one[9] < OLDEST for one in sane)
        if score > best[0]:
            best = score, size, [_record(one) for one in sane if 0 <= one[9] < OLDEST]
        if 2 * score > len(content):
            break
    return best[1:]


def parse_session(content: bytes) -> "Dict[str, Value] | None":
    """A session of logind as a login; None of one that is no person's, or that is closing."""
    given = dict(line.partition(b"=")[::2] for line in content.split(b"\n"))
    if not given.get(b"CLASS", b"user").startswith(b"user") or given.get(b"STATE") == b"closing":
        return None
    number = [int(text) if text.isdigit() else 0 for text in (given.get(b"LEADER", b""), given.get(b"REALTIME", b""))]
    return {
        "user": given.get(b"USER") or given.get(b"UID", b""),
        "terminal": given.get(b"TTY") or given.get(b"DISPLAY") or given.get(b"SERVICE", b""),
        "source": given.get(b"REMOTE_HOST", b""),
        "pid": number[0],
        "since": number[1] / 1e6,
    }


def parse_btime(content: bytes) -> float:
    """When it was booted, in epoch seconds; 0 when /proc/stat does not say."""
    words = (b"\n" + content).partition(b"\nbtime ")[2].split(b"\n")[0]
    return float(words) if words.isdigit() and len(words) <= 12 else 0.0


def newest(release: bytes, installed: "List[bytes]") -> bytes:
    """The newest kernel that is installed, when it is newer than `release` and of its kind (`-amd64`, `.x86_64`)."""
    installed = [name for name in installed if name != release]
    if not installed:
        return b""
    kind, version = _version(release)
    newer = [(_version(name)[1], name) for name in installed if _version(name)[0] == kind]
    return max([one for one in newer if one[0] > version] or [((), b"")])[1]


def _version(release: bytes) -> "Tuple[Any, Tuple[int, ...]]":
    import re

    tail = re.search(rb"[-.]([A-Za-z][\w+]*(?:-[A-Za-z][\w+]*)*)$", release)
    base = re.sub(rb"\.(?:el|fc)\d.*", b"", release[: tail.start()] if tail else release)
    return (tail and tail.group(1), b"uek" in release), tuple(int(digits) for digits in re.findall(rb"\d{1,9}", base))


def _record(fields: "Tuple[Any, ...]") -> "Record":
    terminal, user, origin = (fields[place].split(b"\0")[0] for place in (2, 4, 5))
    return fields[0], fields[1], terminal, user, origin or _address(fields[11]), fields[9] + fields[10] / 1e6


def _address(raw: bytes) -> bytes:
    """IPv4 when only the first of its four words is set (utmp(5))."""
    if raw[4:] == bytes(12):
        return b"" if raw == bytes(16) else b"%d.%d.%d.%d" % tuple(raw[:4])
    return b":".join(b"%x" % (raw[at] << 8 | raw[at + 1]) for at in range(0, 16, 2))


def _logins(host: "Host") -> "Tuple[str, List[Dict[str, Value]]]":
    """Where they are from ("" when nothing tells who is logged in), and the logins whose process still runs."""
    try:
        alive: "Any" = host.processes()
    except OSError:
        alive = None  # cannot be known
    for path in (b"/run/utmp", b"/var/run/utmp"):
        content = _file(host, path)
        if content is not None:
            return "utmp", [
                {"user": user, "terminal": terminal, "source": origin, "pid": pid, "since": at}
                for kind, pid, terminal, user, origin, at in parse_utmp(content)[1]
                if kind == USER and (alive is None or pid in alive)
            ]
    try:
        names = host.names(b"/run/systemd/sessions")
    except OSError:
        return "", []
    sessions = [_file(host, b"/run/systemd/sessions/" + name) for name in names if not name.endswith(b".ref")]
    return "logind", [row for row in (parse_session(content) for content in sessions if content) if row]


def _records(host: "Host", began: str) -> "Tuple[str, List[Record]]":
    """The cursor `device:inode:offset`, and the records up to there. First contact gives the cursor alone.

    What is left of the file that was read before is sought in wtmp.1 when wtmp is another one now.
    """
    which, _, offset = began.encode("ascii", "replace").rpartition(b":")
    known = int(offset) if offset.isdigit() else 0

    def where(file: bytes, size: int) -> int:
        if file == which and known <= size:
            return known
        return 0 if began else size

    def where_rotated(file: bytes, size: int) -> int:
        return known if file == which else size

    reach = host.reach("people")
    try:
        file, begin, content = reach.part(b"/var/log/wtmp", where, MOST)
    except FileNotFoundError:
        return began, []
    except OSError:
        return "", []
    records: "List[Record]" = []
    if which and file != which:
        try:
            old, old_begin, rest = reach.part(b"/var/log/wtmp.1", where_rotated, MOST)
        except OSError:
            rest = b""
        if rest:
            size, records = parse_utmp(rest)
            if len(rest) == MOST:
                return "%s:%d" % (old.decode("ascii"), old_begin + len(rest) // size * size), records
            content = content[: MOST - len(rest)]
    size, more = parse_utmp(content)
    return "%s:%d" % (file.decode("ascii"), begin + len(content) // size * size), records + more


def _reboot(host: "Host") -> bytes:
    """Why it should be rebooted, b"" when nothing says so."""
    for path in (b"/run/reboot-required", b"/var/run/reboot-required"):
        if _file(host, path) is not None:
            packages = sorted(set((_file(host, path + b".pkgs") or b"").split()))
            return b"reboot-required: " + b" ".join(packages)[:400]
    release = host.text(b"/proc/sys/kernel/osrelease")
    kernels = [name[8:] for name in _names(host, b"/boot") if name.startswith(b"vmlinuz-")]
    if release not in kernels:
        kernels = _names(host, b"/lib/modules")
    better = newest(release, kernels) if release in kernels else b""
    return b"kernel %s is installed, %s runs" % (better, release) if better else b""


def _names(host: "Host", path: bytes) -> "List[bytes]":
    try:
        return host.names(path)
    except OSError:
        return []


def _file(host: "Host", path: bytes) -> "bytes | None":
    try:
        return host.read(path)
    except OSError:
        return None
