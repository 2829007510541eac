"""What a session needs of a running command, over SSH or on this machine."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Final, Protocol

import paramiko
from paramiko.common import cMSG_CHANNEL_REQUEST

from poller.errors import HostError
from poller.model import Deadline
from poller.ssh.faults import translated
from poller.ssh.login import Connection
from poller.ssh.wire import SESSION_ALLOWANCE

SLICE: Final = 32 * 1024
_READ: Final = 64 * 1024
# A message that has begun has come in so many seconds, or the connection is no good.
_MESSAGE_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """What came. `ended` when nothing can come any more."""

    out: bytes = b""
    err: bytes = b""
    ended: bool = False


class Talk(Protocol):
    """A command that is running: its stdin, and stdout and stderr drained together (paramiko #1778)."""

    def until(self, deadline: Deadline | None) -> None:
        """A request begins, or (None) nobody waits any more."""

    @property
    def agreed(self) -> bool:
        """The host said that it runs the command."""

    @property
    def broken(self) -> bool:
        """The connection broke: the command may still run."""

    @property
    def software(self) -> str:
        """What the host's SSH server calls itself, "" without one."""

    def write(self, data: bytes) -> int:
        """Sends what fits now, at least nothing; never waits for the other side to read."""

    def read(self, seconds: float) -> Chunk:
        """What is there, after waiting for it at most so long. An empty chunk: nothing came in time."""

    def listen(self, seconds: float, wake: int) -> Chunk:
        """As `read`, while nobody asks: ends as well when the descriptor `wake` is readable. `seconds` may be inf."""

    def status(self, seconds: float) -> int | None:
        """The exit status of a command that has ended, waiting for it a little."""

    def close(self) -> None: ...

    def abort(self) -> None:
        """Ends it under whoever reads or writes, without blocking."""


class ChannelTalk:
    """A command on a host. No file objects (paramiko #2685), no recv_exit_status (#1815), both streams read by one."""

    def __init__(self, connection: Connection, command: str, seconds: float) -> None:
        self._wire = connection.wire
        self._transport = connection.transport
        self._channel = connection.transport.open_session(timeout=seconds)
        self._request(command)

    def _request(self, command: str) -> None:
        """RFC 4254 6.5. Not `exec_command`: that waits for the answer without a limit, and costs a round trip.

        Whether the host agreed is known when it answers or hangs up (`agreed`).
        """
        message = paramiko.Message()
        message.add_byte(cMSG_CHANNEL_REQUEST)
        message.add_int(self._channel.remote_chanid)
        message.add_string("exec")
        message.add_boolean(True)
        message.add_string(command)
        self._channel._event_pending()  # type: ignore[attr-defined]
        self._transport._send_user_message(message)

    def until(self, deadline: Deadline | None) -> None:
        self._wire.until(deadline)
        self._wire.allow(SESSION_ALLOWANCE)

    @property
    def agreed(self) -> bool:
        return bool(self._channel.event_ready)

    @property
    def broken(self) -> bool:
        return not self._transport.is_active()

    @property
    def software(self) -> str:
        return str(self._transport.remote_version)

    def write(self, data: bytes) -> int:
        # Small slices, and only into an open window (#2659): paramiko's send waits without a limit when it is shut.
        with translated("probe", self._wire):
            try:
                return self._channel.send(data[:SLICE]) if self._channel.send_ready() else 0
            except OSError:
                if self.broken:
                    raise
                return len(data)  # the command has ended; its output says why

    def read(self, seconds: float) -> Chunk:
        until = time.monotonic() + seconds
        while True:
            with translated("probe", self._wire):
                chunk = self._there()
            left = until - time.monotonic()
            if chunk.out or chunk.err or chunk.ended or left <= 0:
                return chunk
            self._advance(left)

    def listen(self, seconds: float, wake: int) -> Chunk:
        until = time.monotonic() + seconds
        while True:
            with translated("probe", self._wire):
                chunk = self._there()
            left = until - time.monotonic()
            if chunk.out or chunk.err or chunk.ended or left <= 0 or not self._wire.ready(left, wake):
                return chunk
            self._wire.until(Deadline(_MESSAGE_SECONDS))  # half a message must not hold us
            with translated("probe", self._wire):
                self._transport.step()
            self._wire.until(None)

    def _advance(self, seconds: float) -> None:
        """Lets the transport read its next message, if one comes in time."""
        with translated("probe", self._wire):
            if self._wire.wait(seconds):
                self._transport.step()

    def _there(self) -> Chunk:
        over = self._over()
        out = self._channel.recv(_READ) if self._channel.recv_ready() else b""
        err = self._channel.recv_stderr(_READ) if self._channel.recv_stderr_ready() else b""
        if out or err:
            self._wire.took(len(out) + len(err))
            return Chunk(out, err)
        if over and self._wire.flooded:
            raise HostError("probe", "oversize", f"{self._wire.received} bytes, and nobody had asked for as many")
        return Chunk(ended=over)

    def _over(self) -> bool:
        return bool(self._channel.eof_received or self._channel.closed)

    def status(self, seconds: float) -> int | None:
        # Comes after the end of the streams; set as well when the channel closes without one.
        until = time.monotonic() + seconds
        while not self._channel.status_event.is_set() and not self.broken and until > time.monotonic():
            self._advance(until - time.monotonic())
        return self._channel.exit_status if self._channel.exit_status >= 0 else None

    def close(self) -> None:
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self._channel.close()

    def abort(self) -> None:
        self._wire.expire()
