"""The page of `poller alerts ID`: one alert with everybody who was told, who takes care, and what the host did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.text import Text

from poller.cli import alert_list, firing
from poller.cli.alert_list import Row
from poller.cli.alert_state import Scene, conditions
from poller.cli.foreign import one_line
from poller.cli.instant import shown
from poller.cli.layout import PlainTable
from poller.cli.table import ago, plain_table

if TYPE_CHECKING:
    from poller.cli.settings import Settings
    from poller.model import Acknowledgement, EvidencePart
    from poller.store.alerting import AlertStatus
    from poller.store.notices import Notice


@dataclass(frozen=True, slots=True)
class Facts:
    """All there is about one alert."""

    row: Row
    notices: Sequence[Notice]
    acknowledgements: Sequence[Acknowledgement]
    evidence: Sequence[EvidencePart]

    def document(self) -> dict[str, Any]:
        """The stable JSON form."""
        return {
            "alert": alert_list.document(self.row),
            "notifications": [
                {"recipient": one.recipient, "kind": str(one.kind), "number": one.number, "at_ms": one.at_ms,
                 "state": one.state, "why": one.why, "channel": one.channel, "done_ms": one.done_ms, "error": one.error}
                for one in self.notices
            ],
            "acknowledgements": [alert_list.acknowledged(one) for one in self.acknowledgements],
            "evidence": [{"part": one.part, "at_ms": one.at_ms, "text": one.text} for one in self.evidence],
        }  # fmt: skip


def facts(settings: Settings, status: AlertStatus, at: Scene) -> Facts:
    from poller.store import alerting

    journal, number = settings.config.journal, status.alert.id
    notices = alerting.notifications(journal, number)
    return Facts(
        Row(status, conditions(status, at, notices)), notices, alerting.acknowledgements(journal, number),
        alerting.evidence(journal, number),
    )  # fmt: skip


def page(known: Facts, now: int) -> Iterator[Text | PlainTable]:
    """The blocks of the page, from above to below, with an empty line between them."""
    yield _head(known.row, now)
    blocks: list[Text | PlainTable] = []
    if known.notices:
        blocks.append(_notices(known.notices))
    if known.acknowledgements:
        blocks.append(_acknowledgements(known.acknowledgements))
    blocks += [_evidence(part) for part in known.evidence]
    for block in blocks:
        yield Text("")
        yield block


def _head(row: Row, now: int) -> Text:
    alert = row.status.alert
    style = "" if alert.closed_ms is not None else firing.STYLES.get(str(alert.severity), "")
    text = Text(f"{one_line(alert.host)}  ")
    text.append(f"[{alert.severity}]", style=style or "bold")
    text.append(one_line(f" {firing.words(alert)}"), style=style)
    text.append(f"\n{row.words}")
    if alert.reason and alert.closed_ms is None:
        text.append(f"\n{one_line(alert.reason)}")
    since = f"{shown(alert.since_ms)} ({ago(alert.since_ms, now)})"
    text.append(f"\nover its limit since {since}, an alert since {shown(alert.opened_ms)},")
    text.append(f" last known {shown(alert.updated_ms)}\nid {alert.id}")
    return text


def _notices(notices: Sequence[Notice]) -> PlainTable:
    table = plain_table("TOLD", "WHAT", "WHEN", "STATE", "")
    for one in notices:
        by = f"by {one.channel}" if one.channel and one.state == "delivered" else ""
        done = shown(one.done_ms) if one.done_ms is not None and one.state == "delivered" else ""
        why = ", ".join(part for part in (by, done, one.why, one.error) if part)
        table.add_row(one_line(one.recipient), str(one.kind), shown(one.at_ms), one.state, one_line(why))
    return table


def _acknowledgements(found: Sequence[Acknowledgement]) -> PlainTable:
    table = plain_table("ACKNOWLEDGED", "BY", "UNTIL", "COMMENT")
    for one in found:
        until = "its end" if one.until_ms is None else shown(one.until_ms)
        if one.ended_ms is not None:
            by = f" by {one.ended_by}" if one.ended_by else ""
            until = f"taken back {shown(one.ended_ms)}{by}"
        table.add_row(shown(one.at_ms), one_line(one.author), one_line(until), one_line(one.comment))
    return table


def _evidence(part: EvidencePart) -> Text:
    """What the host was busy with, in lines as it came."""
    text = Text(f"{one_line(part.part).upper()} {shown(part.at_ms)}\n")
    lines = [f"    {one_line(line.expandtabs())}" for line in part.text.split("\n")]
    return text.append("\n".join(lines).rstrip())
