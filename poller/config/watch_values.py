"""What attributes of the elements that say what is watched mean: sections, allowed things, logs, commands."""

from __future__ import annotations

import ipaddress
import re
import shlex
from typing import Final

from poller.config import values
from poller.config.mistakes import WrongError, meant
from poller.model import NEVER
from poller.model.threshold import is_glob
from remote_probe.collectors import NAMES

ANYWHERE: Final = ("0.0.0.0/0", "::/0")
_HEX: Final = re.compile(r"[0-9a-f]{4}")
_HEX_GLOB: Final = re.compile(r"[0-9a-f*?!\[\]-]{1,40}")
_LONGEST_COMMAND: Final = 50  # words


def sections(text: str) -> tuple[str, ...]:
    """Names of sections with spaces between them, each once."""
    names = tuple(dict.fromkeys(text.split()))
    for name in names:
        if name not in NAMES:
            raise WrongError(
                f"names no section{meant(name, NAMES)}"
                if len(names) == 1
                else f'names "{name[:40]}", which is no section',
                f"the sections are {' '.join(NAMES)}",
            )
    return names


def every(text: str) -> float:
    """Seconds from one reading to the next: 0 for `each` poll, NEVER for `never`."""
    if text in ("each", "never"):
        return 0.0 if text == "each" else NEVER
    try:
        return values.between("1s", "30d")(text)
    except WrongError as wrong:
        raise WrongError(
            f'is neither "each", "never" nor a duration{meant(text, ("each", "never"))}'
            if "duration" in wrong.predicate
            else wrong.predicate,
            "write each for every poll, never, or a duration such as 5m or 1h",
        ) from None


def usb_id(text: str) -> str:
    """Four hex digits as lsusb(8) shows them, or a glob of such, in small letters."""
    folded = text.lower()
    if not (_HEX_GLOB if is_glob(folded) else _HEX).fullmatch(folded):
        raise WrongError("is not four hex digits", "as lsusb shows them: 0951; globs work: 09*")
    return folded


def network(text: str) -> str:
    """An address or a network (CIDR), spelled as `ipaddress` does: 192.0.2.7/32."""
    try:
        address, slash, _ = text.partition("/")
        ipaddress.ip_address(address)
        wide = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise WrongError(
            "is neither an address nor a network", "write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32"
        ) from None
    if slash and wide.network_address != ipaddress.ip_address(address):
        raise WrongError(f"is an address inside a network, not a network; did you mean {wide}?")
    return str(wide)


def remote_path(text: str) -> str:
    """An absolute path on the host."""
    values.text(text)
    if not text.startswith("/"):
        raise WrongError(
            "does not begin with /", "it is a path on the host, where neither ~ nor a folder of ours is known"
        )
    return text


def command(text: str) -> tuple[str, ...]:
    """A program and its arguments, taken apart as a shell would, without running one."""
    values.text(text)
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        what = "has a quote that is not closed" if "quotation" in str(error) else 'ends with a "\\"'
        raise WrongError(what, "quotes are those of a shell; none is started") from None
    if not words or not words[0] or len(words) > _LONGEST_COMMAND:
        raise WrongError("names no program" if len(words) <= _LONGEST_COMMAND else "has too many words")
    if "/" in words[0] and not words[0].startswith("/"):
        raise WrongError("names its program by a relative path", "write the whole path, or a name alone: check_disk")
    if words[0].startswith("-"):
        raise WrongError('names a program that begins with "-"')
    return words
