"""A poll -> what it saw: which sections to their end, and which labels. Alerts on what was not seen wait."""

from __future__ import annotations

from collections.abc import Iterable

from poller.model import MetricValue, Poll, Section, SectionStatus, Sight, TextFile
from poller.probe.label import LABELS, SERIES, label_of, series_label_of


def sight(poll: Poll, values: Iterable[MetricValue] = ()) -> Sight:
    """Which sections were read completely, and which label values had a row, or have one of these values."""
    if poll.report is None:
        return Sight()
    now = poll.report.now
    labels = {label for value in values for label in value.labels}
    for kind in LABELS:
        for row in now.rows(kind):
            labels.update(label_of(row))
    for kind in SERIES:
        labels.update(map(series_label_of, now.rows(kind)))
    return Sight(frozenset(section.name for section in now.sections if complete(section)), frozenset(labels))


def complete(section: Section) -> bool:
    """Read to its end. A file of numbers that nobody could read (it has no time) may have held any of them."""
    if section.status is not SectionStatus.OK or section.reason:
        return False
    return section.name != "textfiles" or all(row.at for row in section.rows if isinstance(row, TextFile))
