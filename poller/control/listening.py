"""A socket of our own to listen on, with mode 0600: in the place of one that a dead daemon left, never of a living one.

And who is at the other end of one (SO_PEERCRED, unix(7): as of the moment of connect(2) or listen(2)).
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final

from poller.control.path import prepare
from poller.errors import BusyError, PollerError

_BACKLOG: Final = 64
_CREDENTIALS: Final = "3i"  # struct ucred: pid, uid, gid


def listening(path: Path) -> socket.socket:
    """Bound, listening and non-blocking. BusyError when somebody listens there, PollerError `path` for all else."""
    prepare(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        # unix_bind() of the kernel gives the file the mode of the socket, less the umask: never open for a moment.
        os.fchmod(sock.fileno(), 0o600)
        _bind(sock, path)
        path.chmod(0o600)  # a umask may have taken even the owner's rights
        sock.listen(_BACKLOG)
    except BaseException as error:
        sock.close()
        if isinstance(error, OSError):
            raise _refused(path, error.strerror or str(error)) from error
        raise
    return sock


def _bind(sock: socket.socket, path: Path) -> None:
    try:
        sock.bind(bytes(path))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        _clear(path)
        sock.bind(bytes(path))


def _clear(path: Path) -> None:
    """Takes away what a dead daemon left. Only connecting tells whether it is dead."""
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise _refused(path, "something that is no socket is there", "take it away, or name another place")
    if answers(path):
        raise BusyError(
            f"a daemon listens at {path} already", 'end it first, or name another place: `<daemon socket="..."/>`'
        )
    with suppress(FileNotFoundError):
        path.unlink()


def answers(path: Path) -> bool:
    """Whether a process has this socket open to listen on it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as sock:
        try:
            sock.connect(bytes(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:  # EAGAIN: its queue is full, EACCES: another account's
            return True
    return True


def unlisten(path: Path, inode: int) -> None:
    """Takes the socket away, if it is still the one we made."""
    with suppress(OSError):
        if os.lstat(path).st_ino == inode:
            path.unlink()


def peer(sock: socket.socket) -> tuple[int, int]:
    """Process number and uid of the other side."""
    data = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(_CREDENTIALS))
    pid, uid, _ = struct.unpack(_CREDENTIALS, data)
    return pid, uid


def _refused(path: Path, why: str, hint: str = "") -> PollerError:
    hint = hint or 'let the poller\'s account write there, or name another place: `<daemon socket="..."/>`'
    return PollerError(f"there can be no socket at {path}: {why}", hint, code="path")
