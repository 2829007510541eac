"""Talks with the probe: starts the command, sends a request, finds the answer among the noise, all by a deadline."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from poller.errors import HostError
from poller.model import Deadline, Stopwatch
from poller.ssh.allowance import Allowance
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
    `stopwatch` measures the asks; exchange it for each poll. `heard_at` is when anything came last (monotonic).
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
        self.stopwatch = stopwatch
        self.heard_at = 0.0
        self._start = start
        self._talk: Talk | None = None
        self._plain = command.replace(_SUDO, "exec ", 1)
        self._command = self._plain if sudo_denied else command
        self._scanner = Scanner()
        self._marker = ""
        self._pushed: list[bytes] = []
        self._heard: Callable[[bytes], None] = self._pushed.append
        self._unasked = Allowance()
        # An ask that was not answered: whatever comes of it later would be taken for noise.
        self.unanswered = False

    @property
    def elevated(self) -> bool:
        """The command is run by sudo."""
        return self._command != self._plain

    def ask(self, outgoing: bytes, marker: str, *, deadline: Deadline) -> Answer:
        """Sends `outgoing` and returns the frame that carries `marker`. HostError session/…, python/…, probe/….

        When sudo refuses, the same is asked without it, on another channel of the same connection.
        """
        begins = self._talk is None
        try:
            return self._ask(outgoing, marker, deadline)
        except HostError as error:
            if error.code != "sudo" or not self.elevated or not begins:
                raise
            _LOG.info("%s; asking without sudo", ascii(error.sentence))
        self.close()
        self._command = self._plain
        return self._ask(outgoing, marker, deadline, sudo_denied=True)

    def expect(self, marker: str, heard: Callable[[bytes], None] | None = None) -> None:
        """Frames with this marker come unasked until the command ends: each goes to `heard`, whoever waits for what.

        There is one such marker at a time. Without `heard` they are kept for `listen`. HostError of `heard` ends the
        `ask` or `listen` that goes on.
        """
        self._scanner.forget(self._marker)
        self._scanner.expect(marker)
        self._marker = marker
        self._heard = heard or self._pushed.append

    def ignore(self) -> None:
        """Nobody wants to hear what is pushed any more."""
        self._heard = lambda body: None

    def tell(self, outgoing: bytes, *, deadline: Deadline) -> None:
        """Sends what is not answered, to the command that is running. HostError as `ask`."""
        assert self._talk is not None  # noqa: S101 - it has answered before
        self._talk.until(deadline)
        exchange = _Exchange(self._talk, outgoing, "", deadline, self._scanner, self._pass_on)
        exchange.send_all(self._command)
        self._talk.until(None)

    def listen(self, seconds: float, wake: int) -> list[bytes]:
        """What came unasked, after waiting for it at most so long (inf: for ever) or until `wake` is readable.

        HostError when the command or the connection has ended, or more comes than any probe pushes.
        """
        assert self._talk is not None  # noqa: S101 - it has answered before
        chunk = self._talk.listen(0.0 if self._pushed else seconds, wake)
        came = len(chunk.out) + len(chunk.err)
        if came:
            self._unasked.spend(came)
            self._drain(chunk.out)
        if chunk.ended:
            raise self._ended()
        kept = self._pushed[:]
        self._pushed.clear()
        return kept

    def _ended(self) -> HostError:
        """Why the command ended that has answered before: its shell and its Python are good, whatever it looks like."""
        assert self._talk is not None  # noqa: S101 - it has answered before
        exchange = _Exchange(self._talk, b"", "", Deadline(_STATUS_PATIENCE), self._scanner, self._pass_on)
        error = exchange.ended(self._command)
        if (error.stage, error.code) == ("session", "shell"):
            return HostError("probe", "silent", "it ended by itself between two requests, as after a section that hung")
        return error

    def close(self) -> None:
        """Ends the command. The connection is closed by whoever made it."""
        if self._talk is not None:
            self._talk.close()
            self._talk = None
        self._scanner = Scanner()

    def abort(self) -> None:
        """Breaks the connection under the thread that waits for it. For other threads; does not block."""
        talk = self._talk
        if talk is not None:
            talk.abort()

    def restart(self, *, sudo_denied: bool, command: str) -> None:
        """The next `ask` starts the command anew, on the same connection."""
        self.close()
        self._command = self._plain if sudo_denied else command

    def _ask(self, outgoing: bytes, marker: str, deadline: Deadline, *, sudo_denied: bool = False) -> Answer:
        self.unanswered = True
        with self.stopwatch.measure("session"):
            if self._talk is None:
                self._talk = self._start(self._command, deadline)
        with self.stopwatch.measure("probe"):
            self._talk.until(deadline)
            self._scanner.renew()
            self._scanner.expect(marker)
            exchange = _Exchange(self._talk, outgoing, marker, deadline, self._scanner, self._pass_on)
            frame = exchange.run(self._command)
            self._scanner.forget(marker)
            self._talk.until(None)
        noise = self._scanner.noise
        if noise.strip():
            _LOG.info("%d bytes before the answer: %s", len(noise), ascii(noise[:80])[1:])
        self._scanner.renew()
        self.heard_at = time.monotonic()
        self.unanswered = False
        self._drain(b"")
        return Answer(frame.body, frame.kind, noise, len(outgoing), exchange.received, sudo_denied)

    def _drain(self, data: bytes) -> None:
        """Hands over every pushed frame that is complete now."""
        frame = self._scanner.feed(data)
        while frame is not None:
            self._heard_of(frame.body)
            frame = self._scanner.feed(b"")

    def _pass_on(self, body: bytes) -> None:
        """A pushed frame that came while an answer was waited for."""
        self._unasked.spend(len(body))
        self._heard_of(body)

    def _heard_of(self, body: bytes) -> None:
        self.heard_at = time.monotonic()
        self._scanner.renew()
        self._heard(body)


class _Exchange:
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
        wait_until = time.monotonic() + min(_STATUS_PATIENCE, self._deadline.remaining)
        status = self._talk.status(wait_until - time.monotonic())
        if not self._talk.agreed:
            return HostError("session", "closed" if self._talk.broken else "refused")
        noise = self._scanner.noise + self._scanner.rest[:4096]
        return diagnose(End(status, bytes(self._err), noise, self._talk.broken, self._talk.software), command)
