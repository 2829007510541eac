"""Captures this machine: `python3 -m tests.remote_probe.capture DIR` copies every file the probe reads to DIR.

Links are copied as links, inside DIR. What comes from system calls and commands is written to DIR/calls, in the form
that `remote_probe.__main__.Captured` reads. What a request would ask for stands in DIR/calls/options.json, if that is
there before. Logs, accounts, addresses and serial numbers are in the copy: look at it before you give it away.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from remote_probe import collectors
from remote_probe.__main__ import Captured, file_of, report
from remote_probe.host import Host

if TYPE_CHECKING:
    from remote_probe.host import Usage

# Bytes of a log or an accounting file that are copied: its end.
END: Final = 64 * 1024
# Links that are another one for each process that follows them.
OWN: Final = ("/proc/self", "/proc/thread-self", "/proc/net")


class Recorder(Host):
    """The machine itself, which also keeps what it answered under `folder`."""

    def __init__(self, folder: Path) -> None:
        asked = folder / "calls" / "options.json"
        super().__init__(options=json.loads(asked.read_text()) if asked.exists() else None)
        self.folder = folder
        self._kept: set[str] = set()

    def read(self, path: bytes) -> bytes:
        content = super().read(path)
        if not path.endswith(b"/environ"):  # where people keep passwords; it tells no more than the poller's connection
            self.keep(os.fsdecode(path), content)
        return content

    def names(self, path: bytes) -> list[bytes]:
        names = super().names(path)
        self.place(os.fsdecode(path)).mkdir(parents=True, exist_ok=True)
        if path != b"/proc":  # of the processes, those whose files are read
            for name in names:
                self.note(os.fsdecode(path), os.fsdecode(name))
        return names

    def link(self, path: bytes) -> bytes:
        self.place(os.fsdecode(path))
        return super().link(path)

    def now(self) -> float:
        now = super().now()
        self.keep("/calls/clock", b"%.6f\n" % now)
        return now

    def machine(self) -> str:
        self.keep("/calls/machine", super().machine().encode() + b"\n")
        return super().machine()

    def addresses(self) -> bytes:
        dump = super().addresses()
        self.keep("/calls/addresses", dump)
        return dump

    def diag(self) -> bytes:
        dump = super().diag()
        self.keep("/calls/diag", dump)
        return dump

    def usage(self, mountpoints: Sequence[bytes]) -> dict[bytes, Usage]:
        answers = super().usage(mountpoints)
        lines = (b"%s %s\n" % (_words(answer), _escaped(name)) for name, answer in answers.items())
        self.keep("/calls/usage", b"".join(lines))
        return answers

    def run(self, command: Sequence[str], seconds: float) -> bytes:
        output = super().run(command, seconds)
        self.keep(f"/calls/run/{file_of(command)}", output)
        return output

    def reach(self, section: str) -> Any:
        return Kept(super().reach(section), self)

    def keep(self, path: str, content: bytes) -> None:
        """What is read again stays as it was the first time."""
        if path not in self._kept:
            self._kept.add(path)
            file = self.place(path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)

    def note(self, folder: str, name: str) -> None:
        """That there is such a name, and what it is; files stay empty unless they are read."""
        path = f"{folder}/{name}"
        copy = self.place(path)
        if os.path.isdir(path):  # noqa: PTH112 -- as the machine spells it
            copy.mkdir(parents=True, exist_ok=True)
        elif os.path.isfile(path) and not copy.exists():  # noqa: PTH113
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.touch()

    def place(self, path: str) -> Path:
        """Where the copy of a file is; makes the links on the way to it, so that they lead to the same copy."""
        real, parts = "", path.strip("/").split("/")
        for _ in range(100):
            if not parts:
                break
            real += f"/{parts.pop(0)}"
            if os.path.islink(real) and real not in OWN:  # noqa: PTH114
                target = os.path.normpath(os.path.join(os.path.dirname(real), os.readlink(real)))  # noqa: PTH115, PTH118, PTH120
                self._symlink(self.folder / real[1:], self.folder / target[1:])
                real, parts = "", [*target.strip("/").split("/"), *parts]
        return self.folder / real[1:]

    def _symlink(self, copy: Path, target: Path) -> None:
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.is_symlink():
            copy.symlink_to(os.path.relpath(target, copy.parent))


class Kept:
    """What one section alone does to the machine, copied in the form that `Captured` has for it."""

    def __init__(self, reach: Any, recorder: Recorder) -> None:
        self._reach = reach
        self._recorder = recorder

    def __getattr__(self, method: str) -> Callable[..., Any]:
        real = getattr(self._reach, method)

        def kept(*arguments: Any) -> Any:
            answer = real(*arguments)
            if isinstance(answer, bytes) and method not in ("path",):
                self._recorder.keep(f"/calls/{method}", answer)
            elif arguments and isinstance(arguments[0], bytes) and method in ("open", "part", "tail", "read"):
                self._ending(os.fsdecode(arguments[0]))
            return answer

        return kept

    def run(self, command: Sequence[str], seconds: float) -> Any:
        """A check: its exit status, seconds and output."""
        status, output, errors, took = self._reach.run(command, seconds)
        self._recorder.keep(f"/calls/checks/{file_of(command)}", b"%d %.6f\n%s" % (status, took, output))
        return status, output, errors, took

    def zones(self) -> str:
        zones: str = self._reach.zones()
        self._recorder.keep("/calls/zone", zones.encode() + b"\n")
        return zones

    def processes(self, inodes: set[bytes]) -> Any:
        """The links in /proc/PID/fd that lead to one of these sockets."""
        for process in Path("/proc").glob("[0-9]*"):
            for number, inode in _sockets(process):
                if inode in inodes:
                    copy = self._recorder.folder / str(process)[1:] / "fd" / number
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    if not copy.is_symlink():
                        copy.symlink_to(f"socket:[{inode.decode()}]")
        return self._reach.processes(inodes)

    def _ending(self, path: str) -> None:
        """The last of a file, from the beginning of a line."""
        content = Path(path).read_bytes()[-END:] if Path(path).is_file() else b""
        whole = Path(path).stat().st_size <= END if content else True
        self._recorder.keep(path, content if whole else content.partition(b"\n")[2])


def _sockets(process: Path) -> list[tuple[str, bytes]]:
    """(descriptor, inode) of the sockets of a process; none where that may not be known."""
    try:
        links = [(link.name, os.readlink(link)) for link in (process / "fd").iterdir()]  # noqa: PTH115
    except OSError:
        return []
    return [(name, target[8:-1].encode()) for name, target in links if target.startswith("socket:[")]


def _words(answer: Usage) -> bytes:
    return (answer if isinstance(answer, str) else " ".join(map(str, answer))).encode()


def _escaped(name: bytes) -> bytes:
    return b"".join(b"\\%03o" % byte if byte in b" \t\n\\" else bytes([byte]) for byte in name)


def main(folder: str) -> None:
    report(Recorder(Path(folder)), collectors.NAMES)
    os.environ["TZ"] = "UTC"
    time.tzset()
    xml = report(Captured(os.fsencode(folder)), collectors.NAMES)
    Path(folder, "expected.xml").write_bytes(xml)


if __name__ == "__main__":
    main(sys.argv[1])
