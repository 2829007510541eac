"""The probe's half of the seal written a second time, with `cryptography`, from the wire format alone.

It shares no code with remote_probe nor with poller.probe.envelope, so that each is tested against a stranger.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
import zlib
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from poller.model import Before
from poller.probe.request import Request

DIGEST = "ab" * 32
# Every point of low order and each of its encodings that fits (RFC 7748, section 7; cr.yp.to/ecdh.html).
PRIME = 2**255 - 19
LOW_ORDER = [
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    PRIME - 1,
    PRIME,
    PRIME + 1,
]


@dataclass(frozen=True)
class Payload:
    """What a request needs to know of a payload."""

    data: bytes = b""
    digest: str = DIGEST
    sections: tuple[str, ...] = ("system", "cpu")


def ask(host: str = "web1", before: Before | None = None) -> Request:
    return Request.fresh(host, "SHA256:abc", before or Before(), Payload(), 30.0)  # type: ignore[arg-type]


def keys(body: bytes, private: x25519.X25519PrivateKey, label: bytes = b"poller report") -> tuple[bytes, bytes]:
    own = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    centre = x25519.X25519PublicKey.from_public_bytes(bytes.fromhex(json.loads(body)["public"]))
    return _derived(body, private.exchange(centre), own, label)


def _derived(body: bytes, shared: bytes, own: bytes, label: bytes = b"poller report") -> tuple[bytes, bytes]:
    asked = json.loads(body)
    centre, probe = bytes.fromhex(asked["public"]), bytes.fromhex(asked["probe"])
    info = b""
    for part in (label, b"\x01", hashlib.sha256(body).digest(), probe, centre, own):
        info += struct.pack(">I", len(part)) + part
    both = HKDF(hashes.SHA256(), 64, bytes.fromhex(asked["nonce"]), info).derive(shared)
    return both[:32], both[32:]


def seal_compressed(compressed: bytes, body: bytes, version: int = 1, label: int = 0, sequence: int = 0) -> bytes:
    """An envelope around bytes that are taken as they are."""
    private = x25519.X25519PrivateKey.generate()
    encryption, mac = keys(body, private)
    counter = struct.pack(">QQ", sequence, 0)
    encryptor = Cipher(algorithms.AES(encryption), modes.CTR(counter)).encryptor()
    header = struct.pack(">BBQ", version, label, sequence) + bytes.fromhex(json.loads(body)["nonce"])
    sealed = header + private.public_key().public_bytes_raw() + encryptor.update(compressed)
    return sealed + hmac.new(mac, sealed, hashlib.sha256).digest()


def seal(plain: bytes, body: bytes) -> bytes:
    return seal_compressed(zlib.compress(plain), body)


def forge(plain: bytes, body: bytes, shared: bytes, public: bytes) -> bytes:
    """What somebody seals who knows the shared secret and shows any public key."""
    encryption, mac = _derived(body, shared, public)
    encryptor = Cipher(algorithms.AES(encryption), modes.CTR(bytes(16))).encryptor()
    head = b"\x01\x00" + bytes(8) + bytes.fromhex(json.loads(body)["nonce"]) + public
    sealed = head + encryptor.update(zlib.compress(plain))
    return sealed + hmac.new(mac, sealed, hashlib.sha256).digest()
