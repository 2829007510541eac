"""Plays a history: polls of one metric of one host, in a text file, with what each must change.

    metric disk.percent            which metric (default cpu.percent)
    limits above=90 clear=75 for=180 polls=2 severity=high notify=ops; above=80
                                   the configuration from here on; `limits none` takes all of it away
    10:00  97                      a poll at that time, the value it saw, and nothing changed
    10:03  97  opened high "97.0 > 90 for 3m"
    10:04  ?                       a poll that could not tell
    10:05  gone  closed high "no longer there"

A change is its kind, the severity after it and the reason. `#` begins a comment. Times are hh:mm or hh:mm:ss of one
day; they may go back, as clocks do. A labelled metric is seen on one label value, "it".
"""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from poller.alerts import compare
from poller.metrics import CATALOGUE
from poller.model import AlertMemory, Comparison, Hold, MetricValue, Severity, Sight, Threshold
from poller.rules import judge

HOST = "web1"


@dataclass
class Player:
    """Keeps what the journal would keep between two polls."""

    metric: str = "cpu.percent"
    thresholds: list[Threshold] = field(default_factory=list)
    memory: AlertMemory = field(default_factory=AlertMemory)
    ids: Iterator[int] = field(default_factory=itertools.count)

    def poll(self, now_ms: int, seen: str) -> Comparison:
        described = CATALOGUE[self.metric]
        labels = ((described.label, "it"),) if described.label else ()
        gone, unknown = seen == "gone", seen == "?"
        values = [] if gone or unknown else [MetricValue(self.metric, float(seen), labels)]
        sight = (
            Sight() if unknown else Sight(frozenset({described.section}), frozenset() if gone else frozenset(labels))
        )
        verdicts = judge(self.thresholds, values, sight)
        result = compare(HOST, verdicts, self.memory, self.thresholds, now_ms, lambda: f"alert-{next(self.ids)}")
        self.memory = AlertMemory(result.states, result.open)
        return result


def play(path: Path) -> Iterator[tuple[str, list[tuple[str, str, str]], list[tuple[str, str, str]]]]:
    """(line, expected, happened) for each poll of the file."""
    player = Player()
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.split("#")[0].strip()
        word, _space, rest = text.partition(" ")
        if word == "metric":
            player.metric = rest.strip()
        elif word == "limits":
            player.thresholds = list(limits(player.metric, rest))
        elif text:
            parts = shlex.split(text)
            expected = [(kind, severity, why) for kind, severity, why in zip(*[iter(parts[2:])] * 3, strict=True)]
            result = player.poll(milliseconds(parts[0]), parts[1])
            happened = [(str(each.kind), str(each.alert.severity), each.reason) for each in result.changes]
            yield f"{path.name}:{number}: {text}", expected, happened


def limits(metric: str, text: str) -> Iterator[Threshold]:
    for each in text.split(";"):
        given = dict(re.findall(r"(\w+)=(\S+)", each))
        if given:
            yield Threshold(
                metric,
                above=float(given["above"]) if "above" in given else None,
                below=float(given["below"]) if "below" in given else None,
                clear=float(given["clear"]) if "clear" in given else None,
                hold=Hold(float(given.get("for", 0)), int(given.get("polls", 1))),
                severity=Severity.parse(given.get("severity", "medium")),
                notify=tuple(given.get("notify", "").split(",")) if "notify" in given else (),
            )


def milliseconds(clock: str) -> int:
    hours, minutes, *seconds = map(int, clock.split(":"))
    return 1_700_000_000_000 + 1000 * (hours * 3600 + minutes * 60 + sum(seconds))
