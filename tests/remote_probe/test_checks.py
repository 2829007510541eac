"""Monitoring plugins: real ones, small ones of our own, and such as do not end."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_probe.collectors import checks
from remote_probe.host import Host
from tests.remote_probe.filled import filled, rows_of

PATIENCE = 10.0


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[Any]:
    """Makes an executable of a shell script."""

    def make(text: str, name: str = "check_it") -> str:
        file = tmp_path / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)
        return str(file)

    yield make


def run(*checks: tuple[str, list[str], float], seconds: float = float("inf")) -> list[dict[str, Any]]:
    host = Host(deadline=time.monotonic() + seconds, options={"checks": {"checks": [list(check) for check in checks]}})
    return rows_of(host, "checks", "check")


def one(command: list[str], seconds: float = PATIENCE) -> tuple[int, bytes, bytes]:
    (row,) = run(("it", command, seconds))
    assert row["check"] == "it"
    return row["status"], row["output"], row["perfdata"]


def gone(pids: list[int]) -> bool:
    """Whether all of them end within a moment; what waits for init to bury it has ended."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        alive = [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"]
        if not alive:
            return True
        os.sched_yield()
    return False


def test_a_plugin_of_the_distribution_is_found_and_understood() -> None:
    assert one(["check_dummy", "1", "two words; $HOME"])[:2] == (1, b"WARNING: two words; $HOME")
    status, output, perfdata = one(["check_load", "-w", "9999,9999,9999", "-c", "9999,9999,9999"])
    assert (status, output[:9]) == (0, b"LOAD OK -"[:9])
    assert perfdata.startswith(b"load1=")


@pytest.mark.parametrize(("code", "status"), [(0, 0), (1, 1), (2, 2), (3, 3), (4, 3), (127, 3), (255, 3)])
def test_exit_codes_beyond_unknown_are_unknown(plugin: Any, code: int, status: int) -> None:
    assert one([plugin(f"echo text; exit {code}")]) == (status, b"text", b"")


def test_text_and_performance_data_may_have_many_lines(plugin: Any) -> None:
    lines = ("DISK OK | /=26MB;59;60;0;61", "/ 15272 MB", "/boot | /boot=68MB;88;93;0;98", "/home=69357MB")
    assert one([plugin("\n".join(f"echo '{line}'" for line in lines))]) == (
        0,
        b"DISK OK",
        b"/=26MB;59;60;0;61 /boot=68MB;88;93;0;98 /home=69357MB",
    )


def test_without_output_what_it_complains_of_is_told(plugin: Any) -> None:
    assert one([plugin("echo 'cannot connect' >&2; exit 2")]) == (2, b"cannot connect", b"")
    assert one([plugin("exit 2")]) == (2, b"it said nothing, exit status 2", b"")
    assert one([plugin("kill -9 $$")]) == (3, b"ended by signal 9", b"")


def test_a_program_that_is_not_there_or_none_is_unknown(tmp_path: Path) -> None:
    assert one(["check_no_such_thing"]) == (3, b"there is no command check_no_such_thing", b"")
    assert one([str(tmp_path)])[:2] == (3, b"Permission denied")
    (tmp_path / "check_x").write_text("#!/no/such/interpreter\n")
    (tmp_path / "check_x").chmod(0o755)
    assert one([str(tmp_path / "check_x")])[:2] == (3, b"No such file or directory")


def test_nothing_of_the_login_reaches_a_plugin(plugin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "password")
    (row,) = run(("it", [plugin("echo $(env | cut -d= -f1 | sort); cat; pwd")], PATIENCE))
    assert row["output"] == b"LC_ALL PATH PWD"
    assert one([plugin("echo $LC_ALL $PATH $PWD")])[1].startswith(
        b"C /usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/nagios/plugins:"
    )


def test_a_pipe_in_a_plugin_ends_as_it_does_at_a_shell(plugin: Any) -> None:
    """Python ignores SIGPIPE; inherited, `yes` would complain of its broken pipe."""
    assert one([plugin("exec 2>&1; yes | sed -n '1q'; echo fine")]) == (0, b"fine", b"")


