"""What an sshd's sessions see, so that hundreds of them on one computer are like as many ordinary machines.

Each session gets a process namespace with a few sleepers, and all share a network namespace with a few listeners and
connections. Else each host would list the processes and connections of all the others, which no fleet does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LISTENERS: Final = 10
CONNECTIONS: Final = 20

# Keeps a network namespace with some sockets until its input ends.
_SOCKETS: Final = f"""
import socket, subprocess, sys
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
servers = [socket.create_server(("127.0.0.1", 0)) for _ in range({LISTENERS})]
kept = []
for number in range({CONNECTIONS}):
    server = servers[number % len(servers)]
    kept += [socket.create_connection(server.getsockname()), server.accept()[0]]
print("ready", flush=True)
sys.stdin.read()
"""
_SESSION: Final = """#!/bin/sh
exec nsenter --net=/proc/{pid}/ns/net unshare --mount --pid --fork --kill-child --mount-proc /bin/sh -c '
i=0; while [ $i -lt {sleepers} ]; do sleep infinity <&- >&- 2>&- & i=$((i+1)); done
exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"'
"""


@contextmanager
def ordinary_machine(folder: Path, sleepers: int) -> Iterator[tuple[str, ...]]:
    """Lines of sshd_config(5); none where no namespaces can be made: without root, in most containers.

    `folder` is where the sessions' command is kept.
    """
    if os.geteuid():
        yield ()
        return
    if subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"], capture_output=True).returncode:
        yield ()
        return
    command = ["unshare", "--net", sys.executable, "-IS", "-c", _SOCKETS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        if process.stdout.readline() != b"ready\n":
            raise RuntimeError("the network namespace has no sockets")
        session = folder / "session"
        session.write_text(_SESSION.format(pid=process.pid, sleepers=sleepers))
        session.chmod(0o755)
        try:
            yield (f"ForceCommand {session}",)
        finally:
            process.stdin.close()
