"""What rules look back at, which class they give to log lines, and what they saw, in words."""

from __future__ import annotations

import pytest

from poller.model import EVENT_KINDS, AnyRule, Event, History, Needs, Rule, Severity, Threshold, Verdict
from poller.rules import classified, judge, needs
from poller.rules.trace import Trace, explain
from tests.rules.worlds import NOW_MS, Labels, ago, line, past, rule, verdicts, world


@pytest.mark.parametrize(
    ("text", "series", "logs", "events"),
    [
        ("cpu.percent > 90", {}, {}, {}),
        ("avg(cpu.percent, 10m) > 1 and max(cpu.percent, 1h) > 2", {"cpu.percent": 3600.0}, {}, {}),
        ("missing(load.1m, 2h) or missing(load.5m)", {"load.1m": 7200.0}, {}, {}),
        ("reaches(disk.percent, 100, 24h)", {"disk.percent": 21600.0}, {}, {}),
        ('count(log{name="auth"}, 10m) > 1', {}, {"auth": 600.0}, {}),
        ('count(log{name="a*"}, 10m) > 1 and count(log, 1m) > 1', {}, {"*": 600.0}, {}),
        ("log and count(log) > 1 and event", {}, {}, {}),
        ('count(event{kind="login"}, 10m) > 1', {}, {}, {"login": 600.0}),
        ('count(event{kind="usb_*"}, 10m) > 1', {}, {}, {"usb_attached": 600.0, "usb_removed": 600.0}),
        ("count(event, 10m) > 1", {}, {}, dict.fromkeys(EVENT_KINDS, 600.0)),
    ],
)
def test_a_rule_declares_how_far_it_looks_back(
    text: str, series: dict[str, float], logs: dict[str, float], events: dict[str, float]
) -> None:
    assert needs([rule(text)]) == Needs(series, logs, events)


def test_all_rules_of_a_host_are_asked_for_at_once_and_clear_counts() -> None:
    rules: list[AnyRule] = [
        Threshold("cpu.percent", above=90.0),
        rule("avg(cpu.percent, 10m) > 1"),
        rule("cpu.percent > 1", "avg(cpu.percent, 1h) < 1"),
        rule("avg(load.1m, 5m) > 1"),
    ]
    assert dict(needs(rules).series) == {"cpu.percent": 3600.0, "load.1m": 300.0}
    assert not needs(rules[:1])
    assert not needs([])


def classes(*rules: Rule) -> list[str]:
    lines = [line("Failed password"), line("Accepted"), line("panic", "kern", severity=Severity.HIGH)]
    return [str(each.severity) for each in classified(rules, lines)]


def test_a_line_has_the_highest_class_of_the_rules_that_look_for_it() -> None:
    low = rule('log{match="panic"}', severity=Severity.LOW)
    medium = rule('count(log{name="auth"}, 10m) >= 5', severity=Severity.MEDIUM)
    high = rule('count(log{match="Failed (?P<what>.*)"}, 10m) by what >= 5', severity=Severity.HIGH)
    assert classes() == ["low", "low", "high"]
    assert classes(medium) == ["medium", "medium", "high"]
    assert classes(high, medium) == ["high", "medium", "high"]
    assert classes(low, rule("cpu.percent > 1")) == ["low", "low", "low"]


def test_what_should_be_there_is_not_bad_because_a_rule_misses_it() -> None:
    for text in ('count(log{name="auth"}, 26h) == 0', 'not log{name="auth"}', '3 > count(log{name="auth"}, 1h)'):
        assert classes(rule(text, severity=Severity.HIGH)) == ["low", "low", "high"]
    for text in ('not count(log{name="auth"}, 1h) < 3', '3 < count(log{name="auth"}, 1h)', "cpu.percent > 1 or log"):
        assert classes(rule(text, severity=Severity.HIGH)) == ["high", "high", "high"]


def test_no_line_is_lost_or_changed_otherwise() -> None:
    lines = [line(f"line {number}", count=number) for number in range(50)]
    found = classified([rule('log{match="7$"}', severity=Severity.HIGH)], lines)
    assert [(each.text, each.count) for each in found] == [(each.text, each.count) for each in lines]
    assert [each.text for each in found if each.severity is Severity.HIGH] == [
        f"line {n}7".replace(" 0", " ") for n in range(5)
    ]


