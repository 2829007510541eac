"""OpenSSH for Windows, by a stand-in that says what it says: refused by its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import paramiko
import pytest

from tests.end_to_end.sshd import keygen
from tests.ssh.hostile import Trouble, speaking
from tests.ssh.standins import fails, nothing_left, outcome

CMD = b"'exec' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n"
POWERSHELL = (
    b"exec : The term 'exec' is not recognized as the name of a cmdlet, function, script file, or operable program.\r\n"
    b"At line:1 char:1\r\n+ exec python3 -IS -c 'import sys\r\n    + CategoryInfo : ObjectNotFound: (exec:String)"
)
FRENCH = "'exec' n\u2019est pas reconnu en tant que commande interne ou externe".encode("cp850", "replace")


def says(words: bytes) -> Callable[[paramiko.Channel], None]:
    def action(channel: paramiko.Channel) -> None:
        channel.recv(1)  # what comes after the request: by then the request was agreed to, as a real server does first
        channel.sendall_stderr(words)
        channel.send_exit_status(1)
        channel.close()

    return action


@pytest.mark.parametrize("words", [CMD, POWERSHELL, FRENCH], ids=["cmd", "powershell", "another language"])
def test_windows_is_refused_by_its_name(tmp_path: Path, words: bytes) -> None:
    identity = keygen(tmp_path / "identity")
    with nothing_left(), speaking(Trouble(action=says(words)), "SSH-2.0-OpenSSH_for_Windows_9.5") as server:
        error = fails(server.host(tmp_path, identity, deadline=10.0))
    assert outcome(error) == "session/windows"
    assert "SSH-2.0-OpenSSH_for_Windows_9.5" in error.sentence
    assert "troubleshooting.md#session-windows" in error.hint
    assert not error.security
