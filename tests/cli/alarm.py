"""A journal in which something fires, for the commands about alerts: made by the store's own functions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from uuid6 import uuid7

from poller.model import (
    Alert,
    Change,
    ChangeKind,
    Comparison,
    LimitState,
    MetricValue,
    Notification,
    Ping,
    Poll,
    PollOutcome,
    Severity,
)
from poller.store import Journal
from tests.cli.past import now_ms
from tests.config.files import write
from tests.store.machines import failed, poll, values

CONFIG: Final = """<poller><journal path="poller.db"/><poll interval="60s" deadline="30s"/>
<mail server="127.0.0.1" port="25" security="none" from="poller@example.org"/>
<contact name="ops" mail="ops@example.org"/>
<thresholds name="server"><threshold metric="disk.percent" mountpoint="/var" above="85" severity="high"/>
<threshold metric="cpu.percent" above="90" for="5m"/></thresholds>
<group name="front" thresholds="server" notify="ops"><host name="web1" address="local"/>
<host name="web2" address="local"/></group>
<group name="lab" thresholds="server"><host name="lab1" address="local"/></group></poller>"""


class Ward:
    """A folder with config.xml and the journal beside it."""

    def __init__(self, folder: Path, config: str = CONFIG) -> None:
        self.folder = folder
        self.journal = folder / "poller.db"
        write(folder, config)

    def polled(self, host: str, ago: float = 1, *, numbers: dict[str, float] | None = None, good: bool = True) -> None:
        """A poll so many seconds ago; `numbers` are values by metric (and mountpoint: `disk.percent /var`)."""
        at_ms = now_ms() - round(ago * 1000)
        one = replace(poll(host) if good else failed(host), id=str(uuid7()), at_ms=at_ms)
        given = [value for value in values(1) if numbers is None or value.metric not in {n.split()[0] for n in numbers}]
        for name, number in (numbers or {}).items():
            metric, _, label = name.partition(" ")
            given.append(MetricValue(metric, number, (("mountpoint", label),) if label else ()))
        with Journal.open(self.journal, now_ms=now_ms()) as journal, journal.transaction() as work:
            work.store_poll(one, given if good else ())

    def pinged(self, host: str, seconds: float) -> None:
        """A poll of a host that is only pinged."""
        one = Poll(str(uuid7()), host, now_ms(), PollOutcome.OK, ping=Ping("192.0.2.2", 3, 3, seconds))
        given = (MetricValue("ping.seconds", seconds), MetricValue("ping.loss_percent", 0.0))
        with Journal.open(self.journal, now_ms=now_ms()) as journal, journal.transaction() as work:
            work.store_poll(one, given)

    def fires(
        self,
        host: str = "web1",
        metric: str = "disk.percent",
        *labels: tuple[str, str],
        severity: Severity = Severity.HIGH,
        ago: float = 600,
        value: float = 91.0,
        limit: str = "> 85",
        told: tuple[str, ...] = (),
        flapping: bool = False,
        seen: float = 1,
    ) -> Alert:
        """An alert that opened so many seconds ago and was `seen` last; `told` are owed a message about it."""
        opened = now_ms() - round(ago * 1000)
        alert = Alert(
            str(uuid7()), host, metric, labels, severity, value, limit, opened, now_ms() - round(seen * 1000), opened,
            reason=f"{metric} is {value:g}", flapping=flapping,
        )  # fmt: skip
        self._compare(host, alert, ChangeKind.OPENED, told)
        return alert

    def ends(self, alert: Alert, *, ago: float = 0, told: tuple[str, ...] = ()) -> Alert:
        over = replace(alert, closed_ms=now_ms() - round(ago * 1000), reason="back below its limit", flapping=False)
        self._compare(alert.host, over, ChangeKind.CLOSED, told)
        return over

    def waits(self, host: str, metric: str, key: str, *, ago: float, polls: int) -> None:
        """A limit that is passed, and not for long enough yet."""
        at_ms = now_ms()
        state = LimitState(metric, (), key, at_ms - round(ago * 1000), polls, active=False, seen_ms=at_ms)
        with Journal.open(self.journal, now_ms=at_ms) as journal, journal.transaction() as work:
            memory = work.alert_memory(host)
            work.store_comparison(host, Comparison((*memory.states, state), memory.open, (), memory.flaps))

    def _compare(self, host: str, alert: Alert, kind: ChangeKind, told: tuple[str, ...]) -> None:
        with Journal.open(self.journal, now_ms=now_ms()) as journal, journal.transaction() as work:
            memory = work.alert_memory(host)
            others = tuple(one for one in memory.open if one.id != alert.id)
            still = others if alert.closed_ms is not None else (*others, alert)
            changes = (Change(kind, alert, alert.reason, told),)
            work.store_comparison(host, Comparison(memory.states, still, changes, memory.flaps))
            numbers, _ = work.told(alert.id)
            work.enqueue(
                [Notification(str(uuid7()), alert, kind, one, numbers.get(one, 0) + 1, now_ms()) for one in told]
            )