def saw(text: str, of: Labels = ()) -> str:
    seen = world(
        {
            "cpu.percent": 97.04,
            "load.1m_per_cpu": 2.41234,
            "memory.free_bytes": 5e9,
            "uptime.seconds": 93600.0,
            "processes.total": 1234.0,
            "disk.percent": {"/": 97.5, "/srv": 20.0},
            "log.readable": {"auth": 1.0},
        },
        lines=[line("from 192.0.2.7", count=12)],
        events=[Event("login", NOW_MS, Severity.LOW, "root")],
        history=past("cpu.percent", [90.0]),
    )
    return next(each for each in verdicts(text, seen) if each.labels == of).saw


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cpu.percent > 90 and load.1m_per_cpu > 2", "cpu.percent 97, load.1m_per_cpu 2.41"),
        ("cpu.percent > 90 and cpu.percent < 99", "cpu.percent 97"),
        ("memory.free_bytes < 1GiB or uptime.seconds < 1h", "memory.free_bytes 4.66 GiB, uptime.seconds 26h"),
        ("processes.total > 5 and load.15m > 1", "processes.total 1234, load.15m unknown"),
        ("avg(cpu.percent, 10m) > 1", "avg(cpu.percent, 10m) 93.5"),
        ("missing(swap.percent)", "missing(swap.percent) true"),
        ('log{name="auth"}', "lines of auth"),
        ('log{name="kern"}', "no lines of kern"),
        ("event", "events"),
        ('event{kind="rebooted"}', "no events of rebooted"),
        ("count(log, 10m) > 1", "12 lines in 10m"),
        ('count(event{kind="login"}, 1h) >= 3', "1 event of login in 1h"),
        ("max(disk.percent) > 90", "max(disk.percent) 97.5"),
        ("any(disk.percent > 90)", "any(disk.percent > 90) true (mountpoint /: disk.percent 97.5)"),
        ("any(disk.percent > 99)", "any(disk.percent > 99) false"),
    ],
)
def test_a_verdict_says_what_the_rule_saw(text: str, expected: str) -> None:
    assert saw(text) == expected


def test_of_label_values_it_says_the_own() -> None:
    assert saw("disk.percent > 90", (("mountpoint", "/"),)) == "disk.percent 97.5"
    by_source = 'count(log{name="auth", match="from (?P<source>\\S+)"}, 10m) by source >= 5'
    assert saw(by_source, (("source", "192.0.2.7"),)) == "12 lines of auth in 10m, by source 192.0.2.7"


def test_what_it_says_is_short_whatever_there_is() -> None:
    wide = " or ".join(f"avg(cpu.percent, {number}m) > 99" for number in range(1, 31))
    assert len(saw(wide)) == 300
    assert saw(wide).endswith("…")


def test_a_threshold_needs_no_words_beside_its_value() -> None:
    (verdict,) = judge([Threshold("cpu.percent", above=90.0)], world({"cpu.percent": 97.0}))
    assert verdict == Verdict("cpu.percent", (), verdict.rule, verdict.standing, 97.0, "")


def lines_of(trace: Trace, depth: int = 0) -> list[str]:
    return [
        f"{'  ' * depth}{trace.text}: {trace.value} ({trace.standing or '-'})",
        *(text for part in trace.parts for text in lines_of(part, depth + 1)),
    ]


def test_a_trace_says_what_every_part_saw() -> None:
    one = rule("cpu.percent > 90 and avg(load.1m, 10m) > 2", "cpu.percent < 70", name="busy")
    seen = world({"cpu.percent": 97.0, "load.1m": 1.0}, history=History())
    assert lines_of(explain(one, seen)) == [
        "busy: false (between)",
        "  cpu.percent > 90 and avg(load.1m, 10m) > 2: false (ok)",
        "    cpu.percent > 90: true (breach)",
        "      cpu.percent: 97 (-)",
        "    avg(load.1m, 10m) > 2: false (ok)",
        "      avg(load.1m, 10m): 1 (-)",
        "        load.1m: 1 (-)",
        "  clear: cpu.percent < 70: false (ok)",
        "    cpu.percent: 97 (-)",
    ]


def test_a_trace_names_label_values_and_what_is_unknown() -> None:
    seen = world({"disk.percent": {f"/{number}": float(number) for number in range(7)}}, sections=frozenset())
    first = lines_of(explain(Threshold("disk.percent", above=5.0), seen))
    assert (
        first[0]
        == "disk.percent: /0 false, /1 false, /2 false, /3 false, /4 false, and 2 more, others unknown (breach)"
    )
    assert lines_of(explain(rule("network.up == 0"), world({})))[1:] == [
        "  network.up == 0: nothing there (-)",
        "    network.up: nothing there (-)",
    ]
    assert lines_of(explain(rule("cpu.percent > 1"), world({})))[0] == "it: unknown (unknown)"


def test_a_trace_of_lines_counts_them() -> None:
    seen = world({"log.readable": {"auth": 1.0}}, history=History(lines=[ago(60, line("x"))]))
    assert lines_of(explain(rule('count(log{match="x"}, 10m) >= 1'), seen)) == [
        "it: true (breach)",
        '  count(log{match="x"}, 10m) >= 1: true (breach)',
        '    count(log{match="x"}, 10m): 1 (-)',
    ]
