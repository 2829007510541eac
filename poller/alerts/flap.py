"""How restless one (metric, labels) is, by the rule that Icinga 2 documents (Advanced Topics, "Check Flapping").

Of the last 20 known states each that differed from the one before it has a weight: the newest 1.18, every older one
0.02 less, the oldest 0.80. Their sum, divided by 20, is the share: flapping begins over 30 % and ends under 25 %.
A state is the severity of the highest active limit, or none.
"""

from __future__ import annotations

from typing import Final

POLLS: Final = 20
BEGINS: Final = 30.0
ENDS: Final = 25.0

# In hundredths, so that a share of exactly 30 % is none that begins: 0.8 + 0.02 + ... is not exact.
_WEIGHTS: Final = tuple(118 - 2 * age for age in range(POLLS))


def shifted(changes: int, *, changed: bool) -> int:
    """The history after one more known state; bit i is 1 when the state changed i polls ago."""
    return (changes << 1 | changed) & (1 << POLLS) - 1


def percent(changes: int) -> float:
    """The weighted share of changes, 0 to 99."""
    return sum(weight for age, weight in enumerate(_WEIGHTS) if changes >> age & 1) / POLLS


def flaps(changes: int, *, before: bool) -> bool:
    """Whether it flaps now; `before`: whether it did at the poll before."""
    share = percent(changes)
    return share >= ENDS if before else share > BEGINS


def count(changes: int) -> int:
    """How often the state changed in the last 20 polls."""
    return changes.bit_count()
