"""A folder of logs, a probe that reads them, and what remembers the cursors between: the least of a poller."""

from __future__ import annotations

import gzip
import os
import shutil
import time
from pathlib import Path
from typing import Any

from remote_probe.collectors import logs
from remote_probe.host import Host

PATIENCE = 10.0


class Reader:
    """Polls one configured log; `lines` are all that came so far, each with the path it was told for."""

    def __init__(self, root: Path, path: str = "/log/app.log", *, start: bool = True, **more: Any) -> None:
        self.root = root
        self.folder = root / "log"
        self.folder.mkdir(exist_ok=True)
        self.file = self.folder / "app.log"
        self.log = {"name": "app", "path": path, "start": start, **more}
        self.cursors: dict[str, str] = {}
        self.lines: list[bytes] = []
        self.sources: dict[str, dict[str, Any]] = {}

    def poll(self, lines: int = 10_000, size: int = 2 << 20, *, keep: bool = True) -> list[bytes]:
        """What one poll brings. With `keep` False it is as if its answer was lost."""
        options = {"logs": {"logs": [self.log], "lines": lines, "bytes": size}}
        host = Host(os.fsencode(self.root), options=options, cursors={"logs": {"app": dict(self.cursors)}})
        texts: list[bytes] = []
        sources: dict[str, dict[str, Any]] = {}
        cursors = dict(self.cursors)
        for element, values in logs.read(host):
            if element == "log":
                name = os.fsdecode(values["path"])  # type: ignore[arg-type]
                assert values["began"] == cursors.get(name, "")
                assert name not in sources
                cursors[name] = str(values["cursor"])
                sources[name] = dict(values)
            else:
                assert os.fsdecode(values["path"]) in sources  # type: ignore[arg-type]
                texts.append(bytes(values["text"]))  # type: ignore[arg-type]
        if keep:
            self.cursors, self.sources = cursors, sources
            self.lines += texts
        return texts

    @property
    def source(self) -> dict[str, Any]:
        return self.sources["/log/app.log"]


class Writer:
    """Writes numbered lines; knows those of which nothing was lost."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.number = 0
        self.all: list[bytes] = []

    def write(self, count: int = 1, *, text: bytes = b"", end: bytes = b"\n") -> list[bytes]:
        written = []
        with self.file.open("ab") as file:
            for _ in range(count):
                self.number += 1
                written.append(b"line %d %s" % (self.number, text))
                file.write(written[-1] + end)
        self.all += written
        return written


def tick(folder: Path) -> None:
    """Waits until a file that is written now is younger than one that was written before: a few milliseconds."""
    probe = folder / ".tick"
    probe.write_bytes(b"")
    first = probe.stat().st_mtime_ns
    until = time.monotonic() + PATIENCE
    while probe.stat().st_mtime_ns == first:
        assert time.monotonic() < until
        probe.write_bytes(b"x")
    probe.unlink()


def rename(file: Path, *, packed: bool = False, create: bool = True, keep: int = 9) -> None:
    """What logrotate(8) does by default: 1 becomes 2, the file becomes 1, and a new one is made."""
    for number in range(keep, 0, -1):
        for end in ("", ".gz"):
            old = file.with_name(f"{file.name}.{number}{end}")
            if old.exists():
                old.rename(file.with_name(f"{file.name}.{number + 1}{end}")) if number < keep else old.unlink()
    first = file.with_name(file.name + ".1")
    if file.exists():
        file.rename(first)
        if packed:
            pack(first)
    if create:
        file.touch()


def copy_truncate(file: Path, *, packed: bool = False) -> None:
    """What it does when told `copytruncate`."""
    aside = file.with_name("aside")
    shutil.copy(file, aside)
    rename_rest = file.with_name(file.name + ".kept")
    file.rename(rename_rest)
    rename(file, create=False)
    rename_rest.rename(file)
    first = file.with_name(file.name + ".1")
    aside.rename(first)
    os.truncate(file, 0)
    if packed:
        pack(first)


def pack(file: Path) -> None:
    """As gzip(1): the time of the file stays."""
    state = file.stat()
    packed = file.with_name(file.name + ".gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    os.utime(packed, ns=(state.st_atime_ns, state.st_mtime_ns))
    file.unlink()
