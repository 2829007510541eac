"""Rules: where they may stand, which of one name wins, and every mistake at its own place in the text."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from poller.config import load
from poller.errors import Mistake
from poller.model import Hold, Host, Rule, Severity
from poller.rules.language import parse
from tests.config.files import environ, loaded, mistakes, seen, write

MAIL = """<mail server='m.example.org' from='p@example.org'/>
  <contact name='ops' mail='o@example.org'/><contact name='net' mail='n@example.org'/>"""


def only(folder: Path, rule: str, more: str = "") -> Rule:
    (host,) = loaded(folder, f"<poller>{MAIL}{more}<host name='a' notify='ops'>{rule}</host></poller>").hosts
    (found,) = host.rules
    return found


def test_a_rule_has_everything_that_a_threshold_has(tmp_path: Path) -> None:
    found = only(
        tmp_path,
        """<rule name="busy" severity="high" for="5m" notify="+net" remind="1h 4h" evidence="yes"
             clear="cpu.percent &lt; 70"><escalate after="30m" notify="net"/>
             cpu.percent > 90
               and load.1m_per_cpu > 2 <!-- a comment --> </rule>""",
    )
    assert (found.name, found.severity, found.hold) == ("busy", Severity.HIGH, Hold(seconds=300))
    assert (found.notify, found.remind, found.evidence) == (("ops", "net"), (3600.0, 14400.0), True)
    assert [(one.after, one.notify) for one in found.escalations] == [(1800.0, ("net",))]
    assert (found.text, found.clear_text) == ("cpu.percent > 90 and load.1m_per_cpu > 2", "cpu.percent < 70")
    assert found.condition == parse("cpu.percent > 90 and load.1m_per_cpu > 2")
    assert found.clear == parse("cpu.percent < 70")
    assert found.where == f"{tmp_path}/config.xml:2"


def test_a_bare_rule_is_medium_and_counts_at_once(tmp_path: Path) -> None:
    found = only(tmp_path, "<rule name='r' polls='3'>load.1m &lt; 1</rule>")
    assert (found.severity, found.hold, found.clear, found.evidence) == (Severity.MEDIUM, Hold(polls=3), None, False)
    assert (found.notify, found.remind, found.escalations) == (("ops",), (), ())


def test_what_stands_in_quotes_keeps_its_blanks(tmp_path: Path) -> None:
    text = 'log{name="a",\n  match="two  blanks"}'
    found = only(tmp_path, f"<rule name='r'>{text}</rule>", "<log name='a' path='/a'/>")
    assert found.text == 'log{name="a", match="two  blanks"}'


def test_variables_are_filled_in_clear_and_mean_nothing_in_the_text(tmp_path: Path) -> None:
    rule = """<rule name="r" clear="cpu.percent &lt; ${LIMIT}">log{match="a[$]{b"}</rule>"""
    (host,) = loaded(tmp_path, f"<poller><host name='a'>{rule}</host></poller>", LIMIT="70").hosts
    assert host.rules[0].clear == parse("cpu.percent < 70")


LEVELS = """<poller notify="ops">MAIL
  <rule name="a">load.1m > 1</rule><rule name="b">load.1m > 1</rule><rule name="c">load.1m > 1</rule>
  <rule name="d">load.1m > 1</rule><rule name="e">load.1m > 1</rule>
  <thresholds name="one"><rule name="b">load.1m > 2</rule><rule name="c">load.1m > 2</rule></thresholds>
  <thresholds name="two"><rule name="c">load.1m > 3</rule></thresholds>
  <group name="g" thresholds="one two">
    <rule name="d" notify="net">load.1m > 4</rule><rule name="e">load.1m > 4</rule>
    <host name="inside"><rule name="e" off="yes"/><rule name="f">load.1m > 5</rule></host>
    <host name="beside" notify="+net"/>
  </group>
  <host name="outside"/>
