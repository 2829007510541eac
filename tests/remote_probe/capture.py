"""Captures this machine: `python3 -m tests.remote_probe.capture DIR` copies every file the probe reads to DIR.

What comes from system calls is written to DIR/calls, in the form that `remote_probe.__main__.Captured` reads.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from remote_probe import collectors
from remote_probe.__main__ import report
from remote_probe.host import Host

if TYPE_CHECKING:
    from remote_probe.host import Usage


class Recorder(Host):
    """The machine itself, which also keeps what it answered under `folder`."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def read(self, path: bytes) -> bytes:
        content = super().read(path)
        self.keep(os.fsdecode(path), content)
        return content

    def names(self, path: bytes) -> list[bytes]:
        names = super().names(path)
        if path != b"/proc":  # of the processes, those whose files are read
            for name in names:
                (self.folder / os.fsdecode(path).lstrip("/") / os.fsdecode(name)).mkdir(parents=True, exist_ok=True)
        return names

    def now(self) -> float:
        now = super().now()
        self.keep("calls/clock", b"%.6f\n" % now)
        return now

    def machine(self) -> str:
        self.keep("calls/machine", super().machine().encode() + b"\n")
        return super().machine()

    def addresses(self) -> bytes:
        dump = super().addresses()
        self.keep("calls/addresses", dump)
        return dump

    def usage(self, mountpoints: Sequence[bytes]) -> dict[bytes, Usage]:
        answers = super().usage(mountpoints)
        lines = (b"%s %s\n" % (_words(answer), _escaped(name)) for name, answer in answers.items())
        self.keep("calls/usage", b"".join(lines))
        return answers

    def keep(self, path: str, content: bytes) -> None:
        file = self.folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def _words(answer: Usage) -> bytes:
    return (answer if isinstance(answer, str) else " ".join(map(str, answer))).encode()


def _escaped(name: bytes) -> bytes:
    return b"".join(b"\\%03o" % byte if byte in b" \t\n\\" else bytes([byte]) for byte in name)


def main(folder: str) -> None:
    xml = report(Recorder(Path(folder)), collectors.NAMES)
    Path(folder, "expected.xml").write_bytes(xml)


if __name__ == "__main__":
    main(sys.argv[1])
