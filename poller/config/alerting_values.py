"""What attributes of elements that say who is told, how and when mean: reminders, moments, web addresses, commands."""

from __future__ import annotations

import itertools
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from poller.config import values, watch_values
from poller.config.mistakes import WrongError

NEVER: Final = "never"
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2})?", re.ASCII)
_bounded: Final = values.between("1m", "30d")
# What stands in the path or the query of an address only to be unguessable: long, and no word that somebody typed.
_TOKEN: Final = re.compile(r"(?=(?:[^/]*?[0-9A-Z]){3})(?=[^/]*[A-Za-z])[\w.~+=-]{20,}", re.ASCII)
_SECRET_NAMES: Final = ("token", "key", "secret", "password", "auth", "apikey", "api_key", "access_token", "signature")
_ELSEWHERE: Final = "put the whole address into a file of mode 0600: "


def remind(text: str) -> tuple[float, ...]:
    """`1h 4h 24h`: after each of these, and then again and again after the last of them; `never`."""
    words = text.split()
    if words == [NEVER]:
        return ()
    found = tuple(_bounded(word) for word in words)
    if any(later <= sooner for sooner, later in itertools.pairwise(found)):
        raise WrongError("does not rise", "write the shortest first: 1h 4h 24h; the last one repeats")
    return found


def moment(text: str) -> datetime | str:
    """A moment by a clock (`2026-12-01 22:00`, without a zone), or a time of day (`22:00`) as it stands."""
    values.text(text)
    if re.fullmatch(r"\d{1,2}:\d{2}", text, re.ASCII):
        return text
    try:
        if _MOMENT.fullmatch(text):
            return _within_reason(datetime.fromisoformat(text.replace("T", " ")))
    except ValueError:  # the 31st of February
        raise WrongError("is no day of the calendar, or no time of day") from None
    raise WrongError(
        "is neither a time of day nor a moment",
        "write 02:00 for every week, 2026-12-01 22:00 for once; zone= says where",
    )


def _within_reason(moment: datetime) -> datetime:
    if not 1970 < moment.year < 3000:
        raise ValueError
    return moment


def watcher(text: str) -> str:
    """The address of a heartbeat: http or https. Those of Healthchecks are long, and no secret to the poller's user."""
    return _web(text, "url-file=")


def webhook(text: str) -> str:
    """An address that is no secret itself."""
    found = _web(text, "webhook-file=")
    parts = urlsplit(found)
    named = any(name.lower() in _SECRET_NAMES for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    pieces = [*parts.path.split("/"), *re.split("[&=]", parts.query), parts.fragment]
    if named or any(_TOKEN.fullmatch(piece) for piece in pieces):
        raise WrongError(
            "holds what looks like a secret", f"{_ELSEWHERE}webhook-file=, or into a variable: webhook-env="
        )
    return found


def _web(text: str, instead: str) -> str:
    values.word(text)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise WrongError("is no address of the web", "write https://example.org/path") from None
    if parts.scheme not in ("http", "https") or not host:
        raise WrongError("is no address of the web", "write https://example.org/path")
    if "@" in parts.netloc:
        raise WrongError("holds a user or a password", f"{_ELSEWHERE}{instead}")
    return text


def command(text: str) -> tuple[str, ...]:
    """A program on the poller's machine and its arguments. One that is named by its path must be there."""
    words = watch_values.command(text)
    if words[0].startswith("/"):
        program = Path(words[0])
        if not program.is_file():
            raise WrongError("names a program that does not exist")
        if not os.access(program, os.X_OK):
            raise WrongError("names a file that may not be executed", "chmod +x it")
    return words
