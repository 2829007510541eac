"""One question to a probe: what is wanted, and everything that binds the answer to this question alone.

Goes in: the host, its verified host key, what is remembered of it and the payload that will be run.
Comes out: a `Request` with a key pair, nonce and marker of its own, used for one answer and never stored.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from poller.model import Before
from poller.probe.rates import OLDEST, YOUNGEST

if TYPE_CHECKING:
    from poller.probe.payload import Payload

VERSION: Final = 1
# Seconds between two readings of one poll, when there is no earlier poll to count from.
WINDOW: Final = 0.5


@dataclass(frozen=True, slots=True)
class Request:
    """`body` is the canonical JSON whose digest goes into the keys; `private` answers exactly one envelope."""

    host: str
    probe: str
    marker: str
    nonce: bytes
    public: bytes
    body: bytes
    private: X25519PrivateKey = field(repr=False)

    @classmethod
    def fresh(
        cls,
        host: str,
        host_key: str,
        before: Before,
        payload: Payload,
        deadline: float,
        idle: float = 0.0,
        *,
        clock: Callable[[], float] = time.time,
    ) -> Request:
        """A new question. `host_key` is the verified fingerprint ("local" without SSH); times are in seconds."""
        private = X25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw()
        marker, nonce = secrets.token_hex(16), secrets.token_bytes(16)
        content = {
            "version": VERSION,
            "host": host,
            "host_key": host_key,
            "probe": payload.digest,
            "sections": list(payload.sections),
            "stuck": list(before.stuck),
            "window": window(before, clock()),
            "deadline": deadline,
            "idle": idle,
            "marker": marker,
            "nonce": nonce.hex(),
            "public": public.hex(),
            "cursors": {},
        }
        body = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        return cls(host, payload.digest, marker, nonce, public, body, private)

    @property
    def frame(self) -> bytes:
        """The bytes to send: a length line, then the body."""
        return b"%d\n" % len(self.body) + self.body


def window(before: Before, now: float) -> float:
    """Seconds between two readings to ask for; 0 when the remembered reading looks usable.

    Only an estimate, because the age is taken from the host's clock: where that is wrong a window is asked for
    that is not needed, and `rates.usable` decides by uptime in the end.
    """
    if before.reading is None:
        return WINDOW
    return 0.0 if YOUNGEST <= now - before.reading.clock <= OLDEST else WINDOW
