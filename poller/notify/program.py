"""A command as a `Channel`: a program of the administrator's, which gets each message as JSON on its standard input."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from typing import Any, Final

from poller.errors import DeliveryError
from poller.model import ChannelSettings, Contact, Deadline, Letter
from poller.notify.document import document, encoded, trial
from poller.notify.faults import ChannelDownError
from poller.notify.plain import plain

# sysexits.h: EX_TEMPFAIL.
_LATER: Final = 75
_STDERR_BYTES: Final = 4096
_PIPE_BYTES: Final = 65536
# How soon the end of the program, or a signal to us, is noticed.
_LOOK_SECONDS: Final = 0.05
_PASSED_ON: Final = ("PATH", "HOME", "LANG")


class Program:
    """Runs without a shell, in a process group of its own, with PATH, HOME and LANG and nothing else of ours."""

    def __init__(
        self, settings: ChannelSettings, stop: threading.Event, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._clock = clock
        self._who = f"command {settings.name}"

    def send(self, letter: Letter) -> None:
        """One run. Exit status 0 is accepted, 75 is later, anything else is for good. Raises DeliveryError."""
        self._run(document(letter, int(self._clock() * 1000)))

    def send_test(self, contact: Contact) -> None:
        """A document without notifications. Raises as `send` does."""
        self._run(trial(contact, int(self._clock() * 1000)))

    def close(self) -> None:
        """Nothing is held open."""

    def _run(self, told: dict[str, Any]) -> None:
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb", buffering=0) as stderr:
            with os.fdopen(writer, "wb", buffering=0):
                process = self._start(encoded(told), writer)
            try:
                complaint = self._watch(process, stderr)
            finally:
                _end(process)
        self._judge(process.returncode, complaint)

    def _start(self, body: bytes, stderr: int) -> subprocess.Popen[bytes]:
        """Standard input is a file in memory and not a pipe: a program that does not read cannot hold us."""
        with os.fdopen(os.memfd_create("poller-message"), "w+b") as stdin:
            stdin.write(body)
            stdin.seek(0)
            try:
                return subprocess.Popen(
                    self._settings.command,
                    stdin=stdin,
                    stdout=subprocess.DEVNULL,
                    stderr=stderr,
                    env={"PATH": os.defpath} | {name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                    cwd="/",
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                why = plain(str(error.strerror if isinstance(error, OSError) else error), 200)
                raise DeliveryError(
                    f"{self._who} cannot be run: {why}", "check command= in config.xml", retry=False, code="missing"
                ) from None

    def _watch(self, process: subprocess.Popen[bytes], stderr: FileIO) -> str:
        """The first line of its complaints once it has ended; raises when that takes too long, or a signal comes.

        What it left running in the background may keep stderr open: nobody waits for that.
        """
        os.set_blocking(stderr.fileno(), False)
        deadline, said = Deadline(self._settings.timeout), b""
        while not _ends(process):
            said = (said + (stderr.read(_PIPE_BYTES) or b""))[:_STDERR_BYTES]
            if self._stop.is_set():
                raise ChannelDownError("the delivery was interrupted", "the next run delivers", code="interrupted")
            if deadline.passed:
                raise ChannelDownError(
                    f"{self._who} did not end in {self._settings.timeout:g} s and was killed",
                    "look at what it waits for",
                    code="timeout",
                )
        said = (said + (stderr.read(_PIPE_BYTES) or b""))[:_STDERR_BYTES]
        return plain(said.decode("utf-8", "replace").strip().partition("\n")[0].rstrip(), 200)

    def _judge(self, status: int, complaint: str) -> None:
        said = f": {complaint}" if complaint else ""
        if status == 0:
            return
        if status == _LATER:
            raise DeliveryError(f"{self._who} did not take the message now{said}", retry=True, code="deferred")
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        raise DeliveryError(f"{self._who} {how}{said}", retry=False, code="rejected")


def _ends(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended, or does soon."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(_LOOK_SECONDS)
    return process.returncode is not None


def _end(process: subprocess.Popen[bytes]) -> None:
    """The whole group when it has not ended by itself; no zombie either way."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
