"""Who is logged in, who came and went, and pending reboots. `utmpdump` writes the records, `who` reads them too."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_probe.collectors import people
from remote_probe.host import Host
from tests.remote_probe.filled import filled, machine, rows_of

STAT = "cpu  1 2 3 4\nintr 5\nctxt 6\nbtime 1700000000\nprocesses 7\n"
BASE: dict[str, bytes | str] = {"/proc/stat": STAT, "/proc/1/stat": "1 (init) S 0 0\n"}
BOOT, RUN_LEVEL, INIT, USER, DEAD = 2, 1, 5, 7, 8


def record(
    kind: int = USER,
    line: bytes = b"pts/0",
    user: bytes = b"admin",
    origin: bytes = b"192.0.2.7",
    pid: int = 1,
    at: float = 1_700_000_100.25,
    address: bytes = b"",
    size: int = 384,
    order: str = "<",
) -> bytes:
    """struct utmp of utmp(5), with 32-bit times in 384 bytes or 64-bit times in 400."""
    head = struct.pack(f"{order}hxxi32s4s32s256shh", kind, pid, line, b"ts/0", user, origin, 0, 0)
    moment = int(at), round((at - int(at)) * 1e6)
    if size == 384:
        return head + struct.pack(f"{order}iII16s20x", 0, *moment, address)
    return head + struct.pack(f"{order}qqq16s24x", 0, *moment, address)


def by_utmpdump(*lines: str) -> bytes:
    """What util-linux makes of its own text form."""
    return subprocess.run(["utmpdump", "-r"], input="".join(lines).encode(), capture_output=True, check=True).stdout


def logins(root: Path, utmp: bytes, **files: bytes | str) -> list[dict[str, Any]]:
    return rows_of(machine(root, {**BASE, "/run/utmp": utmp, **files}), "people", "login")


def told(root: Path, cursor: str) -> tuple[str, list[tuple[str, bytes, int]]]:
    """The next cursor, and (action, user, number) of the records."""
    host = Host(os.fsencode(root), cursors={"people": cursor})
    status, reason, rows = filled(host, "people")
    assert (status, reason) == ("ok", "")
    assert rows[0][1]["began"] == cursor
    return rows[0][1]["cursor"], [(row["action"], row["user"], row["number"]) for kind, row in rows if kind == "record"]


def test_logins_are_those_that_who_shows(tmp_path: Path) -> None:
    utmp = by_utmpdump(
        "[2] [00000] [~~  ] [reboot  ] [~    ] [6.1.0-13-amd64    ] [0.0.0.0  ] [2023-11-14T22:13:20,000000+00:00]\n",
        "[6] [00001] [tty1] [LOGIN   ] [tty1 ] [                  ] [0.0.0.0  ] [2023-11-14T22:13:30,000000+00:00]\n",
        "[7] [00001] [ts/0] [admin   ] [pts/0] [client.example.org] [192.0.2.7] [2023-11-14T22:15:00,250000+00:00]\n",
        "[8] [00001] [ts/1] [        ] [pts/1] [                  ] [0.0.0.0  ] [2023-11-14T22:16:00,000000+00:00]\n",
    )
    (row,) = logins(tmp_path, utmp)
    assert row == {
        "user": b"admin", "terminal": b"pts/0", "source": b"client.example.org", "pid": 1, "since": 1_700_000_100.25,
    }  # fmt: skip
    shown = subprocess.run(["who", tmp_path / "run/utmp"], capture_output=True, text=True, check=True).stdout
    assert shown.split()[:2] == ["admin", "pts/0"] and shown.count("\n") == 1


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("size", [384, 400])
@pytest.mark.parametrize("count", [1, 2, 25])
def test_records_of_every_machine_are_told_apart(size: int, order: str, count: int) -> None:
    kinds = (BOOT, USER, DEAD, INIT)
    content = b"".join(
        record(kinds[number % 4], b"pts/%d" % number, pid=number, size=size, order=order) for number in range(count)
    )
    found = people.parse_utmp(content)
    assert found[0] == size
    assert found[1] == [
        (kinds[number % 4], number, b"pts/%d" % number, b"admin", b"192.0.2.7", 1_700_000_100.25)
        for number in range(count)
    ]


def test_a_record_that_is_still_being_written_or_broken_takes_no_other_with_it() -> None:
    size, found = people.parse_utmp(record() + record(-7) + bytes(384) + record(user=b"web") + record()[:99])
    assert size == 384
    assert [(one[0], one[3]) for one in found] == [(7, b"admin"), (7, b"web")]


def test_fields_end_at_their_nul_and_hold_any_byte_before_it() -> None:
    _, ((_, _, line, user, origin, _),) = people.parse_utmp(
        record(USER, b"x" * 32, b"a\x1b[31m\xff\0rest", b"\n" * 256)
    )
    assert (line, user, origin) == (b"x" * 32, b"a\x1b[31m\xff", b"\n" * 256)


def test_an_address_stands_in_for_a_name_that_is_not_there() -> None:
    addresses = [bytes([192, 0, 2, 7]), bytes.fromhex("20010db8000000000000000000000007"), b""]
    found = people.parse_utmp(b"".join(record(origin=b"", address=address) for address in addresses))[1]
    assert [one[4] for one in found] == [b"192.0.2.7", b"2001:db8:0:0:0:0:0:7", b""]


def test_a_login_whose_process_is_gone_or_that_is_there_twice_does_not_count(tmp_path: Path) -> None:
    rows = logins(tmp_path, record() + record(line=b"pts/1", pid=4711) + record() + record(line=b"pts/2"))
    assert [row["terminal"] for row in rows] == [b"pts/0", b"pts/2"]


def test_without_utmp_logind_tells_who_is_there(tmp_path: Path) -> None:
    session = "# This is private data.\nUID=1000\nUSER=admin\nACTIVE=1\nSTATE=active\nREMOTE=1\nTYPE=tty\nCLASS=user\n"
    session += "TTY=pts/0\nREMOTE_HOST=192.0.2.7\nSERVICE=sshd\nLEADER=812\nREALTIME=1700000100250000\n"
    folder = "/run/systemd/sessions"
    files: dict[str, bytes | str] = {
        f"{folder}/1": session,
        f"{folder}/2": session.replace("CLASS=user", "CLASS=greeter"),
        f"{folder}/3": session.replace("STATE=active", "STATE=closing"),
        f"{folder}/4": session.replace("TTY=pts/0\n", "").replace("admin", "web"),
        f"{folder}/5": "",
    }
    host = machine(tmp_path, {**BASE, **files})
    os.mkfifo(tmp_path / f"{folder.lstrip('/')}/1.ref")
    rows = rows_of(host, "people", "login")
    assert rows[0] == {
        "user": b"admin", "terminal": b"pts/0", "source": b"192.0.2.7", "pid": 812, "since": 1_700_000_100.25,
    }  # fmt: skip
    assert [(row["user"], row["terminal"]) for row in rows[1:]] == [(b"web", b"sshd")]
    assert rows_of(host, "people", "people")[0]["source"] == "logind"


def test_where_nobody_keeps_account_of_logins_that_is_said(tmp_path: Path) -> None:
    (row,) = rows_of(machine(tmp_path, BASE), "people", "people")
    assert (row["source"], row["booted"], row["cursor"]) == ("", 1_700_000_000.0, "")


def test_the_login_of_the_poller_is_left_out(tmp_path: Path) -> None:
    chain = {11: ("sshd", 1), 12: ("sshd", 11), 13: ("python3", 12)}
    files: dict[str, bytes | str] = {
        f"/proc/{pid}/stat": f"{pid} ({name}) S {parent} 0\n" for pid, (name, parent) in chain.items()
    }
    files |= {"/proc/self/stat": files["/proc/13/stat"], "/var/log/wtmp": ""}
    utmp = record(pid=12) + record(line=b"pts/1", pid=1)
    host = machine(tmp_path, {**BASE, **files, "/run/utmp": utmp})
    assert [row["terminal"] for row in rows_of(host, "people", "login")] == [b"pts/1"]
    cursor, _ = told(tmp_path, "")
    (tmp_path / "var/log/wtmp").write_bytes(utmp)
    assert told(tmp_path, cursor)[1] == [("login", b"admin", 1)]


def test_first_contact_tells_no_records_and_the_next_poll_each_once(tmp_path: Path) -> None:
    machine(tmp_path, {**BASE, "/var/log/wtmp": record(user=b"old")})
    wtmp = tmp_path / "var/log/wtmp"
    cursor, records = told(tmp_path, "")
    assert records == []
    assert told(tmp_path, cursor) == (cursor, [])
    with wtmp.open("ab") as file:
        file.write(record() + record(INIT) + record(DEAD, user=b"") + record(RUN_LEVEL, b"~", b"runlevel"))
        file.write(record(RUN_LEVEL, b"~", b"shutdown") + record(BOOT, b"~", b"reboot") + record()[:100])
    later, records = told(tmp_path, cursor)
    assert records == [("login", b"admin", 1), ("logout", b"", 2), ("shutdown", b"shutdown", 3), ("boot", b"reboot", 4)]
    with wtmp.open("ab") as file:
        file.write(record()[100:])
    assert told(tmp_path, later)[1] == [("login", b"admin", 1)]


def test_a_rotated_file_is_finished_first(tmp_path: Path) -> None:
    machine(tmp_path, {**BASE, "/var/log/wtmp": record(user=b"old")})
    wtmp = tmp_path / "var/log/wtmp"
    cursor, _ = told(tmp_path, "")
    with wtmp.open("ab") as file:
        file.write(record(user=b"before"))
    wtmp.rename(wtmp.with_name("wtmp.1"))
    assert told(tmp_path, cursor) == (cursor, []), "between the two there is no file, and nothing is lost"
    wtmp.write_bytes(record(user=b"after"))
    cursor, records = told(tmp_path, cursor)
    assert [user for _, user, _ in records] == [b"before", b"after"]
    assert told(tmp_path, cursor) == (cursor, [])


def test_a_file_that_was_emptied_or_replaced_is_read_from_its_beginning(tmp_path: Path) -> None:
    machine(tmp_path, {**BASE, "/var/log/wtmp": record(user=b"old") * 3})
    wtmp = tmp_path / "var/log/wtmp"
    cursor, _ = told(tmp_path, "")
    with wtmp.open("wb") as file:
        file.write(record(user=b"new"))
    cursor, records = told(tmp_path, cursor)
    assert records == [("login", b"new", 1)]
    other = wtmp.with_name("other")
    other.write_bytes(record(user=b"other"))
    other.rename(wtmp)
    assert told(tmp_path, cursor)[1] == [("login", b"other", 1)]


@pytest.mark.parametrize(("size", "slices"), [(384, [500, 500, 200]), (400, [480, 480, 240])])
def test_a_backlog_comes_in_slices_that_miss_nothing(tmp_path: Path, size: int, slices: list[int]) -> None:
    machine(tmp_path, {**BASE, "/var/log/wtmp": ""})
    wtmp = tmp_path / "var/log/wtmp"
    cursor, _ = told(tmp_path, "")
    wtmp.write_bytes(b"".join(record(user=b"%d" % number, size=size) for number in range(1000)))
    wtmp.rename(wtmp.with_name("wtmp.1"))
    wtmp.write_bytes(b"".join(record(user=b"%d" % number, size=size) for number in range(1000, 1200)))
    users: list[int] = []
    for expected in slices:
        cursor, records = told(tmp_path, cursor)
        assert len(records) == expected
        users += [int(user) for _, user, _ in records]
    assert users == list(range(1200))
    assert told(tmp_path, cursor)[1] == []


@pytest.mark.parametrize("cursor", ["nonsense", "::", "1:2:-5", "1:2:\u0663", "0:0:99999999999999"])
def test_a_cursor_that_fits_nothing_does_no_harm(tmp_path: Path, cursor: str) -> None:
    machine(tmp_path, {**BASE, "/var/log/wtmp": record()})
    assert told(tmp_path, cursor)[1] == [("login", b"admin", 1)]


def test_a_reboot_that_the_distribution_asks_for_names_the_packages(tmp_path: Path) -> None:
    files = {
        "/run/reboot-required": "*** System restart required ***\n",
        "/run/reboot-required.pkgs": "libc6\nlinux\nlibc6\n",
    }
    (row,) = rows_of(machine(tmp_path, {**BASE, **files}), "people", "people")
    assert (row["reboot_pending"], row["reboot_reason"]) == (1, b"reboot-required: libc6 linux")


@pytest.mark.parametrize("place", ["/boot/vmlinuz-", "/lib/modules/"])
def test_a_newer_kernel_beside_the_one_that_runs_waits_for_a_reboot(tmp_path: Path, place: str) -> None:
    running, newer = "5.14.0-362.8.1.el9_3.x86_64", "5.14.0-427.13.1.el9_4.x86_64"
    files: dict[str, bytes | str] = {**BASE, "/proc/sys/kernel/osrelease": running + "\n", f"{place}{running}": ""}
    (row,) = rows_of(machine(tmp_path, files), "people", "people")
    assert row["reboot_pending"] == 0
    (row,) = rows_of(machine(tmp_path, {f"{place}{newer}": "", f"{place}0-rescue-0123": ""}), "people", "people")
    assert row["reboot_pending"] == 1
    assert row["reboot_reason"] == f"kernel {newer} is installed, {running} runs".encode()


def test_a_container_does_not_wait_for_the_kernel_of_its_host(tmp_path: Path) -> None:
    files = {"/proc/sys/kernel/osrelease": "5.10.0-1-amd64\n", "/boot/vmlinuz-6.1.0-13-amd64": ""}
    (row,) = rows_of(machine(tmp_path, {**BASE, **files}), "people", "people")
    assert row["reboot_pending"] == 0


@pytest.mark.parametrize(
    ("running", "installed", "newest"),
    [
        ("6.1.0-13-amd64", ["6.1.0-9-amd64", "6.1.0-13-amd64", "6.1.0-18-amd64"], "6.1.0-18-amd64"),
        ("6.1.0-13-amd64", ["6.1.0-18-cloud-amd64", "6.1.0-18-rt-amd64", "6.1.0-9-amd64"], ""),
        ("4.18.0-80.el8.x86_64", ["4.18.0-80.1.2.el8_0.x86_64"], "4.18.0-80.1.2.el8_0.x86_64"),
        ("4.18.0-80.1.2.el8_0.x86_64", ["4.18.0-80.el8.x86_64", "4.18.0-553.el8.x86_64+debug"], ""),
        ("4.18.0-553.el8.x86_64", ["5.15.0-200.el8uek.x86_64"], ""),
        ("6.1.21-v8+", ["6.1.21-v7+", "6.1.19-v8+"], ""),
        ("5.15.0-91-generic", ["5.15.0-100-generic", "5.15.0-94-generic"], "5.15.0-100-generic"),
        ("5.14.21-150500.55.39-default", ["5.14.21-150500.55.52-default"], "5.14.21-150500.55.52-default"),
    ],
)
def test_kernels_are_compared_by_their_numbers_among_their_kind(
    running: str, installed: list[str], newest: str
) -> None:
    assert people.newest(running.encode(), [name.encode() for name in installed]) == newest.encode()


def test_this_machine_was_booted_when_it_says() -> None:
    (row,) = rows_of(Host(), "people", "people")
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    clock = Host().now()
    assert abs(clock - uptime - row["booted"]) < 5


@given(st.binary(max_size=1200))
def test_any_bytes_are_records_or_none(content: bytes) -> None:
    for kind, pid, *_, at in people.parse_utmp(content)[1]:
        assert 0 <= kind <= 9 and pid >= 0 and at >= 0
    people.parse_session(content)
    people.parse_btime(content)
    people.newest(content, [content, b"6.1.0-1-amd64"])
