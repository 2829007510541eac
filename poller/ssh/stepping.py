"""A paramiko Transport without a thread of its own: who waits for something reads the messages until it has come.

paramiko runs a second thread per connection, which wakes the first one for every answer. In a round of a hundred
hosts those wake-ups are a quarter of what a login costs (docs/how-it-works.md, "What a poll costs"). A poll waits for
nothing but its own connection, so its thread may as well do the reading. A jump host serves many threads: its
connection goes on in a thread (`serve`).

`_step` and `_end` are the loop of paramiko's Transport.run, the client's half of it, message by message. It reads the
same in paramiko 4.0 to 5.1; a test tells when a new version has another one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import paramiko
from paramiko import common
from paramiko.auth_handler import AuthHandler
from paramiko.packet import NeedRekeyException

# The messages of a key exchange method (RFC 4253 section 12; curve25519, group exchange and the like).
_KEX_MESSAGES = range(30, 42)


class SteppingTransport(paramiko.Transport):
    """Read by the thread that uses it, until `serve` gives it a thread of its own."""

    if TYPE_CHECKING:  # the parts of paramiko that its stubs leave out
        agreed_on_strict_kex: bool
        _expected_packet: tuple[int, ...]
        _channels: Any
        _handler_table: Any
        _channel_handler_table: Any
        _check_banner: Any
        _enforce_strict_kex: Any
        _expect_packet: Any
        _parse_disconnect: Any
        _send_kex_init: Any
        _send_message: Any

    _stepping = False

    def start_client(self, event: threading.Event | None = None, timeout: float | None = None) -> None:
        """Returns with the keys exchanged, or raises. The end of the socket ends it in time, not an argument."""
        self.active = True
        self.completion_event = threading.Event()
        self._guarded(self._begin)
        self.read_until(self.completion_event.is_set)
        if not self.active:
            raise self.get_exception() or paramiko.SSHException("Negotiation failed.")

    def serve(self) -> None:
        """From now on a thread reads, and every thread may use the connection as paramiko has it."""
        self.start()

    def run(self) -> None:
        """The thread of `serve`. It closes the socket, whoever ended the connection."""
        self.read_until(lambda: False)
        self._end(None)

    def read_until(self, done: Callable[[], bool]) -> None:
        """Reads messages until `done()`, or until the connection has ended (`is_active()` says so)."""
        while self.active and not done():
            self.step()

    def step(self) -> None:
        """Reads one message and acts on it; blocks until one is there or the connection has ended."""
        if self.active:
            self._guarded(self._step)

    # Logging in: paramiko's methods with an event return at once

    def log_in_by_key(self, user: str, key: paramiko.PKey) -> list[str]:
        """Methods that the host wants besides, mostly none. AuthenticationException when it says no."""
        event = threading.Event()
        self.auth_publickey(user, key, event)
        return self._response(event)

    def log_in_by_password(self, user: str, password: str) -> list[str]:
        """By method password; where the host has only keyboard-interactive and asks one question, by that."""
        event = threading.Event()
        self.auth_password(user, password, event)
        try:
            return self._response(event)
        except paramiko.BadAuthenticationType as error:
            if "keyboard-interactive" not in error.allowed_types:
                raise
            try:
                return self._answer(user, password)
            except paramiko.SSHException:
                raise error from None

    def _answer(self, user: str, password: str) -> list[str]:
        def answers(_title: str, _instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
            if len(prompts) > 1:
                raise paramiko.SSHException("the host asks more than one question")
            return [password] * len(prompts)

        event = threading.Event()
        self.auth_handler = AuthHandler(self)
        self.auth_handler.auth_interactive(user, answers, event)
        return self._response(event)

    def _response(self, event: threading.Event) -> list[str]:
        self.read_until(event.is_set)
        allowed: list[str] = self.auth_handler.wait_for_response(event)  # type: ignore[union-attr]
        return allowed

    # Sending

    def _send_user_message(self, data: paramiko.Message) -> None:
        """paramiko waits for another thread here while keys are exchanged, and after it while a channel is opened."""
        mine = not self._stepping and not self.is_alive()
        if mine:
            self.read_until(self.clear_to_send.is_set)
        super()._send_user_message(data)  # type: ignore[misc]
        if mine:
            self.read_until(lambda: not self.channel_events)

    # paramiko's loop

    def _guarded(self, work: Callable[[], bool]) -> None:
        """Does a piece of the loop. The connection ends when it says so, or fails: `get_exception` has the reason."""
        self._stepping = True
        try:
            if not work():
                self._end(None)
        except Exception as error:
            self._log(common.DEBUG, paramiko.util.tb_strings())  # type: ignore[attr-defined]
            self._end(error)
        finally:
            self._stepping = False

    def _begin(self) -> bool:
        self.packetizer.write_all(f"{self.local_version}\r\n".encode())
        self._check_banner()
        self.packetizer.start_handshake(self.handshake_timeout)
        self._send_kex_init()
        self._expect_packet(common.MSG_KEXINIT)
        return True

    def _step(self) -> bool:
        """False at the end of the connection."""
        if self.packetizer.need_rekey() and not self.in_kex:
            self._send_kex_init()
        try:
            kind, message = self.packetizer.read_message()
        except NeedRekeyException:
            return True
        if kind in (common.MSG_IGNORE, common.MSG_DEBUG):
            self._enforce_strict_kex(kind)
            return True
        if kind == common.MSG_DISCONNECT:
            self._parse_disconnect(message)
            return False
        if self._is_of_key_exchange(kind):
            assert self.kex_engine is not None  # noqa: S101 - it expects this message
            self.kex_engine.parse_next(kind, message)
            return True
        alive = self._dispatch(kind, message)
        self.packetizer.complete_handshake()
        return alive

    def _is_of_key_exchange(self, kind: int) -> bool:
        """While certain messages are expected any other one ends the connection (RFC 4253 7.1, strict kex)."""
        if not self._expected_packet:
            return False
        if kind not in self._expected_packet:
            wrong = paramiko.ssh_exception.MessageOrderError if self.agreed_on_strict_kex else paramiko.SSHException
            raise wrong(f"Expecting packet from {self._expected_packet!r}, got {kind}")
        self._expected_packet = ()
        return kind in _KEX_MESSAGES

    def _dispatch(self, kind: int, message: paramiko.Message) -> bool:
        if kind in self._handler_table:
            self._handler_table[kind](message)
        elif kind in self._channel_handler_table:
            return self._to_channel(kind, message)
        elif kind in getattr(self.auth_handler, "_handler_table", ()):
            self.auth_handler._handler_table[kind](message)  # type: ignore[union-attr]
        elif kind != common.MSG_UNIMPLEMENTED:
            answer = paramiko.Message()
            answer.add_byte(common.cMSG_UNIMPLEMENTED)
            answer.add_int(message.seqno)
            self._send_message(answer)
        return True

    def _to_channel(self, kind: int, message: paramiko.Message) -> bool:
        number = message.get_int()
        channel = self._channels.get(number)
        if channel is None:  # closed by us already, or never opened
            return number in self.channels_seen
        self._channel_handler_table[kind](channel, message)
        return True

    def _end(self, error: Exception | None) -> None:
        """Tells everybody who may wait."""
        self.saved_exception = error or self.saved_exception
        for channel in list(self._channels.values()):
            channel._unlink()
        if self.active:
            self.active = False
            self.packetizer.close()
            waiting: list[Any] = [self.completion_event, *self.channel_events.values()]
            for event in waiting:
                event.set()
            if self.auth_handler is not None:
                self.auth_handler.abort()
        self.sock.close()
