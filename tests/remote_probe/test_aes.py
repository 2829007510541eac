"""AES-256-CTR against FIPS 197, NIST SP 800-38A, RFC 3686 and `cryptography`."""

from __future__ import annotations

import secrets
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR, ECB
from hypothesis import given, settings
from hypothesis import strategies as st

from remote_probe.aes import ctr, sub_bytes

RFC3686 = Path(cryptography_vectors.__file__).parent / "ciphers" / "AES" / "CTR" / "aes-256-ctr.txt"
KEYS = st.binary(min_size=32, max_size=32)
COUNTERS = st.binary(min_size=16, max_size=16)


def openssl(key: bytes, counter: bytes, data: bytes) -> bytes:
    encryptor = Cipher(AES(key), CTR(counter)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def test_the_vectors_of_sp_800_38a() -> None:
    key = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
    counter = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    plain = bytes.fromhex(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
    )
    sealed = bytes.fromhex(
        "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
        "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"
    )
    assert ctr(key, counter, plain) == sealed  # F.5.5
    assert ctr(key, counter, sealed) == plain  # F.5.6


@pytest.mark.parametrize("number", range(3))
def test_the_vectors_of_rfc_3686(number: int) -> None:
    block = RFC3686.read_text().split("COUNT = ")[number + 1]
    key, counter, plain, sealed = (bytes.fromhex(line.split(" = ")[1]) for line in block.splitlines()[1:5])
    assert ctr(key, counter, plain) == sealed


def test_a_single_block_is_the_cipher_of_fips_197() -> None:
    key = bytes(range(32))
    counter = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert ctr(key, counter, bytes(16)).hex() == "8ea2b7ca516745bfeafc49904b496089"  # C.3
    assert ctr(key, counter, bytes(16)) == Cipher(AES(key), ECB()).encryptor().update(counter)  # noqa: S305 - a vector


def test_the_circuit_is_the_s_box_for_every_byte() -> None:
    def product(a: int, b: int) -> int:
        result = 0
        for bit in range(8):
            result ^= (a << bit) * (b >> bit & 1)
        for bit in range(14, 7, -1):
            result ^= (0x11B << bit - 8) * (result >> bit & 1)
        return result

    def expected(byte: int) -> int:
        inverse = next((other for other in range(256) if product(byte, other) == 1), 0)
        turned = [(inverse << turn | inverse >> 8 - turn) & 0xFF for turn in range(5)]
        return turned[0] ^ turned[1] ^ turned[2] ^ turned[3] ^ turned[4] ^ 0x63

    planes = [sum((byte >> bit & 1) << byte for byte in range(256)) for bit in range(8)]
    found = sub_bytes(planes, (1 << 256) - 1)
    assert [sum((found[bit] >> byte & 1) << bit for bit in range(8)) for byte in range(256)] == [
        expected(byte) for byte in range(256)
    ]


@settings(max_examples=60, deadline=None)
@given(KEYS, COUNTERS, st.binary(max_size=300))
def test_it_agrees_with_openssl_for_every_length(key: bytes, counter: bytes, data: bytes) -> None:
    assert ctr(key, counter, data) == openssl(key, counter, data)


def test_it_agrees_with_openssl_where_the_counter_wraps_and_for_long_texts() -> None:
    data = secrets.token_bytes(70_001)
    assert ctr(bytes(32), b"\xff" * 16, data) == openssl(bytes(32), b"\xff" * 16, data)


@pytest.mark.parametrize(("key", "counter"), [(31, 16), (16, 16), (32, 12)])
def test_keys_and_counters_of_another_size_are_refused(key: int, counter: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        ctr(bytes(key), bytes(counter), b"data")
