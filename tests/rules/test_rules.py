"""What a rule's text means: operators, functions, labels, and what is unknown."""

from __future__ import annotations

from math import isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poller.metrics import CATALOGUE
from poller.model import EVENT_KINDS, Event, History, Severity, Standing, Threshold
from poller.rules import judge
from poller.rules.facts import _SECTION_OF
from poller.rules.trace import explain
from remote_probe.collectors import NAMES
from tests.rules.worlds import NOW_MS, SECTIONS, ago, line, minutes, past, rule, stands, told, verdicts, world

BUSY = world({"cpu.percent": 97.0, "load.1m_per_cpu": 2.4, "memory.percent": 50.0})
DISKS = world({"disk.percent": {"/": 95.0, "/srv": 20.0}, "disk.available_bytes": {"/": 5e8, "/srv": 5e11}})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cpu.percent > 97", "ok"),
        ("cpu.percent >= 97", "breach"),
        ("cpu.percent < 97", "ok"),
        ("cpu.percent <= 97", "breach"),
        ("cpu.percent == 97", "breach"),
        ("cpu.percent != 97", "ok"),
        ("90 < cpu.percent", "breach"),
        ("cpu.percent > 90%", "breach"),
        ("cpu.percent > 90 and load.1m_per_cpu > 2", "breach"),
        ("cpu.percent > 90 and load.1m_per_cpu > 3", "ok"),
        ("cpu.percent > 99 or load.1m_per_cpu > 2", "breach"),
        ("not cpu.percent > 99", "breach"),
        ("not (cpu.percent > 90 or memory.percent > 90)", "ok"),
        ("cpu.percent > 99 or memory.percent > 99 and load.1m_per_cpu > 2", "ok"),
        ("cpu.percent > 90 or memory.percent > 90 and load.1m_per_cpu > 3", "breach"),
        ("cpu.percent + memory.percent == 147", "breach"),
        ("cpu.percent - memory.percent - 40 == 7", "breach"),
        ("cpu.percent - (memory.percent - 40) == 87", "breach"),
        ("1 + 2 * 3 == 7 and cpu.percent / 2 == 48.5", "breach"),
        ("-cpu.percent < -90", "breach"),
        ("- -cpu.percent > 90", "breach"),
        ("cpu.percent / (memory.percent - 50) > 1", "unknown"),
    ],
)
def test_operators(text: str, expected: str) -> None:
    assert stands(text, BUSY) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("disk.percent > 90", {"/": "breach", "/srv": "ok"}),
        ('disk.percent{mountpoint="/srv"} > 10', {"/srv": "breach"}),
        ('disk.percent{mountpoint="/s*"} > 10', {"/srv": "breach"}),
        ('disk.percent{mountpoint!="/s*"} > 10', {"/": "breach"}),
        ('disk.percent{mountpoint=~"/(srv|var)"} > 10', {"/srv": "breach"}),
        ('disk.percent{mountpoint=~"/s"} > 10', {}),
        ('disk.percent{mountpoint!~"/s.*"} > 10', {"/": "breach"}),
        ('disk.percent{mountpoint=~"/.*", mountpoint!="/srv"} > 10', {"/": "breach"}),
        ("disk.percent > 90 and disk.available_bytes < 1GiB", {"/": "breach", "/srv": "ok"}),
        ("disk.percent > 90 or disk.available_bytes > 1GiB", {"/": "breach", "/srv": "breach"}),
        ("any(disk.percent > 90)", {"": "breach"}),
        ("all(disk.percent > 90)", {"": "ok"}),
        ("all(disk.percent > 10)", {"": "breach"}),
        ("max(disk.percent) == 95", {"": "breach"}),
        ("min(disk.percent) == 20", {"": "breach"}),
        ("sum(disk.percent) == 115", {"": "breach"}),
        ("avg(disk.percent) == 57.5", {"": "breach"}),
        ("count(disk.percent > 10) == 2", {"": "breach"}),
        ("disk.percent == max(disk.percent)", {"/": "breach", "/srv": "ok"}),
        ("not disk.percent > 90", {"/": "ok", "/srv": "breach"}),
    ],
)
def test_labels(text: str, expected: dict[str, str]) -> None:
    assert told(text, DISKS) == expected


