"""The busiest and the largest processes, how many there are of a name, and which of them are the poller's own."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.model import Process
from poller.probe.payload import build, command
from remote_probe.collectors import top
from remote_probe.host import Host
from tests.end_to_end.sshd import Sshd
from tests.remote_probe.farside import Probe, asking
from tests.remote_probe.filled import filled, machine, rows_of


@pytest.fixture
def program(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose name is longer than the kernel keeps."""
    file = tmp_path / "some-very-long-program-name"
    shutil.copy("/bin/sleep", file)
    with subprocess.Popen([file, "3600"]) as process:
        try:
            yield process
        finally:
            process.kill()


def stat(
    pid: int, name: str, parent: int = 1, ticks: int = 0, pages: int = 0, started: int = 5, state: str = "S"
) -> str:
    numbers = [parent, *[0] * 9, ticks, *[0] * 5, 1, 0, started, 4096, pages, *[0] * 28]
    return f"{pid} ({name}) {state} {' '.join(map(str, numbers))}\n"


def processes(*stats: str, own: str = "") -> dict[str, bytes | str]:
    """The files of a /proc with these processes and an init."""
    files: dict[str, bytes | str] = {
        "/proc/1/stat": stat(1, "init", 0),
        "/proc/1/status": "Name:\tinit\nUid:\t0\t0\t0\t0\n",
    }
    for content in stats:
        pid = content.split(" ")[0]
        files[f"/proc/{pid}/stat"] = content
        files[f"/proc/{pid}/status"] = "Name:\tx\nUid:\t1000\t1000\t1000\t1000\n"
    return {**files, "/proc/self/stat": own}


def test_a_process_of_this_machine_is_told_as_psutil_tells_it() -> None:
    burn = "import sys\nsum(range(3_000_000)); block = b'x' * (64 << 20); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout and child.stdout.readline()
        oracle = psutil.Process(child.pid)
        host = Host(options={"top": {"count": 500, "commands": True}})
        row = next(row for row in rows_of(host, "top", "process") if row["pid"] == child.pid)
        assert row["name"] == oracle.name().encode()
        assert row["uid"] == os.geteuid()
        assert row["user"] == pwd.getpwuid(os.geteuid()).pw_name.encode()
        assert row["threads"] == 1
        assert abs(row["memory"] - oracle.memory_info().rss) < 4 << 20
        assert abs(row["cpu"] - sum(oracle.cpu_times()[:2])) < 0.1
        assert abs(psutil.boot_time() + row["started"] - oracle.create_time()) < 2
        assert row["command"].startswith(sys.executable.encode() + b" -c import sys\n")
        assert len(row["command"]) <= 200
        child.communicate(b"\n")


def test_command_lines_stay_where_they_are_unless_asked_for() -> None:
    assert {row["command"] for row in rows_of(Host(), "top", "process")} == {b""}


def test_the_probe_itself_is_left_out() -> None:
    host = Host(options={"top": {"count": 5000}})
    assert os.getpid() not in {row["pid"] for row in rows_of(host, "top", "process")}


def test_a_long_name_is_told_from_its_neighbours_by_the_command_line(program: subprocess.Popen[bytes]) -> None:
    names = ["some-very-long-program-name", "some-very-long-other-name", "some-very-long-", "no-such-program"]
    counts = {
        row["name"]: row["count"] for row in rows_of(Host(options={"top": {"names": names}}), "top", "process_count")
    }
    assert counts == dict(zip(names, (1, 0, 1, 0), strict=True))


def test_ended_processes_that_wait_for_their_parent_are_not_counted(tmp_path: Path) -> None:
    files = processes(stat(7, "nginx"), stat(8, "nginx"), stat(9, "nginx", state="Z"))
    host = machine(tmp_path, files, top={"names": ["nginx", "nginx"]})
    assert rows_of(host, "top", "process_count") == [{"name": "nginx", "count": 2}]


def test_the_busiest_by_life_by_age_and_the_largest_are_chosen(tmp_path: Path) -> None:
    old = [stat(pid, "old", ticks=10_000) for pid in range(100, 164)]
    files = processes(
        *old,
        stat(200, "young", ticks=900, started=99_000),
        stat(201, "large", ticks=0, pages=1 << 20),
        stat(202, "dull", ticks=1, started=10),
        stat(203, "now", ticks=0, started=100_000),
    )
    rows = rows_of(machine(tmp_path, files, top={"count": 1}), "top", "process")
    assert [row["pid"] for row in rows] == [*range(100, 164), 200, 201]
    assert rows[-1]["memory"] == (1 << 20) * os.sysconf("SC_PAGE_SIZE")


def test_users_are_named_by_the_password_file_and_others_stay_numbers(tmp_path: Path) -> None:
    files = processes(stat(7, "sh"))
    passwd = "root:x:0:0::/:/bin/sh\nfirst:x:1000:1::/:\nsecond:x:1000:1::/:\n\nbroken\n+::::::\nx:y:z:\n"
    rows = rows_of(machine(tmp_path, {**files, "/etc/passwd": passwd}), "top", "process")
    assert [(row["uid"], row["user"]) for row in rows] == [(0, b"root"), (1000, b"first")]
    (tmp_path / "etc/passwd").unlink()
    assert {row["user"] for row in rows_of(Host(os.fsencode(tmp_path)), "top", "process")} == {b""}


