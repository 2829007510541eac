"""Talks with the probe: starts the command, sends a request, finds the answer among the noise, all by a deadline."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from poller.errors import HostError
from poller.model import Deadline, Stopwatch
from poller.ssh.diagnosis import End, diagnose
from poller.ssh.frame import Frame, Scanner
from poller.ssh.talk import SLICE, Chunk, Talk

_LOG = logging.getLogger(__name__)

STDERR_KEPT: Final = 64 * 1024
# stderr counts as noise too when it never stops; 10 MB of it beside an answer are borne.
STDERR_MOST: Final = 16 * 1024 * 1024
_SUDO: Final = "exec sudo -n "
# While the host takes nothing, how often to look whether it does again.
_NUDGE: Final = 0.05
_STATUS_PATIENCE: Final = 1.0

Start = Callable[[str, Deadline], Talk]


@dataclass(frozen=True, slots=True)
class Answer:
    """The payload of one frame. Bytes are those of the command's streams, not of the network."""

    frame: bytes
    kind: str
    noise: bytes = b""
    sent_bytes: int = 0
    received_bytes: int = 0
    sudo_denied: bool = False


class Session:
    """A login at one host. The command is started by the first `ask` and answers as many as come.

    `host_key` is the verified fingerprint as `ssh-keygen -l` prints it, or "local"; `address` the one that answered.
    """

    def __init__(
        self,
        start: Start,
        command: str,
        stopwatch: Stopwatch,
        *,
        host_key: str,
        address: str,
        sudo_denied: bool = False,
    ) -> None:
        self.host_key = host_key
        self.address = address
        self._start = start
        self._stopwatch = stopwatch
        self._talk: Talk | None = None
        self._command = command.replace(_SUDO, "exec ", 1) if sudo_denied else command

    def ask(self, outgoing: bytes, marker: str, *, deadline: Deadline) -> Answer:
        """Sends `outgoing` and returns the frame that carries `marker`. HostError session/…, python/…, probe/….

        When sudo refuses, the same is asked without it, on another channel of the same connection.
        """
        try:
            return self._ask(outgoing, marker, deadline)
        except HostError as error:
            if error.code != "sudo" or not self._command.startswith(_SUDO):
                raise
            _LOG.info("%s; asking without sudo", ascii(error.sentence))
        self.close()
        self._command = self._command.replace(_SUDO, "exec ", 1)
        return self._ask(outgoing, marker, deadline, sudo_denied=True)

    def close(self) -> None:
        """Ends the command. The connection is closed by whoever made it."""
        if self._talk is not None:
            self._talk.close()
            self._talk = None

    def _ask(self, outgoing: bytes, marker: str, deadline: Deadline, *, sudo_denied: bool = False) -> Answer:
        with self._stopwatch.measure("session"):
            if self._talk is None:
                self._talk = self._start(self._command, deadline)
        with self._stopwatch.measure("probe"):
            self._talk.until(deadline)
            exchange = _Exchange(self._talk, outgoing, marker, deadline)
            frame = exchange.run(self._command)
            self._talk.until(None)
        noise = exchange.scanner.noise
        if noise.strip():
            _LOG.info("%d bytes before the answer: %s", len(noise), ascii(noise[:80])[1:])
        return Answer(frame.body, frame.kind, noise, len(outgoing), exchange.received, sudo_denied)


class _Exchange:
    """One request and its answer: sends while it reads, so that neither side can wait for the other for ever."""

    def __init__(self, talk: Talk, outgoing: bytes, marker: str, deadline: Deadline) -> None:
        self._talk = talk
        self._outgoing = memoryview(outgoing)
        self._deadline = deadline
        self._err = bytearray()
        self._err_bytes = 0
        self.scanner = Scanner(marker)
        self.received = 0

    def run(self, command: str) -> Frame:
        while not self._deadline.passed:
            if self._outgoing and self._send():
                continue
            chunk = self._talk.read(
                min(_NUDGE, self._deadline.remaining) if self._outgoing else self._deadline.remaining
            )
            frame = self._take(chunk)
            if frame is not None:
                return frame
            if chunk.ended:
                raise self._ended(command)
        raise self._late()

    def _late(self) -> HostError:
        if not self._talk.agreed:
            return HostError("session", "timeout")
        return HostError("probe", "timeout", ascii(bytes(self._err[-200:]).decode("utf-8", "replace"))[1:-1])

    def _send(self) -> bool:
        count = self._talk.write(bytes(self._outgoing[:SLICE]))
        self._outgoing = self._outgoing[count:]
        return count > 0

    def _take(self, chunk: Chunk) -> Frame | None:
        self.received += len(chunk.out) + len(chunk.err)
        self._err_bytes += len(chunk.err)
        if len(self._err) < STDERR_KEPT:
            self._err += chunk.err[: STDERR_KEPT - len(self._err)]
        if self._err_bytes > STDERR_MOST:
            raise HostError("probe", "noise", f"more than {STDERR_MOST} bytes on stderr")
        return self.scanner.feed(chunk.out) if chunk.out else None

    def _ended(self, command: str) -> HostError:
        if self._deadline.passed:
            return self._late()
        wait_until = time.monotonic() + min(_STATUS_PATIENCE, self._deadline.remaining)
        status = self._talk.status(wait_until - time.monotonic())
        if not self._talk.agreed:
            return HostError("session", "closed" if self._talk.broken else "refused")
        noise = self.scanner.noise + self.scanner.rest[:4096]
        return diagnose(End(status, bytes(self._err), noise, self._talk.broken, self._talk.software), command)
