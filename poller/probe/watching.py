"""The request of a live watch, and what opens the frames that the probe pushes from then on.

    request = WatchRequest.fresh(host.name, session.host_key, payload, host.watch, idle)
    session.expect(request.marker); send request.frame      # after at least one poll, on the same channel
    opener = request.opener()
    for sealed in session.listen(...): push = opener.open(sealed, at_ms)

The payload is one built with `watch=True`. A second request replaces the first; `request.ending` ends the watch.
Frames are those of envelope.py with label 1, the info label `poller event`, keys that last as long as the watch, and a
sequence that rises by one from 1, in the header and in the counter block (sequence 8 | zero 8).
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from poller.errors import HostError
from poller.model import NEVER, Watch
from poller.probe import envelope, event
from poller.probe.request import VERSION

if TYPE_CHECKING:
    from poller.model.live import Push
    from poller.probe.payload import Payload

# The kind of frame that is pushed, and of what may be asked.
KIND: Final = "event"
# Reading even an empty frame, and looking up what it is about, takes as long as reading so many bytes. A probe sends at
# most ten frames a second.
FRAME_COSTS: Final = 32 * 1024
_LABEL: Final = b"poller event"
_PREFIX: Final = b"\x01\x01"  # version 1, label 1
_SEQUENCE: Final = slice(2, 10)
_NONCE: Final = slice(10, 26)
_PUBLIC: Final = slice(26, 58)


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """`body` is the canonical JSON whose digest goes into the keys; `private` opens the frames of one watch."""

    host: str
    probe: str
    marker: str
    nonce: bytes
    public: bytes
    body: bytes
    private: X25519PrivateKey = field(repr=False)
    idle: float = 0.0

    @classmethod
    def fresh(
        cls,
        host_name: str,
        host_key: str,
        payload: Payload,
        watch: Watch,
        idle: float,
        *,
        loopback: bool = False,
    ) -> WatchRequest:
        """A new watch. `host_key` is the verified fingerprint ("local" without SSH).

        `idle`: seconds from one request to the next; after three times as long without any the probe ends itself.
        What `watch` says is never read is not watched either. `loopback`: contacts within the machine are told, too.
        """
        private = X25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw()
        marker, nonce = secrets.token_hex(16), secrets.token_bytes(16)
        body = _canonical(
            {
                "version": VERSION,
                "kind": "watch",
                "host": host_name,
                "host_key": host_key,
                "probe": payload.digest,
                "sections": [name for name in event.SECTIONS if watch.period(name) != NEVER],
                "contacts": watch.period("traffic") != NEVER,
                "loopback": loopback,
                "idle": idle,
                "marker": marker,
                "nonce": nonce.hex(),
                "public": public.hex(),
            }
        )
        return cls(host_name, payload.digest, marker, nonce, public, body, private, idle)

    @property
    def frame(self) -> bytes:
        """The bytes to send: a length line, then the body."""
        return _framed(self.body)

    @property
    def ending(self) -> bytes:
        """The bytes that end the watch; the probe stays. A frame that was on its way may still come."""
        return _framed(_canonical({"version": VERSION, "kind": "unwatch", "idle": self.idle}))

    def opener(self, spend: Callable[[int], None] = lambda count: None) -> Opener:
        """What opens the frames of this watch, from the first on.

        `spend` is told what each frame costs, in bytes of text, before it is read; what it raises ends the watch.
        """
        return Opener(self, spend)


class Opener:
    """Opens the frames of one watch in their order. Belongs to one thread.

    Whatever is refused ends the watch: the caller drops the session.
    """

    def __init__(self, request: WatchRequest, spend: Callable[[int], None]) -> None:
        self._request = request
        self._spend = spend
        self._sequence = 0
        self._public = b""
        self._keys = b"", b""

    def open(self, sealed: bytes, at_ms: int) -> Push:
        """HostError envelope/… as for a report (another sequence than the next is a `replay`), or report/….

        `at_ms` is when it came, in epoch milliseconds.
        """
        envelope.check_size(sealed)
        if not sealed.startswith(_PREFIX):
            raise HostError("envelope", "version", f"header {sealed[:2].hex()}")
        if not hmac.compare_digest(sealed[_NONCE], self._request.nonce):
            raise HostError("envelope", "replay")
        sequence = self._sequence + 1
        came = int.from_bytes(sealed[_SEQUENCE], "big")
        if came != sequence:
            raise HostError("envelope", "replay", f"frame {came} instead of {sequence}")
        xml = envelope.decrypted(sealed, self._keys_of(sealed[_PUBLIC]), sealed[_SEQUENCE])
        self._spend(FRAME_COSTS + len(xml))
        push = event.parse(xml, self._request.host, sequence, at_ms)
        self._sequence = sequence
        return push

    def _keys_of(self, public: bytes) -> tuple[bytes, bytes]:
        """Derived once; a watch has one key pair. They are kept even when the tag then fails: nothing follows it."""
        if not self._public:
            self._keys = envelope.derived(public, self._request, _LABEL)
            self._public = public
        elif not hmac.compare_digest(public, self._public):
            raise HostError("envelope", "key", "another one than before")
        return self._keys


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _framed(body: bytes) -> bytes:
    return b"%d\n" % len(body) + body
