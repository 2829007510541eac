"""Alerts as a table, as a line each, and as JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from poller.cli import firing
from poller.cli.alert_state import Condition, Scene, conditions
from poller.cli.foreign import one_line
from poller.cli.ids import short
from poller.cli.instant import shown
from poller.cli.table import ago, plain_table

if TYPE_CHECKING:
    from poller.cli.layout import PlainTable
    from poller.cli.settings import Settings
    from poller.model import Acknowledgement
    from poller.store.alerting import AlertStatus

# Of so many it is looked up whether anybody was told.
_LOOKED_UP: Final = 200


@dataclass(frozen=True, slots=True)
class Row:
    """An alert and what becomes of it."""

    status: AlertStatus
    conditions: tuple[Condition, ...]

    @property
    def weight(self) -> tuple[bool, int, int, str]:
        """Open before ended; of the open ones the worst first, then the newest."""
        alert = self.status.alert
        if alert.closed_ms is not None:
            return True, 0, -alert.closed_ms, alert.id
        return False, -alert.severity, -alert.opened_ms, alert.id

    @property
    def words(self) -> str:
        return "; ".join(one_line(condition.words) for condition in self.conditions)


def rows(settings: Settings, found: Sequence[AlertStatus], at: Scene) -> list[Row]:
    """Each with what becomes of it. Of very many it is not looked up why nobody was told."""
    from poller.store import alerting

    journal = settings.config.journal
    silent = [one.alert.id for one in found if not (one.notifications or one.untold or one.alert.closed_ms)]
    notices = {number: alerting.notifications(journal, number) for number in silent[:_LOOKED_UP]}
    return [Row(one, conditions(one, at, notices.get(one.alert.id))) for one in found]


def table(found: Sequence[Row], now: int) -> PlainTable:
    """Whole at any width; what people wrote is inert. On a terminal the state stands below its alert, elsewhere each
    alert is one line."""
    columns = ("ID", "SEVERITY", "HOST", "SINCE", "ALERT")
    terminal = sys.stdout.isatty()
    made = plain_table(*columns) if terminal else plain_table(*columns, "STATE")
    for row in sorted(found, key=lambda one: one.weight):
        alert = row.status.alert
        style = "" if alert.closed_ms is not None else firing.STYLES.get(str(alert.severity), "")
        cells = (
            short(alert.id), Text(str(alert.severity), style=style), one_line(alert.host),
            ago(alert.since_ms, now),
        )  # fmt: skip
        words = one_line(firing.words(alert))
        if terminal:
            made.add_row(*cells, words if row.words == "firing" else f"{words}\n{row.words}")
        else:
            made.add_row(*cells, words, row.words)
    return made


def line(row: Row, at_ms: int) -> Text:
    """What is new about an alert, on one line."""
    alert = row.status.alert
    style = "green" if alert.closed_ms is not None else firing.STYLES.get(str(alert.severity), "")
    text = Text(f"{shown(at_ms)} {short(alert.id)} {one_line(alert.host)} ")
    text.append(f"[{alert.severity}]", style=style or "bold")
    text.append(one_line(f" {firing.words(alert)}"), style=style)
    text.append(f"  {row.words}")
    return text


def document(row: Row) -> dict[str, Any]:
    """The stable JSON form, with instants in milliseconds and base units."""
    alert = row.status.alert
    return {
        "id": alert.id, "short_id": short(alert.id), "host": alert.host, "metric": alert.metric,
        "labels": dict(alert.labels), "severity": str(alert.severity), "value": _plain(alert.value),
        "limit": alert.limit, "reason": alert.reason, "opened_ms": alert.opened_ms, "since_ms": alert.since_ms,
        "updated_ms": alert.updated_ms, "closed_ms": alert.closed_ms, "flapping": alert.flapping,
        "state": row.conditions[0].word,
        "states": [{"state": one.word, "words": one.words} for one in row.conditions],
        "acknowledgement": acknowledged(row.status.acknowledgement), "notifications": row.status.notifications,
        "evidence": list(row.status.evidence),
    }  # fmt: skip


def acknowledged(one: Acknowledgement | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {"id": one.id, "at_ms": one.at_ms, "author": one.author, "comment": one.comment, "until_ms": one.until_ms,
            "ended_ms": one.ended_ms, "ended_by": one.ended_by or None}  # fmt: skip


def _plain(number: float | None) -> float | str | None:
    """JSON has no infinity."""
    return number if number is None or number - number == 0 else str(number)
