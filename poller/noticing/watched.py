"""What is known of one host between what it says and the event that this becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from poller.alerts import periods
from poller.findings.scope import Scope
from poller.live.absence import Absence
from poller.live.contacts import Contacts
from poller.live.fold import Fold
from poller.model import AnyRule, Host, Needs, Push, Reading
from poller.rules import needs


@dataclass(slots=True)
class Watched:
    """What is known of one host between a push and the event that it becomes.

    `known` is how its devices and mounts are now, `fresh` what of that is newer than what the journal remembers; both
    None while nothing is going on. `early` came before the poll that it is to be compared with. `heard_ms` is 0 before
    the first frame.
    """

    host: Host
    fold: Fold
    contacts: Contacts
    rules: tuple[AnyRule, ...]
    needs: Needs
    periods: Mapping[str, float]
    scope: Scope | None = None
    known: Reading | None = None
    fresh: Reading | None = None
    early: list[Push] = field(default_factory=list)
    heard_ms: int = 0
    absence: Absence | None = None

    @classmethod
    def of(cls, host: Host, new_id: Callable[[], str]) -> Watched:
        """A host of which nothing was heard yet."""
        return cls(host, Fold(host.name, new_id), Contacts(host.name, new_id), *_judged(host))

    def adopt(self, host: Host) -> None:
        """The same host, as it is configured now."""
        self.host, self.scope = host, None
        self.rules, self.needs, self.periods = _judged(host)


def _judged(host: Host) -> tuple[tuple[AnyRule, ...], Needs, Mapping[str, float]]:
    return host.judged, needs(host.judged), periods(host, host.judged)