def test_a_value_without_labels_goes_with_every_label_value() -> None:
    seen = world({"disk.percent": {"/": 95.0, "/srv": 20.0}, "cpu.percent": 50.0})
    assert told("disk.percent > 90 and cpu.percent > 40", seen) == {"/": "breach", "/srv": "ok"}
    assert told("cpu.percent > 60 or disk.percent > 90", seen) == {"/": "breach", "/srv": "ok"}


def test_a_number_that_is_missing_is_unknown_and_so_is_what_depends_on_it() -> None:
    seen = world({"cpu.percent": 97.0})
    assert stands("load.1m > 2", seen) == "unknown"
    assert stands("cpu.percent > 90 and load.1m > 2", seen) == "unknown"
    assert stands("cpu.percent > 99 and load.1m > 2", seen) == "ok"
    assert stands("cpu.percent > 90 or load.1m > 2", seen) == "breach"
    assert stands("not load.1m > 2", seen) == "unknown"
    assert stands("cpu.percent + load.1m > 2", seen) == "unknown"


def test_of_a_section_that_could_not_be_read_all_is_unknown_but_what_was_seen() -> None:
    seen = world({"disk.percent": {"/": 95.0}}, sections=frozenset({"cpu"}))
    assert told("disk.percent > 90", seen) == {"/": "breach", "": "unknown"}
    assert told("any(disk.percent > 90)", seen) == {"": "breach"}
    assert told("any(disk.percent > 99)", seen) == {"": "unknown"}
    assert told("all(disk.percent > 90)", seen) == {"": "unknown"}
    assert told("all(disk.percent > 99)", seen) == {"": "ok"}
    for function in ("max", "min", "sum", "avg"):
        assert told(f"{function}(disk.percent) > 90", seen) == {"": "unknown"}
    assert told("count(disk.percent > 90) > 0", seen) == {"": "unknown"}


def test_a_label_value_without_a_number_is_unknown_alone() -> None:
    seen = world({"disk.percent": {"/": 95.0}}, there=[("mountpoint", "/mnt")])
    assert told("disk.percent > 90", seen) == {"/": "breach", "/mnt": "unknown"}
    assert told('disk.percent{mountpoint="/m*"} > 90', seen) == {"/mnt": "unknown"}


def test_what_is_on_one_side_only_is_left_out_but_for_or() -> None:
    seen = world({"disk.percent": {"/": 95.0, "/srv": 95.0}, "disk.inodes_percent": {"/": 95.0}})
    assert told("disk.percent > 90 and disk.inodes_percent > 90", seen) == {"/": "breach", "/srv": "unknown"}
    series = world({"check.status": {"raid": 2.0, "dns": 0.0}}, sections=SECTIONS)
    assert told('check.status{check="r*"} > 1 and check.status < 3', series) == {"raid": "breach"}
    assert told('check.status{check="r*"} > 1 or check.status{check="d*"} > 1', series) == {
        "raid": "breach",
        "dns": "ok",
    }


def test_of_nothing_there_no_function_says_that_it_is_bad() -> None:
    seen = world({})
    assert told("network.up == 0", seen) == {}
    assert told("any(network.up == 0)", seen) == {"": "ok"}
    assert told("all(network.up == 0)", seen) == {"": "ok"}
    assert told("max(network.up) == 0", seen) == {"": "unknown"}
    assert told("count(network.up == 0) >= 1", seen) == {"": "ok"}
    assert told("sum(network.up) > 0", seen) == {"": "ok"}


def test_clear_keeps_a_rule_between_until_it_holds() -> None:
    text, clear = "cpu.percent > 90", "cpu.percent < 70"
    for value, expected in ((95.0, "breach"), (80.0, "between"), (60.0, "ok")):
        assert stands(text, world({"cpu.percent": value}), clear) == expected
    other = "memory.percent < 50"
    assert stands(text, world({"cpu.percent": 10.0, "memory.percent": 60.0}), other) == "between"
    assert stands(text, world({"cpu.percent": 10.0, "memory.percent": 40.0}), other) == "ok"
    assert stands(text, world({"cpu.percent": 10.0}), other) == "between"
    assert stands(text, world({"memory.percent": 40.0}), other) == "unknown"


def test_clear_may_be_about_the_same_labels_or_none() -> None:
    seen = world({"disk.percent": {"/": 80.0, "/srv": 20.0}, "cpu.percent": 5.0})
    assert told("disk.percent > 90", seen, "disk.percent < 70") == {"/": "between", "/srv": "ok"}
    assert told("disk.percent > 90", seen, "cpu.percent < 70") == {"/": "ok", "/srv": "ok"}


