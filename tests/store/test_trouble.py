"""A storage fault is a sentence and a way out, never a traceback and never half a poll."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from poller.errors import StoreError
from poller.store import Journal, views
from poller.store.faults import store_error
from poller.store.sql import statements
from tests.store.conftest import Ask
from tests.store.machines import START_MS, failed, poll, values


def refusal(action: Callable[[], object]) -> StoreError:
    with pytest.raises(StoreError) as caught:
        action()
    assert caught.value.hint
    assert "\n" not in caught.value.sentence
    return caught.value


def opening(path: Path) -> StoreError:
    return refusal(lambda: Journal.open(path, now_ms=START_MS))


def test_a_new_database_is_for_its_owner_alone(journal: Journal, path: Path) -> None:
    old = os.umask(0)
    try:
        with journal.transaction() as work:
            work.store_poll(poll("web1"), values(1))
        for file in path.parent.iterdir():
            assert file.stat().st_mode & 0o777 == 0o600, file
    finally:
        os.umask(old)


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    Journal.open(tmp_path / "state" / "poller" / "poller.db", now_ms=START_MS).close()
    assert (tmp_path / "state" / "poller").stat().st_mode & 0o777 == 0o700


def test_the_file_is_set_up_to_shrink_to_survive_and_to_be_read_while_written(journal: Journal) -> None:
    def pragma(name: str) -> object:
        return journal._connection.execute(f"PRAGMA {name}").fetchone()[0]

    assert pragma("auto_vacuum") == 2
    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2
    assert pragma("foreign_keys") == 1
    assert pragma("busy_timeout") == 10_000
    assert pragma("journal_size_limit") == 64 << 20


def test_a_full_disk_loses_the_batch_but_nothing_before_it(journal: Journal, ask: Ask) -> None:
    with journal.transaction() as work:
        work.store_poll(poll("web1"), values(1))
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages + 4}")

    def fill() -> None:
        for minute in range(2, 200):
            with journal.transaction() as work, work.savepoint():
                work.store_poll(poll("web1", minute), values(minute))

    assert "disk is full" in refusal(fill).sentence
    stored = ask("SELECT COUNT(*) FROM poll")[0][0]
    assert ask("SELECT COUNT(DISTINCT at_ms) FROM core_sample") == [(stored,)]
    assert ask("PRAGMA integrity_check") == [("ok",)]
    journal._connection.execute("PRAGMA max_page_count = 1000000")
    with journal.transaction() as work:
        assert work.store_poll(poll("web1", 500), values(1))


def test_a_database_that_may_only_be_read(journal: Journal) -> None:
    journal._connection.execute("PRAGMA query_only = ON")

    def write() -> None:
        with journal.transaction() as work:
            work.store_poll(poll("web1"), values(1))

    assert refusal(write).code == "readonly"


def test_a_database_that_another_program_keeps_locked(journal: Journal, path: Path) -> None:
    journal._connection.execute("PRAGMA busy_timeout = 20")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")

        def write() -> None:
            with journal.transaction():
                pass

        assert refusal(write).code == "locked"
        assert views.hosts(path) == ()


def test_a_file_that_is_not_a_database(path: Path) -> None:
    path.write_text("to be, or not to be " * 500)
    path.chmod(0o600)
    assert opening(path).code == "foreign"
    assert refusal(lambda: views.hosts(path)).code == "foreign"
    assert path.read_text().startswith("to be")


def test_a_database_of_another_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE host (name TEXT)")
    path.chmod(0o600)
    assert "belongs to another program" in opening(path).sentence


def test_a_damaged_database(path: Path) -> None:
    with Journal.open(path, now_ms=START_MS) as journal:
        for minute in range(30):
            with journal.transaction() as work:
                work.store_poll(poll("web1", minute), values(minute))
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(4096 * 20))

    def use() -> None:
        with Journal.open(path, now_ms=START_MS) as journal, journal.transaction() as work:
            work.store_poll(poll("web1", 99), values(1))

    assert refusal(use).code == "corrupt"


def test_no_database_yet(path: Path) -> None:
    error = refusal(lambda: views.hosts(path))
    assert error.code == "absent"
    assert "poller run" in error.hint
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o660, 0o602])
def test_a_file_that_others_may_write_is_refused(path: Path, mode: int) -> None:
    Journal.open(path, now_ms=START_MS).close()
    path.chmod(mode)
    assert "chmod go-w" in opening(path).hint
    path.chmod(0o640)
    Journal.open(path, now_ms=START_MS).close()


def test_a_folder_in_which_everyone_may_replace_files_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    assert "everyone may replace" in opening(folder / "poller.db").sentence
    folder.chmod(0o1777)
    Journal.open(folder / "poller.db", now_ms=START_MS).close()


def test_a_folder_a_pipe_or_a_dangling_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "file").write_text("")
    assert opening(tmp_path / "folder").code == "file"
    assert opening(tmp_path / "pipe").code == "file"
    opening(tmp_path / "file" / "poller.db")


def test_only_our_own_or_roots_symbolic_link_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Journal.open(tmp_path / "real.db", now_ms=START_MS).close()
    link = tmp_path / "link.db"
    link.symlink_to("real.db")
    Journal.open(link, now_ms=START_MS).close()
    if os.geteuid() == 0:
        os.lchown(link, 12345, 12345)
    else:  # cannot give it away, so be somebody else
        monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    assert opening(link).code == "link"


def test_whatever_else_sqlite_says_is_passed_on_with_the_file(path: Path) -> None:
    error = store_error(sqlite3.OperationalError("something new"), path)
    assert str(path) in error.sentence
    assert "something new" in error.sentence


def test_a_fault_inside_a_batch_that_sqlite_gave_up_is_told_apart(journal: Journal) -> None:
    def lose() -> None:
        with journal.transaction() as work, work.savepoint():
            work.store_poll(failed("web1"), ())
            journal._connection.execute("ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")

    error = refusal(lose)
    assert error.code == "aborted"
    assert "disk is full" in error.sentence


def as_somebody_else(path: Path, action: Callable[[Path], object]) -> int:
    """Runs it in a forked process, as root under another user id: pytest's folders are closed to others, so with the
    folder of the database as its root. Without root it is only ourselves who look.
    """
    statements()  # while the SQL can be read
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if os.getuid() == 0:
                os.chroot(path.parent)
                os.chdir("/")
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
                path = Path("/") / path.name
            action(path)
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("at_rest", [True, False])
def test_an_analyst_who_may_only_read_can_ask_while_the_poller_works_and_while_it_does_not(
    path: Path, at_rest: bool
) -> None:
    journal = Journal.open(path, now_ms=START_MS)
    with journal.transaction() as work:
        work.store_poll(poll("web1"), values(1))
    if at_rest:
        journal.close()
    for file in path.parent.glob("poller.db*"):
        file.chmod(0o644)
    path.parent.chmod(0o755)

    def look(path: Path) -> None:
        assert [host.name for host in views.hosts(path)] == ["web1"]

    assert as_somebody_else(path, look) == 0
    if not at_rest:
        journal.close()


def test_a_database_that_may_not_be_used_is_a_sentence(path: Path) -> None:
    Journal.open(path, now_ms=START_MS).close()
    path.chmod(0o000)
    path.parent.chmod(0o755)

    def look(path: Path) -> None:
        refusal(lambda: views.hosts(path))
        refusal(lambda: Journal.open(path, now_ms=START_MS))

    assert as_somebody_else(path, look) == 0


def test_a_folder_that_may_not_even_be_seen_is_a_sentence(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    tmp_path.chmod(0o755)

    def look(place: Path) -> None:
        path = place.with_name("closed") / "poller.db"
        refusal(lambda: views.hosts(path))
        refusal(lambda: Journal.open(path, now_ms=START_MS))

    try:
        assert as_somebody_else(tmp_path / "any", look) == 0
    finally:
        closed.chmod(0o700)
