"""`pc[01-40]` and `10.1.0.[11-50]`: one line of configuration for many hosts, expanded in step.

A pair of brackets holds numbers and spans of them: `[1-9]`, `[1,3,7-9]`, `[01-40]` (as many digits as written).
Brackets around an IPv6 address, `[2001:db8::1]`, are no range; `[2001:db8::[1-9]]` holds one.
"""

from __future__ import annotations

import itertools
import math
import re

from poller.config.mistakes import WrongError
from poller.model import MOST_HOSTS

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_SPAN = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


def has_range(text: str) -> bool:
    return any(not _is_address(content) for content in _BRACKETS.findall(text))


def expand(text: str) -> tuple[str, ...]:
    """Every text that is meant, the last range counting fastest. Without a range: the text itself."""
    parts = _split(text)
    if math.prod(len(part) for part in parts) > MOST_HOSTS:
        raise WrongError(f"stands for more than {MOST_HOSTS} hosts")
    return tuple("".join(chosen) for chosen in itertools.product(*parts))


def _split(text: str) -> list[list[str]]:
    """Fixed text and ranges in turn, each as the list of what may stand there."""
    parts: list[list[str]] = []
    end = 0
    for match in _BRACKETS.finditer(text):
        if _is_address(match[1]):
            continue
        parts += [[text[end : match.start()]], _numbers(match[1])]
        end = match.end()
    rest = text[end:]
    if re.search(r"\[(?![^\[\]]*:)", rest):
        raise WrongError('has a "[" that is not closed')
    return [*parts, [rest]]


def _is_address(content: str) -> bool:
    return ":" in content


def _numbers(content: str) -> list[str]:
    numbers: list[str] = []
    for item in content.split(","):
        span = _SPAN.fullmatch(item.strip())
        if span is None:
            raise WrongError(f'has "[{content}]", which is not a range', "write [1-9], [01-40] or [1,3,7-9]")
        first, last = int(span[1]), int(span[2] or span[1])
        if last < first:
            raise WrongError(f'has "[{content}]", which runs backwards', f"write [{span[2]}-{span[1]}]")
        if last - first >= MOST_HOSTS:
            raise WrongError(f"stands for more than {MOST_HOSTS} hosts")
        # A leading zero asks for as many digits as the first number has.
        width = len(span[1]) if span[1].startswith("0") else 0
        numbers += [f"{number:0{width}d}" for number in range(first, last + 1)]
    return numbers
