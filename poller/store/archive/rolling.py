"""Roll-ups of an archive, made there: the server reads its samples and writes the windows itself."""

from __future__ import annotations

import logging
import threading
from contextlib import closing

from poller.errors import PollerError
from poller.model import ArchiveSettings, Retention
from poller.store.archive.places import open_archive
from poller.store.rollup import RolledUp, roll_up

_log = logging.getLogger(__name__)


def closed_ms(retention: Retention, now_ms: int, waiting_ms: int | None) -> int:
    """Before this instant nothing will come any more: as long ago as samples are kept, unless older polls wait."""
    limit_ms = now_ms - round(retention.samples * 1000)
    return limit_ms if waiting_ms is None else min(limit_ms, waiting_ms)


def roll_up_archive(
    settings: ArchiveSettings,
    retention: Retention,
    stop: threading.Event,
    now_ms: int,
    budget_seconds: float = 60.0,
    *,
    waiting_ms: int | None = None,
) -> RolledUp | None:
    """Makes what is due there. Trouble of the archive is logged and gives None: `ship` records it.

    After shipping, so that what waited is there: polls that come later make their windows again, which costs more.
    `waiting_ms`: the oldest poll that is still to be shipped, also by another process.
    """
    try:
        with closing(open_archive(settings, now_ms)) as archive:
            return roll_up(archive, closed_ms(retention, now_ms, waiting_ms), now_ms, stop, budget_seconds)
    except PollerError as error:
        _log.warning("the archive is not rolled up (%s): %s", error.code, error)
        return None
