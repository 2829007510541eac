"""Foreign text on one line of a terminal: what could move the cursor or break the line is an escape."""

from __future__ import annotations

from typing import Final

from poller.cli.settings import inert

# Line ends of all kinds, marks that turn text round or hide in it, and tags (Unicode 15, chapter 23).
_MORE: Final = {
    0x09: "\\t", 0x0A: "\\n", 0x061C: "\\u061c", 0x2028: "\\u2028", 0x2029: "\\u2029", 0xFEFF: "\\ufeff",
    **{code: f"\\U{code:08x}" for code in range(0xE0000, 0xE0080)},
}  # fmt: skip


def one_line(text: str) -> str:
    """As `inert`, and in one line."""
    return inert(text).translate(_MORE)
