"""What is said over the socket: one JSON object per line, each way, of a bounded length.

The daemon speaks first: `{"poller": "0.1.0", "protocol": 1, "pid": 4711}`. The client asks one thing:
`{"ask": "poll", "hosts": ["web1"], "now": false}`. Then come any number of `{"item": {...}}` and of empty lines, which
only say that the daemon is alive, and at last `{"answer": {...}}` or `{"error": {"kind", "code", "sentence", "hint"}}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from poller import __version__
from poller.errors import BusyError, PollerError, StoreError, UsageError

PROTOCOL: Final = 1
# Bytes of one line. A request may name ten thousand hosts, an answer tell of as many.
LONGEST_REQUEST: Final = 1 << 20
LONGEST_ANSWER: Final = 16 << 20
ALIVE: Final = b"\n"

Message = dict[str, Any]

# Errors that end a command with an exit code of their own are so on the other side as well.
_KINDS: Final[Mapping[str, type[PollerError]]] = {"busy": BusyError, "store": StoreError, "usage": UsageError}


class ProtocolError(PollerError):
    """The other side says what this one cannot understand."""

    code = "protocol"


def encode(message: Mapping[str, Any]) -> bytes:
    """One line. ASCII alone, so that no text can break it."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def decode(line: bytes) -> Message:
    """ProtocolError for all but one JSON object."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise ProtocolError("what came over the socket is no message", "the command and the daemon may not fit")
    return message


def hello(pid: int) -> Message:
    return {"poller": __version__, "protocol": PROTOCOL, "pid": pid}


def check_hello(message: Message) -> None:
    """ProtocolError when the daemon is of another version that speaks differently; what it refused with, if it did."""
    if "error" in message:
        raise raised(message["error"])
    if message.get("protocol") != PROTOCOL:
        version = str(message.get("poller", "unknown"))[:40]
        raise ProtocolError(
            f"the daemon that runs is of another version ({version}, this is {__version__})",
            "start it again: `systemctl restart poller`",
        )


def failure(error: PollerError) -> Message:
    """An error on its way to the client."""
    kind = next((name for name, tree in _KINDS.items() if isinstance(error, tree)), "")
    return {"error": {"kind": kind, "code": error.code, "sentence": error.sentence, "hint": error.hint}}


def raised(told: Any) -> PollerError:
    """The same error, to be raised by the client."""
    told = told if isinstance(told, dict) else {}
    text = {name: str(told.get(name, "")) for name in ("kind", "code", "sentence", "hint")}
    return _KINDS.get(text["kind"], PollerError)(text["sentence"], text["hint"], code=text["code"])
