"""A probe's event frames written a second time, with `cryptography`, from the wire format alone."""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
import zlib

from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from poller.model import Watch
from poller.probe.watching import WatchRequest
from tests.probe.sealing import Payload, keys

QUIET = 'devices="uevent" mounts="mountinfo" contacts="packet"'


def ask(host: str = "web1", watch: Watch | None = None) -> WatchRequest:
    return WatchRequest.fresh(host, "SHA256:abc", Payload(), watch or Watch(), 60.0)  # type: ignore[arg-type]


def xml(sequence: int = 1, inside: str = "", *, host: str = "web1", lost: int = 0, words: str = QUIET) -> bytes:
    head = f'host="{host}" sequence="{sequence}" lost="{lost}" {words}'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<event version="1" {head}>\n{inside}</event>\n'.encode()


class Stranger:
    """A key pair, and whatever header a test wants."""

    def __init__(self, request: WatchRequest) -> None:
        self.body = request.body
        self.private = x25519.X25519PrivateKey.generate()

    def seal(self, plain: bytes, sequence: int, *, version: int = 1, label: int = 1) -> bytes:
        return self.seal_compressed(zlib.compress(plain), sequence, version=version, label=label)

    def seal_compressed(self, compressed: bytes, sequence: int, *, version: int = 1, label: int = 1) -> bytes:
        encryption, mac = keys(self.body, self.private, b"poller event")
        counter = struct.pack(">QQ", sequence, 0)
        encryptor = Cipher(algorithms.AES(encryption), modes.CTR(counter)).encryptor()
        header = struct.pack(">BBQ", version, label, sequence) + bytes.fromhex(json.loads(self.body)["nonce"])
        sealed = header + self.private.public_key().public_bytes_raw() + encryptor.update(compressed)
        return sealed + hmac.new(mac, sealed, hashlib.sha256).digest()
