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


@dataclass(frozen=True)
class Payload:
    """What a request needs to know of a payload."""

    data: bytes = b""
    digest: str = DIGEST
    sections: tuple[str, ...] = ("system", "cpu")


def ask(host: str = "web1", before: Before | None = None) -> Request:
    return Request.fresh(host, "SHA256:abc", before or Before(), Payload(), 30.0)  # type: ignore[arg-type]


def keys(body: bytes, private: x25519.X25519PrivateKey, label: bytes = b"poller report") -> tuple[bytes, bytes]:
    asked = json.loads(body)
    centre = bytes.fromhex(asked["public"])
    own = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    shared = private.exchange(x25519.X25519PublicKey.from_public_bytes(centre))
    info = b""
    for part in (label, b"\x01", hashlib.sha256(body).digest(), bytes.fromhex(asked["probe"]), centre, own):
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
