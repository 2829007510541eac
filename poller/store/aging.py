"""Tables whose old rows are found thing by thing, where an index leads to them: their owner, and what says their age.

Pruning, giving up what the archive has, and giving up what finds no room all go by this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from poller.metrics import SAMPLE_TABLES
from poller.store.kinds import EPISODIC
from poller.store.rollup_sql import ROLLED

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Aging:
    """Rows of `table` belong to a row of `inventory` and are as old as the column `time` says.

    `lasts_ms`: so much longer is each true than that. A row whose time is NULL does not age.
    """

    table: str
    inventory: str
    time: str = "at_ms"
    lasts_ms: int = 0

    @property
    def owner(self) -> str:
        """The column that points to the inventory."""
        return f"{self.inventory}_id"

    def deletion(self, *, spared: bool = False) -> str:
        """Of one thing (:id) all that is older (:before_ms). `spared`: but nothing of polls that were refused."""
        text = f"DELETE FROM {self.table} WHERE {self.owner} = :id AND {self.time} < :before_ms - {self.lasts_ms}"  # noqa: S608 - names of ours
        if not spared:
            return text
        refused = "id NOT IN (SELECT item" if self.table == "poll" else f"{self.time} NOT IN (SELECT at_ms"
        return f"{text} AND {refused} FROM rejected)"


SAMPLES: Final[Mapping[str, Aging]] = {
    **{table: Aging(table, inventory) for table, (_, inventory, _) in SAMPLE_TABLES.items()},
    "process_sample": Aging("process_sample", "host"),
    "peer_sample": Aging("peer_sample", "peer"),
}
# Made by `poller.store.rollup` in each database that holds history, never shipped; so they stand beside ALL.
ROLLUPS: Final[Mapping[str, Aging]] = {
    name: Aging(name, table.inventory) for table in ROLLED for name in (table.fives, table.hours)
}
PEER_DAY: Final = Aging("peer_day", "peer", lasts_ms=DAY_MS)
LOG_LINE: Final = Aging("log_line", "host", "seen_ms")
POLL: Final = Aging("poll", "host")
EPISODES: Final[Mapping[str, Aging]] = {kind.table: Aging(kind.table, "host", "gone_ms") for kind in EPISODIC}
ALL: Final[Mapping[str, Aging]] = {
    **SAMPLES, PEER_DAY.table: PEER_DAY, LOG_LINE.table: LOG_LINE, POLL.table: POLL, **EPISODES
}  # fmt: skip
