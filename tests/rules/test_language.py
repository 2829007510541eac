"""The text of a rule: what it reads as, and the place of what is wrong with it."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from poller.metrics import CATALOGUE
from poller.model import Expression
from poller.rules.expression import (
    Binary,
    Filter,
    Gather,
    Missing,
    Number,
    Past,
    Reaches,
    Selector,
    Tally,
    place_of,
)
from poller.rules.language import parse, parse_clear
from poller.rules.mistake import RuleError

CPU = Selector("cpu.percent")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cpu.percent>90", Binary(">", CPU, Number(90.0))),
        ("cpu.percent > 90.5%", Binary(">", CPU, Number(90.5, "percent"))),
        ("memory.free_bytes < 5GiB", Binary("<", Selector("memory.free_bytes"), Number(5.0 * 2**30, "bytes"))),
        ("memory.free_bytes < 500MB", Binary("<", Selector("memory.free_bytes"), Number(5e8, "bytes"))),
        ("uptime.seconds < 1h30m", Binary("<", Selector("uptime.seconds"), Number(5400.0, "seconds"))),
        ("cpu.percent > -5", Binary(">", CPU, Number(-5.0))),
        ("missing(cpu.percent)", Missing(CPU)),
        ("missing ( cpu.percent , 90s )", Missing(CPU, 90.0)),
        ("avg(cpu.percent, 10m) > 1", Binary(">", Past("avg", CPU, 600.0), Number(1.0))),
        ("reaches(cpu.percent, 100, 1d)", Reaches(CPU, Number(100.0), 86400.0, True)),
        ("reaches(disk.inodes_free, 0, 1d)", Reaches(Selector("disk.inodes_free"), Number(0.0), 86400.0, False)),
        ("reaches(cpu.percent, 1, 1d, below)", Reaches(CPU, Number(1.0), 86400.0, False)),
        ("log", Tally("log", counted=False)),
        ("count(log) > 1", Binary(">", Tally("log"), Number(1.0))),
        (
            "count(log{match='(?P<b>x)(?P<a>y)'}, 1m) by b, a > 1",
            Binary(">", Tally("log", (Filter("match", "=", "(?P<b>x)(?P<a>y)"),), 60.0, ("a", "b")), Number(1.0)),
        ),
        (
            "any(disk.percent > 90)",
            Gather("any", Binary(">", Selector("disk.percent"), Number(90.0))),
        ),
    ],
)
def test_a_text_reads_as(text: str, expected: Expression) -> None:
    assert parse(text) == expected
    assert hash(parse(text)) == hash(expected)
    assert parse(str(expected)) == expected


def test_every_part_knows_its_place_and_equality_does_not_see_it() -> None:
    text = "  cpu.percent > 90\n  and avg(load.1m, 10m) > 2"
    both = parse(text)
    assert isinstance(both, Binary)
    assert text[slice(*place_of(both.left))] == "cpu.percent > 90"
    assert text[slice(*both.at)] == "and"
    assert isinstance(both.right, Binary)
    assert text[slice(*place_of(both.right.left))] == "avg(load.1m, 10m)"
    assert both == parse("cpu.percent>90 and avg(load.1m,600s)>2")
    assert str(both) == "cpu.percent > 90 and avg(load.1m, 10m) > 2"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("not(cpu.percent>90 or load.1m>2)", "not (cpu.percent > 90 or load.1m > 2)"),
        ("((cpu.percent))>(90)", "cpu.percent > 90"),
        ("(cpu.percent>1 or load.1m>2) and load.5m>3", "(cpu.percent > 1 or load.1m > 2) and load.5m > 3"),
        ("cpu.percent-(load.1m-load.5m)>0", "cpu.percent - (load.1m - load.5m) > 0"),
        ("-(load.1m+1)*2<0", "-(load.1m + 1) * 2 < 0"),
        ("cpu.percent > - 5", "cpu.percent > -5"),
        ("cpu.percent\t>\t0.000001", "cpu.percent > 0.000001"),
        ("network.receive_bytes_per_second > 1024KiB/s", "network.receive_bytes_per_second > 1MiB/s"),
        ("uptime.seconds < 60m", "uptime.seconds < 1h"),
        ("uptime.seconds < 1.5s", "uptime.seconds < 1.5s"),
        ("tcp.resets_per_second > 5/s", "tcp.resets_per_second > 5/s"),
        ("log{match='say \"x\" \\d \\' end'}", 'log{match="say \\"x\\" \\d \' end"}'),
        ('log{match=~"x",match!~"y"}', 'log{match="x", match!="y"}'),
        ("reaches(cpu.percent, 100, 24h, above)", "reaches(cpu.percent, 100, 1d)"),
    ],
)
def test_a_tree_prints_as_canonical_text(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical
    assert str(parse(canonical)) == canonical


MISTAKES = [
    # (text, what the caret stands under, a word of the sentence, a word of the hint)
    ("cpu.percnt > 90", "cpu.percnt", "no metric", "cpu.percent"),
    ("disc > 90", "disc", "no metric", ""),
    ('disk.percent{mount="/"} > 90', "mount", "no label", "mountpoint"),
    ('cpu.percent{core="1"} > 90', "core", "no label", "leave the braces out"),
    ("average(cpu.percent) > 90", "average", "no function", ""),
    ("avgg(cpu.percent, 10m) > 90", "avgg", "no function", "avg"),
    ("cpu.percent > 5GiB", "5GiB", "percent", ""),
    ("memory.free_bytes > 90%", "90%", "bytes", ""),
    ("network.up == 1m", "1m", "0 or 1", ""),
    ("load.1m > 90%", "90%", "count", ""),
    ("reaches(disk.percent, 5GiB, 24h)", "5GiB", "percent", ""),
    ("cpu.percent > memory.free_bytes", ">", "cannot be compared", ""),
    ("cpu.percent + memory.free_bytes > 1", "+", "cannot be added", ""),
    ("disk.percent > 90 and network.up == 0", "and", "mountpoint", "any()"),
    ("disk.percent > block.busy_percent", ">", "device", "any()"),
    ('disk.percent{mountpoint="/"} > 1 and disk.percent{mountpoint="/var"} > 1', "and", "no mountpoint", "any()"),
    ('count(log{match="(?P<source>x)"}, 10m) by sorce > 1', "sorce", "no match catches", "source"),
    ("count(log, 10m) by source > 1", "source", "no match catches", "(?P<source>"),
    ("cpu.percent by x > 1", "x", "by goes with", ""),
    ("avg(cpu.percent, 10m) by x > 1", "x", "by goes with", ""),
    ("avg(cpu.percent, 0s) > 1", "0s", "between 1s and 30d", ""),
    ("avg(cpu.percent, 31d) > 1", "31d", "between 1s and 30d", ""),
    ("reaches(cpu.percent, 100, 31d)", "31d", "between 1s and 30d", ""),
    ("avg(cpu.percent, 600) > 1", "600", "a time is wanted", "10m"),
    ("avg(cpu.percent, load.1m) > 1", "load.1m", "a time is wanted", ""),
    ("avg(cpu.percent + 1, 10m) > 1", "cpu.percent + 1", "wants a metric", ""),
    ("rate(cpu.percent) > 1", "rate(cpu.percent)", "called wrongly", "rate("),
    ("missing(log)", "log", "wants a metric", "== 0"),
    ("reaches(cpu.percent, load.1m, 1h)", "load.1m", "a number", ""),
    ("reaches(cpu.percent, 1, 1h, sideways)", "sideways", "above or below", ""),
    ("count(cpu.percent, 10m) > 1", "count(cpu.percent, 10m)", "called wrongly", ""),
    ('log{match="a(b"}', '"', "regular expression", ""),
    ('log{match="(a|aa)+$"}', '"(a|aa)+$"', "too long", ""),
    ('disk.percent{mountpoint=~"["} > 1', "", "regular expression", ""),
    ('log{nam="auth"}', "nam", "log has no", "name"),
    ('event{kind="usb_atached"}', '"usb_atached"', "no kind", "usb_attached"),
    ('log{severity="bad"}', '"bad"', "no severity", "low, medium, high"),
    ("(cpu.percent > 1) == (cpu.percent > 2)", "cpu.percent > 1", "a condition", ""),
    ("cpu.percent > 1 > 2", ">", "no chain", "and"),
    ("not cpu.percent", "cpu.percent", "wants a condition", ""),
    ("-(cpu.percent > 1) > 2", "cpu.percent > 1", "wants a number", ""),
    ("cpu.percent > 1 and load.1m", "load.1m", "wants a condition", ""),
    ("any(cpu.percent > 1)", "cpu.percent > 1", "has none", ""),
    ("any(disk.percent) > 1", "disk.percent", "wants a condition", ""),
    ("max(disk.percent > 1) > 1", "disk.percent > 1", "wants a number", ""),
    ("cpu.percent", "cpu.percent", "no condition", "cpu.percent > 90"),
    ("  count(log, 10m)  ", "count(log, 10m)", "no condition", ""),
    ("poller.undelivered > 1", "poller.undelivered", "poller itself", "<threshold>"),
    ("cpu.percent > max", "max", "is a function", ""),
    ("cpu.percent > 5x", "5x", "no number", ""),
    ("cpu.percent = 5", "=", "does not belong", "=="),
    ("cpu.percent > 5 && load.1m > 1", "&&", "does not belong", "and"),
    ("cpu.percent > 5 AND load.1m > 1", "AND", "does not belong", "and"),
    ("cpu.percent > ", ">", "missing behind", ""),
    ("(cpu.percent > 5", "(", "never closed", ""),
    ("cpu.percent > 5)", ")", "belongs to", ""),
    ("disk.percent{mountpoint=", "{", "never closed", ""),
    ('disk.percent{mountpoint="/} > 5', '"', "never closed", ""),
    ("avg(cpu.percent, ) > 1", ")", "does not belong", ""),
    ("cpu.percent > 5 \u00e9", "\u00e9", "does not belong", ""),
    ("cpu\u2024percent > 5", "", "does not belong", ""),
    ("cpu.percent > 5\x00", "\x00", "does not belong", ""),
]


@pytest.mark.parametrize(("text", "under", "sentence", "hint"), MISTAKES, ids=[each[0] for each in MISTAKES])
def test_a_mistake_is_told_with_its_place(text: str, under: str, sentence: str, hint: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text)
    error = caught.value
    assert sentence in error.sentence
    assert hint in error.hint
    assert 0 <= error.position < len(text)
    assert error.length >= 1
    if under:
        assert text[error.position : error.position + error.length] == under


def test_the_place_counts_characters_of_the_text_as_it_is() -> None:
    text = "\n\tcpu.percent > 90\n\tand \t disc.percent > 1"
    with pytest.raises(RuleError) as caught:
        parse(text)
    assert text[caught.value.position :].startswith("disc.percent")


def test_clear_is_about_the_labels_of_its_rule_or_none() -> None:
    disks, cpu = parse("disk.percent > 90"), parse("cpu.percent > 90")
    assert str(parse_clear("disk.percent < 80", disks)) == "disk.percent < 80"
    assert str(parse_clear("cpu.percent < 80", disks)) == "cpu.percent < 80"
    for text, condition in (("disk.percent < 80", cpu), ("network.up == 1", disks)):
        with pytest.raises(RuleError, match="clear= is by"):
            parse_clear(text, condition)


HOSTILE = {
    "a megabyte of a name": "a" * 1_000_000,
    "a megabyte of parentheses": "(" * 1_000_000,
    "a megabyte of quotes": '"' * 1_000_000,
    "many parentheses": "(" * 1500 + "cpu.percent > 1" + ")" * 1500,
    "parentheses just allowed, and one more": "(" * 21 + "cpu.percent > 1" + ")" * 21,
    "many not": "not " * 900 + "log",
    "many minus": "- " * 1900 + "1 > 2",
    "a long sum": "1+" * 1900 + "1 > 2",
    "a long or": "log or " * 500 + "log",
    "functions in functions": "max(" * 300 + "cpu.percent" + ")" * 300 + " > 1",
    "a long list": "max(" + "1," * 1900 + "1) > 1",
    "braces": "log{" * 500,
    "a long number": "9" * 3000 + " > cpu.percent",
    "NUL": "\x00" * 100,
    "surrogates": "\ud800 > \udfff",
    "escapes": "\x1b[31m > 1",
    "right to left": "\u202e > 1",
    "digits of other scripts": "cpu.percent > \u0661",
    "nothing": "",
    "blanks": " \n\t ",
    "a backslash": '"\\',
    "an operator": "and",
    "a regular expression that is a bomb": 'log{match="' + "(a{1,99}){1,99}" * 20 + '"}',
    "a long regular expression": 'log{match="' + "a" * 1001 + '"}',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_is_a_mistake_and_soon(text: str) -> None:
    began = time.thread_time()
    with pytest.raises(RuleError) as caught:
        parse(text)
    assert time.thread_time() - began < 2.0
    assert 0 <= caught.value.position <= max(0, len(text) - 1) or not text
    assert len(caught.value.sentence) < 300


def test_as_deep_and_long_as_allowed_is_read() -> None:
    assert parse("(" * 20 + "cpu.percent > 1" + ")" * 20) == parse("cpu.percent > 1")
    long = parse(" + ".join(["cpu.percent"] * 60) + " > 1")
    assert parse(str(long)) == long
    assert hash(long) == hash(parse(str(long)))


@given(st.text(max_size=200))
@example("\x0b1>2")
def test_any_text_is_read_or_is_a_mistake(text: str) -> None:
    try:
        tree = parse(text)
    except RuleError as error:
        assert 0 <= error.position <= len(text)
    else:
        assert parse(str(tree)) == tree


WORDS = st.sampled_from(
    ["cpu.percent", "disk.percent", "log", "count", "avg", "any", "not", "and", "or", "by", "(", ")", ",", "10m", "90%",
     ">", "==", "-", "/", "*", '{name="x"}', '{mountpoint="/"}', '{match="(?P<s>x)"}', "s", "missing", "reaches", "1.5"]
)  # fmt: skip


@settings(max_examples=150)
@given(st.lists(WORDS, max_size=20).map(" ".join))
def test_words_of_the_language_in_any_order_are_read_or_are_a_mistake(text: str) -> None:
    try:
        tree = parse(text)
    except RuleError:
        return
    assert parse(str(tree)) == tree


SCALARS = st.sampled_from(sorted(name for name, one in CATALOGUE.items() if not one.label and name[:6] != "poller"))
DISKS = st.sampled_from(["disk.percent", "disk.inodes_percent", "disk.stuck"])
TEXTS = st.sampled_from(["/", "/srv*", 'a\\"b', "[x]", "it's"])
SECONDS = st.integers(1, 2_592_000).map(lambda seconds: f"{seconds}s")
FILTERED = st.builds('{}{{mountpoint{}"{}"}}'.format, DISKS, st.sampled_from(["=", "!="]), TEXTS)
PLAIN = st.integers(0, 10**6).map(str) | st.floats(0, 1e6, allow_nan=False).map(lambda value: f"{value:.6f}")
NUMBERS = st.recursive(
    st.one_of(
        PLAIN,
        st.just("load.1m"),
        st.builds("{}({}, {})".format, st.sampled_from(["avg", "max", "min", "delta"]), st.just("load.5m"), SECONDS),
        st.builds("count(log{{match='x{}'}}, {})".format, st.integers(0, 9), SECONDS),
    ),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("{} {} {}".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("-{}".format, inner),
    ),
    max_leaves=6,
)
CONDITIONS = st.recursive(
    st.one_of(
        st.builds("{} {} {}".format, NUMBERS, st.sampled_from([">", ">=", "<", "<=", "==", "!="]), NUMBERS),
        st.builds("any({} > 5)".format, FILTERED),
        st.builds("missing({}, {})".format, SCALARS, SECONDS),
        st.builds("reaches({}, {}, {})".format, SCALARS, PLAIN, SECONDS),
        st.builds('event{{kind="{}"}}'.format, st.sampled_from(["usb_*", "login"])),
    ),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("{} {} {}".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("not {}".format, inner),
    ),
    max_leaves=5,
)


@settings(max_examples=100)
@given(CONDITIONS)
def test_printed_and_read_again_a_rule_is_the_same(text: str) -> None:
    tree = parse(f"{text} or cpu.percent > 0")  # what looks at nothing is no rule
    assert parse(str(tree)) == tree
    assert str(parse(str(tree))) == str(tree)


def test_who_has_no_rule_does_not_pay_for_the_parser() -> None:
    code = "import sys, poller.rules, poller.rules.language; print(*sorted({'pyparsing', 'regex'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_mistakes_do_not_depend_on_what_was_read_before() -> None:
    def mistake(text: str) -> Any:
        with pytest.raises(RuleError) as caught:
            parse(text)
        return caught.value.position

    assert mistake("disk.percent > 1 and network.up > 1") == 17
    assert mistake("   disk.percent > 1 and network.up > 1") == 20


@pytest.mark.parametrize("text", ["90 > 3", "1 / 0 > 1", "not 2 > 3 and 1 == 1"])
def test_a_rule_that_looks_at_nothing_is_a_mistake(text: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(f"  {text} ")
    assert caught.value.sentence == "this looks at nothing of a host"
    assert (caught.value.position, caught.value.length) == (2, len(text))
