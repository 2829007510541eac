"""The frame: found wherever the stream is cut, or refused by the table; never more kept than the bounds allow."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from poller.errors import HostError
from poller.ssh.frame import FRAME_MOST, NOISE_KEPT, Frame, Scanner
from remote_probe.seal import frame
from tests.ssh.standins import MARKER

START = b"\n#" + MARKER.encode() + b" "
KINDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=16)
PIECES = st.sampled_from(
    [START, START[:-1], b"\n#", b"\n", b"report ", b"report 5\n", b"report 99999999\n", b"5\n", b" ", b"\0",
     b"REPORT 1\n", b"report -1\n", b"report 0\n", b"12345678901\n", b"x" * 50]
) | st.binary(max_size=30)  # fmt: skip


@given(st.binary(max_size=300), KINDS, st.binary(max_size=200), st.binary(max_size=50), st.lists(st.integers(1, 60)))
def what_a_probe_frames_is_found_however_it_is_cut(
    noise: bytes, kind: str, body: bytes, after: bytes, cuts: list[int]
) -> None:
    stream, scanner, found = noise + frame(MARKER, kind, body) + after, Scanner(MARKER), None
    while stream and found is None:
        size = cuts.pop() if cuts else 7
        found, stream = scanner.feed(stream[:size]), stream[size:]
    assert found == Frame(kind, body, MARKER)
    assert scanner.noise == noise[:NOISE_KEPT]
    assert scanner.rest + stream == after


@given(st.lists(PIECES, max_size=40))
def anything_is_a_frame_noise_or_refused(pieces: list[bytes]) -> None:
    scanner = Scanner(MARKER)
    try:
        for piece in pieces:
            found = scanner.feed(piece)
            assert len(scanner.noise) <= NOISE_KEPT
            if found is not None:
                assert len(found.body) <= FRAME_MOST and found.kind.isalpha()
                return
            assert len(scanner.rest) <= max(len(piece), sum(map(len, pieces)))
    except HostError as error:
        assert (error.stage, error.code) in (("probe", "noise"), ("probe", "oversize"))


@given(st.integers(0, 10**10 - 1), st.integers(1, 6))
def an_announced_size_is_believed_within_its_bound_only(size: int, parts: int) -> None:
    scanner = Scanner(MARKER)
    head = START + b"report %d\n" % size
    try:
        for start in range(0, len(head), -(-len(head) // parts)):
            scanner.feed(head[start : start + -(-len(head) // parts)])
        assert size <= FRAME_MOST
    except HostError as error:
        assert error.code == "oversize" and size > FRAME_MOST


@given(st.integers(1, 80), st.integers(60_000, 70_000))
def noise_is_dropped_and_then_refused(count: int, size: int) -> None:
    scanner, sent = Scanner(MARKER), 0
    try:
        for _ in range(count):
            scanner.feed(b"\n#" * (size // 2))
            sent += size
            assert len(scanner.rest) < 100
    except HostError as error:
        assert error.code == "noise" and sent + size > 4 * 1024 * 1024


PROPERTIES = (
    what_a_probe_frames_is_found_however_it_is_cut,
    anything_is_a_frame_noise_or_refused,
    an_announced_size_is_believed_within_its_bound_only,
    noise_is_dropped_and_then_refused,
)
COSTLY = ()
