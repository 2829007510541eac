"""What an attribute's text means: durations, numbers, names, addresses. Text in, value out or WrongError."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Final

from poller.config.mistakes import WrongError, meant
from poller.metrics import BYTES, SECONDS
from poller.model import Hold, Severity

_DURATION = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,6})?[smhdwy])+")
_DURATION_PART = re.compile(r"([0-9.]+)([smhdwy])")
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,9})?")
_POLLS = re.compile(r"([0-9]{1,6})\s*polls?")
_NAME = re.compile(r"\w[\w.-]{0,99}")
# RFC 5321 allows more; this is what mail servers accept in practice, and nothing that could break a header.
MAIL: Final = re.compile(
    r"[^\s@<>()\[\],;:\"\\\x00-\x1f\x7f-\x9f]{1,64}@[^\s@<>()\[\],;:\"\\\x00-\x1f\x7f-\x9f]{1,255}"
)
_LONGEST_TEXT = 4096


def duration(text: str) -> float:
    """Seconds of `30s`, `10m`, `2h`, `1d`, `2w`, `1y`, or several together: `1h30m`."""
    if not _DURATION.fullmatch(text):
        raise WrongError("is not a duration: write 30s, 10m, 2h, 1d, 2w or 1y")
    try:
        return sum(float(number) * SECONDS[unit] for number, unit in _DURATION_PART.findall(text))
    except ValueError:
        raise WrongError("is not a duration: write 30s, 10m, 2h, 1d, 2w or 1y") from None


def between(least: str, most: str) -> Callable[[str], float]:
    """A duration within bounds that are written as durations themselves."""

    def bounded(text: str) -> float:
        seconds = duration(text)
        if not duration(least) <= seconds <= duration(most):
            raise WrongError(f"must lie between {least} and {most}")
        return seconds

    return bounded


def hold(text: str) -> Hold:
    """`3 polls`, or a duration."""
    polls = _POLLS.fullmatch(text)
    if polls is None:
        try:
            return Hold(seconds=duration(text))
        except WrongError:
            raise WrongError('is neither a number of polls ("3 polls") nor a duration ("5m")') from None
    if not int(polls[1]):
        raise WrongError("must be at least 1 poll")
    return Hold(polls=int(polls[1]))


def count(least: int, most: int, noun: str) -> Callable[[str], int]:
    """A whole number within bounds; `noun` says what it counts: "port"."""

    def whole(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise WrongError(f"is not a {noun}: a whole number from {least} to {most}")
        return int(text)

    return whole


def number(text: str, units: Mapping[str, float], example: str) -> float:
    """A plain decimal number, or one with a unit of `units` right behind it."""
    digits = text.rstrip("".join(units))
    unit = text[len(digits) :]
    if not _NUMBER.fullmatch(digits) or (unit and unit not in units):
        raise WrongError(f"is not a number{example}")
    return float(digits) * units.get(unit, 1)


def size(least: str, most: str) -> Callable[[str], int]:
    """Whole bytes within bounds that are written as sizes themselves: `500MB`, `5GiB`."""

    def counted(text: str) -> float:
        return number(text, BYTES, " of bytes: write 500MB or 5GiB")

    def bounded(text: str) -> int:
        if not counted(least) <= counted(text) <= counted(most):
            raise WrongError(f"must lie between {least} and {most}")
        return int(counted(text))

    return bounded


def choice(*options: str) -> Callable[[str], str]:
    """One of a few words."""

    def chosen(text: str) -> str:
        if text not in options:
            raise WrongError(f"is not one of {', '.join(options)}{meant(text, options)}")
        return text

    return chosen


def yes_no(text: str) -> bool:
    return choice("yes", "no")(text) == "yes"


def severity(text: str) -> Severity:
    return Severity.parse(choice(*(str(severity) for severity in Severity))(text))


def severities(text: str) -> frozenset[Severity]:
    return frozenset(severity(word) for word in text.split())


def text(text: str) -> str:
    """Any text that is safe in a header, a command line and a log: no control characters, not longer than a path."""
    if len(text) > _LONGEST_TEXT:
        raise WrongError("is too long")
    if not text.isprintable():
        raise WrongError("holds a control character or an invisible one")
    return text


def word(word: str) -> str:
    """One word that no program takes for an option."""
    if word.startswith("-"):
        raise WrongError('must not begin with "-"')
    if any(character.isspace() for character in word):
        raise WrongError("must be one word, without spaces")
    return text(word)


def name(name: str) -> str:
    """A name of ours: of a host, group, contact or threshold set."""
    if not _NAME.fullmatch(name):
        raise WrongError('is not a name: letters, digits, ".", "_" and "-", at most 100, a letter or digit first')
    return name


def names(text: str) -> tuple[str, ...]:
    """Several names with spaces between them, each once, in their order."""
    return tuple(dict.fromkeys(name(each) for each in text.split()))


def address(text: str) -> str:
    """A host name or IP address, without its range; IPv6 may stand in brackets. `local` is one of its own."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        if re.fullmatch(r"(\[.*\]|[^:]*):[0-9]{1,5}", text):
            raise WrongError("holds a port", "write the port as port=") from None
        if re.fullmatch(r"[0-9.]+", bare) or ":" in bare:
            raise WrongError("is not an IP address") from None
        if not re.fullmatch(r"\w[\w.-]{0,252}", bare):
            raise WrongError("is neither a host name nor an IP address") from None
    return bare


def mail_address(text: str) -> str:
    if not MAIL.fullmatch(text) or not text.isprintable():
        raise WrongError("is not a mail address: write just name@example.org")
    return text
