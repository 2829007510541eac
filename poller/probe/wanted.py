"""What is asked of a host this time: which sections are due, what they are to look for, and how far they came before.

Pure: what config.xml says and what the journal remembers go in, the request's `sections`, `options` and `cursors` come
out. A section without options is asked with none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from poller.model import NEVER, Before, Watch
from remote_probe.collectors import NAMES

# A poll may come this much earlier than its section is due, in parts of `every`: rounds do not begin to the second.
SLACK: Final = 0.1
# Most lines and bytes of logs in one report; more waits for the next.
LINES: Final = 10_000
BYTES: Final = 2 << 20
# Most files whose cursors travel with one request.
FILES: Final = 200

Cursors = dict[str, Any]


def due(watch: Watch, before: Before, now_ms: int) -> tuple[str, ...]:
    """The sections to ask for now, in the order of reports; all that are ever asked for when none was asked before."""
    return tuple(name for name in NAMES if _configured(name, watch) and _is_due(name, watch, before, now_ms))


def elsewhere(before: Before) -> bool:
    """Whether the host may have no /proc: it is new to us, or told so. Such a host has no boot id of the kernel's."""
    return before.reading is None or before.reading.boot_id.startswith(("boot-", "unknown"))


def _configured(name: str, watch: Watch) -> bool:
    """Some sections have nothing to say unless config.xml names something."""
    needs = {"checks": watch.checks, "textfiles": watch.textfiles, "logs": watch.logs + watch.journals}
    return bool(needs.get(name, True)) and watch.period(name) != NEVER


def _is_due(name: str, watch: Watch, before: Before, now_ms: int) -> bool:
    asked_ms = before.asked_ms.get(name)
    if asked_ms is None:
        return True
    age_ms = now_ms - asked_ms
    # A clock that was set back must not keep a section away.
    return age_ms < 0 or age_ms >= watch.period(name) * 1000 * (1 - SLACK)


def options(watch: Watch, sections: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What these sections are told beside their name."""
    every: dict[str, dict[str, Any]] = {
        "traffic": {"source": watch.traffic, "seconds": watch.traffic_seconds},
        "top": {"count": watch.top, "commands": watch.commands, "names": list(watch.processes)},
        "units": {"units": list(watch.units)},
        "checks": {"checks": [[one.name, list(one.command), one.timeout] for one in watch.checks]},
        "textfiles": {"paths": list(watch.textfiles)},
        "logs": {"logs": _logs(watch), "lines": LINES, "bytes": BYTES},
    }
    return {name: every[name] for name in sections if name in every}


def _logs(watch: Watch) -> list[dict[str, Any]]:
    files = [{"name": log.name, "path": log.path, "start": log.start} for log in watch.logs]
    journals = [
        {"name": log.name, "unit": log.unit, "identifier": log.identifier, "start": log.start} for log in watch.journals
    ]
    return files + journals


def cursors(watch: Watch, before: Before, sections: Iterable[str], seed: bytes) -> tuple[Cursors, int]:
    """The cursors of these sections, and how many files of logs have to wait because theirs do not fit.

    `seed` is random: which files wait is another choice each time, so that each gets its turn. A file without its
    cursor looks new to the probe; what it then says does not begin where the journal stands, and is not taken.
    """
    asked = set(sections)
    found: Cursors = {
        name: before.cursors[name] for name in ("kernel", "people") if name in asked & set(before.cursors)
    }
    if "logs" not in asked:
        return found, 0
    names = {log.name for log in watch.logs} | {journal.name for journal in watch.journals}
    files = [key for key in before.cursors if key.startswith("logs\n") and key.split("\n")[1] in names]
    if len(files) > FILES:
        chosen = sorted(files, key=lambda key: hashlib.sha256(seed + key.encode()).digest())[:FILES]
    else:
        chosen = files
    found["logs"] = _nested({key: before.cursors[key] for key in sorted(chosen)})
    return found, len(files) - len(chosen)


def _nested(flat: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """`logs NEWLINE name NEWLINE path` -> name -> path. A path may hold newlines, a name of config.xml none."""
    logs: dict[str, dict[str, str]] = {}
    for key, cursor in flat.items():
        _, name, path = key.split("\n", 2)
        logs.setdefault(name, {})[path] = cursor
    return logs
