"""`poller capacity`: from a journal that polls made, what they cost, and how many hosts that allows."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from poller.capacity import BASE_BYTES, COLD_CPU, DISK_BYTES, RESIDENT_CPU
from poller.config import load
from poller.control import Server, socket_path
from poller.intake import Intake
from poller.model import Poll
from poller.store import Journal
from poller.store.costs import costs
from tests.cli.fleet import complaint, run, run_json
from tests.config.files import write
from tests.store.machines import failed, poll

CONFIG = """<poller><journal path="poller.db"/><poll interval="60s" deadline="30s"/>
<host name="web1" address="192.0.2.1"/><host name="web2" address="192.0.2.2"/></poller>"""
MINUTES = 120


def config(folder: Path) -> Path:
    return write(folder, CONFIG)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def take(path: Path, polls: Sequence[Poll]) -> None:
    """Into the journal, as a round does it."""
    loaded = load(path)
    with Journal.open(loaded.journal, now_ms=polls[0].at_ms) as journal:
        Intake(journal, loaded, "round", keep=True).take(polls)


def moved(source: Poll, at_ms: int) -> Poll:
    """The same poll at that instant, with an id of its own."""
    return replace(source, id=f"{at_ms:012x}-{source.id}", at_ms=at_ms, asked_ms=at_ms + 60, answered_ms=at_ms + 200)


@pytest.fixture(scope="module")
def hours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """config.xml of two hosts that were polled each minute for two hours; nothing of it is changed."""
    path = config(tmp_path_factory.mktemp("hours"))
    begin = now_ms() - MINUTES * 60_000
    take(
        path,
        [
            moved(poll(name, minute), begin + minute * 60_000)
            for minute in range(1, MINUTES + 1)
            for name in ("web1", "web2")
        ],
    )
    return path


def test_without_a_journal_it_says_how_to_get_one(tmp_path: Path) -> None:
    error = complaint(run(config(tmp_path), "capacity"))
    assert error.code == "absent" and "poller run" in error.hint


def test_a_journal_without_a_report_is_no_ground_for_an_estimate(tmp_path: Path) -> None:
    path = config(tmp_path)
    take(path, [moved(failed("web1"), now_ms())])
    error = complaint(run(path, "capacity"))
    assert error.code == "absent" and "no poll gave a report" in error.sentence


def test_it_tells_what_a_poll_costs(hours: Path) -> None:
    code, found = run_json(hours, "capacity")
    assert code in (0, None)
    day = found["last_day"]
    assert (day["hosts"], day["polls"], day["good"], day["failed"], day["held"]) == (2, 240, 240, 0, 0)
    assert day["stages"]["probe"] == pytest.approx(0.0899) and day["stages"]["collect"] == pytest.approx(0.0812)
    assert found["per_poll"]["network_bytes"] == 25_000
    assert 15 < found["per_poll"]["rows"] < 80, "eight cores among them"
    assert found["per_poll"]["disk_measured"] and 500 < found["per_poll"]["disk_bytes"] < 50_000
    assert found["plan"]["interval"] == 60
    assert found["per_host"]["network_bytes_per_day"] == 1440 * 25_000


def test_it_asks_about_ten_and_a_hundred_thousand_hosts_or_as_many_as_are_named(hours: Path) -> None:
    _, found = run_json(hours, "capacity")
    assert [one["hosts"] for one in found["at"]] == [10_000, 100_000]
    _, found = run_json(hours, "capacity", "--hosts", "7", "--hosts", "500")
    assert [one["hosts"] for one in found["at"]] == [7, 500]
    for one in found["at"]:
        shares = [limit["share"] for limit in one["limits"]]
        assert shares == sorted(shares, reverse=True)
        assert one["breaks_first"] == (one["limits"][0]["name"] if shares[0] > 1 else None)


def test_without_a_daemon_the_cpu_is_assumed_and_said_to_be(hours: Path) -> None:
    _, found = run_json(hours, "capacity")
    assert not found["daemon"] and not found["per_poll"]["cpu_measured"]
    assert found["per_poll"]["cpu"] == pytest.approx(COLD_CPU), "each of these polls shook hands"
    text = run(hours, "capacity").output
    assert f"~{1000 * COLD_CPU:.1f} ms (assumed" in text


def daemon(path: Path, polls: int, connected: int, pid: int = 0) -> Server:
    """What listens where the daemon of this config.xml would, and says that it is that process (0: this one)."""
    answer = {"pid": pid or os.getpid(), "polls": {"ok": polls, "failed": 0}, "links": {"connected": connected}}
    return Server(socket_path(load(path)), {"status": lambda caller: answer})


def test_a_daemon_that_runs_tells_what_a_poll_costs_here(hours: Path) -> None:
    with daemon(hours, polls=10_000, connected=60):
        _, found = run_json(hours, "capacity")
    assert found["daemon"] and found["per_poll"]["cpu_measured"]
    assert 0 < found["per_poll"]["cpu"] < sum(os.times()[:4]) / 5_000, "with what other tests have started"


# A process, and two workers below it, of so many MB each beside what they share.
_FAMILY = """
import os, time
shared = b"s" * 100_000_000
own = [b"x" * 80_000_000] if os.fork() and os.fork() else [b"y" * 70_000_000]
print("there", flush=True)
time.sleep(60)
"""


def test_a_daemon_and_its_workers_tell_what_a_host_takes_here_and_what_they_share_counts_once(hours: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _FAMILY], stdout=subprocess.PIPE, start_new_session=True) as family:
        assert family.stdout
        try:
            assert [family.stdout.readline() for _ in range(3)] == [b"there\n"] * 3
            with daemon(hours, polls=10_000, connected=60, pid=family.pid):
                _, found = run_json(hours, "capacity")
        finally:
            os.killpg(family.pid, signal.SIGKILL)
    assert found["memory"]["measured"] and found["memory"]["base_bytes"] == 3 * BASE_BYTES
    # 100 MB that are shared, 220 MB of their own and three interpreters, less what three processes take without hosts.
    assert 60 * found["memory"]["bytes"] == pytest.approx(320e6 + 3 * 8e6 - 3 * BASE_BYTES, rel=0.2)


def test_a_daemon_that_has_just_begun_tells_nothing_yet(hours: Path) -> None:
    """Its start would be taken for what polls cost."""
    with daemon(hours, polls=3, connected=2):
        _, found = run_json(hours, "capacity")
    assert found["daemon"] and not found["per_poll"]["cpu_measured"] and not found["memory"]["measured"]


def test_polls_in_a_session_that_was_there_are_assumed_to_cost_less(tmp_path: Path) -> None:
    path = config(tmp_path)
    stages = {"session": 0.001, "probe": 0.08}
    take(path, [replace(moved(poll("web1"), now_ms()), stages=stages)])
    _, found = run_json(path, "capacity")
    assert found["last_day"]["held"] == 1
    assert found["per_poll"]["cpu"] == pytest.approx(RESIDENT_CPU)


def test_a_young_journal_is_not_weighed(tmp_path: Path) -> None:
    """It holds what the hosts are, once, and hardly anything that grows."""
    path = config(tmp_path)
    take(path, [moved(poll("web1"), now_ms())])
    _, found = run_json(path, "capacity")
    assert not found["per_poll"]["disk_measured"]
    assert found["per_poll"]["disk_bytes"] == DISK_BYTES


def test_the_room_that_a_host_needs_in_the_end_has_its_roll_ups(hours: Path) -> None:
    _, found = run_json(hours, "capacity")
    per_host, plan = found["per_host"], found["plan"]
    samples = 14 * 1440 * found["per_poll"]["disk_bytes"]
    assert per_host["disk_bytes_settled"] == pytest.approx(samples + plan["outliving_bytes"])
    assert plan["outliving_bytes"] > 10 * (76 * 288 + 716 * 24) * 100, "ten things and more, two years"


def test_a_journal_beside_an_archive_keeps_a_day(hours: Path, tmp_path: Path) -> None:
    shutil.copy(load(hours).journal, tmp_path / "poller.db")
    path = write(tmp_path, CONFIG.replace("<poll ", '<archive url="sqlite:archive.db"/><poll '))
    _, found = run_json(path, "capacity")
    assert found["plan"]["archived"] and found["plan"]["kept_seconds"] == 86_400
    assert found["per_host"]["disk_bytes_settled"] == pytest.approx(1440 * found["per_poll"]["disk_bytes"])
    assert "the rest in the archive" in run(path, "capacity").output


def test_roll_ups_of_polls_whose_samples_are_gone_do_not_make_a_poll_heavier(hours: Path, tmp_path: Path) -> None:
    _, young = run_json(hours, "capacity")
    shutil.copy(load(hours).journal, tmp_path / "poller.db")
    path = config(tmp_path)
    begin = now_ms() // 300_000 * 300_000 - 60 * 86_400_000
    with closing(sqlite3.connect(tmp_path / "poller.db")) as connection:
        rows = [(disk, begin + 300_000 * number, 5, 300.0) for disk in (1, 2) for number in range(12_000)]
        connection.executemany("INSERT INTO disk_5m (disk_id, at_ms, samples, seconds) VALUES (?, ?, ?, ?)", rows)
        rows = [(host, begin + 3_600_000 * number, 60, 3600.0) for host in (1, 2) for number in range(1000)]
        connection.executemany("INSERT INTO system_1h (host_id, at_ms, samples, seconds) VALUES (?, ?, ?, ?)", rows)
        connection.commit()
    _, old = run_json(path, "capacity")
    assert old["last_day"]["disk_bytes"] > 2 * young["last_day"]["disk_bytes"]
    assert old["per_poll"]["disk_bytes"] < young["per_poll"]["disk_bytes"] * 1.1


def test_the_last_day_is_the_one_before_the_newest_poll_however_long_ago(tmp_path: Path) -> None:
    path = config(tmp_path)
    then = now_ms() - 10 * 86_400_000
    take(path, [moved(poll("web1"), then - 2 * 86_400_000), moved(poll("web1", 2), then)])
    found = costs(tmp_path / "poller.db", 14 * 86_400.0)
    assert (found.polls, found.since_ms, found.until_ms) == (1, then, then)


def test_people_see_what_breaks_first_and_the_way_out(hours: Path) -> None:
    text = run(hours, "capacity", "--hosts", "1000000").output
    assert "1,000,000 HOSTS" in text and "breaks first:" in text
    assert "a longer interval=" in text
    assert "240 gave a report" in text
    assert "nothing breaks" in run(hours, "capacity", "--hosts", "1").output
