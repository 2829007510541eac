"""Pollers keep out of each other's way, and a dead one holds nothing back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from poller.errors import BusyError, StoreError
from poller.model import Deadline
from poller.store.lock import Leases, LockFile, RoundLock, host_slot

_HOLDER = """
import sys
from pathlib import Path
from poller.model import Deadline
from poller.store.lock import Leases, RoundLock
with RoundLock(Path(sys.argv[1])), Leases(Path(sys.argv[1])) as leases:
    leases.acquire("web1", Deadline(5))
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_round_and_leases_die_with_their_process(path: Path) -> None:
    with holder(path) as process, Leases(path) as leases:
        try:
            with pytest.raises(BusyError, match=f"process {process.pid}"), RoundLock(path):
                pass
            with pytest.raises(BusyError, match="web1"):
                leases.acquire("web1", Deadline(0.05))
            leases.acquire("web2", Deadline(0))
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        with RoundLock(path):
            leases.acquire("web1", Deadline(0))


def test_a_poller_waits_for_a_lease_and_gets_it_when_it_is_given_back(path: Path) -> None:
    with Leases(path) as first, Leases(path) as second:
        first.acquire("web1", Deadline(1))
        waiting = threading.Thread(target=second.acquire, args=("web1", Deadline(20)), daemon=True)
        waiting.start()
        assert waiting.is_alive()
        first.release("web1")
        waiting.join(10)
        assert not waiting.is_alive()
        with pytest.raises(BusyError):
            first.acquire("web1", Deadline(0))


def test_threads_of_one_poller_share_no_host(path: Path) -> None:
    inside = 0
    most = 0
    guard = threading.Lock()

    def work(leases: Leases) -> None:
        nonlocal inside, most
        for _ in range(20):
            leases.acquire("web1", Deadline(30))
            with guard:
                inside += 1
                most = max(most, inside)
            with guard:
                inside -= 1
            leases.release("web1")

    with Leases(path) as leases:
        threads = [threading.Thread(target=work, args=(leases,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert most == 1


def test_a_lease_that_was_not_granted_blocks_nobody_later(path: Path) -> None:
    with Leases(path) as first, Leases(path) as second:
        first.acquire("web1", Deadline(1))
        with pytest.raises(BusyError):
            second.acquire("web1", Deadline(0))
        first.release("web1")
        second.acquire("web1", Deadline(0))


def test_the_round_is_free_again_after_an_error(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), RoundLock(path):
        raise ZeroDivisionError
    with RoundLock(path):
        pass


def test_hosts_have_places_of_their_own() -> None:
    places = {host_slot(f"pc{number}") for number in range(10_000)} | {host_slot("pc\udcff")}
    assert len(places) == 10_001
    assert min(places) > 2
    assert max(places) < 2**62


def test_the_lock_file_is_private_and_no_way_to_other_files(path: Path) -> None:
    LockFile(path).close()
    lock = path.with_name("poller.db.lock")
    assert lock.stat().st_mode & 0o777 == 0o600
    lock.unlink()
    lock.symlink_to("/etc/hostname")
    with pytest.raises(StoreError):
        LockFile(path)


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        RoundLock(tmp_path / "file" / "poller.db").__enter__()


def test_locks_are_not_inherited_by_programs_that_are_started(path: Path) -> None:
    lock = LockFile(path)
    assert not os.get_inheritable(lock._fd)
    lock.close()