def test_hidden_processes_are_denied_and_not_miscounted(tmp_path: Path) -> None:
    status, reason, rows = filled(machine(tmp_path, {"/proc/77/stat": stat(77, "sh")}), "top")
    assert (status, rows) == ("denied", [])
    assert "hidepid" in reason


def test_each_process_is_looked_at_once_for_all_sections(tmp_path: Path) -> None:
    looked: Counter[bytes] = Counter()

    class Witness(Host):
        def read(self, path: bytes) -> bytes:
            looked[path] += 1
            return super().read(path)

    machine(tmp_path, {**processes(stat(7, "sh"), own=stat(7, "sh")), "/proc/stat": "btime 1\n"})
    host = Witness(os.fsencode(tmp_path))
    for section in ("processes", "top", "people"):
        assert filled(host, section)[0] == "ok"
    assert looked[b"/proc/7/stat"] == looked[b"/proc/1/stat"] == 1


SESSIONS = {
    "a key login": (["sshd", "sshd", "sshd", "python3"], {12, 13, 14}),
    "as root, without privilege separation": (["sshd", "sshd", "python3"], {12, 13}),
    "with sudo": (["sshd", "sshd", "sshd", "sudo", "sudo", "python3"], {12, 13, 14, 15, 16}),
    "a shell that does not exec": (["sshd", "sshd", "bash", "python3"], {12, 13, 14}),
    "newer OpenSSH": (["sshd", "sshd-session", "sshd-session", "python3"], {12, 13, 14}),
    "dropbear": (["dropbear", "dropbear", "sh", "python3"], {12, 13, 14}),
    "a poller on this machine": (["sshd", "sshd", "sshd", "bash", "poller", "python3"], {16}),
    "a poller started by cron": (["cron", "sh", "python3", "python3"], {14}),
}


@pytest.mark.parametrize("login", SESSIONS)
def test_the_connection_of_the_poller_is_left_out_and_the_server_that_listens_is_not(
    tmp_path: Path, login: str
) -> None:
    names, own = SESSIONS[login]
    chain = [stat(11 + place, name, 10 + place if place else 1) for place, name in enumerate(names)]
    host = machine(tmp_path, processes(*chain, stat(90, "sshd", 11), own=chain[-1]), top={"names": ["sshd"]})
    assert host.session() == own
    left = {row["pid"] for row in rows_of(host, "top", "process")}
    assert left == {1, 90, *range(11, 11 + len(names))} - own


def test_a_connection_that_systemd_accepted_has_no_server_above_it(tmp_path: Path) -> None:
    chain = [stat(11, "sshd"), stat(12, "sshd", 11), stat(13, "python3", 12)]
    files = processes(*chain, own=chain[-1])
    assert machine(tmp_path, {**files, "/proc/11/cmdline": "sshd: monitor [priv]\0"}).session() == {11, 12, 13}
    assert machine(tmp_path, {**files, "/proc/11/cmdline": "sshd: /usr/sbin/sshd -D [listener]\0"}).session() == {
        12,
        13,
    }


def test_a_chain_that_bites_its_tail_has_an_end(tmp_path: Path) -> None:
    chain = [stat(11, "bash", 12), stat(12, "bash", 11)]
    assert machine(tmp_path, processes(*chain, own=chain[-1])).session() == {12}


@given(st.binary(max_size=200), st.binary(max_size=60))
def test_any_bytes_are_a_process_or_a_value_error(rest: bytes, name: bytes) -> None:
    with contextlib.suppress(ValueError, IndexError):
        assert top.parse_stat(7, b"7 (" + name + b") S " + rest)[0] == 7
    top.parse_passwd(rest)
    with contextlib.suppress(ValueError, IndexError):
        top.parse_uid(b"\nUid:" + rest)


@given(st.binary(max_size=15).filter(lambda name: b"\0" not in name))
def test_a_process_may_call_itself_anything(name: bytes) -> None:
    content = stat(7, "NAME", ticks=30, pages=9).encode().replace(b"NAME", name)
    assert top.parse_stat(7, content) == (7, name, b"S", 30, 1, 5, 9)


@pytest.mark.parametrize("become", ["no", "sudo"])
def test_a_real_connection_is_left_out_and_the_real_server_is_not(sshd: Sshd, become: str) -> None:
    payload = build(["top"])
    target: list[str | Path] = [
        "-p",
        str(sshd.port),
        "-i",
        sshd.client_key,
        f"{sshd.user}@127.0.0.1",
        command(sys.executable, become),
    ]
    options = [f"-oUserKnownHostsFile={sshd.known_hosts}", "-oStrictHostKeyChecking=no", "-oBatchMode=yes"]
    with subprocess.Popen(
        ["ssh", "-F/dev/null", *options, *target],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as ssh:
        probe = Probe(ssh)
        request = asking(payload, options={"top": {"count": 5000}})
        probe.send(payload.data + request.frame)
        listed = {row.pid for row in probe.report(request).now.rows(Process) if isinstance(row, Process)}
        servers = (child for child in psutil.Process().children() if child.name() == "sshd")
        (server,) = (child for child in servers if f"{sshd.folder}/sshd_config" in child.cmdline())
        connection = {child.pid for child in server.children(recursive=True)}
        ssh.kill()
    assert len(connection) >= 2
    assert server.pid in listed
    assert not connection & listed
