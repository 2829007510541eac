"""What rotation makes of the name of a log: logrotate(8) numbers it or adds a date, and may compress it.

auth.log -> auth.log.1 -> auth.log.2.gz, auth.log-20261121, auth-20261121.log, auth.log.old
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Set

PACKED = (b".gz", b".xz", b".bz2", b".zst")
LEFT = rb"(.+?)(?:\.[0-9]{1,3}|[.-][0-9]{4}[0-9.-]*|\.old)(\.[a-z]\w*?)??(?:\.(?:gz|xz|bz2|zst))?$"


def parse_bases(name: bytes) -> "Set[bytes]":
    """Of which logs a file may be what rotation left; a date may stand before the last part of the name."""
    import re

    match = re.match(LEFT, name)
    return {match.group(1) + (match.group(2) or b"")} if match else set()


def parse_own(paths: "List[bytes]") -> "List[bytes]":
    """Those of the paths that are no leftovers of others, and not compressed."""
    known = set(paths)
    own = []
    for path in paths:
        folder, slash, name = path.rpartition(b"/")
        bases = {folder + slash + base for base in parse_bases(name)}
        if not bases & known and not name.endswith(PACKED):
            own.append(path)
    return own


def parse_number(name: bytes, base: bytes) -> "Optional[int]":
    import re

    match = re.match(rb"\.([0-9]{1,5})(\.gz)?$", name[len(base) :])
    return int(match.group(1)) if match else None


def parse_order(names: "List[bytes]", base: bytes) -> "List[bytes]":
    """Oldest first where the names are numbered: 2, 1, 0. Others stand before them, by name."""
    numbers = {name: parse_number(name, base) for name in names}
    return sorted(names, key=lambda name: (-(1 << 20 if numbers[name] is None else numbers[name] or 0), name))
