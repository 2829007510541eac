"""What the journal holds of a host's past, as far back as its rules look, and no more than that."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from typing import Final

from poller.model import Event, History, LogLine, Needs, Seen, Severity
from poller.store.series import OF_POLLS, Labels, Points, answered, attempts, series
from poller.store.sql import statements

LINES: Final = 20_000
_SEVERITIES: Final = {str(severity): severity for severity in Severity}
# A key of `Needs.logs`: every log.
_EVERY: Final = "*"


def history(connection: sqlite3.Connection, host: str, needs: Needs, now_ms: int) -> History:
    """All before `now_ms`: of each metric at most 20,000 points, of logs and events as many, the newest."""
    row = connection.execute(statements()["host_id"], {"name": host}).fetchone()
    if row is None or not needs:
        return History()
    since_ms = {name: _since(seconds, now_ms) for name, seconds in needs.series.items()}
    longest = max((*needs.series.values(), *needs.logs.values(), *needs.events.values()))
    return History(
        series={**series(connection, row[0], since_ms, now_ms), **_of_polls(connection, row[0], since_ms, now_ms)},
        lines=_lines(connection, row[0], needs.logs, now_ms) if needs.logs else (),
        events=_events(connection, row[0], needs.events, now_ms) if needs.events else (),
        polls_ms=answered(connection, row[0], _since(longest, now_ms), now_ms),
    )


def _since(seconds: float, now_ms: int) -> int:
    return now_ms - round(seconds * 1000)


def _of_polls(
    connection: sqlite3.Connection, host_id: int, since_ms: Mapping[str, int], now_ms: int
) -> dict[tuple[str, Labels], Points]:
    """Numbers that the polls themselves tell."""
    wanted = [metric for metric in OF_POLLS if metric in since_ms]
    if not wanted:
        return {}
    polls = attempts(connection, host_id, min(since_ms[metric] for metric in wanted), now_ms)
    found: dict[tuple[str, Labels], Points] = {}
    for metric in wanted:
        known = ((poll.at_ms, poll.value(metric)) for poll in polls if poll.at_ms >= since_ms[metric])
        found[metric, ()] = [(at_ms, value) for at_ms, value in known if value is not None]
    return {key: points for key, points in found.items() if points}


def _lines(connection: sqlite3.Connection, host_id: int, logs: Mapping[str, float], now_ms: int) -> tuple[Seen, ...]:
    """Each log as far back as it is wanted."""
    every = _since(logs[_EVERY], now_ms) if _EVERY in logs else now_ms
    first = {name: min(every, _since(seconds, now_ms)) for name, seconds in logs.items()}
    wanted = None if _EVERY in logs else list(logs)
    found = lines_between(connection, host_id, wanted, min(first.values()), now_ms)
    return tuple(seen for seen in found if seen.seen_ms >= first.get(seen.line.log, every))


def lines_between(
    connection: sqlite3.Connection, host_id: int, logs: Collection[str] | None, since_ms: int, until_ms: int
) -> tuple[Seen, ...]:
    """What polls from `since_ms` to before `until_ms` brought of these logs (None: all), oldest first."""
    values = {
        "host_id": host_id,
        "since_ms": since_ms,
        "until_ms": until_ms,
        "logs": json.dumps(list(logs or ())),
        "every_log": logs is None,
        "at_most": LINES,
    }
    rows = connection.execute(statements()["lines_between"], values).fetchall()
    return tuple(Seen(row[0], _line(*row[1:])) for row in reversed(rows))


def _line(
    log: str, path: str, at_ms: int, program: str, pid: int | None, priority: int | None, severity: str, repeats: int,
    trusted: int, message: str,
) -> LogLine:  # fmt: skip
    return LogLine(log, path, at_ms, program, pid, priority, _SEVERITIES[severity], repeats, bool(trusted), message)


def _events(connection: sqlite3.Connection, host_id: int, kinds: Mapping[str, float], now_ms: int) -> tuple[Event, ...]:
    """Each kind as far back as it is wanted."""
    first = {kind: _since(seconds, now_ms) for kind, seconds in kinds.items()}
    found = events_between(connection, host_id, kinds, min(first.values()), now_ms)
    return tuple(event for event in found if event.at_ms >= first[event.kind])


def events_between(
    connection: sqlite3.Connection, host_id: int, kinds: Collection[str], since_ms: int, until_ms: int
) -> tuple[Event, ...]:
    """Events of these kinds from `since_ms` to before `until_ms`, oldest first."""
    values = {
        "host_id": host_id,
        "since_ms": since_ms,
        "until_ms": until_ms,
        "kinds": json.dumps(list(kinds)),
        "at_most": LINES,
    }
    rows = connection.execute(statements()["events_between"], values).fetchall()
    return tuple(
        Event(kind, at_ms, _SEVERITIES[severity], details) for kind, at_ms, severity, details in reversed(rows)
    )
