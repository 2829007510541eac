"""X25519 against RFC 7748, against `cryptography`, and against points that give everybody the same secret."""

from __future__ import annotations

from pathlib import Path

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from remote_probe.seal import seal
from remote_probe.x25519 import BASE, P, x25519

VECTORS = Path(cryptography_vectors.__file__).parent / "asymmetric" / "X25519" / "rfc7748.txt"
# RFC 7748, 6.1: what low-order points have in common is that the result is all zero. Found by Bernstein
# (cr.yp.to/ecdh.html#validate); each also with multiples of P and with the unused top bit set.
LOW_ORDER = [
    point + bit
    for point in (
        0,
        1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
        P - 1,
        P,
        P + 1,
    )
    for bit in (0, 1 << 255)
]


def vectors() -> list[dict[str, bytes]]:
    blocks = VECTORS.read_text().split("\n\n")
    pairs = [[line.split(" = ") for line in block.splitlines() if " = " in line and "COUNT" not in line]
             for block in blocks]  # fmt: skip
    return [{name: bytes.fromhex(value) for name, value in block} for block in pairs if block]


@pytest.mark.parametrize("vector", vectors())
def test_the_published_vectors(vector: dict[str, bytes]) -> None:
    assert x25519(vector["INPUT_SCALAR"], vector["INPUT_U"]) == vector["OUTPUT_U"]


def test_the_iterated_vectors() -> None:
    k = u = BASE
    for step in range(1, 1001):
        k, u = x25519(k, u), k
        if step == 1:
            assert k.hex() == "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"
    assert k.hex() == "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_it_agrees_with_cryptography_for_every_key_and_point(scalar: bytes, point: bytes) -> None:
    private = X25519PrivateKey.from_private_bytes(scalar)
    assert x25519(scalar, BASE) == private.public_key().public_bytes_raw()
    ours = x25519(scalar, point)
    if any(ours):
        assert private.exchange(X25519PublicKey.from_public_bytes(point)) == ours


@pytest.mark.parametrize("point", [point for point in LOW_ORDER if point < 1 << 256])
def test_a_public_key_of_low_order_is_refused(point: int) -> None:
    encoded = point.to_bytes(32, "little")
    assert not any(x25519(bytes(range(32)), encoded))
    with pytest.raises(ValueError, match="low order"):
        seal(b"text", b"{}", bytes(16), encoded, bytes(32))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_keys_of_another_size_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        x25519(bytes(size), BASE)
    with pytest.raises(ValueError, match="32 bytes"):
        x25519(BASE, bytes(size))
