"""Section `units`: the systemd units that failed, and those asked for by name: systemctl(1), as few calls as it takes.

A host without systemd (OpenRC, sysvinit, most containers) has no units, and the section is absent.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, List, Sequence

    from remote_probe.host import Host, Rows, Value

SECONDS = 5.0
FIELDS = {"LoadState": "load", "ActiveState": "active", "SubState": "sub", "Description": "description"}


def read(host: "Host") -> "Rows":
    """Raises FileNotFoundError without systemd, OSError when it runs and does not answer."""
    runs_systemd(host)
    count = _call(host, "show", "-p", "NFailedUnits").partition(b"=")[2].strip()
    if not count:
        raise OSError("systemctl gives no answer")
    asked = sorted(set(host.options.get("units", {}).get("units", ())))
    ids = set()
    if asked:
        shown = _call(host, "show", "-p", "Id," + ",".join(FIELDS), "--", *asked)
        for row in parse_show(shown, asked):
            ids.add(row.pop("id"))
            yield "unit", row
    if count != b"0":
        listed = _call(host, "list-units", "--state=failed", "--plain", "--no-legend", "--full", "--all")
        for row in parse_list(listed):
            if row["unit"] not in ids:  # else it is there already, perhaps by another of its names
                yield "unit", row


def runs_systemd(host: "Host") -> None:
    """As sd_booted(3) finds out. Raises FileNotFoundError that names what runs instead."""
    try:
        host.names(b"/run/systemd/system")
    except FileNotFoundError:
        try:
            host.names(b"/run/openrc")
            init = "OpenRC"
        except OSError:
            init = host.text(b"/proc/1/comm").decode("ascii", "replace") or "unknown"
        raise FileNotFoundError("systemd does not run here (init: %s)" % init) from None


def parse_show(content: bytes, asked: "Sequence[str]") -> "Iterator[Dict[str, Value]]":
    """A block of NAME=VALUE lines for each unit, in the order they were asked for; `id` is its main name."""
    blocks = content.strip(b"\n").split(b"\n\n")
    if len(blocks) != len(asked):
        raise ValueError("systemctl shows %d units of %d" % (len(blocks), len(asked)))
    for unit, block in zip(asked, blocks):
        given = dict(line.partition(b"=")[::2] for line in block.split(b"\n"))
        row: "Dict[str, Value]" = {"id": given.get(b"Id", b""), "unit": unit}
        row.update((name, given.get(key.encode("ascii"), b"")) for key, name in FIELDS.items())
        yield row


def parse_list(content: bytes) -> "List[Dict[str, Value]]":
    """A line for each: unit, load, active, sub, description; older versions put a mark before it."""
    rows: "Dict[bytes, Dict[str, Value]]" = {}
    for line in content.split(b"\n"):
        words = line.split(None, 4)
        if words and b"." not in words[0]:
            words = line.split(None, 5)[1:]
        if len(words) > 3:
            row: "Dict[str, Value]" = {"unit": words[0]}
            row.update(zip(FIELDS.values(), [*words[1:], b""]))
            rows[words[0]] = row
    return list(rows.values())


def _call(host: "Host", *words: str) -> bytes:
    return host.run(("systemctl", "--no-pager", *words), SECONDS)
