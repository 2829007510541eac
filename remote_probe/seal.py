"""The wire format: frames, and the envelope that only the asker can open. Pure, except that keys are random.

    version 1 | label 1 | sequence 8 | nonce 16 | probe's public key 32 | ciphertext | HMAC-SHA256 tag 32

Numbers are big-endian. The text is compressed (zlib), encrypted (AES-256-CTR) and then authenticated.
"""

import os
import zlib

from remote_probe.aes import ctr
from remote_probe.sha import sha256
from remote_probe.x25519 import BASE, x25519

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Tuple

VERSION = b"\x01"
REPORT = b"\x00"  # the label
QUICK = 1 << 17  # bytes; of more (logs) the last percents of compression would take most of the time
SEQUENCE = bytes(8)  # a request has one report, under keys of its own


def seal(
    text: bytes,
    request: bytes,
    nonce: bytes,
    centre: bytes,
    probe: bytes,
    private: "bytes | None" = None,
) -> bytes:
    """The envelope for `text`, bound to the whole `request` body, the probe's digest (32 bytes) and both public keys.

    `centre` is the asker's public key, `private` a fresh key of ours when left out. Raises ValueError for a public
    key of low order, with which anybody could open it.
    """
    public, keys = agreed(request, nonce, centre, probe, private or os.urandom(32), b"poller report")
    head = VERSION + REPORT + SEQUENCE + nonce + public
    body = head + ctr(keys[:32], SEQUENCE + bytes(8), zlib.compress(text, 9 if len(text) < QUICK else 6))
    return body + mac(keys[32:], body)


def agreed(
    request: bytes, nonce: bytes, centre: bytes, probe: bytes, private: bytes, label: bytes
) -> "Tuple[bytes, bytes]":
    """(our public key, 32 bytes for the cipher and 32 for the tag). Raises ValueError."""
    public = x25519(private, BASE)
    shared = x25519(private, centre)
    if not any(shared):
        raise ValueError("the public key has a low order")
    return public, hkdf(shared, nonce, context(request, probe, centre, public, label), 64)


def context(request: bytes, probe: bytes, centre: bytes, public: bytes, label: bytes) -> bytes:
    """What the keys are bound to: each part with its length before it."""
    parts = (label, VERSION, sha256(request).digest(), probe, centre, public)
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA256, RFC 5869: extract, then expand."""
    key = mac(salt or bytes(32), secret)
    block = output = b""
    for number in range(1, -(-length // 32) + 1):
        block = mac(key, block + info + bytes([number]))
        output += block
    return output[:length]


def frame(marker: str, kind: str, payload: bytes) -> bytes:
    """What goes to standard output: the asker's marker makes it stand out from anything else there."""
    return b"\n#%s %s %d\n" % (marker.encode("ascii"), kind.encode("ascii"), len(payload)) + payload


def mac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104). By hand: Debian's python3-minimal has hashlib but no hmac."""
    key = (sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = sha256(bytes(byte ^ 0x36 for byte in key) + message).digest()
    return sha256(bytes(byte ^ 0x5C for byte in key) + inner).digest()
