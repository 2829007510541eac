"""What happens to a config.xml, and the line that is to be named then."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.config.files import write

GOOD: Final = """<poller>
  <journal path="poller.db"/>
  <poll interval="60s" deadline="10s"/>
  <thresholds name="all">
    <threshold metric="cpu.percent" above="90" severity="high"/>
  </thresholds>
  <group name="lab" thresholds="all">
    <host name="pc[1-3]" address="192.0.2.[1-3]"/>
  </group>
  <host name="me" address="local"/>
</poller>
"""


def _changed(old: str, new: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        assert old in GOOD
        write(path.parent, GOOD.replace(old, new, 1), path.name)

    return change


def _bytes(data: bytes) -> Callable[[Path], None]:
    return lambda path: (write(path.parent, data, path.name), None)[1]


def _large(path: Path) -> None:
    with write(path.parent, GOOD, path.name).open("ab") as file:
        file.truncate(100 * 1024 * 1024)


def _linked(path: Path, mode: int) -> None:
    """A symbolic link to a file that others may write."""
    target = write(path.parent, GOOD, "target.xml")
    target.chmod(mode)
    path.symlink_to(target)


def _folder(path: Path) -> None:
    path.mkdir()


def _writable(path: Path) -> None:
    write(path.parent, GOOD, path.name).chmod(0o666)


def _unreadable_link(path: Path) -> None:
    path.symlink_to(path)


def _pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


LAUGHS: Final = "".join(f'<!ENTITY {chr(n)} "{f"&{chr(n - 1)};" * 10}">' for n in range(ord("b"), ord("k")))

BOMB: Final = f'<!DOCTYPE poller [<!ENTITY a "aaaaaaaaaa">{LAUGHS}]>'

EXTERNAL: Final = '<!DOCTYPE poller [<!ENTITY x SYSTEM "file:///etc/passwd">]>'

# What was done, and the line that is to be named (0: the whole file).
DAMAGES: Final[dict[str, tuple[Callable[[Path], None], int]]] = {
    "cut": (_bytes(GOOD[: GOOD.index("<host name")].encode()), 8),
    "a close tag dropped": (_changed("  </thresholds>\n", ""), 10),
    "a number that is none": (_changed('above="90"', 'above="many"'), 5),
    "a duration that is none": (_changed('deadline="10s"', 'deadline="soon"'), 3),
    "a port that is none": (_changed('address="local"', 'address="192.0.2.9" port="99999"'), 10),
    "a host twice": (_changed('name="me"', 'name="pc2"'), 10),
    "an unknown set of thresholds": (_changed('thresholds="all"', 'thresholds="al"'), 7),
    "an unknown metric": (_changed("cpu.percent", "cpu.percnt"), 5),
    "an unknown element": (_changed("<host name", "<hots name"), 8),
    "an unknown attribute": (_changed('severity="high"', 'severty="high"'), 5),
    "an unknown contact": (_changed('address="local"', 'address="local" notify="nobody"'), 10),
    "an entity bomb": (_bytes((BOMB + GOOD.replace('"me"', '"&j;"')).encode()), 1),
    "an external entity": (_bytes((EXTERNAL + GOOD.replace('"me"', '"&x;"')).encode()), 1),
    "UTF-16": (_bytes(GOOD.encode("utf-16")), 0),
    "UTF-16 without a mark": (_bytes(GOOD.encode("utf-16-le")), 0),
    "UTF-32": (_bytes(GOOD.encode("utf-32")), 0),
    "Latin-1": (_bytes(GOOD.replace('"lab"', '"l\xe4b"').encode("latin-1")), 7),
    "a NUL": (_bytes(GOOD.replace('"me"', '"m\0"').encode()), 10),
    "a control character": (_bytes(GOOD.replace('"me"', '"m\x1b[31m"').encode()), 10),
    "empty": (_bytes(b""), 0),
    "blank": (_bytes(b" \n\n"), 0),
    "no XML": (_bytes(b"poller: yes\n"), 1),
    "another document": (_bytes(b"<html><body/></html>"), 1),
    "100 MB": (_large, 0),
    "deep": (_bytes(b"<poller>" + b"<group name='g'>" * 5000), 1),
    "a link to a file that others may write": (lambda path: _linked(path, 0o666), 0),
    "a link to itself": (_unreadable_link, 0),
    "mode 0666": (_writable, 0),
    "a folder": (_folder, 0),
    "a pipe": (_pipe, 0),
    "absent": (lambda path: None, 0),
}  # fmt: skip

# What may stand there, and does no harm.
HARMLESS: Final[dict[str, Callable[[Path], None]]] = {
    "a byte order mark": _bytes(b"\xef\xbb\xbf" + GOOD.encode()),
    "lines of Windows": _bytes(GOOD.replace("\n", "\r\n").encode()),
    "a link to a file of ours": lambda path: _linked(path, 0o600),
    "readable by all": lambda path: write(path.parent, GOOD, path.name).chmod(0o644),
}
