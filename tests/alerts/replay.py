"""Plays a history: polls of one host, in a text file, with what each must change.

    metric disk.percent            which metric (default cpu.percent)
    every 300                      its section is read so often, in seconds (default: at each poll)
    limits above=90 clear=75 for=180 polls=2 severity=high notify=ops; above=80
                                   the configuration from here on; `limits none` takes all of it away
    rule busy severity=high for=60 clear="cpu.percent < 50": cpu.percent > 90 and load.1m > 8
                                   one more rule, or another text for it; `rule busy none` takes it away
    10:00  97                      a poll at that time, the value it saw, and nothing changed
    10:03  97  opened high "97.0 > 90 for 3m"
    10:04  ?                       a poll that could not tell
    10:05  gone  closed high "no longer there"
    10:06  {/}=97 {/var}=? {/srv}=50  {/} opened high "97.0 > 90"
                                   several label values; of `?` a row was there, but no number
    10:07  cpu.percent=97 load.1m=9  busy opened high "..."
                                   several metrics; of those that are not named nothing is known
    log auth 5 Failed password for root from 192.0.2.7
                                   five such lines come with the next poll
    10:08  logs                    a poll that read the logs
    10:10..10:59  91|89            a poll every minute, the values in turn, and nothing changed in any of them
    day 2                          times are those of the second day from here on

A change is what it is about (left out: the metric of the file), its kind, the severity after it and the reason, `*`
for any. `#` begins a comment. Times are hh:mm or hh:mm:ss; they may go back, as clocks do. A labelled metric whose
label is not named is seen on one label value, "it".
"""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from poller.alerts import compare
from poller.metrics import CATALOGUE
from poller.model import (
    Alert,
    AlertMemory,
    AnyRule,
    ChangeKind,
    Comparison,
    History,
    Hold,
    LogLine,
    MetricValue,
    Rule,
    Seen,
    Severity,
    Sight,
    Threshold,
    World,
)
from poller.rules import judge
from poller.rules.language import parse

HOST = "web1"
DAY_MS = 86_400_000
# About what, kind, severity and reason.
Told = tuple[str, str, str, str]

_VALUE = re.compile(r"(?P<metric>[a-z][\w.]*)?(?:\{(?P<label>[^}]*)\})?=(?P<value>\S+)")
_SEEN = re.compile(rf"-?[\d.]+|\?|gone|logs|{_VALUE.pattern}")
_RULE = re.compile(r"(?P<name>[\w-]+)(?P<given>(?:\s+\w+=(?:\"[^\"]*\"|\S+?))*?)\s*:\s(?P<text>.+)")
_KINDS = frozenset(str(kind) for kind in ChangeKind)


@dataclass
class Player:
    """Keeps what the journal would keep between two polls."""

    metric: str = "cpu.percent"
    thresholds: list[Threshold] = field(default_factory=list)
    rules: dict[str, Rule] = field(default_factory=dict)
    every: float = 0.0
    memory: AlertMemory = field(default_factory=AlertMemory)
    ids: Iterator[int] = field(default_factory=itertools.count)
    polls_ms: list[int] = field(default_factory=list)
    series: dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[int, float]]] = field(default_factory=dict)
    past: list[Seen] = field(default_factory=list)
    coming: list[str] = field(default_factory=list)

    @property
    def judged(self) -> tuple[AnyRule, ...]:
        return (*self.thresholds, *self.rules.values())

    def poll(self, now_ms: int, *seen: str) -> Comparison:
        values, sight = self._look(seen)
        lines = [line(text, now_ms) for text in self.coming]
        history = History(self.series, tuple(self.past), (), tuple(self.polls_ms))
        verdicts = judge(self.judged, World(now_ms, values, sight, lines, (), history))
        memory = replace(self.memory, gap_ms=self._gap_ms())
        periods = {rule.metric: self.every for rule in self.judged}
        result = compare(HOST, verdicts, memory, self.judged, now_ms, lambda: f"alert-{next(self.ids)}", periods)
        self.memory = AlertMemory(result.states, result.open, result.flaps)
        self._remember(now_ms, values, lines)
        return result

    def _look(self, seen: Sequence[str]) -> tuple[list[MetricValue], Sight]:
        values: list[MetricValue] = []
        read: set[str] = set()
        unread: set[str] = set()
        labels: set[tuple[str, str]] = set()
        for word in seen:
            if word == "logs":
                read.add("logs")
                continue
            match = _VALUE.fullmatch(word)
            metric, label, text = match.group("metric", "label", "value") if match else (None, None, word)
            known = CATALOGUE[metric or self.metric]
            pair = (known.label, "it" if label is None else label)
            (unread if text == "?" and label is None else read).add(known.section)
            if known.label and text != "gone" and not (text == "?" and label is None):
                labels.add(pair)
            if text not in ("?", "gone"):
                values.append(MetricValue(known.name, float(text), (pair,) if known.label else ()))
        return values, Sight(frozenset(read - unread), frozenset(labels))

    def _gap_ms(self) -> int:
        distances = [later - earlier for earlier, later in itertools.pairwise(self.polls_ms[-7:]) if later > earlier]
        return int(median(distances)) if distances else 0

    def _remember(self, now_ms: int, values: Sequence[MetricValue], lines: Sequence[LogLine]) -> None:
        self.polls_ms.append(now_ms)
        for value in values:
            self.series.setdefault((value.metric, value.labels), []).append((now_ms, value.value))
        self.past += [Seen(now_ms, each) for each in lines]
        self.coming.clear()

    def about(self, alert: Alert) -> str:
        """What a change is about, as the file says it."""
        label = "".join(value for _name, value in alert.labels)
        shown = "{" + label + "}" if label not in ("", "it") else ""
        return shown if alert.metric == self.metric else alert.metric + shown


