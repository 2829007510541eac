"""What comes back is opened only if it is this probe's answer to this question, whole and untouched."""

from __future__ import annotations

import logging
import time
import zlib

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from poller.errors import OUTCOMES, HostError
from poller.probe.envelope import MAX_FRAME, MAX_INFLATED, open_report
from poller.probe.request import Request
from remote_probe.seal import seal as probe_seals
from tests.probe.sealing import ask, seal, seal_compressed

XML = b"<report secret='plaintext'/>"


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


def test_something_appended_is_refused() -> None:
    request = ask()
    assert refusal(seal(XML, request.body) + b"\x00", request) == "tag"


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
