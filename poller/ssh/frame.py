"""Finds the answer frame in everything else that a host writes to stdout.

A frame is `\\n#MARKER KIND LENGTH\\n` and LENGTH bytes. The marker is random for each request, so that neither a motd
nor an old answer can look like one. One stream may hold frames of two markers: the answer, and what the probe pushes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from poller.errors import HostError

FRAME_MOST: Final = 8 * 1024 * 1024
NOISE_MOST: Final = 4 * 1024 * 1024
NOISE_KEPT: Final = 4 * 1024
_HEADER_MOST: Final = 40
_HEADER: Final = re.compile(rb"([a-z]{1,16}) ([0-9]{1,10})\n")


@dataclass(frozen=True, slots=True)
class Frame:
    kind: str
    body: bytes
    marker: str


class Scanner:
    """Takes stdout in pieces of any size; remembers only the first 4 KiB of noise."""

    def __init__(self, *markers: str) -> None:
        self._starts = {marker: _start(marker) for marker in markers}
        self._buffer = bytearray()
        self._header: tuple[str, int, str] | None = None
        self._noise_bytes = 0
        self.noise = b""

    @property
    def rest(self) -> bytes:
        """What came after the frame."""
        return bytes(self._buffer)

    def expect(self, marker: str) -> None:
        """Frames with this marker are looked for as well. All markers are of one length."""
        self._starts[marker] = _start(marker)

    def forget(self, marker: str) -> None:
        """From now on they are noise."""
        self._starts.pop(marker, None)

    def renew(self) -> None:
        """Noise counts from here."""
        self._noise_bytes, self.noise = 0, b""

    def feed(self, data: bytes) -> Frame | None:
        """The first frame that is complete; with b"" the next one. HostError probe/noise or probe/oversize."""
        self._buffer += data
        if self._header is None and not self._find():
            return None
        assert self._header is not None  # noqa: S101 - _find has set it
        kind, length, marker = self._header
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._header = None
        return Frame(kind, body, marker)

    def _find(self) -> bool:
        """Looks for the header; drops what is noise for certain."""
        if not self._buffer:
            return False
        found = [(at, marker) for marker, start in self._starts.items() if (at := self._buffer.find(start)) >= 0]
        if not found:
            longest = max(map(len, self._starts.values()), default=0)
            self._drop(max(0, len(self._buffer) - longest))
            return False
        at, marker = min(found)
        self._drop(at)
        length = len(self._starts[marker])
        header = _HEADER.match(self._buffer, length)
        if header is None:
            if len(self._buffer) > length + _HEADER_MOST:
                raise HostError("probe", "noise", "the frame's header is damaged")
            return False
        self._header = header[1].decode(), int(header[2]), marker
        if self._header[1] > FRAME_MOST:
            raise HostError("probe", "oversize", f"{self._header[1]} bytes announced")
        del self._buffer[: header.end()]
        return True

    def _drop(self, count: int) -> None:
        self.noise += bytes(self._buffer[: min(count, NOISE_KEPT - len(self.noise))])
        self._noise_bytes += count
        if self._noise_bytes > NOISE_MOST:
            raise HostError("probe", "noise", f"more than {NOISE_MOST} bytes; it begins {ascii(self.noise[:80])[1:]}")
        del self._buffer[:count]


def _start(marker: str) -> bytes:
    return b"\n#" + marker.encode() + b" "
