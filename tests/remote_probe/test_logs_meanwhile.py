"""The same while a service writes and rotation goes on at any moment, also in the middle of a poll."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.remote_probe.logs import PATIENCE, Reader, Writer, copy_truncate, rename

SECONDS = 1.5


class Service(threading.Thread):
    """Writes a few lines, rotates its log now and then, and writes on."""

    def __init__(self, writer: Writer, rotate: Callable[[Path], None]) -> None:
        super().__init__()
        self.writer = writer
        self.rotate = rotate
        self.rotations = 0
        self.ended = threading.Event()

    def run(self) -> None:
        chance = random.Random(3)
        while not self.ended.wait(0.001):
            self.writer.write(chance.randrange(1, 30))
            if chance.random() < 0.03:
                self.rotate(self.writer.file)
                self.rotations += 1


@pytest.mark.parametrize("rotate", [rename, copy_truncate])
def test_each_line_is_told_once_and_in_order(tmp_path: Path, rotate: Callable[[Path], None]) -> None:
    reader = Reader(tmp_path)
    writer = Writer(reader.file)
    writer.write(1)
    reader.poll()
    service = Service(writer, rotate)
    service.start()
    until = time.monotonic() + SECONDS
    polls = 0
    while time.monotonic() < until:
        reader.poll(lines=1000)
        polls += 1
    service.ended.set()
    service.join(PATIENCE)
    while len(reader.lines) < len(writer.all):
        assert reader.poll()
    assert reader.lines == writer.all
    assert service.rotations > 3
    assert polls > 20
