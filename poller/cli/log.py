"""What the library logs, for people: warnings always, what happens with -v, everything with -vv."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import click

# NOTSET: the root logger decides, whose level is WARNING.
_LEVELS: Final = (logging.NOTSET, logging.INFO, logging.DEBUG)


class _Stderr(logging.Handler):
    """One line per record, foreign text made inert. A traceback only with -vv: it is for a bug report."""

    def __init__(self, verbose: int, inert: Callable[[str], str]) -> None:
        super().__init__()
        self._inert = inert
        self._verbose = verbose
        self.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s" if verbose > 1 else "%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record) if self._verbose > 1 else record.getMessage()
            prefix = "poller: " if record.levelno >= logging.WARNING else ""
            click.echo(self._inert(prefix + text), err=True)
        except Exception:
            self.handleError(record)


def listen(verbose: int, inert: Callable[[str], str]) -> None:
    """Shows what the poller logs on stderr. Only its own: other libraries have no say on our terminal."""
    logging.lastResort = None
    logging.raiseExceptions = False
    logger = logging.getLogger("poller")
    for handler in [handler for handler in logger.handlers if isinstance(handler, _Stderr)]:
        logger.removeHandler(handler)
    logger.addHandler(_Stderr(verbose, inert))
    logger.setLevel(_LEVELS[min(verbose, 2)])
