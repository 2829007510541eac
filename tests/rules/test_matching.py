"""Regular expressions never hang the poller: line, rule and poll have their time; a rule says when it is over."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from poller.model import Rule, Severity, World
from poller.rules import classified, judge
from poller.rules.expression import Binary, Filter, Number, Selector, Tally
from poller.rules.matching import LINE, LONGEST_LINE, POLL, RULE, Budget, ExhaustedError, check, fits, glob, searched
from poller.rules.mistake import RuleError
from tests.rules.worlds import line, rule, world

BOMB = "(a+)+$"
EXPLODES = "a" * 8000 + "!"


def bomb(name: str = "bomb") -> Rule:
    """As no text can say it: `check` refuses it."""
    return Rule(name, Binary(">", Tally("log", (Filter("match", "=", BOMB),)), Number(0.0)), "")


def attacked(lines: int) -> World:
    return world({"log.readable": {"auth": 1.0}, "cpu.percent": 97.0}, lines=[line(EXPLODES)] * lines)


def test_a_line_that_explodes_costs_its_time_and_does_not_match() -> None:
    began = time.thread_time()
    assert searched(BOMB, [EXPLODES, "aaa"], Budget())[0] is None
    assert searched(BOMB, [EXPLODES, "aaa"], Budget())[1] is not None
    assert time.thread_time() - began < 10 * LINE


def test_many_of_them_use_up_the_time_of_a_rule() -> None:
    began = time.thread_time()
    with pytest.raises(ExhaustedError):
        searched(BOMB, [EXPLODES] * 1000, Budget())
    assert time.thread_time() - began < 3 * RULE


def test_the_rule_is_then_unknown_and_says_so_and_others_are_not() -> None:
    busy = rule("cpu.percent > 90", name="busy")
    exhausted, fine = judge([bomb(), busy], attacked(100))
    assert (str(exhausted.standing), exhausted.value, exhausted.labels) == ("unknown", None, ())
    assert exhausted.saw == "its regular expressions took too long: unknown"
    assert str(fine.standing) == "breach"


def test_however_many_rules_explode_a_poll_has_its_time() -> None:
    rules = [
        replace(bomb(f"bomb{number}"), condition=Tally("log", (Filter("match", "=", f"(a+)+${{{number}}}"),)))
        for number in range(1, 30)
    ]
    began = time.thread_time()
    found = judge(rules, attacked(100))
    assert time.thread_time() - began < 2 * POLL
    assert {str(each.standing) for each in found} == {"unknown"}


def test_rules_that_ask_the_same_wait_for_it_once() -> None:
    began = time.thread_time()
    assert len(judge([bomb("one"), bomb("two"), bomb("three")], attacked(100))) == 3
    assert time.thread_time() - began < 2 * RULE


def test_lines_get_no_class_from_a_rule_that_takes_too_long() -> None:
    low = replace(rule('log{match="a"}', name="low"), severity=Severity.HIGH)
    lines = [line(EXPLODES)] * 200
    assert {each.severity for each in classified([bomb(), low], lines)} == {Severity.HIGH}
    assert {each.severity for each in classified([bomb()], lines)} == {Severity.LOW}


def test_many_ordinary_lines_are_well_within_the_time() -> None:
    texts = [f"Failed password for user{number} from 192.0.2.{number % 250} port 22 ssh2" for number in range(20_000)]
    found = searched(r"Failed password .* from (?P<source>\S+)", texts, Budget())
    assert found[-1] is not None
    assert found[-1]["source"] == "192.0.2.249"


def test_of_a_long_line_the_beginning_is_searched() -> None:
    assert searched("x", ["a" * LONGEST_LINE + "x"], Budget()) == [None]


@pytest.mark.parametrize("text", ["(a|aa)+$", "(a+)+b", r"^(([a-z])+.)+[A-Z]([a-z])+$", r"(\w+\s?)+$", "(x+x+)+y"])
def test_a_pattern_that_explodes_is_refused_before_it_is_used(text: str) -> None:
    with pytest.raises(RuleError, match="far too long"):
        check(text, (0, len(text) + 2))


@pytest.mark.parametrize(
    "text",
    [
        r"Failed password .* from (?P<source>\S+)",
        r"^\S+ \S+ (?P<user>\w+) .*(?:error|failed).* code=(?P<code>\d+)$",
        "(?i)out of memory: killed process",
        ".*foo.*bar",
        r"([0-9]{1,3}\.){3}[0-9]{1,3}",
    ],
)
def test_what_people_write_is_not(text: str) -> None:
    check(text, (0, len(text) + 2))


def test_a_filter_of_labels_by_pattern_is_bounded_too() -> None:
    budget = Budget()
    assert fits("/(srv|var)", "/srv", budget)
    assert not fits("/(srv|var)", "/srv/x", budget)
    with pytest.raises(ExhaustedError):
        for _ in range(1000):
            fits("(a+)+", EXPLODES, budget)
    label = Selector("disk.percent", (Filter("mountpoint", "=~", "(a+)+"),))
    mounts = world({"disk.percent": {EXPLODES + str(number): 1.0 for number in range(100)}})
    (verdict,) = judge([Rule("it", Binary(">", label, Number(0.0)), "")], mounts)
    assert verdict.saw == "its regular expressions took too long: unknown"


def test_globs_see_case_and_the_whole_text() -> None:
    assert glob("/s*")("/srv")
    assert not glob("/s*")("/SRV")
    assert not glob("srv")("/srv")
    assert glob("[ab]?")("bx")
