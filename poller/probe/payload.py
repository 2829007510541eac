"""The probe's source -> the bytes that run it on a host, and the command that takes them from standard input.

    length of the loader in decimal, newline | loader | zlib(name NUL text NUL name NUL text ...)

The modules are found in the package `remote_probe`, never listed; of the collectors only those asked for travel, and
the one for hosts without /proc (elsewhere.py) only where there may be none. They travel as they stand in the tree,
line by line, comments too, only without docstrings. The same source gives the same bytes.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from remote_probe.collectors import NAMES

if TYPE_CHECKING:
    from importlib.abc import Traversable

SECTIONS: Final[tuple[str, ...]] = NAMES
PACKAGE: Final = "remote_probe"
LOADER: Final = f"{PACKAGE}/loader.py"
# Never sent: the loader goes before the bundle, the other is for people.
_STAYS: Final = (LOADER, f"{PACKAGE}/__main__.py")
# What a watch needs beside its own package: the collectors of what it reads anew.
WATCHING: Final = ("watching", "usb", "devices", "mounts", "network")
_building: Final = threading.Lock()
# As our formatter writes them. A fifth of what would be sent, and nothing that runs.
_DOCSTRING: Final = re.compile(r'^ *r?"""(?:.|\n)*?"""\n', re.MULTILINE)
# Frozen, because it also stands in authorized_keys and sudoers: no newline, no backslash, none of ' ! $ * ? [ inside.
BOOTSTRAP: Final = "import sys;f=sys.stdin.buffer;exec(f.read(int(f.readline())))"


@dataclass(frozen=True, slots=True)
class Payload:
    """`data` is what is sent before the first request; `digest` is the hex SHA-256 of the uncompressed bundle.

    `modules` maps the names of the files that travel to their text, the loader first.
    """

    data: bytes
    digest: str
    sections: tuple[str, ...]
    modules: Mapping[str, str]


def command(python: str = "python3", become: str = "no") -> str:
    """The shell command that runs a payload from its standard input. `become` is "no" or "sudo"."""
    sudo = "sudo -n " if become == "sudo" else ""
    return f"exec {sudo}{shlex.quote(python)} -IS -c '{BOOTSTRAP}'"


def build(sections: Sequence[str] = SECTIONS, *, elsewhere: bool = False, watch: bool = False) -> Payload:
    """The payload that can answer for these sections, with `elsewhere` also where there is no /proc.

    With `watch` it can push what happens, too. Raises ValueError for a section that does not exist.
    """
    unknown = sorted(set(sections) - set(SECTIONS))
    if unknown:
        raise ValueError(f"no such section: {', '.join(unknown)}")
    with _building:  # many threads want the same one at the same moment
        return _build(tuple(name for name in SECTIONS if name in sections), elsewhere, watch)


@lru_cache(maxsize=64)
def _build(sections: tuple[str, ...], elsewhere: bool, watch: bool) -> Payload:
    return pack(_sources(), sections, elsewhere=elsewhere, watch=watch)


def sources() -> dict[str, str]:
    """Every module of the far side: file name -> text."""
    return dict(_sources())


@cache
def _sources() -> dict[str, str]:
    return dict(sorted(_files(resources.files(PACKAGE), PACKAGE)))


def bare(text: str) -> str:
    """The module without its docstrings, every other line where it was, so that a traceback names the right ones."""
    return _DOCSTRING.sub(lambda found: "\n" * found[0].count("\n"), text)


def pack(
    sources: Mapping[str, str], sections: tuple[str, ...], *, elsewhere: bool = False, watch: bool = False
) -> Payload:
    """The payload made of these sources."""
    wanted = {*sections, *(["elsewhere"] if elsewhere else []), *(WATCHING if watch else ())}
    bundled = {name: bare(text) for name, text in sources.items() if _travels(name, wanted)}
    plain = "\0".join(part for item in bundled.items() for part in item).encode()
    digest = hashlib.sha256(plain).hexdigest()
    packed = zlib.compress(plain, 9)
    loader = sources[LOADER] + f"start(f, {len(packed)}, {digest!r})\n"
    data = b"%d\n" % len(loader.encode()) + loader.encode() + packed
    return Payload(data, digest, sections, MappingProxyType({LOADER: loader, **bundled}))


def _files(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{path}/{entry.name}")
        elif entry.name.endswith(".py"):
            yield f"{path}/{entry.name}", entry.read_text("utf-8")


def _travels(name: str, wanted: Iterable[str]) -> bool:
    """Of a section travel its collector, its reach and their further modules: logs.py, logs_journal.py."""
    folder, _, file = name.rpartition("/")
    if folder in (f"{PACKAGE}/collectors", f"{PACKAGE}/reach") and file != "__init__.py":
        return file.removesuffix(".py").partition("_")[0] in wanted
    return name not in _STAYS and (folder != f"{PACKAGE}/watching" or "watching" in wanted)
