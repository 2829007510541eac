"""Foreign text made safe for a mail: one line, nothing invisible, nothing that moves what is shown.

Host names, labels and reasons come from other machines. A line break among them would begin a second header
(header injection); a bidirectional or zero-width control would make a mail program show something else than
what is there. Both are written as escapes, the way the rest of the poller shows them.
"""

from __future__ import annotations

from typing import Final

# C0, DEL and C1 (this holds CR, LF, NEL), then by Unicode 15, general categories Cf, Zl, Zp, and lone surrogates.
_BYTES: Final = (*range(0x20), *range(0x7F, 0xA0))
_POINTS: Final = (
    0x00AD,
    *range(0x0600, 0x0606),
    0x061C,
    0x180E,
    *range(0x200B, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2060, 0x2070),
    0xFEFF,
    *range(0xFFF9, 0xFFFC),
    *range(0xD800, 0xE000),
)
_TAGS: Final = range(0xE0000, 0xE0080)
_ESCAPED: Final = (
    {point: f"\\x{point:02x}" for point in _BYTES}
    | {point: f"\\u{point:04x}" for point in _POINTS}
    | {point: f"\\U{point:08x}" for point in _TAGS}
)


def plain(text: str, limit: int = 1024) -> str:
    """`text` on one line and harmless, cut to `limit` characters with an ellipsis."""
    safe = text[: limit + 1].translate(_ESCAPED)
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"
