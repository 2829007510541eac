"""A disk of a test's own, of any size: a tmpfs in a namespace, which is gone with the test."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

# Who is not root may mount only in a namespace of users as well.
USERS = [] if os.geteuid() == 0 else ["--user"]


class SmallDisk:
    """`folder` is the place of the disk for programs in the namespace (`enter` goes before their words).

    `outside` is the same place for everybody else, so also for the test itself.
    """

    def __init__(self, folder: Path, holder: int) -> None:
        self.folder = folder
        self.enter = ["nsenter", f"--target={holder}", *USERS, "--mount", "--preserve-credentials"]
        self.outside = Path(f"/proc/{holder}/root{folder}")
        self._ballast = self.outside / "ballast"

    def fill(self, leave: int = 0) -> None:
        """Takes what room there is, but for about `leave` bytes."""
        with self._ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while self.free > leave:
                file.write(bytes(4096))

    def clear(self) -> None:
        self._ballast.unlink()

    @property
    def free(self) -> int:
        found = os.statvfs(self.outside)
        return found.f_bavail * found.f_frsize


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[SmallDisk]:
    """Nothing is mounted for anybody but the test."""
    folder.mkdir()
    mount = f"mount -t tmpfs -o size={size},mode=700 none '{folder}' && echo ready && exec cat"
    words = ["unshare", *(["--map-root-user"] if USERS else []), "--mount", "sh", "-c", mount]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as holder:
        assert holder.stdin and holder.stdout and holder.stderr
        ready = holder.stdout.readline() == b"ready\n"
        assert ready, f"no file system can be mounted here: {holder.stderr.read().decode().strip()}"
        try:
            yield SmallDisk(folder, holder.pid)
        finally:
            holder.stdin.close()