def test_the_value_of_a_verdict_is_what_the_first_comparison_compares() -> None:
    def value(text: str) -> float | None:
        return verdicts(text, BUSY)[0].value

    assert value("load.1m_per_cpu > 2 and cpu.percent > 90") == 2.4
    assert value("90 < cpu.percent") == 97.0
    assert value("cpu.percent + memory.percent > 1") == 147.0
    assert value("not load.1m_per_cpu > 2") == 2.4
    assert value("missing(swap.percent)") == 1.0
    assert value("missing(cpu.percent)") == 0.0
    assert value("load.15m > 1") is None


def test_over_time_what_there_is_counts_with_the_newest_value() -> None:
    seen = world({"cpu.percent": 100.0}, history=past("cpu.percent", [10.0] * 8 + [90.0, 95.0]))
    assert stands("avg(cpu.percent, 2m) == 95", seen) == "breach"
    assert stands("max(cpu.percent, 10m) == 100", seen) == "breach"
    assert stands("min(cpu.percent, 2m) == 90", seen) == "breach"
    assert stands("min(cpu.percent, 10m) == 10", seen) == "breach"
    assert stands("delta(cpu.percent, 10m) == 90", seen) == "breach"
    assert stands("rate(cpu.percent, 5m) == 0.3", seen) == "breach"
    assert stands("avg(memory.percent, 10m) > 1", seen) == "unknown"


def test_a_difference_wants_two_values() -> None:
    seen = world({"cpu.percent": 100.0})
    assert stands("avg(cpu.percent, 10m) == 100", seen) == "breach"
    assert stands("delta(cpu.percent, 10m) > 0", seen) == "unknown"
    assert stands("rate(cpu.percent, 10m) > 0", seen) == "unknown"


def test_over_time_each_label_value_has_its_own_past() -> None:
    seen = world({"disk.percent": {"/": 90.0, "/srv": 90.0}}, history=past("disk.percent", [50.0], "/srv"))
    assert told("delta(disk.percent, 10m) > 30", seen) == {"/": "unknown", "/srv": "breach"}
    assert told("max(avg(disk.percent, 10m)) == 90", seen) == {"": "breach"}


def test_what_could_not_be_read_now_is_unknown_whatever_was_before() -> None:
    seen = world({}, sections=frozenset(), history=past("cpu.percent", [99.0] * 10))
    assert stands("avg(cpu.percent, 10m) > 90", seen) == "unknown"


def test_missing_is_told_only_where_somebody_looked() -> None:
    seen = world({"disk.percent": {"/": 1.0}}, there=[("mountpoint", "/mnt")])
    assert stands('missing(disk.percent{mountpoint="/srv"})', seen) == "breach"
    assert stands('missing(disk.percent{mountpoint="/"})', seen) == "ok"
    assert stands('missing(disk.percent{mountpoint="/mnt"})', seen) == "ok"
    blind = world({"disk.percent": {"/": 1.0}}, sections=frozenset())
    assert stands('missing(disk.percent{mountpoint="/srv"})', blind) == "unknown"
    assert stands('missing(disk.percent{mountpoint="/"})', blind) == "ok"
    assert stands("missing(swap.percent)", world({})) == "breach"
    assert stands("missing(swap.percent)", world({}, sections=frozenset())) == "unknown"
    assert stands("missing(uptime.seconds)", world({}, sections=frozenset())) == "unknown"


def test_missing_for_some_time_is_so_for_whatever_reason() -> None:
    blind = world({}, sections=frozenset(), history=past("cpu.percent", [5.0], step_s=300))
    assert stands("missing(cpu.percent, 10m)", blind) == "ok"
    assert stands("missing(cpu.percent, 4m)", blind) == "breach"
    assert stands("missing(cpu.percent, 4m)", world({"cpu.percent": 5.0})) == "ok"
    mounts = world({}, sections=frozenset(), history=past("disk.percent", [5.0], "/srv", 300))
    assert stands('missing(disk.percent{mountpoint="/s*"}, 10m)', mounts) == "ok"
    assert stands('missing(disk.percent{mountpoint="/var"}, 10m)', mounts) == "breach"


