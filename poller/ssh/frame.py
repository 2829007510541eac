"""Finds the answer frame in everything else that a host writes to stdout.

A frame is `\\n#MARKER KIND LENGTH\\n` and LENGTH bytes. The marker is random for each request, so that neither a motd
nor an old answer can look like one.
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


class Scanner:
    """Takes stdout in pieces of any size; remembers only the first 4 KiB of noise."""

    def __init__(self, marker: str) -> None:
        self._start = b"\n#" + marker.encode() + b" "
        self._buffer = bytearray()
        self._header: tuple[str, int] | None = None
        self._noise_bytes = 0
        self.noise = b""

    @property
    def rest(self) -> bytes:
        """What came after the frame."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> Frame | None:
        """The frame, once it is complete. HostError probe/noise or probe/oversize."""
        self._buffer += data
        if self._header is None and not self._find():
            return None
        assert self._header is not None  # noqa: S101 - _find has set it
        kind, length = self._header
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return Frame(kind, body)

    def _find(self) -> bool:
        """Looks for the header; drops what is noise for certain."""
        index = self._buffer.find(self._start)
        if index < 0:
            self._drop(max(0, len(self._buffer) - len(self._start)))
            return False
        self._drop(index)
        header = _HEADER.match(self._buffer, len(self._start))
        if header is None:
            if len(self._buffer) > len(self._start) + _HEADER_MOST:
                raise HostError("probe", "noise", "the frame's header is damaged")
            return False
        self._header = header[1].decode(), int(header[2])
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
