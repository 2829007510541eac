"""Event frames: the envelope of seal.py with label 1, keys that last for one watch, and a sequence of its own."""

import os
import zlib

from remote_probe import seal
from remote_probe.aes import ctr_with, schedule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

EVENT = b"\x01"  # the label


class Events:
    """The envelopes of one watch, each with the next number, from 1 on: in the header and in the counter block.

    Arguments as those of `seal.seal`. Two texts never meet the same key and counter. Raises ValueError.
    """

    def __init__(
        self, request: bytes, nonce: bytes, centre: bytes, probe: bytes, private: "Optional[bytes]" = None
    ) -> None:
        public, keys = seal.agreed(request, nonce, centre, probe, private or os.urandom(32), b"poller event")
        self._tail = nonce + public
        self._schedule = schedule(keys[:32])
        self._mac_key = keys[32:]
        self.sequence = 0

    def seal(self, text: bytes) -> bytes:
        """The envelope for `text`, which ought to name the number it gets: `sequence` + 1."""
        self.sequence += 1
        number = self.sequence.to_bytes(8, "big")
        body = seal.VERSION + EVENT + number + self._tail
        body += ctr_with(self._schedule, number + bytes(8), zlib.compress(text))
        return body + seal.mac(self._mac_key, body)