FAILED = 'log{name="auth", match="Failed password .* from (?P<source>\\S+)"}'


def failed(source: str) -> str:
    return f"Failed password for root from {source} port 22 ssh2"


def test_lines_are_counted_by_what_a_pattern_caught_in_this_poll_and_before() -> None:
    seen = world(
        {"log.readable": {"auth": 1.0}},
        lines=[line(failed("192.0.2.7"), count=3), line("Accepted publickey"), line(failed("192.0.2.8"))],
        history=History(
            lines=[ago(660, line(failed("192.0.2.8"), count=9)), ago(60, line(failed("192.0.2.7"), count=2))]
        ),
    )
    assert told(f"count({FAILED}, 10m) by source >= 5", seen) == {"192.0.2.7": "breach", "192.0.2.8": "ok"}
    assert told(f"count({FAILED}, 1h) by source >= 5", seen) == {"192.0.2.7": "breach", "192.0.2.8": "breach"}
    assert told(f"count({FAILED}) by source >= 3", seen) == {"192.0.2.7": "breach", "192.0.2.8": "ok"}
    assert told(f"count({FAILED}, 10m) == 6", seen) == {"": "breach"}
    assert told(FAILED, seen) == {"": "breach"}
    assert told(f"{FAILED} by source", seen) == {"192.0.2.7": "breach", "192.0.2.8": "breach"}
    assert told(f"count({FAILED} by source) == 2", seen) == {"": "breach"}
    both = (
        f'count({FAILED}, 10m) by source >= 5 and count(log{{match="Accepted .* (?P<source>x)"}}, 10m) by source == 0'
    )
    assert told(both, seen)["192.0.2.7"] == "breach"


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ("", 4),
        ('{name="auth"}', 2),
        ('{name!="auth"}', 2),
        ('{name="a*", program="sshd"}', 2),
        ('{program="cron"}', 0),
        ('{severity="high"}', 1),
        ('{name=~"auth|kern"}', 3),
        ('{match="one"}', 2),
        ('{match!="one"}', 2),
        ('{match="^one$"}', 1),
        ('{match="(?i)ONE", match!="two"}', 1),
    ],
)
def test_lines_are_picked_by_log_program_severity_and_text(filters: str, count: int) -> None:
    seen = world(
        {"log.readable": {"auth": 1.0, "kern": 1.0}},
        lines=[
            line("one"),
            line("two and one"),
            line("three", "kern"),
            line("four", "mail", severity=Severity.HIGH),
        ],
    )
    assert stands(f"count(log{filters}) == {count}", seen) == "breach"


def test_a_log_that_could_not_be_read_is_unknown_and_blinds_no_other() -> None:
    seen = world({"log.readable": {"auth": 0.0, "kern": 1.0}}, sections=frozenset(), lines=[line("x", "kern")])
    assert stands('count(log{name="auth"}, 10m) == 0', seen) == "unknown"
    assert stands('log{name="kern"}', seen) == "breach"
    assert stands("log", seen) == "breach"
    away = world({}, sections=frozenset(), history=History(lines=[ago(60, line("x"))]))
    assert stands("count(log, 10m) > 0", away) == "unknown"
    assert told('count(log{match="(?P<a>x)"}, 10m) by a > 0', away) == {"x": "unknown", "": "unknown"}


def test_of_hostile_many_sources_the_busiest_are_told_and_the_rest_is_unknown() -> None:
    many = [line(failed(f"s{number}")) for number in range(1000)] + [line(failed("s7"))]
    found = told(f"count({FAILED}) by source >= 2", world({"log.readable": {"auth": 1.0}}, lines=many))
    assert found.pop("s7") == "breach"
    assert found.pop("") == "unknown"
    assert len(found) == 199
    long = world({"log.readable": {"auth": 1.0}}, lines=[line(failed("x" * 5000))])
    assert list(told(f"{FAILED} by source", long)) == ["x" * 200]


def usb(seconds: float) -> Event:
    return Event("usb_attached", NOW_MS - round(1000 * seconds), Severity.HIGH, "a stick at port 2-1")


