"""What shells and interpreters say becomes stage and code: their words as they stand in the field."""

from __future__ import annotations

import pytest

from poller.ssh.diagnosis import End, diagnose, interpreter
from tests.ssh.standins import COMMAND, outcome


@pytest.mark.parametrize(
    ("status", "stderr", "noise", "expected"),
    [
        (127, b"bash: line 1: exec: python3: not found", b"", "python/missing"),
        (127, b"/bin/sh: 1: exec: python3: not found", b"", "python/missing"),
        (1, b"python3: Command not found.", b"", "python/missing"),
        (127, b"fish: Unknown command: python3", b"", "python/missing"),
        (127, b"", b"", "python/missing"),
        (126, b"bash: line 1: /usr/bin/python3: Permission denied", b"", "python/broken"),
        (127, b"python3: error while loading shared libraries: libpython3.9.so: cannot open", b"", "python/broken"),
        (1, b"Fatal Python error: init_fs_encoding: failed to get the Python codec", b"", "python/broken"),
        (2, b"Unknown option: -I\nusage: python3 [option] ...", b"", "python/version"),
        (70, b"poller-probe: version: 3.4.10 is older than 3.6", b"", "python/version"),
        (70, b"poller-probe: bundle: the digest differs", b"", "probe/crash"),
        (70, b"poller-probe: library: No module named 'zlib'", b"", "python/broken"),
        (1, b"sudo: a password is required", b"", "python/sudo"),
        (1, b"sudo: sorry, you must have a tty to run sudo", b"", "python/sudo"),
        (127, b"bash: line 1: exec: sudo: not found", b"", "python/sudo"),
        (127, b"sh: 1: exec: sudo: not found", b"", "python/sudo"),
        (127, b"zsh:1: command not found: sudo", b"", "python/sudo"),
        (127, b"fish: Unknown command: sudo", b"", "python/sudo"),
        (127, b"sudo: Command not found.", b"", "python/sudo"),
        (1, b"", b"This account is currently not available.\n", "session/shell"),
        (1, b"rbash: line 1: exec: restricted", b"", "session/shell"),
        (1, b"Unmatched '''.", b"", "session/shell"),
        (0, b"", b"", "session/shell"),
        (0, b"", b"file not found (from the motd)", "session/shell"),
        (1, b"Traceback (most recent call last):\n  ...\nMemoryError", b"", "probe/crash"),
        (1, b"bash: /opt/rc: No such file or directory\nTraceback (most recent call last):", b"", "probe/crash"),
        (3, b"bash: fortune: command not found", b"", "probe/crash"),
        (3, b"", b"", "probe/silent"),
        (3, b"Could not chdir to home directory /home/x: No such file or directory\n", b"", "probe/silent"),
        (0, b"Could not chdir to home directory /home/x: No such file or directory\n", b"", "session/shell"),
        (None, b"", b"", "probe/crash"),
    ],
)
def test_every_way_to_fail_has_its_name(status: int | None, stderr: bytes, noise: bytes, expected: str) -> None:
    assert outcome(diagnose(End(status, stderr, noise), COMMAND)) == expected


CMD = b"'exec' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n"
POWERSHELL = (
    b"exec : The term 'exec' is not recognized as the name of a cmdlet\r\nAt line:1 char:1\r\n+ exec python3 -IS -c"
)
PWSH = b"\x1b[31;1mexec: \x1b[31;1mThe term 'exec' is not recognized as a name of a cmdlet\x1b[0m"
GERMAN = b'Der Befehl "exec" ist entweder falsch geschrieben oder\r\nkonnte nicht gefunden werden.'
SOFTWARE = "SSH-2.0-OpenSSH_for_Windows_9.5"


@pytest.mark.parametrize(
    ("software", "stderr", "expected"),
    [
        ("", CMD, "session/windows"),
        ("", POWERSHELL, "session/windows"),
        ("", PWSH, "session/windows"),
        (SOFTWARE, GERMAN, "session/windows"),
        (SOFTWARE, b"", "session/windows"),
        (SOFTWARE, b"/bin/bash: line 1: exec: python3: not found", "python/missing"),
        ("SSH-2.0-OpenSSH_9.6", b"Der Befehl ist unbekannt", "probe/crash"),
    ],
)
def test_windows_is_called_by_its_name(software: str, stderr: bytes, expected: str) -> None:
    error = diagnose(End(1, stderr, b"", software=software), COMMAND)
    assert outcome(error) == expected
    assert ("for_Windows" in error.detail) == (bool(software) and expected == "session/windows")


def test_the_interpreter_is_named() -> None:
    command = COMMAND.replace("exec python3", "exec sudo -n '/opt/my python/bin/python3'")
    assert interpreter(command) == "/opt/my python/bin/python3"
    assert "/opt/my python/bin/python3" in diagnose(End(127, b"", b""), command).detail


def test_a_connection_that_broke_is_no_verdict_on_the_host() -> None:
    assert outcome(diagnose(End(None, b"", b"", broken=True), COMMAND)) == "probe/closed"


def test_what_the_host_says_is_shown_as_printable_ascii() -> None:
    detail = diagnose(End(1, b"\x1b[31m" + b"x" * 1000 + "caf\u00e9\u202e".encode(), b""), COMMAND).detail
    assert detail.isascii()
    assert detail.isprintable()
    assert len(detail) < 400
