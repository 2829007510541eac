"""A copy made while the poller works is complete as of one moment."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from poller.errors import StoreError, UsageError
from poller.store import Journal
from poller.store.backup import backup
from tests.store.machines import CORES, START_MS, poll, values


def test_a_database_in_use_is_copied_whole_and_can_be_put_in_its_place(path: Path, tmp_path: Path) -> None:
    begun, stop = threading.Event(), threading.Event()

    def write() -> None:
        with Journal.open(path, now_ms=START_MS) as journal:
            for minute in range(100_000):
                with journal.transaction() as work:
                    work.store_poll(poll("web1", minute), values(1))
                if minute == 5:
                    begun.set()
                if stop.is_set():
                    return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert begun.wait(30)
        size = backup(path, tmp_path / "copy.db")
    finally:
        stop.set()
        writer.join(30)
    copy = tmp_path / "copy.db"
    assert size == copy.stat().st_size
    assert copy.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.part"))
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        polls = connection.execute("SELECT COUNT(*) FROM poll").fetchone()[0]
        assert polls >= 6
        assert connection.execute("SELECT COUNT(*) FROM core_sample").fetchone() == (polls * len(CORES),)
    with Journal.open(copy, now_ms=START_MS) as journal, journal.transaction() as work:
        assert work.store_poll(poll("web1", 200_000), values(1))


def test_a_file_that_exists_is_never_overwritten(journal: Journal, path: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    with pytest.raises(UsageError, match="exists"):
        backup(path, target)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="exists"):
        backup(path, tmp_path / "link")
    assert target.read_text() == "precious"


def test_a_place_that_cannot_be_written_is_a_sentence(journal: Journal, path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        backup(path, tmp_path / "nowhere" / "copy.db")


def test_without_a_database_there_is_nothing_to_copy(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no database yet"):
        backup(path, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()
