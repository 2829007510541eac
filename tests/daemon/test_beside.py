"""A daemon is known by the lock that it holds; a name in an old lock file is nobody's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from poller.daemon.beside import holder
from poller.store import RoundLock


def test_who_only_left_his_name_is_no_daemon(tmp_path: Path) -> None:
    journal = tmp_path / "poller.db"
    assert holder(journal) == 0
    words = [sys.executable, "-c", "import sys; sys.stdin.read()", "daemon"]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as other:
        with RoundLock(journal):
            journal.with_name("poller.db.lock").write_bytes(b"%-20d\n" % other.pid)
            assert holder(journal) == other.pid
        assert holder(journal) == 0
