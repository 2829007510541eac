"""A small SSH server on loopback: one host key, one user, one public key, commands and nothing else.

For `poller demo` on machines without sshd. It runs what a client asks for by `/bin/sh -c` as the current user, without
a terminal, as sshd does. No shell, terminal, forwarding, agent or file transfer; bounded in connections and commands.
"""

from __future__ import annotations

import hmac
import logging
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Final

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)

from poller.demo.command import Command
from poller.errors import UsageError

_CONNECTIONS: Final = 32
_COMMANDS_PER_CONNECTION: Final = 10
_LOGIN_SECONDS: Final = 30.0
_LOG: Final = "poller.demo.ssh"


class SshServer:
    """Listens on 127.0.0.1, on a port of its own choosing, between `start` and `stop` (or as a context manager)."""

    def __init__(self, host_key: paramiko.PKey, user: str, authorized_key: paramiko.PKey) -> None:
        self._host_key = host_key
        self._user = user
        self._authorized = authorized_key.asbytes()
        self._listener: socket.socket | None = None
        self._places = threading.BoundedSemaphore(_CONNECTIONS)
        self._connections: set[_Connection] = set()
        self._lock = threading.Lock()
        self.port = 0

    def __enter__(self) -> SshServer:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Raises UsageError when there is no port to be had."""
        # Without a handler Python would print paramiko's warnings about clients that hang up.
        logging.getLogger(_LOG).addHandler(logging.NullHandler())
        logging.getLogger(_LOG).propagate = False  # a client that hangs up is no news to who watches the demo
        try:
            self._listener = socket.create_server(("127.0.0.1", 0), backlog=_CONNECTIONS)
        except OSError as error:
            raise UsageError(f"the demo's SSH server cannot listen on 127.0.0.1: {error.strerror}") from None
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), name="demo-ssh", daemon=True).start()

    def stop(self) -> None:
        """Ends every connection and every command; returns when the commands are gone."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # close alone does not wake accept()
            listener.close()
        with self._lock:
            connections = tuple(self._connections)
        for connection in connections:
            connection.close()
        for connection in connections:
            connection.finished.wait(10.0)

    def _accept(self, listener: socket.socket) -> None:
        while self._listener is listener:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            if not self._places.acquire(blocking=False):
                sock.close()
                continue
            threading.Thread(target=self._serve, args=(sock,), name="demo-ssh-connection", daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        connection = _Connection(sock, self._host_key, _Rules(self._user, self._authorized))
        with self._lock:
            self._connections.add(connection)
        try:
            if self._listener is not None:
                connection.run()
        finally:
            connection.close()
            connection.finished.set()
            with self._lock:
                self._connections.discard(connection)
            self._places.release()


class _Connection:
    """One client, from its first byte until its last command has ended."""

    def __init__(self, sock: socket.socket, host_key: paramiko.PKey, rules: _Rules) -> None:
        self.finished = threading.Event()
        self._rules = rules
        self._transport = paramiko.Transport(sock)
        self._transport.set_log_channel(_LOG)
        self._transport.add_server_key(host_key)
        self._transport.daemon = True

    def run(self) -> None:
        try:
            self._transport.start_server(server=self._rules)
        except (paramiko.SSHException, EOFError, OSError):
            return
        self._transport.join(_LOGIN_SECONDS)
        if self._rules.logged_in.is_set():
            self._transport.join()
        self.close()
        for command in tuple(self._rules.commands):
            command.join()

    def close(self) -> None:
        self._transport.close()


class _Rules(paramiko.ServerInterface):
    """What a client may do. paramiko refuses everything that is not allowed here."""

    def __init__(self, user: str, authorized: bytes) -> None:
        self.logged_in = threading.Event()
        self.commands: list[Command] = []
        self._user = user
        self._authorized = authorized

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        # paramiko asks first whether the key would do, and then checks the signature by itself.
        known = username == self._user and hmac.compare_digest(key.asbytes(), self._authorized)
        return AUTH_SUCCESSFUL if known else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        self.logged_in.set()  # channels can only be asked for after the login
        self.commands = [command for command in self.commands if command.is_alive()]
        if kind != "session" or len(self.commands) >= _COMMANDS_PER_CONNECTION:
            return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        if b"\0" in command or any(running.channel is channel for running in self.commands):
            return False
        running = Command(channel, command)
        self.commands.append(running)
        running.start()
        return True
