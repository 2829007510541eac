"""The journal on a disk that is full, a real one: a tmpfs of a namespace of the test's own."""

from __future__ import annotations

import ast
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.site import Site

SIZE = 640 * 1024
# Who is not root may mount only in a namespace of users as well.
USERS = [] if os.geteuid() == 0 else ["--user"]


class SmallDisk:
    """A folder with SIZE bytes of room. It is there only for programs in the namespace of `holder`."""

    def __init__(self, folder: Path, holder: int) -> None:
        self.folder = folder
        self.enter = ["nsenter", f"--target={holder}", *USERS, "--mount", "--preserve-credentials"]
        self._ballast = Path(f"/proc/{holder}/root{folder}/ballast")

    def fill(self) -> None:
        """Takes what room there is."""
        with self._ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))

    def clear(self) -> None:
        self._ballast.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Nothing is mounted for anybody but the test."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = f"mount -t tmpfs -o size={SIZE},mode=700 none '{folder}' && echo ready && exec cat"
    words = ["unshare", *(["--map-root-user"] if USERS else []), "--mount", "sh", "-c", mount]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as holder:
        assert holder.stdin and holder.stdout and holder.stderr
        if holder.stdout.readline() != b"ready\n":
            pytest.skip(f"no file system can be mounted here: {holder.stderr.read().decode().strip()}")
        yield SmallDisk(folder, holder.pid)
        holder.stdin.close()


class SiteThere(Site):
    """A site whose journal is on the small disk."""

    disk: SmallDisk

    def command(self, *words: str) -> list[str]:
        return [*self.disk.enter, *super().command(*words)]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        ask = f"import sqlite3; print(sqlite3.connect({str(self.journal)!r}).execute({sql!r}).fetchall())"
        out = subprocess.run([*self.disk.enter, sys.executable, "-c", ask], capture_output=True, text=True, check=True)
        found: list[tuple[Any, ...]] = ast.literal_eval(out.stdout)
        return found


@pytest.fixture
def there(site: Site, disk: SmallDisk) -> SiteThere:
    site.__class__ = SiteThere
    assert isinstance(site, SiteThere)
    site.disk = disk
    site.journal = disk.folder / "poller.db"
    site.write('<host name="me" address="local"/>')
    site.config.write_text(site.config.read_text().replace('"poller.db"', f'"{site.journal}"'))
    return site


def check_full(site: SiteThere) -> None:
    """Every command that writes says so, and readers still read."""
    for words in (("run", "-q"), ("run", "-q", "--host", "me"), ("db", "prune")):
        run = site.poller(*words, code=74)
        assert run.stderr.startswith(f"poller: {site.journal}: ")
        assert len(run.stderr.splitlines()) == 2
        assert run.stdout == ""


def test_a_first_round_on_a_full_disk_is_a_sentence_and_74(there: SiteThere) -> None:
    there.disk.fill()
    run = there.poller("run", "-q", code=74)
    assert "the disk is full" in run.stderr
    there.disk.clear()
    there.poller("run", "-q")
    assert there.rows("SELECT outcome FROM poll") == [("ok",)]


def test_a_disk_that_fills_up_loses_nothing_stored_and_the_next_round_with_room_goes_on(there: SiteThere) -> None:
    there.poller("run", "-q")
    there.disk.fill()
    check_full(there)
    assert "me" in there.poller("status").stdout
    there.disk.clear()
    assert there.rows("PRAGMA integrity_check") == [("ok",)]
    assert there.rows("SELECT (SELECT count(*) FROM poll), (SELECT count(*) FROM system_sample)") == [(1, 1)]
    there.poller("run", "-q")
    assert there.rows("SELECT count(*) FROM poll WHERE outcome = 'ok'") == [(2,)]
    assert there.rows("PRAGMA integrity_check") == [("ok",)]
