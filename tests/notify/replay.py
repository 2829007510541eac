"""Plays what happens to alerts, people and channels, in a text file, with what each step must send.

    contact ops severities=medium,high groups=lab channels=sms,mail hours=mon-fri,08:00-18:00,Europe/Berlin
    host web1 lab              a host and its group; hosts that only occur are of none
    rule notify=ops,net remind=1h,4h escalate=30m:boss,2h:net       of every alert; severity of its first line
    downtime nightly db* 02:00-04:00 UTC          by the clock of that zone, every day
    quota mail 2
    group 30 300               collects as a daemon does: wait and interval in seconds
    wed 10:00  web1 opened high  -> ops/mail: web1 opened; net/sms digest note: web1 opened, web1 closed
    10:01  web1 closed           | suppressed short

A step is a time (a day of the first week of June 2026 and hh:mm[:ss], UTC; without a day that of the line before), what
happens, the messages after `->` and what is newly held or suppressed after `|`, all of them. After each step there is
a pass over the outbox; hosts that were not `lost` were polled just before. What may happen, several with `;`:

    web1 opened|rose|fell SEVERITY, web1 closed|unconfigured|flapping|steady
    web1 lost, web1 seen                  it cannot be polled from now on, or can again
    silence lab* until 12:00, unsilence   the silences are called s1, s2, ...
    ack web1 [until 12:00]
    mail away|later|refuses|works         away: nobody gets through; later: 4xx; refuses: 5xx
    nothing
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from poller.errors import DeliveryError
from poller.model import (
    Alert,
    Change,
    ChangeKind,
    ChannelSettings,
    Config,
    Contact,
    Downtime,
    Escalation,
    Host,
    Hours,
    Letter,
    MailServer,
    Notification,
    Severity,
    Silence,
    Threshold,
)
from poller.model.alerting import DAYS
from poller.notify import deliver, owed
from poller.notify.due import Moment, due
from poller.notify.faults import ChannelDownError
from poller.notify.grouping import Grouping
from poller.notify.quiet import quiet
from tests.notify.samples import CONFIG, MemoryOutbox, alert

MONDAY = datetime(2026, 6, 1, tzinfo=timezone.utc)
DAY_MS = 86_400_000
GAP_MS = 60_000
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_NEWS = ("opened", "rose", "fell", "flapping", "steady", "closed", "unconfigured")


@dataclass
class Line:
    """A channel that works or not, as the file says, and what came through."""

    name: str
    happens: str = "works"
    letters: list[Letter] = field(default_factory=list)

    def send(self, letter: Letter) -> None:
        if self.happens == "away":
            raise ChannelDownError("away", code="refused")
        if self.happens != "works":
            raise DeliveryError(self.happens, retry=self.happens == "later")
        self.letters.append(letter)


@dataclass(frozen=True)
class Notice:
    """As the journal tells of it."""

    recipient: str
    kind: ChangeKind
    number: int
    at_ms: int
    state: str
    done_ms: int | None
    why: str


@dataclass
class Player:
    """Keeps what the journal would keep, and passes over it as `poller.telling` does."""

    config: Config = CONFIG
    wait: float = 0.0
    interval: float = 0.0
    notify: tuple[str, ...] = ("ops",)
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    alerts: dict[str, Alert] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=lambda: {"mail": Line("mail")})
    lost: set[str] = field(default_factory=set)
    everything: list[Notification] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def change(self, host: str, kind: str, severity: str, now_ms: int) -> None:
        """Something happens to the one alert of a host; what cannot happen to it does not."""
        before = self.alerts.get(host)
        worse = before is not None and bool(severity) and Severity.parse(severity) > before.severity
        if (kind == "rose" and not worse) or (kind == "fell" and worse):
            return
        begins = kind == "opened" or (kind == "flapping" and before is None)
        if (before is None) != begins or (kind in ("opened", "steady") and before is not None and not before.flapping):
            return
        if before is None:
            before = alert(host, identity=f"{host} {next(self.ids)}", opened_ms=now_ms, since_ms=now_ms)
        now = replace(
            before,
            severity=Severity.parse(severity) if severity else before.severity,
            updated_ms=now_ms,
            flapping=kind == "flapping" or (before.flapping and kind in ("rose", "fell")),
            closed_ms=now_ms if kind in ("closed", "unconfigured") else None,
        )
        self.alerts[host] = now
        self._owe(Change(ChangeKind(kind), now, "because", self.notify), now_ms)
        if now.closed_ms is not None:
            self.outbox.ends(now.id)
            del self.alerts[host]

    def acknowledge(self, host: str) -> None:
        if host in self.alerts:
            self.outbox.acknowledged.add(self.alerts[host].id)

    def silence(self, host: str, now_ms: int, until_ms: int) -> None:
        number = len(self.outbox.in_force) + 1
        self.outbox.in_force.append(Silence(f"s{number}", now_ms, until_ms, now_ms, "somebody", "because", host))

    def unsilence(self, now_ms: int) -> None:
        self.outbox.in_force = [
            replace(one, ended_ms=now_ms if one.ended_ms is None else one.ended_ms) for one in self.outbox.in_force
        ]

    def step(self, now_ms: int) -> list[tuple[str, Letter]]:
        """Confirms what is seen, owes what is due, and delivers: (channel, letter) in order."""
        for host, one in self.alerts.items():
            if host not in self.lost:
                self.alerts[host] = replace(one, updated_ms=now_ms)
        alerts = list(self.alerts.values())
        reasons = quiet(alerts, {one.host: GAP_MS for one in alerts}, self.config, now_ms)
        moment = Moment(now_ms, {*reasons, *self.outbox.acknowledged})
        self._enqueue(due(alerts, self.config, {one.id: self.notices(one.id) for one in alerts}, moment, self.new_id))
        before = {name: len(line.letters) for name, line in self.lines.items()}
        collecting = self.wait or self.interval
        grouping = Grouping(self.wait, self.interval, self.outbox.last_sent()) if collecting else Grouping()
        order = len(self.outbox.messages)
        deliver(self.outbox, self.config, self.lines, now_ms, grouping=grouping, quiet=reasons)
        new = {name: iter(line.letters[before[name] :]) for name, line in self.lines.items()}
        return [(message.channel, next(new[message.channel])) for message in self.outbox.messages[order:]]

    def new_id(self) -> str:
        return f"n{next(self.ids)}"

    def state(self, number: str) -> tuple[str, str]:
        for state, reasons in (("failed", self.outbox.given_up), ("suppressed", self.outbox.suppressed)):
            if number in reasons:
                return state, reasons[number]
        if number in self.outbox.done:
            return "delivered", ""
        return ("held", self.outbox.held[number]) if number in self.outbox.held else ("owed", "")

    def notices(self, alert_id: str) -> list[Notice]:
        done = {number: message.sent_ms for message in self.outbox.messages for number in message.notifications}
        return [
            Notice(one.recipient, one.kind, one.number, one.at_ms, state, done.get(one.id), why)
            for one in self.everything
            if one.alert.id == alert_id
            for state, why in (self.state(one.id),)
        ]

    def _owe(self, change: Change, now_ms: int) -> None:
        numbers: dict[str, int] = {}
        told: set[str] = set()
        for one in self.notices(change.alert.id):
            numbers[one.recipient] = max(one.number, numbers.get(one.recipient, 0))
            if one.state in ("owed", "delivered") or (one.state == "held" and one.why.startswith("quota ")):
                told.add(one.recipient)
        self._enqueue(owed((change,), self.config, numbers, now_ms, self.new_id, told=told))

    def _enqueue(self, notifications: Sequence[Notification]) -> None:
        self.everything += notifications
        self.outbox.waiting += notifications


def play(path: Path) -> Iterator[tuple[str, str, str]]:
    """(line, expected, happened) for each step of the file."""
    player, day_ms = Player(), round(MONDAY.timestamp() * 1000)
    configured: list[str] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.split("#")[0].strip()
        step = re.fullmatch(r"(?:(?P<day>[a-z]{3}) )?(?P<time>\d\d:\d\d(?::\d\d)?) +(?P<rest>.*)", text)
        if step is None:
            configured += [text] if text else []
            continue
        if configured:
            configure(player, configured)
            configured = []
        if step["day"]:
            day_ms = round(MONDAY.timestamp() * 1000) + DAYS.index(step["day"]) * DAY_MS
        happens, messages, kept = parted(step["rest"])
        yield f"{path.name}:{number}: {text}", shown(messages, kept), happened(player, happens, day_ms, step["time"])


def parted(text: str) -> tuple[str, str, str]:
    rest, _bar, kept = text.partition("|")
    happens, _arrow, messages = rest.partition("->")
    return happens.strip(), messages.strip(), kept.strip()


def shown(messages: str, kept: str) -> str:
    return f"-> {messages or 'nothing'} | {'; '.join(sorted(kept.split('; '))) if kept else 'nothing'}"


def happened(player: Player, text: str, day_ms: int, clock: str) -> str:
    now_ms = day_ms + clock_ms(clock)
    for each in text.split(";"):
        happen(player, each.split(), day_ms, now_ms)
    before = {one.id: player.state(one.id) for one in player.everything}
    letters = player.step(now_ms)
    messages = "; ".join(described(channel, letter) for channel, letter in letters)
    after = {one.id: player.state(one.id) for one in player.everything}
    kept = {" ".join(state) for number, state in after.items() if state != before.get(number) and state[1]}
    return shown(messages, "; ".join(kept))


def happen(player: Player, words: list[str], day_ms: int, now_ms: int) -> None:
    subject, what, *more = [*words, ""]
    if subject == "silence":
        player.silence(what, now_ms, day_ms + clock_ms(more[1]))
    elif subject == "unsilence":
        player.unsilence(now_ms)
    elif subject == "ack":
        player.acknowledge(what)
    elif subject in player.lines:
        player.lines[subject].happens = what
    elif what in ("lost", "seen"):
        (player.lost.add if what == "lost" else player.lost.discard)(subject)
    elif what in _NEWS:
        player.change(subject, what, more[0] if more else "", now_ms)
    else:
        assert subject == "nothing", words


def described(channel: str, letter: Letter) -> str:
    marks = f"{' digest' if letter.digest else ''}{' note' if letter.note else ''}"
    items = ", ".join(f"{one.alert.host} {one.kind}" for one in letter.notifications)
    return f"{letter.contact.name}/{channel}{marks}: {items}"


def configure(player: Player, lines: Sequence[str]) -> None:
    """Reads the lines before the first step (or between steps: they add to what there is)."""
    config = player.config
    for line in lines:
        word, *rest = line.split()
        given = dict(part.split("=", 1) for part in rest if "=" in part)
        if word == "contact":
            others = tuple(one for one in config.contacts if one.name != rest[0])
            config = replace(config, contacts=(*others, contact(rest[0], given)))
        elif word == "host":
            config = replace(config, hosts=(*config.hosts, Host(rest[0], "192.0.2.1", group="".join(rest[1:]))))
        elif word == "rule":
            player.notify = tuple(given["notify"].split(","))
            config = replace(config, hosts=tuple(replace(one, thresholds=(rule(given),)) for one in config.hosts))
        elif word == "downtime":
            config = replace(config, downtimes=(*config.downtimes, downtime(rest)))
        elif word == "quota" and rest[0] == "mail":
            config = replace(config, mail=MailServer("192.0.2.1", 25, "poller@example.org", quota=int(rest[1])))
        elif word == "quota":
            config = replace(
                config, channels=(*config.channels, ChannelSettings(rest[0], "command", quota=int(rest[1])))
            )
        else:
            assert word == "group", line
            player.wait, player.interval = map(float, rest)
    player.config = config
    for name in (name for one in config.contacts for name in one.channels):
        player.lines.setdefault(name, Line(name))


def contact(name: str, given: Mapping[str, str]) -> Contact:
    severities = [Severity.parse(text) for text in given.get("severities", "").split(",") if text]
    days, span, zone = [*given["hours"].split(","), ""][:3] if "hours" in given else ("", "", "")
    return Contact(
        name,
        f"{name}@example.org",
        frozenset(severities),
        tuple(given.get("channels", "mail").split(",")),
        frozenset(text for text in given.get("groups", "").split(",") if text),
        (hours(days, span, zone),) if span else (),
    )


def rule(given: Mapping[str, str]) -> Threshold:
    steps = [text.split(":") for text in given.get("escalate", "").split(",") if text]
    return Threshold(
        "cpu.percent",
        above=90.0,
        severity=Severity.LOW,
        notify=tuple(given["notify"].split(",")),
        remind=tuple(seconds(text) for text in given.get("remind", "").split(",") if text),
        escalations=tuple(Escalation(seconds(after), (name,)) for after, name in steps),
    )


def downtime(rest: Sequence[str]) -> Downtime:
    name, glob, span, zone = rest
    return Downtime(name, hosts=(glob,), hours=hours("", span, zone))


def hours(days: str, span: str, zone: str) -> Hours:
    begin, end = (clock_ms(text) // 60_000 for text in span.split("-"))
    first, _dash, last = days.partition("-")
    chosen = range(DAYS.index(first), DAYS.index(last or first) + 1) if days else range(7)
    return Hours(frozenset(chosen), begin, end, zone or "UTC")


def seconds(text: str) -> float:
    return float(text[:-1]) * _UNITS[text[-1]]


def clock_ms(text: str) -> int:
    hour, minute, *second = map(int, text.split(":"))
    return 1000 * (hour * 3600 + minute * 60 + sum(second))
