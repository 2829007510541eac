"""One request to the probe and its answer, or why none came, by a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from poller.errors import HostError
from poller.model import Deadline
from poller.ssh.diagnosis import End, diagnose
from poller.ssh.frame import Frame, Scanner
from poller.ssh.talk import SLICE, Chunk, Talk

STDERR_KEPT: Final = 64 * 1024
# stderr counts as noise too when it never stops; 10 MB of it beside an answer are borne.
STDERR_MOST: Final = 16 * 1024 * 1024
# While the host takes nothing, how often to look whether it does again.
_NUDGE: Final = 0.05
# Seconds that the exit status of a command may take which has ended.
STATUS_PATIENCE: Final = 1.0


class Exchange:
    """One request and its answer: sends while it reads, so that neither side can wait for the other for ever."""

    def __init__(
        self,
        talk: Talk,
        outgoing: bytes,
        marker: str,
        deadline: Deadline,
        scanner: Scanner,
        pushed: Callable[[bytes], None],
    ) -> None:
        self._talk = talk
        self._outgoing = memoryview(outgoing)
        self._marker = marker
        self._deadline = deadline
        self._scanner = scanner
        self._pushed = pushed
        self._err = bytearray()
        self._err_bytes = 0
        self.received = 0

    def run(self, command: str) -> Frame:
        """The frame with the marker. HostError session/…, python/…, probe/…; `command` is what was started."""
        while not self._deadline.passed:
            frame = self._step(command)
            if frame is not None:
                return frame
        raise self._late()

    def send_all(self, command: str) -> None:
        """Until everything is sent."""
        while self._outgoing:
            if self._deadline.passed:
                raise self._late()
            self._step(command)

    def _step(self, command: str) -> Frame | None:
        if self._outgoing and self._send():
            return None
        left = self._deadline.remaining
        chunk = self._talk.read(min(_NUDGE, left) if self._outgoing else left)
        frame = self._take(chunk)
        if frame is None and chunk.ended:
            raise self.ended(command)
        return frame

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
        if chunk.err:
            self._err_bytes += len(chunk.err)
            self._err += chunk.err[: max(0, STDERR_KEPT - len(self._err))]
        if self._err_bytes > STDERR_MOST:
            raise HostError("probe", "noise", f"more than {STDERR_MOST} bytes on stderr")
        frame = self._scanner.feed(chunk.out) if chunk.out else None
        while frame is not None and frame.marker != self._marker:
            self._pushed(frame.body)
            frame = self._scanner.feed(b"")
        return frame

    def ended(self, command: str) -> HostError:
        """Why, when nothing can come any more."""
        if self._deadline.passed:
            return self._late()
        wait_until = time.monotonic() + min(STATUS_PATIENCE, self._deadline.remaining)
        status = self._talk.status(wait_until - time.monotonic())
        if not self._talk.agreed:
            return HostError("session", "closed" if self._talk.broken else "refused")
        noise = self._scanner.noise + self._scanner.rest[:4096]
        return diagnose(End(status, bytes(self._err), noise, self._talk.broken, self._talk.software), command)
