"""Where the socket is: config.xml says, else beside the journal; and whether a socket may be there at all."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

from poller.errors import PollerError
from poller.model import Config

# sun_path of unix(7) has 108 bytes, the last of them NUL.
_LONGEST: Final = 107


def socket_path(config: Config) -> Path:
    """`<daemon socket="..."/>`, or the path of the journal with `.socket` behind it."""
    return config.socket or config.journal.with_name(config.journal.name + ".socket")


def fits(path: Path) -> bool:
    """Whether the kernel takes so long a path; a client need not look for anybody where it does not."""
    return len(bytes(path)) <= _LONGEST


def prepare(path: Path) -> None:
    """Makes the folder for its owner alone when it is missing. PollerError `path` when no socket may be there.

    Whoever may write to the folder could put a socket of his own in the place of ours.
    """
    if not fits(path):
        raise PollerError(
            f"the path of the socket has {len(bytes(path))} bytes, and the kernel takes {_LONGEST}: {path}",
            'name a shorter one: `<daemon socket="/run/poller/poller.socket"/>`',
            code="path",
        )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = path.parent.stat().st_mode
    except OSError as error:
        raise PollerError(
            f"there can be no socket at {path}: {error.strerror or error}",
            'let the poller\'s account write there, or name another place: `<daemon socket="..."/>`',
            code="path",
        ) from error
    if mode & (stat.S_IWGRP | stat.S_IWOTH) and not mode & stat.S_ISVTX:
        raise PollerError(
            f"others may write to {path.parent}, and so take the place of the socket",
            f"`chmod go-w {path.parent}`, or name another place",
            code="path",
        )
