"""`poller check-config`: one line when all is well, every mistake and exit 2 when not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.calling import Inside, poller
from tests.config.files import write
from tests.config.test_examples import DESIGN, secrets

WRONG = "<poller>\n<host name='a' port='x'/>\n<ssh password='geheim'/>\n<hots/></poller>"


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    return Inside(tmp_path, capsys, monkeypatch)


def test_a_right_configuration_is_summed_up_in_one_line(tmp_path: Path) -> None:
    secrets(tmp_path)
    write(tmp_path, DESIGN)
    answer = poller(tmp_path, "check-config")
    assert (answer.code, answer.err.splitlines()[0]) == (0, "poller: nobody is told of me")
    assert answer.out == "config.xml: 42 hosts, 1 group, 11 thresholds, 2 contacts: ok\n"


def test_every_mistake_is_shown_with_its_line(tmp_path: Path, inside: Inside) -> None:
    write(tmp_path, WRONG)
    answer = inside("check-config")
    assert (answer.code, answer.out) == (2, "")
    assert [line for line in answer.err.splitlines() if not line.startswith("    ")] == [
        'config.xml:2: port="x" is not a port: a whole number from 1 to 65535',
        "config.xml:3: password= would keep a secret in this file",
        'config.xml:4: <hots> is not an element of config.xml; did you mean "host"?',
    ]
    assert "geheim" not in answer.err


def test_json_says_the_same(tmp_path: Path, inside: Inside) -> None:
    write(tmp_path, WRONG)
    answer = inside("check-config", "--json")
    document = json.loads(answer.out)
    assert (answer.code, answer.err, document["ok"]) == (2, "", False)
    assert [mistake["line"] for mistake in document["mistakes"]] == [2, 3, 4]
    assert set(document["mistakes"][0]) == {"file", "line", "column", "sentence", "hint"}
    write(tmp_path, "<poller><host name='a'/></poller>")
    document = json.loads(inside("check-config", "--json").out)
    assert document == {
        "ok": True, "file": f"{tmp_path}/config.xml", "hosts": 1, "groups": 0, "thresholds": 9, "rules": 0,
        "contacts": 0, "archive": None, "mistakes": [], "doubts": [],
    }  # fmt: skip


def test_an_archive_is_named_without_its_password(tmp_path: Path, inside: Inside) -> None:
    url = "mysql://poller@db.example.org/history"
    write(tmp_path, f"<poller><archive url='{url}' password-env='DB'/><host name='a'/></poller>")
    shown = "mysql://poller@db.example.org:3306/history"
    assert f", archive {shown}: ok" in inside("check-config", DB="geheim").out
    answer = inside("check-config", "--json", DB="geheim")
    assert json.loads(answer.out)["archive"] == shown and "geheim" not in answer.out


def test_without_a_configuration_the_way_out_is_told(inside: Inside) -> None:
    answer = inside("check-config")
    assert answer.code == 2 and "there is no configuration" in answer.err and "`poller init` writes one" in answer.err


def test_control_characters_of_the_file_do_not_reach_the_terminal(tmp_path: Path) -> None:
    write(tmp_path, "<poller>\n<host name='a\u202e\u009b31m'/></poller>")
    answer = poller(tmp_path, "check-config", PYTHONUTF8="1")
    assert answer.code == 2 and answer.err.startswith("config.xml:2: name=")
    assert "\u202e" not in answer.err and "\u009b" not in answer.err


def test_a_mistake_in_a_rule_is_shown_with_a_caret_under_the_place(tmp_path: Path, inside: Inside) -> None:
    rule = "<rule name='busy'>\n  load.1m &lt; 5 and\n    cpu.percnt > 90</rule>"
    write(tmp_path, f"<poller>\n<host name='a'>{rule}</host></poller>")
    answer = inside("check-config")
    assert (answer.code, answer.err.splitlines()) == (
        2,
        [
            "config.xml:4: rule \"busy\": there is no metric 'cpu.percnt'",
            "    cpu.percnt > 90",
            "    ^~~~~~~~~~",
            "    did you mean cpu.percent?",
        ],
    )
    assert inside("run").err == answer.err
    (mistake,) = json.loads(inside("check-config", "--json").out)["mistakes"]
    assert (mistake["line"], mistake["column"], mistake["hint"]) == (4, 5, "did you mean cpu.percent?")


def test_rules_are_counted_each_once(tmp_path: Path, inside: Inside) -> None:
    write(tmp_path, "<poller><rule name='r'>load.1m > 1</rule><host name='pc[1-3]'/></poller>")
    answer = inside("check-config")
    assert answer.out == "config.xml: 3 hosts, 0 groups, 9 thresholds, 1 rule, 0 contacts: ok\n"


TOLD = """<poller{notify}><mail server="192.0.2.1" from="poller@example.org"/>
<channel name="wall" command="/bin/true"/><contact name="ops" mail="ops@example.org"/>
<contact name="net" channels="mail wall"{mail}/><host name="a"{more}/><host name="b"/></poller>"""


def test_who_would_never_be_told_is_said_although_it_is_no_mistake(tmp_path: Path, inside: Inside) -> None:
    write(tmp_path, TOLD.format(notify="", more="", mail=" mail='net@example.org'"))
    answer = inside("check-config")
    assert answer.code == 0 and answer.out.endswith(": ok\n")
    assert answer.err == (
        "poller: nobody is told of any host\n    notify= of <poller>, <group>, <host>, <threshold> or <rule> says who\n"
    )
    write(tmp_path, TOLD.format(notify="", more=" notify='ops'", mail=" mail='net@example.org'"))
    said = inside("check-config").err
    assert "poller: nobody is told of b\n" in said
    assert 'poller: contact "net" is told of nothing\n    name it in notify= or <escalate>' in said
    assert len(json.loads(inside("check-config", "--json").out)["doubts"]) == 2
    write(tmp_path, TOLD.format(notify=" notify='none'", more=" notify='+ops +net'", mail=" mail='net@example.org'"))
    assert inside("check-config").err == "", "who says that it is to be nobody means it"


def test_a_channel_that_nobody_has_is_named(tmp_path: Path, inside: Inside) -> None:
    config = TOLD.format(notify=" notify='ops net'", more="", mail=" mail='net@example.org'")
    write(tmp_path, config)
    assert inside("check-config").err == ""
    write(tmp_path, config.replace("mail wall", "mail"))
    assert inside("check-config").err.startswith('poller: channel "wall" is in channels= of no contact\n')


def test_who_wants_no_mail_at_all_hears_no_doubts(tmp_path: Path, inside: Inside) -> None:
    write(tmp_path, "<poller><host name='a'/></poller>")
    assert inside("check-config").err == ""


@pytest.mark.parametrize("unheld", ["cold='yes'", "via='ping'"])
def test_a_host_that_is_to_be_live_without_a_session_is_named(tmp_path: Path, inside: Inside, unheld: str) -> None:
    write(tmp_path, f"<poller live='yes'><host name='a' address='192.0.2.1' {unheld}/><host name='b'/></poller>")
    told = inside("check-config").err
    assert told.startswith('poller: live="yes" does nothing for a\n') and "no session is held" in told
