"""Two readings of a host -> the rows of a section in pairs."""

from __future__ import annotations

from typing import Any

from poller.model import Reading, Row, SectionStatus, Watch, natural_key


class Both:
    """The readings before and now, side by side."""

    def __init__(self, before: Reading, now: Reading, watch: Watch) -> None:
        self.before = before
        self.now = now
        self.watch = watch
        self.rebooted = before.boot_id != now.boot_id

    def pairs(self, section: str, kind: type[Row], *, partly: bool = False) -> list[tuple[Any, Any]]:
        """(row before or None, row now or None) of all, in the order they have now, then those that are gone.

        With `partly` a section counts that says it is not complete.
        """
        if self._unchanged(section):
            return []
        old, new = (_rows(reading, section, kind, partly) for reading in (self.before, self.now))
        if old is None or new is None:
            return []
        came = [(old.get(key), row) for key, row in new.items()]
        return came + [(row, None) for key, row in old.items() if key not in new]

    def _unchanged(self, section: str) -> bool:
        """The probe said that its rows are the same, and they were taken over: of one boot they tell nothing new."""
        was, now = self.before.section(section), self.now.section(section)
        return was is not None and now is not None and was.rows is now.rows and not self.rebooted

    def whole(self, section: str) -> bool:
        """Whether it was read to its end both times."""
        return all(
            not found.reason
            for reading in (self.before, self.now)
            for found in reading.sections
            if found.name == section
        )


def _rows(reading: Reading, section: str, kind: type[Row], partly: bool) -> dict[object, Row] | None:
    """By natural key; None when the section was not read."""
    found = reading.section(section)
    if found is None or found.status is not SectionStatus.OK or (found.reason and not partly):
        return None
    return {natural_key(row): row for row in found.rows if type(row) is kind}
