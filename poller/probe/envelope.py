"""Opens what a probe sealed: sealed bytes and the request they must answer -> XML, or HostError("envelope", code).

    version 1 | label 1 | sequence 8 | nonce 16 | probe's public key 32 | ciphertext | HMAC-SHA256 tag 32

X25519 (RFC 7748) and HKDF-SHA256 (RFC 5869) give an AES-256 key and a MAC key; encrypt-then-MAC, AES-256-CTR
(NIST SP 800-38A), zlib (RFC 1950). Nothing is decrypted before the tag holds, nothing inflated beyond its bound.
"""

from __future__ import annotations

import hashlib
import hmac
import zlib
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from poller.errors import HostError
from poller.probe.request import Request

MAX_FRAME: Final = 8 * 1024 * 1024
# 200 bytes for each of the elements that a report may have; and the poller grows by less than 32 MB for the worst one.
MAX_INFLATED: Final = 8 * 1024 * 1024
# Fed in slices of this size a bomb, which inflates a thousandfold, makes a megabyte at a time.
_SLICE: Final = 1024

_REPORT: Final = b"\x01\x00"  # version 1, label 0
_SEQUENCE: Final = bytes(8)  # a request has one report
_PREFIX: Final = _REPORT + _SEQUENCE
_NONCE: Final = slice(10, 26)
_PUBLIC: Final = slice(26, 58)
_HEADER: Final = 58
_TAG: Final = 32


def open_report(sealed: bytes, request: Request) -> bytes:
    """The XML inside, authentic and complete. The host is never told which check failed."""
    if len(sealed) > MAX_FRAME:
        raise HostError("envelope", "oversize", f"{len(sealed)} bytes")
    if len(sealed) <= _HEADER + _TAG:
        raise HostError("envelope", "truncated", f"{len(sealed)} bytes")
    if not sealed.startswith(_PREFIX):
        raise HostError("envelope", "version", f"header {sealed[: len(_PREFIX)].hex()}")
    if not hmac.compare_digest(sealed[_NONCE], request.nonce):
        raise HostError("envelope", "replay")
    encryption_key, mac_key = _keys(sealed[_PUBLIC], request)
    view = memoryview(sealed)  # a slice of the bytes would be a copy of megabytes
    if not hmac.compare_digest(hmac.digest(mac_key, view[:-_TAG], "sha256"), sealed[-_TAG:]):
        raise HostError("envelope", "tag")
    decryptor = Cipher(AES(encryption_key), CTR(_SEQUENCE + bytes(8))).decryptor()
    return _inflate(decryptor.update(view[_HEADER:-_TAG]) + decryptor.finalize())


def _keys(public: bytes, request: Request) -> tuple[bytes, bytes]:
    """(AES key, MAC key), bound to the whole request, the probe's code and both public keys."""
    try:
        shared = request.private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:  # a low-order point: the shared secret would be all zero (RFC 7748, 6.1)
        raise HostError("envelope", "key") from None
    parts = (
        b"poller report",
        _REPORT[:1],
        hashlib.sha256(request.body).digest(),
        bytes.fromhex(request.probe),
        request.public,
        public,
    )
    info = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    keys = HKDF(SHA256(), 64, request.nonce, info).derive(shared)
    return keys[:32], keys[32:]


def _inflate(data: bytes) -> bytes:
    """Measured first, then inflated into one piece of that size: whatever the data promise, no more is ever held."""
    try:
        return zlib.decompress(data, bufsize=max(1, _inflated_bytes(data)))
    except zlib.error as error:
        raise HostError("envelope", "inflate", str(error)) from None


def _inflated_bytes(data: bytes) -> int:
    """Stops at the bound; the stream must end exactly where the data do."""
    inflater = zlib.decompressobj()
    total = 0
    view = memoryview(data)
    for start in range(0, len(data), _SLICE):
        total += len(inflater.decompress(view[start : start + _SLICE]))
        if total > MAX_INFLATED:
            raise HostError("envelope", "inflate", f"more than {MAX_INFLATED} bytes")
        if inflater.eof and (inflater.unused_data or start + _SLICE < len(data)):
            break
    else:
        if inflater.eof:
            return total
    raise HostError("envelope", "inflate", "the compressed stream does not end where it must")