</poller>""".replace("MAIL", MAIL)


def short(host: Host) -> dict[str, str]:
    return {rule.name: f"{rule.text[-1]} {' '.join(rule.notify)}" for rule in host.rules}


def test_of_one_name_the_nearest_wins_and_off_removes(tmp_path: Path) -> None:
    inside, beside, outside = loaded(tmp_path, LEVELS).hosts
    assert short(inside) == {"a": "1 ops", "b": "2 ops", "c": "3 ops", "d": "4 net", "f": "5 ops"}
    assert short(beside) == {
        "a": "1 ops net", "b": "2 ops net", "c": "3 ops net", "d": "4 net", "e": "4 ops net",
    }  # fmt: skip
    assert short(outside) == dict.fromkeys("abcde", "1 ops")


def test_hosts_that_say_the_same_share_their_rules(tmp_path: Path) -> None:
    first, second = loaded(
        tmp_path, "<poller><rule name='r'>load.1m > 1</rule><host name='a'/><host name='b'/></poller>"
    ).hosts
    assert first.rules is second.rules and first.watch == second.watch


def test_what_a_rule_spells_out_is_asked_for_by_name(tmp_path: Path) -> None:
    text = """<poller><rule name="r" clear='any(port.listening{port="udp/53"} == 1)'>
      any(process.count{name="cron"} &lt; 1) or any(unit.active{unit="ssh.service"} == 0)
      or any(process.count{name="php*"} > 50) or any(port.listening{port="22"} == 0)
      or missing(unit.active{unit=~"a.*"})
      or any(process.count{name!="x"} > 5)</rule>
      <host name="a"><threshold metric="process.count" name="cron" below="1"/></host></poller>"""
    watch = loaded(tmp_path, text).hosts[0].watch
    assert (watch.processes, watch.units) == (("cron",), ("ssh.service",))
    assert (watch.ports, watch.udp_ports) == ((22,), (53,))


def test_ten_thousand_hosts_with_twenty_rules_take_no_longer(tmp_path: Path) -> None:
    hosts = "<group name='g'>" + "".join(f"<host name='h{number}'/>" for number in range(10_000)) + "</group>"
    ruled = "".join(
        f"<rule name='r{number}' for='5m'>cpu.percent > {number} and load.1m_per_cpu > 2</rule>" for number in range(20)
    )
    took = {}
    assert len(loaded(tmp_path, f"<poller>{ruled}</poller>").hosts) == 0  # the language is loaded
    for name, text in (("bare", ""), ("ruled", ruled)):
        path = write(tmp_path, f"<poller>{text}{hosts}</poller>")
        start = time.process_time()
        assert len(load(path, environ(tmp_path)).hosts[-1].rules) == (20 if text else 0)
        took[name] = time.process_time() - start
    assert took["ruled"] < 1.5 * took["bare"] + 0.3


# Mistakes


def wrong(folder: Path, rule: str) -> Mistake:
    (found,) = mistakes(folder, f"<poller>\n<log name='auth' path='/a'/>\n<host name='a'>\n{rule}\n</host>\n</poller>")
    return found


def test_a_mistake_in_a_text_has_its_line_its_column_and_a_caret_below(tmp_path: Path) -> None:
    found = wrong(tmp_path, "<rule name='busy'>\n  load.1m &lt; 5 and\n  cpu.percnt > 90\n</rule>")
    assert (found.line, found.column) == (6, 3)
    assert found.sentence == "rule \"busy\": there is no metric 'cpu.percnt'"
    assert found.excerpt == "cpu.percnt > 90\n^~~~~~~~~~"
    assert found.hint == "did you mean cpu.percent?"


def test_a_column_counts_what_stands_in_the_file(tmp_path: Path) -> None:
    found = wrong(tmp_path, "<rule name='r'>5 &lt; <!-- x --> load.1n</rule>")
    assert (found.line, found.column) == (4, 34)
    assert found.excerpt == "5 <  load.1n\n     ^~~~~~~"


def test_a_mistake_in_clear_is_shown_at_its_place(tmp_path: Path) -> None:
    found = wrong(tmp_path, "<rule name='r'\n   clear='load.1n > 1'>load.1m > 2</rule>")
    assert (found.line, found.column) == (5, 11)
    assert found.sentence == "clear= of rule \"r\": there is no metric 'load.1n'"


def test_the_value_of_a_variable_is_not_shown(tmp_path: Path) -> None:
    text = "<poller>\n<host name='a'><rule name='r' clear='load.1m > ${X}'>load.1m > 2</rule></host></poller>"
    (found,) = mistakes(tmp_path, text, X="geheim")
    assert (found.line, found.sentence) == (2, 'clear= of rule "r" is wrong with what its variables hold')
    assert "geheim" not in str(found) + found.hint + found.excerpt


def test_a_long_line_is_shown_around_the_place(tmp_path: Path) -> None:
    text = " and ".join(["load.1m > 2"] * 25) + " and load.1n > 3"
    shown, caret = wrong(tmp_path, f"<rule name='r'>{text}</rule>").excerpt.split("\n")
    assert len(shown) <= 110 and shown[caret.index("^") : len(caret)] == "load.1n"


def test_control_characters_of_a_text_are_not_shown(tmp_path: Path) -> None:
    found = wrong(tmp_path, "<rule name='r'>load.1m > \u009b31m 5</rule>")
    assert "\u009b" not in str(found) + found.excerpt


# What stands in line 4 -> what is said about it
WRONG = [
    ("<rule>load.1m > 1</rule>", "<rule> needs name="),
    ("<rule name='r'/>", 'rule "r" holds no condition'),
    ("<rule name='r'> \n </rule>", 'rule "r" holds no condition'),
    ("<rule name='r'>" + "load.1m > 1 and " * 300 + "load.1m > 1</rule>", 'rule "r" is too long'),
    ("<rule name='cpu.percent'>load.1m > 1</rule>", 'a rule cannot be called "cpu.percent", which is a metric'),
    ("<rule name='a b'>load.1m > 1</rule>",
     'name="a b" is not a name: letters, digits, ".", "_" and "-", at most 100, a letter or digit first'),
    ("<rule name='r' off='yes'>load.1m > 1</rule>",
     '<rule off="yes"> is to be empty: it removes the rule of that name'),
    ("<rule name='r' off='yes' severity='high'/>", 'severity= means nothing beside off="yes"'),
    ("<rule name='r' notify='opps'>load.1m > 1</rule>", 'there is no contact "opps"'),
    ("<rule name='r' clear=''>load.1m > 1</rule>", 'clear="" is empty'),
    ("<rule name='r' above='3'>load.1m > 1</rule>", "<rule> has no attribute above="),
    ("<rule name='r'>log{name=\"auht\"}</rule>", 'rule "r": there is no log "auht"; did you mean "auth"?'),
    ("<rule name='r'>count(log{name=\"x\"}, 10m) > 3</rule>", 'rule "r": there is no log "x"'),
    ("<rule name='r'>any(check.status{check=\"raid\"} > 1)</rule>", 'rule "r": there is no check "raid"'),
    ("<rule name='r'>any(log.readable{log=\"auht\"} == 0)</rule>",
     'rule "r": there is no log "auht"; did you mean "auth"?'),
    ("<rule name='r' clear='disk.percent &lt; 3'>cpu.percent > 9</rule>",
     'clear= of rule "r": clear= is by mountpoint, and the rule by nothing'),
    ("<rule name='r'>cpu.percent</rule>", 'rule "r": this is a number and no condition'),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_a_mistake_has_its_line(tmp_path: Path, rule: str, sentence: str) -> None:
    found = wrong(tmp_path, rule)
    assert (found.line, found.sentence) == (4, sentence)


@pytest.mark.parametrize(
    ("body", "line", "sentence"),
    [
        ("<host name='a'><rule name='r'>load.1m > 1</rule>\n<rule name='r'>load.1m > 2</rule></host>", 3,
         'rule "r" stands twice in <host>; the first is in line 2'),
        ("<rule name='r'>load.1m > 1</rule>\n<rule name='r' off='yes'/>", 3,
         'rule "r" stands twice in <poller>; the first is in line 2'),
        ("<thresholds name='poller'>\n<rule name='r'>load.1m > 1</rule></thresholds>", 3,
         '<thresholds name="poller"> is for limits on the poller\'s own numbers, a rule is about a host'),
        ("<thresholds name='s'>\n<rule name='r'>load.1n > 1</rule></thresholds>", 3,
         "rule \"r\": there is no metric 'load.1n'"),
        ("<rule name='r'>load.1m > 1 or\n<rule name='s'/>load.1m > 1</rule>", 3, "<rule> cannot stand inside <rule>"),
        ("<host name='a'>load.1m > 1</host>", 2, '<host> holds the text "load.1m > 1", which means nothing'),
    ],
)  # fmt: skip
def test_a_rule_at_the_wrong_place_is_refused(tmp_path: Path, body: str, line: int, sentence: str) -> None:
    assert seen(mistakes(tmp_path, f"<poller>\n{body}</poller>")) == [(line, sentence)]


def test_a_file_without_rules_does_not_load_the_language(tmp_path: Path) -> None:
    import subprocess
    import sys

    write(tmp_path, "<poller><host name='a'/></poller>")
    code = ("import sys; from pathlib import Path; from poller.config import load; load(Path('config.xml'));"
            "print('pyparsing' in sys.modules)")  # fmt: skip
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"
