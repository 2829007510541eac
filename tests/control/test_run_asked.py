"""`poller run` while a daemon runs: the daemon polls, and the command tells the same as if it had done so itself."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from poller.control import Client, NotRunningError
from poller.errors import PollerError
from tests.end_to_end.site import Site
from tests.end_to_end.sshd import Sshd

BOUND = 60.0


@contextmanager
def daemon(site: Site, *, more: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """`poller daemon`, once it has polled everybody."""
    process = subprocess.Popen(
        site.command("daemon"), cwd=site.folder, env=site.environment(), stdin=subprocess.DEVNULL
    )
    try:
        ends = time.monotonic() + BOUND
        while status(site).get("polled", -1) < 3:
            assert process.poll() is None and time.monotonic() < ends
            time.sleep(0.1)
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(BOUND)


def status(site: Site) -> dict[str, Any]:
    try:
        return Client(site.journal.with_name("poller.db.socket")).ask("status")
    except (NotRunningError, PollerError):
        return {}


def hosts(*names: str, interval: str = "1h") -> str:
    return "".join(f'<host name="{name}" address="127.0.0.1" interval="{interval}"/>' for name in names)


@pytest.fixture
def resident(site: Site) -> Iterator[Site]:
    site.write(hosts("web1", "db1", "lab1"))
    with daemon(site):
        yield site


def test_the_daemon_polls_at_once_over_its_sessions_and_the_output_is_the_same(resident: Site, sshd: Sshd) -> None:
    alone = json.loads(resident.poller("run", "--dry-run", "--json").stdout)
    logins = sshd.log().count("Accepted publickey")
    polls = resident.rows("SELECT count(*) FROM poll")[0][0]

    document = json.loads(resident.poller("run", "--json").stdout)
    assert sshd.log().count("Accepted publickey") == logins, "nobody logged in anew"
    assert resident.rows("SELECT count(*) FROM poll")[0][0] == polls + 3
    assert document.keys() == alone.keys() and document["round"].keys() == alone["round"].keys()
    assert document["round"]["hosts"] == 3 and document["round"]["outcomes"]["ok"] == 3
    assert [(document["round"]["id"],)] == resident.rows(
        "SELECT DISTINCT id FROM round ORDER BY started_ms DESC LIMIT 1"
    )
    told = {host["name"]: host for host in document["hosts"]}
    assert told.keys() == {"web1", "db1", "lab1"}
    assert told["web1"].keys() == alone["hosts"][0].keys() and told["web1"]["metrics"]["uptime.seconds"] > 0

    shown = resident.poller("run", "--host", "web*").stdout
    assert "web1" in shown and "db1" not in shown and "1 host in" in shown and "1 ok" in shown
    assert resident.poller("run", "-q", "--host", "web1").stdout == ""


def test_exit_codes_are_those_of_a_run_by_itself(site: Site, sshd: Sshd) -> None:
    site.write(hosts("web1", "db1") + '<host name="gone" address="127.0.0.1" port="1" interval="1h"/>')
    with daemon(site):
        assert "gone" in site.poller("run").stdout
        site.poller("run", "--strict", code=1)
        told = json.loads(site.poller("run", "--host", "gone", "--json", code=1).stdout)
        assert (told["hosts"][0]["stage"], told["hosts"][0]["code"]) == ("connect", "refused")
        assert "no host matches" in site.poller("run", "--host", "web9", code=2).stderr
        site.write(hosts("web1", "new"))
        answer = site.poller("run", "--host", "new", code=2)
        assert "does not know 'new'" in answer.stderr and "reload" in answer.stderr


def test_a_run_that_is_interrupted_does_not_disturb_the_daemon(resident: Site, sshd: Sshd) -> None:
    before = resident.rows("SELECT count(*) FROM poll")[0][0]
    daemon_number = status(resident)["pid"]
    probes = sshd.children()
    for number in probes:
        os.kill(number, signal.SIGSTOP)  # the hosts take their time
    try:
        with subprocess.Popen(
            resident.command("run", "--json", "-v"), cwd=resident.folder, env=resident.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as run:  # fmt: skip
            assert run.stderr is not None
            said = ""
            while "was asked to poll" not in said:
                line = run.stderr.readline()
                assert line, f"it ended before it asked: {said}"
                said += line
            run.send_signal(signal.SIGINT)
            out, err = run.communicate(timeout=BOUND)
        assert run.returncode == 130 and "the daemon goes on" in err
        assert json.loads(out)["round"]["interrupted"] is True
    finally:
        for number in probes:
            os.kill(number, signal.SIGCONT)
    ends = time.monotonic() + BOUND
    while resident.rows("SELECT count(*) FROM poll")[0][0] < before + 3:
        assert time.monotonic() < ends
        time.sleep(0.1)
    assert status(resident)["pid"] == daemon_number


def test_a_daemon_whose_socket_is_gone_is_not_polled_beside(resident: Site) -> None:
    resident.journal.with_name("poller.db.socket").unlink()
    answer = resident.poller("run", code=75)
    assert "poller.db.socket" in answer.stderr


def test_what_cannot_be_stored_is_an_error_of_the_store(resident: Site) -> None:
    with closing(sqlite3.connect(resident.journal, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        answer = resident.poller("run", "--host", "web1", code=74)
    assert "waits in the daemon's memory" in answer.stderr


def test_a_dry_run_and_a_run_without_a_daemon_poll_by_themselves(resident: Site) -> None:
    polls = resident.rows("SELECT count(*) FROM poll")[0][0]
    assert "dry run" in resident.poller("run", "--dry-run").stdout
    assert resident.rows("SELECT count(*) FROM poll")[0][0] == polls


def test_with_several_processes_it_is_the_same_and_a_worker_that_is_killed_is_replaced(site: Site) -> None:
    site.write(hosts("web1", "db1", "lab1"), more='<daemon processes="2"/>')
    with daemon(site) as process:
        workers = children(process.pid)
        assert len(workers) == 2
        assert json.loads(site.poller("run", "--json").stdout)["round"]["outcomes"]["ok"] == 3
        os.kill(workers[0], signal.SIGKILL)
        ends = time.monotonic() + BOUND
        while not site.rows("SELECT 1 FROM event WHERE kind = 'gap' AND details LIKE '%SIGKILL%'"):
            assert time.monotonic() < ends
            time.sleep(0.1)
        document = json.loads(site.poller("run", "--json").stdout)
        assert document["round"]["outcomes"] == {"ok": 3, "partial": 0, "failed": 0, "skipped": 0}
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def children(number: int) -> list[int]:
    words = Path(f"/proc/{number}/task/{number}/children").read_text().split()
    return [word for word in map(int, words) if b"poller.fleet.worker" in Path(f"/proc/{word}/cmdline").read_bytes()]
