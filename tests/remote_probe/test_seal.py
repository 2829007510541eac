"""The envelope: HKDF against RFC 5869, the whole against `cryptography`, and keys that never repeat."""

from __future__ import annotations

import hashlib
import hmac
import zlib
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from remote_probe.seal import frame, hkdf, seal

RFC5869 = Path(cryptography_vectors.__file__).parent / "KDF" / "rfc-5869-HKDF-SHA256.txt"
REQUEST, NONCE, PROBE = b'{"host":"web1"}', bytes(range(16)), bytes(range(32))


def opened(sealed: bytes, private: X25519PrivateKey, request: bytes = REQUEST) -> bytes:
    """The contract's other half, written again from its text."""
    head, public, ciphertext, tag = sealed[:26], sealed[26:58], sealed[58:-32], sealed[-32:]
    assert head == b"\x01\x00" + bytes(8) + NONCE
    shared = private.exchange(X25519PublicKey.from_public_bytes(public))
    bound = [b"poller report", b"\x01", hashlib.sha256(request).digest(), PROBE]
    bound += [private.public_key().public_bytes_raw(), public]
    info = b"".join(len(part).to_bytes(4, "big") + part for part in bound)
    keys = HKDF(SHA256(), 64, NONCE, info).derive(shared)
    assert hmac.compare_digest(hmac.digest(keys[32:], sealed[:-32], "sha256"), tag)
    return zlib.decompress(Cipher(AES(keys[:32]), CTR(bytes(16))).decryptor().update(ciphertext))


@pytest.mark.parametrize("number", range(3))
def test_the_key_derivation_vectors(number: int) -> None:
    block = RFC5869.read_text().split("COUNT = ")[number + 1]
    fields = {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in block.splitlines())}
    ikm, salt, info, okm = (bytes.fromhex(fields.get(name, "")) for name in ("IKM", "salt", "info", "OKM"))
    assert hkdf(ikm, salt, info, int(fields["L"])) == okm


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=3_000), st.binary(max_size=500))
def test_what_is_sealed_here_opens_with_cryptography(text: bytes, request: bytes) -> None:
    private = X25519PrivateKey.generate()
    sealed = seal(text, request, NONCE, private.public_key().public_bytes_raw(), PROBE)
    assert opened(sealed, private, request) == text


def test_neither_keys_nor_ciphertexts_repeat() -> None:
    centre = X25519PrivateKey.generate().public_key().public_bytes_raw()
    sealed = [seal(b"the same text", REQUEST, NONCE, centre, PROBE) for _ in range(300)]
    assert len({one[26:58] for one in sealed}) == 300
    assert len({one[58:74] for one in sealed}) == 300


def test_nothing_of_the_text_shows() -> None:
    centre = X25519PrivateKey.generate().public_key().public_bytes_raw()
    assert zlib.compress(b"secret" * 9, 9)[2:10] not in seal(b"secret" * 9, REQUEST, NONCE, centre, PROBE)


def test_a_frame_stands_out_by_its_marker() -> None:
    assert frame("0" * 32, "report", b"12345") == b"\n#" + b"0" * 32 + b" report 5\n12345"


@given(key=st.binary(max_size=200), message=st.binary(max_size=200))
@settings(max_examples=200)
def test_the_tag_is_that_of_the_standard_library_for_keys_of_any_length(key: bytes, message: bytes) -> None:
    """RFC 5869: with nothing but the salt, extract is HMAC; two blocks show that expand chains it."""
    extracted = hmac.digest(key or bytes(32), message, "sha256")
    first = hmac.digest(extracted, b"\x01", "sha256")
    assert hkdf(message, key, b"", 64) == first + hmac.digest(extracted, first + b"\x02", "sha256")