def play(path: Path) -> Iterator[tuple[str, list[Told], list[Told]]]:
    """(line, expected, happened) for each poll of the file."""
    player = Player()
    day_ms = 0
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.split("#")[0].strip()
        word, _space, rest = text.partition(" ")
        if word == "day":
            day_ms = (int(rest) - 1) * DAY_MS
        elif word[:1].isdigit():
            for moment_ms, seen, told in polls(word, rest):
                result = player.poll(day_ms + moment_ms, *seen)
                happened = [
                    (player.about(each.alert), str(each.kind), str(each.alert.severity), each.reason)
                    for each in result.changes
                ]
                happened = [
                    (*each[:3], "*") if place < len(told) and told[place][3] == "*" else each
                    for place, each in enumerate(happened)
                ]
                yield f"{path.name}:{number}: {text}", told, happened
        elif text:
            configure(player, word, rest.strip())


def polls(word: str, rest: str) -> Iterator[tuple[int, list[str], list[Told]]]:
    """(instant, what was seen, what must have changed) of the one poll of a line, or of all of its range."""
    first, dots, last = word.partition("..")
    if dots:
        turns = itertools.cycle(rest.split("|"))
        for moment_ms in range(milliseconds(first), milliseconds(last) + 1, 60_000):
            yield moment_ms, next(turns).split(), []
        return
    words = shlex.split(rest)
    seen = list(itertools.takewhile(_SEEN.fullmatch, words))
    yield milliseconds(first), seen, list(expected(iter(words[len(seen) :])))


def expected(words: Iterator[str]) -> Iterator[Told]:
    for word in words:
        about, kind = ("", word) if word in _KINDS else (word, next(words))
        yield about, kind, next(words), next(words)


def configure(player: Player, word: str, rest: str) -> None:
    """A line that is no poll."""
    if word == "metric":
        player.metric = rest
    elif word == "every":
        player.every = float(rest)
    elif word == "limits":
        player.thresholds = list(limits(player.metric, rest))
    elif word == "rule":
        rule(player, rest)
    elif word == "log":
        _name, count, text = rest.split(" ", 2)
        player.coming += [text] * int(count)
    else:
        raise ValueError(f"not a line of a history: {word} {rest}")


def limits(metric: str, text: str) -> Iterator[Threshold]:
    for each in text.split(";"):
        given = dict(re.findall(r"(\w+)=(\S+)", each))
        if given:
            yield Threshold(
                metric,
                above=float(given["above"]) if "above" in given else None,
                below=float(given["below"]) if "below" in given else None,
                clear=float(given["clear"]) if "clear" in given else None,
                within=float(given.get("within", 0)),
                hold=hold(given),
                severity=Severity.parse(given.get("severity", "medium")),
                notify=tuple(given.get("notify", "").split(",")) if "notify" in given else (),
            )


def rule(player: Player, text: str) -> None:
    if text.endswith(" none"):
        del player.rules[text.removesuffix(" none")]
        return
    match = _RULE.fullmatch(text)
    assert match, text
    given = dict(part.split("=", 1) for part in shlex.split(match["given"]))
    clear = given.get("clear", "")
    player.rules[match["name"]] = Rule(
        match["name"],
        parse(match["text"]),
        match["text"],
        clear=parse(clear) if clear else None,
        clear_text=clear,
        hold=hold(given),
        severity=Severity.parse(given.get("severity", "medium")),
    )


def hold(given: Mapping[str, str]) -> Hold:
    return Hold(float(given.get("for", 0)), int(given.get("polls", 1)))


def line(text: str, at_ms: int) -> LogLine:
    return LogLine("auth", "/var/log/auth.log", at_ms, "sshd", None, 6, Severity.LOW, 1, True, text)


def milliseconds(clock: str) -> int:
    hours, minutes, *seconds = map(int, clock.split(":"))
    return 1_700_000_000_000 + 1000 * (hours * 3600 + minutes * 60 + sum(seconds))
