"""Opens what a probe sealed: sealed bytes and the request they must answer -> XML, or HostError("envelope", code).

    version 1 | label 1 | sequence 8 | nonce 16 | probe's public key 32 | ciphertext | HMAC-SHA256 tag 32

X25519 (RFC 7748) and HKDF-SHA256 (RFC 5869) give an AES-256 key and a MAC key; encrypt-then-MAC, AES-256-CTR
(NIST SP 800-38A), zlib (RFC 1950). Nothing is decrypted before the tag holds, nothing inflated beyond its bound.
"""

from __future__ import annotations

import hashlib
import hmac
import zlib
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from poller.errors import HostError
from poller.probe.request import Request

MAX_FRAME: Final = 8 * 1024 * 1024
# 200 bytes for each of the elements that a report may have; and the poller grows by less than 32 MB for the worst one.
MAX_INFLATED: Final = 8 * 1024 * 1024
# Fed in slices of this size a bomb, which inflates a thousandfold, makes a megabyte at a time.
_SLICE: Final = 1024
# Bytes, deflated and inflated, of what is taken for an ordinary report.
_SHORT: Final = 64 * 1024
_LITTLE: Final = 512 * 1024

_VERSION: Final = b"\x01"
_SEQUENCE: Final = bytes(8)  # a request has one report
_PREFIX: Final = _VERSION + b"\x00" + _SEQUENCE  # label 0
_NONCE: Final = slice(10, 26)
_PUBLIC: Final = slice(26, 58)
_HEADER: Final = 58
_TAG: Final = 32


def open_report(sealed: bytes, request: Request) -> bytes:
    """The XML inside, authentic and complete. The host is never told which check failed."""
    check_size(sealed)
    if not sealed.startswith(_PREFIX):
        raise HostError("envelope", "version", f"header {sealed[: len(_PREFIX)].hex()}")
    if not hmac.compare_digest(sealed[_NONCE], request.nonce):
        raise HostError("envelope", "replay")
    return decrypted(sealed, derived(sealed[_PUBLIC], request))


class Asked(Protocol):
    """What an answer is bound to, of a Request or of the request of a watch."""

    @property
    def probe(self) -> str: ...

    @property
    def nonce(self) -> bytes: ...

    @property
    def public(self) -> bytes: ...

    @property
    def body(self) -> bytes: ...

    @property
    def private(self) -> X25519PrivateKey: ...


def check_size(sealed: bytes) -> None:
    """HostError envelope/oversize or envelope/truncated."""
    if len(sealed) > MAX_FRAME:
        raise HostError("envelope", "oversize", f"{len(sealed)} bytes")
    if len(sealed) <= _HEADER + _TAG:
        raise HostError("envelope", "truncated", f"{len(sealed)} bytes")


def decrypted(sealed: bytes, keys: tuple[bytes, bytes], sequence: bytes = _SEQUENCE) -> bytes:
    """The text, once the tag holds. HostError envelope/tag or envelope/inflate."""
    encryption_key, mac_key = keys
    view = memoryview(sealed)  # a slice of the bytes would be a copy of megabytes
    if not hmac.compare_digest(hmac.digest(mac_key, view[:-_TAG], "sha256"), sealed[-_TAG:]):
        raise HostError("envelope", "tag")
    decryptor = Cipher(AES(encryption_key), CTR(sequence + bytes(8))).decryptor()
    return _inflate(decryptor.update(view[_HEADER:-_TAG]) + decryptor.finalize())


def derived(public: bytes, request: Asked, label: bytes = b"poller report") -> tuple[bytes, bytes]:
    """(AES key, MAC key), bound to the whole request, the probe's code and both public keys."""
    try:
        shared = request.private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:  # a low-order point: the shared secret would be all zero (RFC 7748, 6.1)
        raise HostError("envelope", "key") from None
    parts = (
        label,
        _VERSION,
        hashlib.sha256(request.body).digest(),
        bytes.fromhex(request.probe),
        request.public,
        public,
    )
    info = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return expanded(shared, request.nonce, info)


def expanded(secret: bytes, salt: bytes, info: bytes) -> tuple[bytes, bytes]:
    """HKDF-SHA256 (RFC 5869) of 64 bytes, in halves: three HMACs, without an object for each."""
    key = hmac.digest(salt, secret, "sha256")
    first = hmac.digest(key, info + b"\x01", "sha256")
    return first, hmac.digest(key, first + info + b"\x02", "sha256")


def _inflate(data: bytes) -> bytes:
    """What is short at once; the rest is measured first, then inflated into one piece of that size: whatever the data
    promise, no more is ever held.
    """
    try:
        if len(data) <= _SHORT:
            inflater = zlib.decompressobj()
            text = inflater.decompress(data, _LITTLE)
            if inflater.eof and not inflater.unused_data:
                return text
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