def test_a_plugin_that_ignores_its_end_is_gone_afterwards_with_its_children(plugin: Any, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    stubborn = plugin(
        f"trap '' TERM HUP INT ALRM; echo $$ > {pids}; (sleep 3600; true) & echo $! >> {pids}; sleep 3600 & wait"
    )
    status, output, _ = one([stubborn], 0.5)
    assert (status, output) == (3, b"killed after 0.5 s")
    assert gone([int(pid) for pid in pids.read_text().split()])


def test_what_a_plugin_leaves_in_the_background_neither_delays_it_nor_stays(plugin: Any, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    begin = time.monotonic()
    assert one([plugin(f"sleep 3600 & echo $! > {pids}; echo done; exit 1")]) == (1, b"done", b"")
    assert time.monotonic() - begin < PATIENCE / 2
    assert gone([int(pids.read_text())])


def test_a_plugin_that_closes_its_output_is_waited_for(plugin: Any) -> None:
    assert one([plugin("exec >&- 2>&-; sleep 0.2; exit 1")])[0] == 1


@pytest.mark.parametrize("flood", ["yes", "yes >&2", "while :; do echo drip; sleep 0.01; done"])
def test_output_without_end_has_one(plugin: Any, flood: str) -> None:
    (row,) = run(("it", [plugin(flood)], 0.5))
    assert row["status"] == 3
    assert len(row["output"]) <= 4096
    assert row["seconds"] < PATIENCE / 2


def test_one_that_hangs_costs_its_time_and_the_others_go_on(plugin: Any) -> None:
    hang, good = [plugin("sleep 3600", "hang")], [plugin("echo fine", "good")]
    rows = run(("a", good, 5), ("b", hang, 0.3), ("c", good, 5))
    assert [(row["check"], row["status"]) for row in rows] == [("a", 0), ("b", 3), ("c", 0)]
    assert 0.3 <= rows[1]["seconds"] < PATIENCE / 2


def test_all_together_leave_time_for_the_sections_behind_them(plugin: Any) -> None:
    hang = [plugin("sleep 3600")]
    begin = time.monotonic()
    rows = run(*((str(number), hang, 10.0) for number in range(4)), seconds=2.0)
    assert time.monotonic() - begin < 1.9
    assert [row["status"] for row in rows] == [3, 3, 3, 3]
    assert rows[0]["output"].startswith(b"killed after ")
    assert rows[3]["output"] == b"not run: the checks before it took all the time there was"


def test_no_check_asked_for_is_said() -> None:
    assert filled(Host(), "checks") == ("absent", "no checks were asked for", [])


def test_descriptors_are_given_back(plugin: Any) -> None:
    run(("a", [plugin("echo x")], PATIENCE), ("b", ["nope"], PATIENCE), ("c", [plugin("sleep 9", "c")], 0.3))
    before = _open()
    run(("a", [plugin("echo x")], PATIENCE), ("b", ["nope"], PATIENCE), ("c", [plugin("sleep 9", "c")], 0.3))
    assert _open() <= before  # what other tests left to the garbage collector may close meanwhile


def _open() -> set[tuple[str, str]]:
    """(number, what it is) of each open descriptor; the one that lists them has gone by then."""
    found = set()
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with suppress(OSError):
            found.add((number, os.readlink(f"/proc/self/fd/{number}")))  # noqa: PTH115
    return found


def test_performance_data_that_is_too_long_loses_its_limits_first() -> None:
    items = b" ".join(b"'disk %d'=%dMB;80;90;0;100" % (number, number) for number in range(40))
    short = checks.shortened(items)
    assert short == b" ".join(b"'disk %d'=%dMB" % (number, number) for number in range(40))
    shorter = checks.shortened(items.replace(b"disk", b"d" * 40))
    assert len(shorter) <= 1000
    assert shorter.endswith(b"MB")


@given(st.binary(max_size=400))
def test_any_output_gives_one_line_and_performance_data(content: bytes) -> None:
    output, perfdata = checks.parse_output(content)
    assert b"\n" not in output + perfdata
    assert b"|" not in output
