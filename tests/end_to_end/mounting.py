"""An sshd with mounts of its own, which everybody on it shares."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.sshd import MakeSshd, Sshd


@pytest.fixture
def sshd(make_sshd: MakeSshd) -> Iterator[Sshd]:
    server = make_sshd()
    server.stop()
    server.within = ("unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--mount")
    server.start(server.port)
    server.trust()
    yield server


def mount(server: Sshd, place: Path) -> None:
    """Something at a new folder `place`, for all who are logged in there: at least one is."""
    place.mkdir()
    within = ["nsenter", f"--mount=/proc/{server.children()[0]}/ns/mnt"]
    subprocess.run([*within, "mount", "-t", "tmpfs", "none", str(place)], check=True)
