"""A host of its own on loopback: an SSH server in a namespace of mounts, with accounts that exist only there.

Nothing of it is left when the experiment ends: its /etc/passwd and its /home are mounts that only it sees.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

from faults.lab import Lab
from faults.namespace import namespace
from tests.end_to_end.sshd import free_port

_FIRST_ID: Final = 60_000


class Machine:
    """`account()` makes a user that the poller's key may log in as; `host()` is its <host> in config.xml."""

    def __init__(self, lab: Lab, *options: str) -> None:
        self.lab = lab
        self.space = lab.enter(namespace("mount"))
        self._accounts: list[str] = []
        self._passwd = lab.folder("machine") / "passwd"
        self._passwd.write_text(Path("/etc/passwd").read_text())
        self._passwd.chmod(0o644)
        self.space.sh(f"mount --bind '{self._passwd}' /etc/passwd && mount -t tmpfs -o mode=755 none /home")
        # SetEnv replaces the fixture's HOME: accounts here have one.
        self.sshd = lab.sshd("AuthorizedKeysFile /home/%u/.ssh/authorized_keys", "SetEnv FAULT=1", *options,
                             within=self.space.enter)  # fmt: skip

    def account(self, name: str, shell: str = "/bin/bash", **files: str) -> str:
        """`files` are written into its home: bashrc becomes .bashrc. Returns its <host>, of the same name."""
        number = _FIRST_ID + len(self._accounts)
        with self._passwd.open("a") as file:
            file.write(f"{name}:x:{number}:{number}:test:/home/{name}:{shell}\n")
        self._accounts.append(name)
        self.space.sh(f"mkdir -p /home/{name}")
        for path, content in {"ssh/authorized_keys": self._key(), **files}.items():
            self._write(Path(f"{self.space.root}/home/{name}/.{path}"), content)
        self.space.sh(f"chown -R {number}:{number} /home/{name} && chmod 700 /home/{name} /home/{name}/.ssh")
        return self.host(name)

    def host(self, name: str, **attributes: str) -> str:
        more = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in attributes.items())
        return f'<host name="{name}" address="127.0.0.1" user="{name}"{more}/>'

    def dropbear(self) -> int:
        """Starts Dropbear beside sshd, with a host key of its own on record. Its port."""
        key, port = self.lab.folder("machine") / "dropbear", free_port()
        made = subprocess.run(
            ["dropbearkey", "-t", "ed25519", "-f", str(key)], capture_output=True, text=True, check=True
        )
        public = next(line for line in made.stdout.splitlines() if line.startswith("ssh-ed25519"))
        with self.sshd.known_hosts.open("a") as file:
            file.write(f"[127.0.0.1]:{port} {' '.join(public.split()[:2])}\n")
        log = self.lab.folder("machine") / "dropbear.log"
        with log.open("wb") as said:
            command = [*self.space.enter, "dropbear", "-F", "-E", "-s", "-p", f"127.0.0.1:{port}", "-r", str(key)]
            server = subprocess.Popen(
                [*command, "-P", f"{key}.pid"], stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        self.lab.ends(lambda: _end(server))
        until = time.monotonic() + 10
        while "Not backgrounding" not in log.read_text():
            assert time.monotonic() < until and server.poll() is None, f"dropbear: {log.read_text()}"
            time.sleep(0.01)
        return port

    def _key(self) -> str:
        return self.sshd.client_key.with_suffix(".pub").read_text()

    def _write(self, path: Path, content: str) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)


def _end(server: subprocess.Popen[bytes]) -> None:
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    server.terminate()
    server.wait(10)
    for pid in children:
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            continue
