"""Turns what paramiko and the socket raise into stage and code: the one table, used at the one door."""

from __future__ import annotations

import socket
from typing import Final

import paramiko

from poller.errors import OUTCOMES, HostError
from poller.ssh.transport import OversizePacket
from poller.ssh.wire import Wire

# paramiko's exceptions, most special first, and the code that each means in a stage (where that stage has the code).
_TABLE: Final[tuple[tuple[type[BaseException], str, str], ...]] = (
    (OversizePacket, "*", "oversize"),
    (paramiko.ssh_exception.IncompatiblePeer, "handshake", "algorithms"),
    (paramiko.BadAuthenticationType, "auth", "method"),
    (paramiko.ChannelException, "session", "refused"),
    (socket.timeout, "*", "timeout"),
    (EOFError, "*", "closed"),
    (OSError, "*", "closed"),
)

# Sentences of paramiko that mean something else than they say, by their beginning.
_SENTENCES: Final = (
    ("handshake", "No existing session", "timeout"),
    ("handshake", "Error reading SSH protocol banner", "closed"),
    ("handshake", "Negotiation failed", "closed"),
    ("auth", "Authentication timeout", "timeout"),
    ("auth", "Authentication failed: transport shut down", "closed"),
    ("auth", "Authentication failed", "denied"),
    ("auth", "No existing session", "closed"),
    ("auth", "Unable to agree on a pubkey algorithm", "method"),
    ("session", "Timeout opening channel", "timeout"),
    ("session", "Channel closed", "refused"),
)

# When nothing above fits.
_OTHERWISE: Final = {"handshake": "protocol", "auth": "closed", "session": "closed", "probe": "closed"}


# The last four: paramiko raises them for malformed packets.
_FOREIGN: Final = (paramiko.SSHException, OSError, EOFError, ValueError, IndexError, KeyError, TypeError)


class translated:  # noqa: N801 - read as a word: with translated("auth", wire)
    """Whatever the block raises that is not of the poller leaves it as a HostError of `stage`.

    A class, because it stands around every piece that is read or sent, and a generator costs three times as much.
    """

    __slots__ = ("_stage", "_wire")

    def __init__(self, stage: str, wire: Wire) -> None:
        self._stage = stage
        self._wire = wire

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _FOREIGN) and not isinstance(error, HostError):
            raise translate(error, self._stage, self._wire) from None


def translate(error: BaseException, stage: str, wire: Wire) -> HostError:
    """The outcome. What the wire saw counts more than what paramiko made of it."""
    if wire.flooded or isinstance(error, OversizePacket):
        return _oversize(stage, wire, error)
    if wire.expired:
        return HostError(stage, "timeout")
    return HostError(stage, _code(error, stage), _detail(error, stage, wire))


def _oversize(stage: str, wire: Wire, error: BaseException) -> HostError:
    detail = str(error) if isinstance(error, OversizePacket) else f"{wire.received} bytes so far"
    return HostError(stage if (stage, "oversize") in OUTCOMES else "probe", "oversize", detail)


def _code(error: BaseException, stage: str) -> str:
    text = str(error)
    for where, beginning, code in _SENTENCES:
        if where == stage and text.startswith(beginning):
            return code
    for kind, where, code in _TABLE:
        if isinstance(error, kind) and where in ("*", stage) and (stage, code) in OUTCOMES:
            return code
    return _OTHERWISE[stage]


def _detail(error: BaseException, stage: str, wire: Wire) -> str:
    """What was seen, in printable ASCII. sshd says why it drops a connection in a line before its banner."""
    if isinstance(error, paramiko.BadAuthenticationType):
        return f"allowed: {', '.join(error.allowed_types)}"
    if stage == "handshake" and wire.head and not wire.head.startswith(b"SSH-"):
        return ascii(wire.head.decode("utf-8", "replace").strip())
    text = str(error)
    known = any(text.startswith(beginning) for where, beginning, _ in _SENTENCES if where == stage)
    return "" if known or not text else ascii(text)[1:-1]
