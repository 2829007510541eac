"""How many hosts the open files of this process are enough for (RLIMIT_NOFILE, getrlimit(2))."""

from __future__ import annotations

import resource
from typing import Final

# Files of a poll at its worst moment (the pipes to a program here, both ends; or a socket, the resolver's and a key),
# and of the rest of the poller (the journal, its locks, the archive, mail, gateways, who listens at its socket).
_FILES_OF_A_POLL: Final = 6
_FILES_OF_OUR_OWN: Final = 28
# Of a host that is held: what wakes its thread, and its connection. Behind a jump host the same (what wakes the
# reader); on this machine three pipes.
_FILES_OF_A_HOST: Final = 2
_FILES_OF_OUR_SELVES: Final = 4


def affordable(at_once: int) -> int:
    """So many hosts at once, or as many as there may be open files for. Raises the soft limit when that helps."""
    limit = _raised(at_once * _FILES_OF_A_POLL + _FILES_OF_OUR_OWN)
    return int(max(1, min(at_once, (limit - _FILES_OF_OUR_OWN) // _FILES_OF_A_POLL)))


def room(hosts: int, at_once: int) -> int:
    """How many of so many hosts can be held, each with a thread, while others are polled. Raises the soft limit.

    What wakes a thread is an open file for each of them, held or not; so for ever more hosts there is less room.
    """
    ours = _FILES_OF_OUR_OWN + min(at_once, hosts) * _FILES_OF_A_POLL + _FILES_OF_OUR_SELVES
    limit = _raised(hosts * _FILES_OF_A_HOST + ours)
    return int(max(0, min(hosts, limit - ours - hosts)))


def _raised(wanted: int) -> float:
    """The soft limit, as near to `wanted` as the hard one lets it come."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return float("inf")
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    return soft