def test_events_are_counted_like_lines() -> None:
    seen = world({}, events=[usb(0)], history=History(events=[usb(5000), usb(60), usb(600)]))
    assert stands('count(event{kind="usb_attached"}, 1h) == 3', seen) == "breach"
    assert stands('event{kind="usb_*"}', seen) == "breach"
    assert stands('event{kind="usb_removed"}', seen) == "ok"
    assert stands('event{severity="high", match="stick"}', seen) == "breach"
    assert told('event{match="at port (?P<port>\\S+)"} by port', seen) == {"2-1": "breach"}


def test_events_are_known_when_their_section_was_read() -> None:
    assert stands('event{kind="usb_attached"}', world({}, sections=frozenset({"cpu"}))) == "unknown"
    assert stands('event{kind="rebooted"}', world({}, sections=frozenset())) == "ok"
    assert set(_SECTION_OF) <= set(EVENT_KINDS)
    assert set(_SECTION_OF.values()) <= set(NAMES)


def test_a_disk_that_fills_is_told_before_it_is_full() -> None:
    filling = world(
        {"disk.percent": {"/": 90.0, "/srv": 50.0}},
        history=History(
            {
                ("disk.percent", (("mountpoint", "/"),)): [
                    (NOW_MS - 600_000 * step, 90.0 - step * 0.5) for step in range(36, 0, -1)
                ],
                ("disk.percent", (("mountpoint", "/srv"),)): [
                    (NOW_MS - 600_000 * step, 50.0) for step in range(36, 0, -1)
                ],
            }
        ),
    )
    assert told("reaches(disk.percent, 100, 24h)", filling) == {"/": "breach", "/srv": "ok"}
    assert told("reaches(disk.percent, 100, 2h)", filling) == {"/": "ok", "/srv": "ok"}
    assert told("reaches(disk.percent, 20, 24h, below)", filling) == {"/": "ok", "/srv": "ok"}
    (first, _) = verdicts("reaches(disk.percent, 100, 24h)", filling)
    assert (first.value, first.saw) == (90.0, "disk.percent 90, 100 in 3.33h")


def test_every_metric_can_be_looked_at() -> None:
    for name in CATALOGUE:
        if not name.startswith("poller."):
            assert set(told(f"{name} > 1", world({}, sections=frozenset())).values()) == {str(Standing.UNKNOWN)}


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(["/", "/srv", "/var"]), st.integers(0, 100).map(float), max_size=3),
    st.integers(0, 100),
    st.integers(0, 100),
    st.sampled_from([SECTIONS, frozenset({"cpu"})]),
    st.sampled_from([(">", "<="), ("<", ">=")]),
)
def test_a_threshold_is_short_for_a_rule_and_however_it_is_written_it_is_the_same(
    numbers: dict[str, float], limit: int, clear: int, sections: frozenset[str], signs: tuple[str, str]
) -> None:
    seen = world({"disk.percent": numbers}, sections=sections, there=[("mountpoint", "/mnt")])
    above, below = (float(limit), None) if signs[0] == ">" else (None, float(limit))
    threshold = Threshold("disk.percent", above=above, below=below, clear=float(clear))
    holds, clears = f"disk.percent {signs[0]} {limit}", f"disk.percent {signs[1]} {clear}"
    by_text = told(holds, seen, clears)
    assert told(f"{holds} and 1 == 1", seen, f"{clears} and 1 == 1") == by_text
    found = {",".join(value for _, value in one.labels): str(one.standing) for one in judge([threshold], seen)}
    assert found == by_text


@pytest.mark.parametrize(
    "text",
    [
        "sum(textfile.value) > 1",
        "avg(textfile.value) > 1",
        "textfile.value - min(textfile.value) > 1",
        "textfile.value * 2 > 1",
        "delta(textfile.value, 10m) > 1",
        "rate(textfile.value, 10m) > 1",
        "avg(textfile.value, 10m) > 1",
        "max(textfile.value, 10m) > 1",
        "reaches(textfile.value, 100, 1h)",
        "reaches(textfile.value, 100, 1h, below)",
        "any(textfile.value > 1)",
    ],
)
def test_numbers_as_large_as_a_host_may_say_break_nothing(text: str) -> None:
    most = 1.7e308
    history = History(
        {("textfile.value", (("series", name),)): minutes([most, -most] * 30) for name in ("a", "b", "c")}
    )
    seen = world({"textfile.value": {"a": most, "b": most, "c": -most}}, history=history)
    for verdict in verdicts(text, seen):
        assert verdict.value is None or isfinite(verdict.value)
    explain(rule(text), seen)
