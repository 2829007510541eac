"""How often what a rule looks at is read: the slowest of its sections, and never less than the host's interval."""

from __future__ import annotations

from poller.alerts import periods
from poller.model import NEVER, Host, PollSettings, Rule, Threshold, Watch
from poller.rules.language import parse

HOST = Host(
    "web1",
    "192.0.2.1",
    poll=PollSettings(interval=60.0),
    watch=Watch(every={"hardware": 300.0, "logs": 120.0, "checks": NEVER}),
)


def rule(text: str, clear: str = "") -> Rule:
    return Rule("one", parse(text), text, clear=parse(clear) if clear else None)


def test_a_threshold_has_the_period_of_its_section() -> None:
    limits = [Threshold("hardware.celsius", above=80.0), Threshold("cpu.percent", above=90.0)]
    assert periods(HOST, limits) == {"hardware.celsius": 300.0, "cpu.percent": 60.0}


def test_a_rule_is_as_slow_as_the_slowest_that_it_looks_at() -> None:
    texts = {
        "cpu.percent > 90": 60.0,
        "cpu.percent > 90 and any(hardware.celsius > 80)": 300.0,
        "avg(hardware.celsius, 10m) > 80": 300.0,
        'count(log{match="x"}, 10m) > 3': 120.0,
        'count(event{kind="rebooted"}, 1h) > 3': 60.0,
        "not missing(hardware.celsius)": 300.0,
    }
    assert {text: periods(HOST, [rule(text)])["one"] for text in texts} == texts
    assert periods(HOST, [rule("cpu.percent > 90", "any(hardware.celsius < 70)")])["one"] == 300.0


def test_what_is_never_read_is_never_too_old() -> None:
    assert periods(HOST, [Threshold("check.status", above=0.0)])["check.status"] == NEVER
