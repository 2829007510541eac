"""The terminal, or what stands in its place: rich's consoles, set up the same way for every command."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, cast

from rich.console import Console

# Into a file or pipe nothing is cut or wrapped.
_WIDE = 10_000
_PADDING = re.compile(r" +$", re.MULTILINE)

if TYPE_CHECKING:
    from typing import NoReturn


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        """rich would exit 1 here, which says that a host failed."""
        raise  # noqa: PLE0704 - rich calls this where it has caught BrokenPipeError


class _Unpadded:
    """A stream to which lines go without the blanks that fill a table's last column."""

    def __init__(self, stream: Callable[[], IO[str]]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream().write(_PADDING.sub("", text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream(), name)


def out() -> Console:
    if sys.stdout.isatty():
        return _Console(highlight=False)
    return _Console(highlight=False, width=_WIDE, file=cast("IO[str]", _Unpadded(lambda: sys.stdout)))


def err() -> Console:
    return _Console(stderr=True, highlight=False, soft_wrap=True)
