"""What can be known of a config.xml that has mistakes: where its poller's journal and its daemon's socket are.

Only for asking a daemon that has read a better one. Everything else of such a file is worth nothing.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from poller.config import variables
from poller.config.document import MOST_BYTES, read_ours
from poller.config.mistakes import WrongError
from poller.config.place import Place, find
from poller.model import Config

_COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG: Final = re.compile(r"<(journal|daemon)\b([^<>]*)")
_ATTRIBUTE: Final = re.compile(r"""([\w.:-]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')""")


def salvage(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """A configuration without hosts: journal and socket as the file seems to name them, else at their default places.

    The file need not be XML at all. ConfigError when there is none, WrongError when it cannot be read or others could
    have written it.
    """
    file = find(path, environ)
    place = Place.of(file, environ)
    named: dict[str, Path] = {}
    for name, text in _named(read_ours(file, MOST_BYTES).decode("utf-8", "replace")):
        try:
            named.setdefault(name, place.path(variables.fill(text, environ)))
        except WrongError:  # a variable that is not set
            continue
    return Config(
        path=file.absolute(), journal=named.get("journal", place.state / "poller.db"), socket=named.get("daemon")
    )


def _named(text: str) -> Iterator[tuple[str, str]]:
    """`journal` and its path, `daemon` and its socket. A <journal> with a name is one of the hosts."""
    for tag, inside in _TAG.findall(_COMMENT.sub("", text)):
        attributes = {name: html.unescape(one or other) for name, one, other in _ATTRIBUTE.findall(inside)}
        value = attributes.get("path" if tag == "journal" else "socket", "").strip()
        if value and "name" not in attributes:
            yield tag, value
