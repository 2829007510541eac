"""WHICH HOSTS ARE HELD: as many as the open files are enough for. The others are connected to for each poll."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Collection
from typing import Final

from poller import ssh
from poller.model import Host

_log = logging.getLogger(__name__)

# So often it is looked whether there are more files by now, while there are too few: somebody may raise the limit.
_LOOK: Final = 60.0


class Room:
    """Belongs to the engine's thread. Who is held stays so for as long as there is room."""

    def __init__(self, at_once: int) -> None:
        """`at_once` hosts are polled at the same time, for which there must be files, too."""
        self._at_once = at_once
        self._fits: frozenset[str] = frozenset()
        self._crowded: frozenset[str] = frozenset()  # would be held, and are not
        self._look_at = math.inf

    def has(self, host: Host) -> bool:
        """Its session may be held, if there is to be one."""
        return host.name not in self._crowded

    @property
    def due(self) -> bool:
        """It is to be reckoned anew though the hosts are the same."""
        return time.monotonic() >= self._look_at

    def reckon(self, hosts: Collection[Host]) -> frozenset[str]:
        """Of these hosts, with the limits as they are now. The names of those for whom it is another than before."""
        held = sorted((host.name for host in hosts if _held(host)), key=lambda name: name not in self._fits)
        self._fits = frozenset(held[: ssh.room(len(hosts), self._at_once)])
        before, self._crowded = self._crowded, frozenset(held) - self._fits
        self._look_at = time.monotonic() + _LOOK if self._crowded else math.inf
        if self._crowded and len(self._crowded) != len(before):
            words = "of %d hosts %d are held, the others connected to for each poll: too few open files (`ulimit -n`)"
            _log.warning(words, len(held), len(self._fits))
        elif before and not self._crowded:
            _log.warning("there are enough open files again: all %d hosts are held", len(held))
        return before ^ self._crowded


def _held(host: Host) -> bool:
    return not host.cold and host.via == "ssh"
