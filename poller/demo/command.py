"""One command that an SSH client asked for: a process of its own group, its three streams, its exit status.

Each stream has a thread, so that none can block another; `sendall` and the pipe give flow control both ways.
When the client's channel closes, the process sees the end of its input, has a moment to end by itself, and is killed
with everything it started.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

import paramiko

from poller.model import Deadline

_CHUNK: Final = 32 * 1024
# How often a running command is looked at, and how long it may outlive its channel; seconds.
_LOOK: Final = 0.02
_GRACE: Final = 0.5
# paramiko tells the client that the command may run only after it has started it here: a command that is over at once
# must not close the channel before that answer is on its way.
_SHORTEST: Final = 0.05
# A child that outlives its parent may hold the output open; sshd waits for ever, the demo this long.
_DRAIN: Final = 5.0

# What paramiko raises when the client is not there any more.
_GONE: Final = (OSError, EOFError, paramiko.SSHException)


class Command(threading.Thread):
    """Runs `command` by /bin/sh for `channel`, from `start` until the process and its group are gone."""

    def __init__(self, channel: paramiko.Channel, command: bytes) -> None:
        super().__init__(name="demo-ssh-command", daemon=True)
        self.channel = channel
        self._command = command
        self._answered = Deadline(_SHORTEST)

    def run(self) -> None:
        try:
            process = subprocess.Popen(
                ["/bin/sh", "-c", self._command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(),
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            self._end(f"cannot run it: {error}\n", 126)
            return
        try:
            self._attend(process)
        finally:
            _kill(process)
            self._close()

    def _attend(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin and process.stdout and process.stderr  # noqa: S101 - for the type checker: all are PIPE
        _thread(self._feed, process.stdin)
        outputs = [_thread(self._carry, process.stdout, self.channel.sendall),
                   _thread(self._carry, process.stderr, self.channel.sendall_stderr)]  # fmt: skip
        while not self.channel.closed and not _has_exited(process):
            time.sleep(_LOOK)
        if self.channel.closed:
            grace = Deadline(_GRACE)
            while not grace.passed and not _has_exited(process):
                time.sleep(_LOOK)
            return
        drained = Deadline(_DRAIN)
        for output in outputs:
            output.join(drained.remaining)
        _kill(process)
        self._end("", process.returncode if process.returncode >= 0 else 128 - process.returncode)

    def _end(self, complaint: str, status: int) -> None:
        time.sleep(self._answered.remaining)
        with suppress(*_GONE):
            if complaint:
                self.channel.sendall_stderr(complaint.encode())
            self.channel.send_exit_status(status)
        self._close()

    def _close(self) -> None:
        with suppress(*_GONE):
            self.channel.close()

    def _feed(self, pipe: IO[bytes]) -> None:
        """From the client to the process, until either ends. The end of the input, or of the channel, is passed on."""
        with suppress(*_GONE), pipe:
            while chunk := self.channel.recv(_CHUNK):
                pipe.write(chunk)
                pipe.flush()

    @staticmethod
    def _carry(pipe: IO[bytes], send: Callable[[bytes], None]) -> None:
        """From the process to the client. A client that has gone makes the process's writes fail, as a pipe would."""
        with suppress(*_GONE), pipe:
            while chunk := os.read(pipe.fileno(), _CHUNK):
                send(chunk)


def search_path() -> str:
    """PATH of the commands. Begins where this Python is: its folder has a python3 when the system may have none."""
    return os.pathsep.join((str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"))


def interpreter() -> str:
    """What to ask for on such a PATH: `python3`, or this very Python when there is none by that name."""
    return "python3" if shutil.which("python3", path=search_path()) else sys.executable


def environment() -> dict[str, str]:
    """What sshd gives a command, and no more: nothing of the poller's own environment reaches it."""
    try:
        account = pwd.getpwuid(os.geteuid())
        user, home, shell = account.pw_name, account.pw_dir, account.pw_shell
    except KeyError:  # a container may run under a number without a name
        user, home, shell = str(os.geteuid()), "/", "/bin/sh"
    return {"PATH": search_path(), "USER": user, "LOGNAME": user, "HOME": home, "SHELL": shell, "LANG": "C.UTF-8"}


def _thread(target: Callable[..., None], *args: object) -> threading.Thread:
    thread = threading.Thread(target=target, args=args, name="demo-ssh-stream", daemon=True)
    thread.start()
    return thread


def _has_exited(process: subprocess.Popen[bytes]) -> bool:
    """Without reaping it: its number must stay taken until its group has been killed."""
    if process.returncode is not None:
        return True
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The whole group, and so also what the command left in the background; then reaps the process itself."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
