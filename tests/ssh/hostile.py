"""An SSH server that misbehaves on purpose: raw sockets, and paramiko's server side.

with raw(flood_banner) as server: ...            # what a behaviour does with each connection
with speaking(Hangs("auth")) as server: ...      # a real handshake, then trouble
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED, cMSG_CHANNEL_DATA, cMSG_USERAUTH_BANNER

from poller.model import Host, PollSettings, Ssh

PASSWORD = "open sesame"
BANNER = b"SSH-2.0-hostile\r\n"
Behaviour = Callable[[socket.socket, threading.Event], None]


@dataclass
class Server:
    """Where it listens, and its host key when it has one."""

    port: int
    connections: int = 0
    key: paramiko.PKey | None = None

    def host(self, folder: Path, identity: Path, *, deadline: float = 1.0) -> Host:
        """A host of the model at this server; its key is on record."""
        known = folder / "hostile_known_hosts"
        known.touch(0o600)
        if self.key is not None:
            known.write_text(f"[127.0.0.1]:{self.port} {self.key.get_name()} {self.key.get_base64()}\n")
        empty = folder / "empty"
        empty.touch()
        ssh = Ssh(user="me", port=self.port, identity_files=(identity,), known_hosts=(known,), ssh_config=empty)
        return Host(name="hostile", address="127.0.0.1", ssh=ssh, poll=PollSettings(deadline=deadline))


@contextmanager
def raw(behaviour: Behaviour, key: paramiko.PKey | None = None) -> Iterator[Server]:
    """Gives each connection to `behaviour`, in a thread; the event tells it to end."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(listener.getsockname()[1], key=key)
        accepting = threading.Thread(target=_accept, args=(listener, server, behaviour, over), daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join(5)


def _accept(listener: socket.socket, server: Server, behaviour: Behaviour, over: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            server.connections += 1
            threading.Thread(target=_serve, args=(connection, behaviour, over), daemon=True).start()


def _serve(connection: socket.socket, behaviour: Behaviour, over: threading.Event) -> None:
    with connection, contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        behaviour(connection, over)


# Before the handshake


def never_speaks(connection: socket.socket, over: threading.Event) -> None:
    over.wait(20)


def drips_banner(connection: socket.socket, over: threading.Event) -> None:
    for byte in itertools.cycle(b"SSH"):
        connection.sendall(bytes([byte]))
        if over.wait(0.2):
            return


def floods_banner(connection: socket.socket, over: threading.Event) -> None:
    while not over.is_set():
        connection.sendall(b"y" * 65536)


def many_lines(connection: socket.socket, over: threading.Event) -> None:
    while not over.wait(0.3):
        connection.sendall(b"please wait\r\n")


def hangs_in_key_exchange(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(BANNER)
    over.wait(20)


def giant_packet(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(BANNER + b"\xff\xff\xff\xf4\x05" + b"\0" * 100)
    floods_banner(connection, over)


def closes_at_once(connection: socket.socket, over: threading.Event) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def turns_away(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"Exceeded MaxStartups\r\n")


def punishes(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"Not allowed at this time\r\n")


def speaks_http(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def old_protocol(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"SSH-1.5-ancient\r\n")
    over.wait(20)


# After the handshake


class Trouble(paramiko.ServerInterface):
    """Accepts everybody, and hangs at one point of its own choice: auth, channel or exec. `says` is its last word."""

    def __init__(
        self, point: str = "", action: Callable[[paramiko.Channel], None] | None = None, says: bytes = b""
    ) -> None:
        self.point = point
        self.action = action
        self.says = says
        self.transport: paramiko.Transport | None = None
        self.over = threading.Event()

    def _hang(self, point: str) -> None:
        if point == self.point:
            self.over.wait(20)

    def get_allowed_auths(self, username: str) -> str:
        return "password" if self.point == "password" else "publickey"

    def check_auth_password(self, username: str, password: str) -> int:
        return AUTH_SUCCESSFUL if (self.point, password) == ("password", PASSWORD) else AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._hang("auth")
        if self.point == "close":
            self._speak()
            raise EOFError
        return AUTH_FAILED if self.point in ("deny", "password") else AUTH_SUCCESSFUL

    def _speak(self) -> None:
        """As sshd says what PAM told it: SSH_MSG_USERAUTH_BANNER (RFC 4252 5.4), without a language."""
        if self.says and self.transport is not None:
            message = paramiko.Message()
            message.add_byte(cMSG_USERAUTH_BANNER)
            message.add_string(self.says)
            message.add_string("")
            self.transport._send_message(message)  # type: ignore[attr-defined]

    def check_channel_request(self, kind: str, chanid: int) -> int:
        self._hang("channel")
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self._hang("exec")
        if self.action is not None:
            threading.Thread(target=self._act, args=(channel,), daemon=True).start()
        return self.point != "refuse"

    def _act(self, channel: paramiko.Channel) -> None:
        assert self.action is not None
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self.action(channel)


@contextmanager
def speaking(trouble: Trouble, software: str = "") -> Iterator[Server]:
    """A server with a real handshake and a key of its own; `software` is what it calls itself."""
    key = paramiko.ECDSAKey.generate()

    def behave(connection: socket.socket, over: threading.Event) -> None:
        transport = trouble.transport = paramiko.Transport(connection)
        transport.add_server_key(key)
        transport.local_version = software or transport.local_version
        transport.start_server(server=trouble)
        over.wait(20)
        transport.close()

    try:
        with raw(behave, key) as server:
            yield server
    finally:
        trouble.over.set()


def _under(channel: paramiko.Channel) -> paramiko.Transport:
    transport = channel.get_transport()
    assert transport is not None
    return transport


def ignores_window(channel: paramiko.Channel) -> None:
    """Sends without ever waiting for the poller to take something."""
    until = time.monotonic() + 10
    while time.monotonic() < until and _under(channel).is_active():
        message = paramiko.Message()
        message.add_byte(cMSG_CHANNEL_DATA)
        message.add_int(channel.remote_chanid)
        message.add_string(b"y" * 32000)
        _under(channel)._send_message(message)  # type: ignore[attr-defined]


def announces_giant(channel: paramiko.Channel) -> None:
    """In the encrypted stream; with AES-GCM the length of a packet is sent in clear."""
    _under(channel).sock.sendall(b"\xff\xff\xff\xf0" + b"\0" * 65536)


def sends_ignore(channel: paramiko.Channel) -> None:
    """An endless stream that is no data of any channel."""
    until = time.monotonic() + 10
    while time.monotonic() < until and _under(channel).is_active():
        _under(channel).send_ignore(30000)
