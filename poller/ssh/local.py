"""The poller's own machine (address="local"): the same command as over SSH, as a child process, without a shell."""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import signal
import subprocess
import threading
from typing import Final

from poller.errors import HostError
from poller.model import Deadline
from poller.ssh.talk import Chunk

_READ: Final = 64 * 1024
_GRACE: Final = 0.2


class LocalTalk:
    """A child in its own process group. `close` ends it and waits for it, so that no zombie is left."""

    agreed = True
    broken = False
    software = ""

    def __init__(self, command: str) -> None:
        words = shlex.split(command)
        words = words[1:] if words[0] == "exec" else words
        try:
            self._child = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                cwd="/",
                # The connection by which somebody is logged in here is not the poller's own.
                env={name: value for name, value in os.environ.items() if name != "SSH_CONNECTION"},
                start_new_session=True,
            )
        except FileNotFoundError:
            raise HostError("python", "missing", words[0]) from None
        except BlockingIOError:
            raise  # fork(2) had no more processes for us: no fault of the interpreter
        except OSError as error:
            raise HostError("python", "broken", f"{words[0]}: {error.strerror}") from None
        assert self._child.stdin and self._child.stdout and self._child.stderr  # noqa: S101 - asked for above
        self._in = self._child.stdin.fileno()
        self._streams = {self._child.stdout.fileno(): "out", self._child.stderr.fileno(): "err"}
        for descriptor in (self._in, *self._streams):
            os.set_blocking(descriptor, False)

    def until(self, deadline: Deadline | None) -> None:
        """Nothing to guard: no call here blocks."""

    def write(self, data: bytes) -> int:
        try:
            return os.write(self._in, data)
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            return len(data)  # it has gone; the end of its output says why

    def read(self, seconds: float) -> Chunk:
        return self._read(seconds)

    def listen(self, seconds: float, wake: int) -> Chunk:
        return self._read(seconds, wake)

    def _read(self, seconds: float, wake: int = -1) -> Chunk:
        if not self._streams:
            return Chunk(ended=True)
        poll = select.poll()  # select.select cannot watch descriptors above 1023
        for descriptor in (*self._streams, *([wake] if wake >= 0 else [])):
            poll.register(descriptor, select.POLLIN)
        parts = {"out": b"", "err": b""}
        for descriptor, _ in poll.poll(None if seconds == float("inf") else max(0.0, seconds) * 1000):
            if descriptor == wake:
                continue
            data = os.read(descriptor, _READ)
            parts[self._streams[descriptor]] = data
            if not data:
                del self._streams[descriptor]
        return Chunk(parts["out"], parts["err"], not self._streams and not parts["out"] and not parts["err"])

    def status(self, seconds: float) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = self._child.wait(seconds)
            return status if status >= 0 else None
        return None

    def close(self) -> None:
        """The end of stdin lets the probe go; what is left of its group is killed."""
        for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
            if stream:
                stream.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_GRACE)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        # A child in uninterruptible sleep cannot be waited for here: a thread collects it when it wakes up.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_GRACE)
            return
        threading.Thread(target=self._child.wait, name="local-reaper", daemon=True).start()

    def abort(self) -> None:
        if self._child.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal.SIGKILL)


def start(command: str, deadline: Deadline) -> LocalTalk:
    """Runs the command here. HostError python/missing or python/broken."""
    if deadline.passed:
        raise HostError("session", "timeout")
    return LocalTalk(command)
