"""One question to a probe: what is wanted, and everything that binds the answer to this question alone.

Goes in: the host, its verified host key, what is remembered of it, what config.xml wants watched on it, and the payload
that will be run, whose sections are those asked for.
Comes out: a `Request` with a key pair, nonce and marker of its own, used for one answer and never stored.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from poller.model import Before, Watch
from poller.probe import wanted
from poller.probe.window import OLDEST, YOUNGEST
from remote_probe.collectors import COUNTERS

if TYPE_CHECKING:
    from poller.probe.payload import Payload

_log = logging.getLogger(__name__)

VERSION: Final = 1
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False)
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
        watch: Watch = Watch(),  # noqa: B008 -- frozen
        only: Iterable[str] | None = None,
        options: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
        after: bytes = b"",
        clock: Callable[[], float] = time.time,
    ) -> Request:
        """A new question. `host_key` is the verified fingerprint ("local" without SSH); times are in seconds.

        `only`: of the sections that the payload can answer for, these. `options` stand before those of `watch`.
        `after`: the nonce of the newest request whose report was opened and is still there: what the probe tells the
        same again it need not send again.
        """
        private = X25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw()
        marker, nonce = secrets.token_hex(16), secrets.token_bytes(16)
        asked = frozenset(payload.sections if only is None else only)
        sections = tuple(name for name in payload.sections if name in asked)
        cursors, waiting = wanted.cursors(watch, before, sections, nonce)
        if waiting:
            _log.warning("%a: of its logs, %d files wait: one request asks for %d", host, waiting, wanted.FILES)
        content = {
            "version": VERSION,
            "host": host,
            "host_key": host_key,
            "probe": payload.digest,
            "sections": list(sections),
            "stuck": list(before.stuck),
            "window": window(before, clock(), sections),
            "deadline": deadline,
            "idle": idle,
            "marker": marker,
            "nonce": nonce.hex(),
            "public": public.hex(),
            "options": {**wanted.options(watch, sections), **options},
            "cursors": cursors,
        }
        if after:
            content["after"] = after.hex()
        body = _ENCODER.encode(content).encode()
        return cls(host, payload.digest, marker, nonce, public, body, private)

    @property
    def frame(self) -> bytes:
        """The bytes to send: a length line, then the body."""
        return b"%d\n" % len(self.body) + self.body


def window(before: Before, now: float, sections: Iterable[str]) -> float:
    """Seconds between two readings to ask for; 0 when no section counts, or what is remembered of them looks usable.

    Only an estimate, because the age is taken from the host's clock: where that is wrong a window is asked for
    that is not needed, and `window.usable` decides by uptime in the end.
    """
    counting = [name for name in sections if name in COUNTERS]
    if before.reading is None or not counting:
        return WINDOW if counting else 0.0
    ages = [now - before.reading.clock]
    if before.asked_ms:  # a section that is asked for seldom is older than the reading
        ages += [now - before.asked_ms.get(name, 0) / 1000 for name in counting]
    return 0.0 if all(YOUNGEST <= age <= OLDEST for age in ages) else WINDOW
