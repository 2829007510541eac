"""The probe's source -> the bytes that run it on a host, and the command that takes them from standard input.

    length of the loader in decimal, newline | loader | zlib(name NUL text NUL name NUL text ...)

The modules are found in the package `remote_probe`, never listed; of the collectors only those asked for travel.
They travel as they are, comments too: what an administrator reads there is what runs. The same source gives
the same bytes.
"""

from __future__ import annotations

import hashlib
import shlex
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
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


def build(sections: Sequence[str] = SECTIONS) -> Payload:
    """The payload that can answer for these sections. Raises ValueError for one that does not exist."""
    unknown = sorted(set(sections) - set(SECTIONS))
    if unknown:
        raise ValueError(f"no such section: {', '.join(unknown)}")
    return _build(tuple(name for name in SECTIONS if name in sections))


@lru_cache(maxsize=16)
def _build(sections: tuple[str, ...]) -> Payload:
    return pack(sources(), sections)


def sources() -> dict[str, str]:
    """Every module of the far side: file name -> text."""
    return dict(sorted(_files(resources.files(PACKAGE), PACKAGE)))


def pack(sources: Mapping[str, str], sections: tuple[str, ...]) -> Payload:
    """The payload made of these sources."""
    bundled = {name: text for name, text in sources.items() if _travels(name, sections)}
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


def _travels(name: str, sections: Iterable[str]) -> bool:
    folder, _, file = name.rpartition("/")
    if folder == f"{PACKAGE}/collectors" and file != "__init__.py":
        return file.removesuffix(".py") in sections
    return name not in _STAYS
