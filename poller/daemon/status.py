"""How a daemon is, in three lengths: a document for `poller daemon --status`, a line a minute, a line for systemd."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from poller import __version__
from poller.clock import now_ms
from poller.daemon.board import Board, Tally
from poller.daemon.duty import Standing
from poller.daemon.keeping import Keeping
from poller.daemon.reload import Reloaded
from poller.daemon.sessions import entries
from poller.model import Config, Link, LinkState

_PROC: Final = Path("/proc/self")


def document(
    config: Config,
    board: Board,
    keeping: Keeping,
    links: Mapping[str, LinkState],
    standings: Iterable[Standing],
    reloaded: Reloaded,
    socket: Path,
) -> dict[str, Any]:
    """The stable JSON form. Instants are UTC epoch milliseconds, sizes bytes."""
    outcomes, polled, failing = board.totals()
    return {
        "pid": os.getpid(),
        "version": __version__,
        "config": str(config.path),
        "journal": str(config.journal),
        "socket": str(socket),
        "now_ms": now_ms(),
        "hosts": len(config.hosts),
        "polled": polled,
        "failing": sorted(failing),
        "links": {str(link): _count(links, link) for link in Link},
        "sessions": entries(links),
        "polls": {name: outcomes.get(name, 0) for name in ("ok", "partial", "failed", "skipped")},
        "waiting": keeping.waiting,
        "lost": keeping.lost,
        "trouble": keeping.trouble,
        "duties": [
            {
                "name": one.name,
                "busy_seconds": round(one.busy_seconds, 3),
                "done_ms": one.done_ms,
                "trouble": one.trouble,
            }
            for one in standings
        ],
        "reload": {
            "at_ms": reloaded.at_ms,
            "words": reloaded.words,
            "refused": reloaded.refused,
            "restart": list(reloaded.restart),
        },
        **_resources(),
    }


def hosts(count: int) -> str:
    return "1 host" if count == 1 else f"{count} hosts"


def _count(links: Mapping[str, LinkState], link: Link) -> int:
    return sum(state.link is link for state in links.values())


def _resources() -> dict[str, int]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    try:
        pages = int((_PROC / "statm").read_text().split()[1])
        files = len(list((_PROC / "fd").iterdir()))
    except (OSError, ValueError, IndexError):
        pages, files = 0, 0
    return {
        "threads": threading.active_count(),
        "files": files,
        "resident_bytes": pages * resource.getpagesize(),
        "cpu_ms": round(1000 * (used.ru_utime + used.ru_stime)),
    }


def minute(tally: Tally, board: Board, keeping: Keeping, links: Mapping[str, LinkState]) -> str:
    """As "60 s: 598 polls ok, 2 failed; 95 % begin within 0.02 s; 300 of 312 hosts connected"."""
    failed, skipped = tally.outcomes["failed"], tally.outcomes["skipped"]
    polls = f"{tally.seconds:.0f} s: {tally.good} polls ok, {failed} failed" + (
        f", {skipped} skipped" if skipped else ""
    )
    held = f"{_count(links, Link.CONNECTED)} of {hosts(len(links))} connected"
    changes = f"{tally.changes} alerts changed" if tally.changes else ""
    parts = (polls, f"95 % begin within {tally.late:.2f} s", held, changes, *_wrong(board, keeping))
    return "; ".join(part for part in parts if part)


def line(
    config: Config, tally: Tally, board: Board, keeping: Keeping, reloaded: Reloaded, standings: Iterable[Standing]
) -> str:
    """For `systemctl status`: the counts, and before them what is wrong."""
    _, polled, _ = board.totals()
    troubles = [f"{one.name}: {one.trouble}" for one in standings if one.trouble]
    parts = [
        f"config.xml was refused: {reloaded.refused}" if reloaded.refused else "",
        *reloaded.restart,
        *_wrong(board, keeping),
        *troubles,
        f"{hosts(len(config.hosts))}, {polled} polled",
        f"{tally.good} polls ok and {tally.outcomes['failed']} failed in {tally.seconds:.0f} s",
    ]
    return "; ".join(part for part in parts if part)


def _wrong(board: Board, keeping: Keeping) -> list[str]:
    _, _, failing = board.totals()
    found = [f"{hosts(len(failing))} failing"] if failing else []
    if keeping.waiting:
        found.append(f"{keeping.waiting} polls wait for the journal ({keeping.trouble})")
    return found
