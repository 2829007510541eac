"""The envelope: opened when it is this probe's answer to this request, else refused by the table."""

from __future__ import annotations

import functools
import zlib

from hypothesis import given
from hypothesis import strategies as st

from poller.errors import OUTCOMES, HostError
from poller.probe.envelope import MAX_FRAME, MAX_INFLATED, open_report
from poller.probe.request import Request
from remote_probe import seal as probe
from tests.probe.sealing import LOW_ORDER, ask, seal_compressed

CHANGES = st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), min_size=1, max_size=4)


@functools.cache
def captured() -> tuple[Request, bytes]:
    """A request and its answer; every example changes a copy."""
    request = ask()
    return request, sealed_by_probe(b"<report secret='plaintext'/>" * 9, request)


def sealed_by_probe(text: bytes, request: Request) -> bytes:
    return probe.seal(text, request.body, request.nonce, request.public, bytes.fromhex(request.probe))


@given(st.binary(max_size=3000))
def what_a_probe_seals_is_opened(text: bytes) -> None:
    request = ask()
    assert open_report(sealed_by_probe(text, request), request) == text


@given(st.binary(max_size=400))
def anything_is_refused(data: bytes) -> None:
    check(data, captured()[0])


@given(CHANGES, st.integers(-40, 40))
def a_changed_envelope_is_refused(changes: list[tuple[int, int]], longer: int) -> None:
    request, sealed = captured()
    changed = bytearray(sealed[:longer] if longer < 0 else sealed + bytes(longer))
    for position, value in changes:
        changed[position % len(changed)] = value
    if bytes(changed) != sealed:
        check(bytes(changed), request)


@given(st.binary(max_size=32), st.sampled_from([0, 26, 58]))
def a_valid_head_with_a_foreign_tail_is_refused(tail: bytes, kept: int) -> None:
    request, sealed = captured()
    check(sealed[:kept] + tail + bytes(100), request)


@given(st.binary(max_size=300) | st.binary(max_size=300).map(zlib.compress).map(lambda data: data[:-1]))
def a_valid_seal_over_no_stream_is_refused(data: bytes) -> None:
    request = ask()
    check(seal_compressed(b"\xff" + data, request.body), request)
    check(seal_compressed(zlib.compress(data) + b"x", request.body), request)


@given(st.sampled_from(LOW_ORDER), st.booleans())
def a_key_of_low_order_is_refused_on_both_sides(point: int, top: bool) -> None:
    request, sealed = captured()
    key = (point | top << 255).to_bytes(32, "little")
    check(sealed[:26] + key + sealed[58:], request)
    try:
        probe.seal(b"", request.body, request.nonce, key, bytes(32))
        raise AssertionError("the probe answered to a key of low order")
    except ValueError:
        pass


@given(st.sampled_from([MAX_FRAME, MAX_INFLATED]), st.integers(-3, 3))
def sizes_are_bounded(size: int, more: int) -> None:
    request = captured()[0]
    if size == MAX_FRAME:
        check(bytes(size + more), request)
    elif more > 0:
        check(seal_compressed(zlib.compress(bytes(size + more), 1), request.body), request)


def check(sealed: bytes, request: Request) -> None:
    """Refused, and the sentence holds nothing of the plain text."""
    try:
        open_report(sealed, request)
    except HostError as error:
        assert error.stage == "envelope" and ("envelope", error.code) in OUTCOMES and error.security
        assert "plaintext" not in str(error) and str(error).isascii()
        return
    raise AssertionError(f"opened: {sealed.hex()}")


PROPERTIES = (
    what_a_probe_seals_is_opened,
    anything_is_refused,
    a_changed_envelope_is_refused,
    a_valid_head_with_a_foreign_tail_is_refused,
    a_valid_seal_over_no_stream_is_refused,
    a_key_of_low_order_is_refused_on_both_sides,
    sizes_are_bounded,
)
COSTLY = (sizes_are_bounded,)
