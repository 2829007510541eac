"""The answer is found however it is cut, and nothing else is taken for it."""

from __future__ import annotations

import pytest

from poller.errors import HostError
from poller.ssh.frame import FRAME_MOST, NOISE_MOST, Scanner
from tests.ssh.standins import MARKER, outcome

START = b"\n#" + MARKER.encode() + b" "


def test_a_stream_without_the_marker_costs_no_memory() -> None:
    scanner = Scanner(MARKER)
    for _ in range(NOISE_MOST // 65536 - 1):
        assert scanner.feed(b"\n#" * 32768) is None
    assert len(scanner.rest) < 100
    assert len(scanner.noise) == 4096


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (START + b"report %d\n" % (FRAME_MOST + 1), "probe/oversize"),
        (START + b"report 99999999999999999999\n" + b" " * 60, "probe/noise"),
        (START + b"report -1\n" + b" " * 60, "probe/noise"),
        (START + b"REPORT 1\n" + b" " * 60, "probe/noise"),
        (b"x" * (NOISE_MOST + 100), "probe/noise"),
    ],
)
def test_what_no_probe_sends_is_refused(stream: bytes, expected: str) -> None:
    with pytest.raises(HostError) as caught:
        Scanner(MARKER).feed(stream)
    assert outcome(caught.value) == expected
