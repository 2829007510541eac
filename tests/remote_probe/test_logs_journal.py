"""The journal of systemd: real files, made by systemd-journal-remote(8) and read by journalctl(1)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remote_probe.collectors import logs
from remote_probe.collectors.logs_journal import parse_journal
from remote_probe.host import Host

REMOTE = "/lib/systemd/systemd-journal-remote"
MACHINE = "0123456789abcdef0123456789abcdef"
BOOT = "f" * 32
START = 1_795_000_000_000_000  # microseconds


class Journal:
    """A machine with a journal. It is written anew when it grows, and so each entry has another cursor each time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "var/log/journal" / MACHINE
        self.entries: list[dict[str, bytes]] = []
        self.cursor = ""
        self.source: dict[str, Any] = {}

    def add(self, message: bytes, **fields: str) -> None:
        defaults = {
            "_PID": "7",
            "_UID": "0",
            "_SYSTEMD_UNIT": "ssh.service",
            "SYSLOG_IDENTIFIER": "sshd",
            "PRIORITY": "6",
        }
        named = {name: value.encode() for name, value in {**defaults, **fields}.items() if value}
        self.entries.append({"MESSAGE": message, **named})

    def write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "system.journal"
        file.unlink(missing_ok=True)
        command = [REMOTE, "--output", str(file), "-"]
        subprocess.run(command, input=b"".join(self._exported()), check=True, capture_output=True)

    def _exported(self) -> Iterator[bytes]:
        """Journal Export Format: a value with a newline or bytes that are no text comes with its length."""
        for number, entry in enumerate(self.entries):
            yield b"__REALTIME_TIMESTAMP=%d\n" % (START + number)
            yield b"__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%s\n" % (1000 + number, BOOT.encode())
            for name, value in entry.items():
                yield name.encode() + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"
            yield b"\n"

    def poll(
        self, *, start: bool = False, lines: int = 10_000, unit: str = "", identifier: str = ""
    ) -> list[dict[str, Any]]:
        log = {"name": "j", "unit": unit, "identifier": identifier, "start": start}
        options = {"logs": {"logs": [log], "lines": lines, "bytes": 2 << 20}}
        host = Host(os.fsencode(self.root), options=options, cursors={"logs": {"j": {"journal": self.cursor}}})
        (_, source), *rows = logs.read(host)
        assert source["began"] == self.cursor
        assert [element for element, _ in rows] == ["entry"] * len(rows)
        self.cursor = str(source["cursor"])
        self.source = dict(source)
        return [dict(values) for _, values in rows]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def messages(rows: list[dict[str, Any]]) -> list[Any]:
    return [row["text"] for row in rows]


def test_the_first_contact_only_remembers_where_the_journal_ends(journal: Journal) -> None:
    journal.add(b"one")
    journal.write()
    assert journal.poll() == []
    journal.add(b"two")
    journal.write()
    assert messages(journal.poll()) == ["two"]
    assert journal.poll() == []


def test_an_entry_says_what_journald_knows_of_who_wrote_it(journal: Journal) -> None:
    journal.add(b"Accepted")
    journal.write()
    [row] = journal.poll(start=True)
    assert row == {
        "number": 1, "log": "j", "at": START / 1e6, "program": "sshd", "pid": 7, "uid": 0, "unit": "ssh.service",
        "priority": 6, "trusted": 1, "text": "Accepted",
    }  # fmt: skip


def test_who_calls_himself_sshd_is_shown_as_who_he_is(journal: Journal) -> None:
    journal.add(b"Failed password for root", _UID="1000", _PID="99", _SYSTEMD_UNIT="session-3.scope", _COMM="logger")
    journal.add(b"no journald said who", _PID="", _UID="", _SYSTEMD_UNIT="", SYSLOG_PID="5")
    journal.add(b"kernel", _PID="", _UID="", _SYSTEMD_UNIT="", _TRANSPORT="kernel", SYSLOG_IDENTIFIER="kernel")
    journal.write()
    rows = journal.poll(start=True)
    found = [tuple(row[name] for name in ("program", "pid", "uid", "unit", "trusted")) for row in rows]
    assert found == [("sshd", 99, 1000, "session-3.scope", 1), ("sshd", 5, 0, "", 0), ("kernel", 0, 0, "", 1)]
    assert messages(journal.poll()) == []


def test_a_filter_leaves_out_others_and_none_of_its_own(journal: Journal) -> None:
    journal.add(b"before")
    journal.write()
    journal.poll(unit="cron.service")
    for number in range(4):
        journal.add(b"ssh %d" % number)
        journal.add(b"cron %d" % number, _SYSTEMD_UNIT="cron.service", SYSLOG_IDENTIFIER="CRON")
    journal.write()
    assert messages(journal.poll(unit="cron.service")) == ["cron 0", "cron 1", "cron 2", "cron 3"]
    journal.add(b"cron 4", SYSLOG_IDENTIFIER="CRON")
    journal.write()
    assert messages(journal.poll(identifier="CRON")) == ["cron 4"]


def test_a_backlog_comes_in_slices_that_say_so(journal: Journal) -> None:
    for number in range(10):
        journal.add(b"%d" % number)
    journal.write()
    told = []
    states = []
    for _ in range(4):
        told += messages(journal.poll(start=True, lines=9))
        states.append(journal.source["state"])
    assert told == [str(number) for number in range(10)]
    assert states == ["behind", "behind", "behind", "ok"]


def test_messages_of_bytes_of_many_lines_and_of_megabytes_come_through(journal: Journal) -> None:
    journal.add(b"\xff\xfe \x1b[31m")
    journal.add(b"two\nlines")
    journal.add(b"x" * (1 << 20))
    journal.add(b"\xff" * (3 << 20))
    journal.add(b"after")
    journal.write()
    found = messages(journal.poll(start=True))
    while journal.source["state"] == "behind":
        found += messages(journal.poll())
    assert found[:2] == [b"\xff\xfe \x1b[31m", "two\nlines"]
    assert str(found[2]).startswith("x" * 1000)
    assert found[3] == "(larger than 4096 bytes)"
    assert found[4:] == ["after"]


def test_without_a_journal_it_is_absent_and_what_is_not_ours_to_read_is_denied(journal: Journal) -> None:
    assert journal.poll() == []
    assert (journal.source["state"], journal.source["reason"]) == ("absent", "no journal is kept")
    journal.add(b"one")
    journal.write()
    assert messages(journal.poll()) == ["one"]
    (journal.folder / "system.journal").chmod(0o640)
    child = os.fork()
    if child == 0:
        os.setgid(65534)
        os.setuid(65534)
        journal.poll()
        os._exit(0 if journal.source["state"] == "denied" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_what_journalctl_writes_is_parsed_whatever_it_is() -> None:
    assert parse_journal(b"", "", 10, 100) == ([], False, 100)
    line = b'{"__CURSOR":"c","__REALTIME_TIMESTAMP":"1000000","MESSAGE":["a","b"],"PRIORITY":"x","_UID":[49]}\n'
    [(cursor, row)], more, left = parse_journal(line + b'{"__CUR', "", 10, 100)
    assert (cursor, more, left) == ("c", True, 94)
    assert (row["text"], row["priority"]) == ("a", 6)
    assert parse_journal(line, "c", 10, 100) == ([], False, 100)
