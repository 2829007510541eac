"""`<threshold>`: one limit on one metric, and how long it must be passed before it counts."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from poller.model.alerting import Escalation
from poller.model.severity import Severity

_WILD: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Hold:
    """How long something must last before it counts: for `seconds`, and for `polls` polls in a row."""

    seconds: float = 0.0
    polls: int = 1

    def __str__(self) -> str:
        if self.seconds:
            return f"for {self.seconds:g}s"
        return f"for {self.polls} polls" if self.polls > 1 else ""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One limit on one metric. `labels` maps label names to globs; a label not named matches every value.

    Exactly one of `above` and `below` is set. Once breached it stays so until the value passes `clear`
    (default: the limit itself). `notify` names contacts or holds `mailto:` addresses, merged already.

    With `within` (seconds, 0: not) it is about the future: the line through the last hours passes the limit in that
    time. `remind` are the seconds after which those who were told are told again, the last of them over and over.
    `evidence`: what the host was busy with is fetched when it is breached.
    """

    metric: str
    labels: tuple[tuple[str, str], ...] = ()
    above: float | None = None
    below: float | None = None
    clear: float | None = None
    hold: Hold = Hold()
    severity: Severity = Severity.MEDIUM
    notify: tuple[str, ...] = ()
    where: str = ""
    within: float = 0.0
    remind: tuple[float, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    evidence: bool = False

    @property
    def limit(self) -> float:
        """The number that is compared with."""
        limit = self.above if self.above is not None else self.below
        if limit is None:
            raise ValueError(f"a threshold on {self.metric} needs above= or below=")
        return limit

    @property
    def key(self) -> str:
        """Tells two limits on one metric apart, and survives editing of the rest."""
        direction = ("reaches-" if self.within else "") + ("above" if self.above is not None else "below")
        return f"{direction} {self.limit:g} {self.severity}"

    @property
    def sign(self) -> str:
        return ">" if self.above is not None else "<"

    def covers(self, metric: str, labels: tuple[tuple[str, str], ...]) -> bool:
        """Whether it judges that metric with those label values."""
        if metric != self.metric:
            return False
        values = dict(labels)
        return all(name in values and fnmatchcase(values[name], glob) for name, glob in self.labels)

    def __str__(self) -> str:
        return " ".join(part for part in (self.sign, spelled(self.limit), str(self.hold)) if part)


def is_glob(text: str) -> bool:
    """Whether it can fit more than one text, as fnmatch has it."""
    return not _WILD.isdisjoint(text)


def spelled(limit: float) -> str:
    """A limit with every digit before the point: never an exponent, which nobody reads as bytes."""
    return f"{limit:g}" if abs(limit) < 1e6 else f"{limit:.0f}"
