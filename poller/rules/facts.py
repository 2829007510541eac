"""What there is to be looked at, in the order in which expressions ask for it; for one judging of one host.

Each thing is looked up once, however many rules ask. Nothing of it outlives the judging.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Final

from poller.metrics import CATALOGUE
from poller.model import Event, LogLine, MetricValue, World
from poller.rules.matching import Budget, ExhaustedError
from poller.rules.vector import Labels, Vector

Points = Sequence[tuple[int, float]]
# The section that tells of a kind of event; kinds that are not here are the poller's own and always known.
_SECTIONS: Final = {
    "usb": ("usb_attached", "usb_removed"),
    "devices": ("device_attached", "device_removed"),
    "mounts": ("mounted", "unmounted", "remounted"),
    "sockets": ("listener_new", "listener_gone"),
    "people": ("login", "logout"),
    "units": ("unit_failed", "unit_recovered"),
    "hardware": ("raid_changed",),
    "kernel": ("io_error", "filesystem_error", "memory_error", "oom_kill", "link_down", "link_up"),
}
_SECTION_OF: Final = {kind: section for section, kinds in _SECTIONS.items() for kind in kinds}


class Facts:
    """A world, indexed. `budget` is the time that regular expressions may still take."""

    __slots__ = ("_given_up", "_there", "budget", "by_metric", "memo", "world")

    def __init__(self, world: World) -> None:
        self.world = world
        self.budget = Budget()
        by_metric: dict[str, list[MetricValue]] = {}
        self.memo: dict[object, Vector] = {}
        self._given_up: set[object] = set()
        self._there: dict[str, list[Labels]] | None = None
        for value in world.values:
            if value[0] in by_metric:  # by number: a hundred of them for each host
                by_metric[value[0]].append(value)
            else:
                by_metric[value[0]] = [value]
        self.by_metric = by_metric

    def once(self, look: Callable[[Facts], Vector]) -> Vector:
        """What `look` gives, kept in `memo`; that it gave up is remembered, too."""
        if look in self._given_up:
            raise ExhaustedError
        try:
            found = self.memo[look] = look(self)
        except ExhaustedError:
            self._given_up.add(look)
            raise
        return found

    def there(self, label: str) -> Sequence[Labels]:
        """The label sets of that name whose rows the newest poll brought, in order."""
        if self._there is None:
            self._there = {}
            for name, value in sorted(self.world.sight.labels):
                self._there.setdefault(name, []).append(((name, value),))
        return self._there.get(label, ())

    def read(self, metric: str) -> bool:
        """Whether the newest poll could see all there is of a metric."""
        section = CATALOGUE[metric].section
        return section in self.world.sight.sections if section else bool(self.world.sight.sections)

    def points(self, metric: str, labels: Labels, seconds: float) -> list[tuple[int, float]]:
        """Of the last `seconds`, oldest first; the newest poll is not among them."""
        series = self.world.history.series.get((metric, labels), ())
        return list(series[bisect_left(series, (self.since_ms(seconds),)) :])

    def since_ms(self, seconds: float) -> int:
        """So long ago. What was at that very instant is in the time, too."""
        return self.world.now_ms - round(seconds * 1000)

    def lines(self, seconds: float) -> list[LogLine]:
        """Of the newest poll, and those that polls of the last `seconds` brought."""
        if not seconds:
            return list(self.world.lines)
        since_ms = self.since_ms(seconds)
        past = [seen.line for seen in self.world.history.lines if seen.seen_ms >= since_ms]
        return [*past, *self.world.lines]

    def events(self, seconds: float) -> list[Event]:
        if not seconds:
            return list(self.world.events)
        since_ms = self.since_ms(seconds)
        return [*(event for event in self.world.history.events if event.at_ms >= since_ms), *self.world.events]

    def logs_read(self, named: Callable[[str], bool]) -> bool:
        """Whether the newest poll could read at least one of the logs of such names."""
        told = [value.value for value in self.by_metric.get("log.readable", ()) if named(value.labels[0][1])]
        return any(told) if told else "logs" in self.world.sight.sections

    def events_known(self, kinds: Sequence[str]) -> bool:
        """Whether the newest poll could see at least one of these kinds."""
        sections = self.world.sight.sections
        return any(kind not in _SECTION_OF or _SECTION_OF[kind] in sections for kind in kinds)
