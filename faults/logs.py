"""X10: logs that are rotated in every way there is, while they are written and pulled: each line is stored once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from faults.experiment import Experiment
from faults.lab import Lab
from faults.near import local, near
from faults.site import LabSite
from remote_probe.collectors import NAMES
from tests.remote_probe import logs

QUIET: Final = " ".join(name for name in NAMES if name not in ("logs", "checks", "textfiles"))
STORED: Final = "SELECT message FROM log_line WHERE log = 'app'"


class Writer:
    """A program that numbers its lines."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.number = 0
        file.touch()

    def write(self, count: int, more: bytes = b"") -> None:
        with self.file.open("ab") as file:
            for _ in range(count):
                self.number += 1
                file.write(b"Nov 14 22:13:20 web1 app[7]: line %d%s\n" % (self.number, more))


def reused(file: Path) -> None:
    """The file is deleted and made anew; many file systems give it the inode of the one that went."""
    file.unlink()
    file.touch()


def emptied(file: Path) -> None:
    os.truncate(file, 0)


def within_a_line(file: Path) -> None:
    """The program is half through a line when the file is renamed, and writes the rest of it there."""
    with file.open("ab") as still:
        still.write(b"Nov 14 22:13:20 web1 app[7]: ")
        still.flush()
        logs.rename(file)
        still.write(b"begun before\n")


# name -> rotation, each after all was pulled, or in the middle of what was not (then nothing may be gone)
ROTATIONS: Final[dict[str, tuple[Callable[[Path], None], bool]]] = {
    "renamed": (logs.rename, True),
    "renamed and compressed": (lambda file: logs.rename(file, packed=True), True),
    "copied and truncated": (logs.copy_truncate, True),
    "copied, compressed and truncated": (lambda file: logs.copy_truncate(file, packed=True), True),
    "renamed within a line": (within_a_line, True),
    "truncated to nothing": (emptied, False),
    "deleted and made anew": (reused, False),
}


def rotated(lab: Lab) -> str:
    file = lab.folder("logs") / "app.log"
    writer = Writer(file)
    site = near(lab, local("me"), more=f'<collect section="{QUIET}" every="never"/>'
                                       f'<log name="app" path="{file}" start="yes"/>')  # fmt: skip
    turns = 0
    for _ in range(lab.size(short=1, full=6)):
        for rotate, keeps in ROTATIONS.values():
            writer.write(20)
            site.round()
            if keeps:
                writer.write(20)  # nobody has read these when it is rotated
            logs.tick(file.parent)
            rotate(file)
            logs.tick(file.parent)
            writer.write(20)
            site.round()
            turns += 1
    burst = lab.size(short=11_000, full=400_000)
    writer.write(burst, b" " + b"x" * 80)
    writer.write(1, b" " + b"y" * (1 << 20))
    rounds = _until(site, writer.number, lab.size(short=12, full=120))
    numbers = [_number(message) for (message,) in site.rows(STORED)]
    ours = [number for number in numbers if number]
    assert len(ours) == len(set(ours)), f"{len(ours) - len(set(ours))} lines are there twice"
    missing = set(range(1, writer.number + 1)) - set(ours)
    assert not missing, f"{len(missing)} of {writer.number} lines are missing, as {sorted(missing)[:5]}"
    return f"{turns} rotations of {len(ROTATIONS)} kinds, then {burst} lines at once in {rounds} polls: each once"


def _until(site: LabSite, number: int, most: int) -> int:
    """Polls until this line is there."""
    for count in range(1, most + 1):
        site.round()
        if site.rows(f"{STORED} AND message LIKE 'line {number} %'"):
            return count
    raise AssertionError(f"line {number} did not come in {most} polls")


def _number(message: str) -> int:
    words = message.split(" ", 2)
    return int(words[1]) if words[0] == "line" else 0


EXPERIMENTS: Final = (
    Experiment("X10", "a log is renamed, compressed, copied, truncated, deleted, and written faster than it is pulled",
               "every line is stored once, in bounded slices", rotated),
)  # fmt: skip
