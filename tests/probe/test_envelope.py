"""What comes back is opened only if it is this probe's answer to this question, whole and untouched."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import subprocess
import sys
import time
import zlib

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from poller.errors import OUTCOMES, HostError
from poller.probe.envelope import MAX_FRAME, MAX_INFLATED, open_report
from poller.probe.request import Request
from remote_probe.seal import hkdf
from remote_probe.seal import seal as probe_seals
from tests.probe.sealing import ask, seal, seal_compressed

XML = b"<report secret='plaintext'/>"
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


def refusal(sealed: bytes, request: Request) -> str:
    """The code it is refused with; fails when it is not."""
    with pytest.raises(HostError) as caught:
        open_report(sealed, request)
    error = caught.value
    assert error.stage == "envelope"
    assert ("envelope", error.code) in OUTCOMES
    assert error.security
    assert "plaintext" not in str(error)
    return error.code


def from_probe(text: bytes, request: Request) -> bytes:
    return probe_seals(text, request.body, request.nonce, request.public, bytes.fromhex(request.probe))


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=3000))
def test_what_the_probe_seals_the_centre_opens(text: bytes) -> None:
    request = ask()
    assert open_report(from_probe(text, request), request) == text


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=3000))
def test_what_a_second_implementation_seals_the_centre_opens(text: bytes) -> None:
    request = ask()
    assert open_report(seal(text, request.body), request) == text


def test_one_flipped_bit_anywhere_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    request = ask()
    sealed = seal(b"<r/>", request.body)
    for position in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[position] ^= 1 << bit
            expected = "version" if position < 10 else "replay" if position < 26 else "tag"
            if (position, bit) == (57, 7):
                continue  # the top bit of a public key is ignored by X25519 (RFC 7748, 5): tested below
            assert refusal(bytes(changed), request) == expected
    assert not caplog.records


def test_the_ignored_bit_of_the_public_key_is_authenticated_too() -> None:
    request = ask()
    changed = bytearray(seal(b"<r/>", request.body))
    changed[57] ^= 0x80
    assert refusal(bytes(changed), request) == "tag"


def test_one_flipped_bit_in_each_byte_of_a_real_report_is_refused() -> None:
    request = ask()
    sealed = seal(XML + hashlib.shake_128(b"a report").digest(1500), request.body)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1 << position % 8
        refusal(bytes(changed), request)


def test_it_is_refused_at_every_shorter_length() -> None:
    request = ask()
    sealed = seal(XML, request.body)
    codes = [refusal(sealed[:length], request) for length in range(len(sealed))]
    assert set(codes[:91]) == {"truncated"}
    assert set(codes[91:]) == {"tag"}


def test_something_appended_is_refused() -> None:
    request = ask()
    assert refusal(seal(XML, request.body) + b"\x00", request) == "tag"


def test_an_earlier_answer_of_the_same_host_is_a_replay() -> None:
    earlier = ask()
    sealed = seal(XML, earlier.body)
    assert refusal(sealed, ask()) == "replay"


def test_an_earlier_answer_with_the_new_nonce_written_in_does_not_open() -> None:
    earlier, now = ask(), ask()
    sealed = seal(XML, earlier.body)
    assert refusal(sealed[:10] + now.nonce + sealed[26:], now) == "tag"


def test_the_answer_of_another_host_does_not_open() -> None:
    """Even if the hosts were asked with one key pair and nonce, the whole request is in the keys."""
    request = ask("web1")
    for name, value in (("host", "web2"), ("host_key", "SHA256:other"), ("sections", []), ("marker", "00" * 16)):
        other = {**json.loads(request.body), name: value}
        body = json.dumps(other, sort_keys=True, separators=(",", ":")).encode()
        assert refusal(seal(XML, body), request) == "tag", name


def test_the_answer_of_another_probe_does_not_open() -> None:
    request = ask()
    sealed = probe_seals(XML, request.body, request.nonce, request.public, bytes(32))
    assert refusal(sealed, request) == "tag"


def test_what_we_sent_does_not_open_when_it_comes_back() -> None:
    request = ask()
    refusal(request.frame, request)
    reflected = bytes([1, 0]) + bytes(8) + request.nonce + request.public + bytes(64)
    assert refusal(reflected, request) == "tag"


@pytest.mark.parametrize("point", LOW_ORDER)
@pytest.mark.parametrize("top_bit", [0, 1])
def test_a_low_order_public_key_is_refused(point: int, top_bit: int) -> None:
    request = ask()
    key = (point | top_bit << 255).to_bytes(32, "little")
    sealed = seal(XML, request.body)
    assert refusal(sealed[:26] + key + sealed[58:], request) == "key"


@pytest.mark.parametrize(("version", "label", "sequence"), [(0, 0, 0), (2, 0, 0), (255, 0, 0), (1, 1, 0), (1, 0, 1)])
def test_another_version_or_kind_is_refused_however_well_it_is_sealed(version: int, label: int, sequence: int) -> None:
    request = ask()
    sealed = seal_compressed(zlib.compress(XML), request.body, version, label, sequence)
    assert refusal(sealed, request) == "version"


def test_a_tag_that_is_missing_short_long_or_zero_is_refused() -> None:
    request = ask()
    sealed = seal(XML, request.body)
    for changed in (sealed[:-32], sealed[:-16], sealed + sealed[-32:], sealed[:-32] + bytes(32)):
        assert refusal(changed, request) in ("tag", "truncated")


def test_no_nonce_or_key_of_ours_is_used_twice() -> None:
    """Marker, nonce and key of a request, as they are made."""
    seen = [(request.marker, request.nonce, request.public) for request in (ask() for _ in range(10_000))]
    assert all(len(set(column)) == len(seen) for column in zip(*seen, strict=True))


def test_a_million_envelopes_have_a_million_keys() -> None:
    """A nonce is 16 bytes of the system's source, and salts the keys: even under one and the same shared
    secret, which never happens, no encryption key would come again (and its counter begins once, at zero).
    """
    keys = {hkdf(b"shared", secrets.token_bytes(16), b"info", 32)[:8] for _ in range(1_000_000)}
    assert len(keys) == 1_000_000  # of 64 bits: two alike by chance once in 37 million runs


def test_the_probe_uses_a_key_of_its_own_for_each_answer() -> None:
    request = ask()
    assert len({from_probe(XML, request)[26:58] for _ in range(20)}) == 20


def test_more_than_a_frame_may_hold_is_refused_unread() -> None:
    assert refusal(bytes(MAX_FRAME + 1), ask()) == "oversize"


def test_a_stream_that_does_not_end_exactly_is_refused() -> None:
    request = ask()
    compressed = zlib.compress(XML)
    raw = zlib.compressobj(wbits=-15)
    for bad in (
        compressed[:-1],
        compressed + b"x",
        compressed + compressed,
        compressed[:-4] + bytes(4),
        b"x",
        bytes(100),
        raw.compress(XML) + raw.flush(),
    ):
        assert refusal(seal_compressed(bad, request.body), request) == "inflate"


def test_what_is_just_within_the_bound_still_opens() -> None:
    request = ask()
    assert len(open_report(seal(bytes(MAX_INFLATED), request.body), request)) == MAX_INFLATED
    assert refusal(seal(bytes(MAX_INFLATED + 1), request.body), request) == "inflate"


BOMB = """
import resource, sys, time, zlib
from poller.errors import HostError
from poller.probe.envelope import open_report
from tests.probe.sealing import ask, seal_compressed

