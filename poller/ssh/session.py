"""Talks with the probe: starts the command, sends requests, finds what it pushes unasked among the answers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from poller.errors import HostError
from poller.model import Deadline, Stopwatch
from poller.ssh.allowance import Allowance
from poller.ssh.exchange import STATUS_PATIENCE, Exchange
from poller.ssh.frame import Scanner
from poller.ssh.talk import Talk

_LOG = logging.getLogger(__name__)

_SUDO: Final = "exec sudo -n "

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
        exchange = Exchange(self._talk, outgoing, "", deadline, self._scanner, self._pass_on)
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
        exchange = Exchange(self._talk, b"", "", Deadline(STATUS_PATIENCE), self._scanner, self._pass_on)
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
            exchange = Exchange(self._talk, outgoing, marker, deadline, self._scanner, self._pass_on)
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
