"""What is written about each code: the table of `poller.errors`, and the causes and commands in `trouble/*.md`.

`poller explain` prints an entry, `tools/write_docs.py` makes docs/troubleshooting.md of all. A file is a chapter (a
stage of a poll, the database, the poller itself): an introduction, then `## CODE` and the text about it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from poller.errors import OUTCOMES, STAGES, UsageError
from poller.metrics import CATALOGUE, OWN

PAGE: Final = "docs/troubleshooting.md"
CHAPTERS: Final = (*STAGES, "store", "poller")
_FOLDER: Final = Path(__file__).with_name("trouble")


@dataclass(frozen=True, slots=True)
class Entry:
    """One code. `sentence`, `hint` and `security` are those of a poll's outcome, else empty."""

    chapter: str
    code: str
    text: str
    sentence: str = ""
    hint: str = ""
    security: bool = False

    @property
    def anchor(self) -> str:
        return f"{self.chapter}-{self.code}"

    @property
    def name(self) -> str:
        """As tables and messages show it: `auth/denied`, or the metric of an alert of the poller itself."""
        own = f"{OWN}{self.code.replace('-', '_')}"
        return own if own in CATALOGUE else f"{self.chapter}/{self.code}"


def introduction(chapter: str) -> str:
    return _parts(chapter)[0]


@cache
def entries() -> tuple[Entry, ...]:
    """All of them, in the order of the page."""
    return tuple(entry for chapter in CHAPTERS for entry in _entries(chapter))


def find(words: str) -> Entry:
    """The entry for `auth/denied`, `auth-denied`, `denied` alone, a metric of the poller, or what a hint ends with."""
    wanted = words.strip("`() ").rpartition("#")[2].lower().translate(str.maketrans("/._ ", "----"))
    found = [entry for entry in entries() if wanted in (entry.anchor, entry.code)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{wanted} stands for several", f"one of {', '.join(entry.name for entry in found)}")
    meant = difflib.get_close_matches(wanted, [entry.anchor for entry in entries()], n=1)
    hint = f"did you mean {meant[0]}?" if meant else "`poller explain` lists all of them"
    raise UsageError(f"nothing is written about {words!r}", hint)


def _entries(chapter: str) -> Iterator[Entry]:
    for code, text in _parts(chapter)[1]:
        outcome = OUTCOMES.get((chapter, code))
        if outcome is None:
            yield Entry(chapter, code, text)
        else:
            yield Entry(chapter, code, text, outcome.sentence, outcome.hint, outcome.security)


def _parts(chapter: str) -> tuple[str, list[tuple[str, str]]]:
    head, *sections = (_FOLDER / f"{chapter}.md").read_text(encoding="utf-8").split("\n## ")
    found = [section.partition("\n") for section in sections]
    return head.strip(), [(code.strip(), text.strip()) for code, _, text in found]