packer = zlib.compressobj(9)
head = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)  # may be repeated as it is
request = ask()
sealed = seal_compressed(head + block * 7000, request.body)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.process_time()
try:
    open_report(sealed, request)
except HostError as error:
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(len(sealed), error.code, time.process_time() - start, grown)
"""


def test_a_bomb_stops_at_the_bound_fast_and_small() -> None:
    """7 MB that promise 7 GB, about the most that fits into a frame."""
    ran = subprocess.run([sys.executable, "-c", BOMB], capture_output=True, text=True, timeout=100, check=True)
    size, code, seconds, grown = ran.stdout.split()
    assert int(size) > 6_000_000
    assert code == "inflate"
    assert float(seconds) < 1.0
    assert float(grown) < 150, "MB: the compressed and the inflated text, and room to grow"


def test_refusing_garbage_costs_next_to_nothing() -> None:
    request = ask()
    start = time.process_time()
    for _ in range(100):
        refusal(bytes(5000), request)
    assert time.process_time() - start < 1.0


def test_a_recorded_envelope_still_opens() -> None:
    """The format of version 1 cannot change by accident on both sides at once."""
    private = X25519PrivateKey.from_private_bytes(bytes(range(32)))
    body = b'{"host":"web1","nonce":"' + b"07" * 16 + b'"}'
    public = private.public_key().public_bytes_raw()
    request = Request("web1", "ab" * 32, "00" * 16, b"\x07" * 16, public, body, private)
    assert open_report(bytes.fromhex(FROZEN), request) == b"<report/>"


FROZEN = (
    "010000000000000000000707070707070707070707070707070707a37cbc142093c8b755dc1b10e86cb426374ad16aa8"
    "53ed0bdfc0b2b86d1c7c27d1cd02da5219e86b8b9e2c417432b8233bb0c813a967144363180b1a55f7a6535e2dd61327"
    "e643e041f81f3093a7c978"
)
