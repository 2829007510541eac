"""Every kind of mistake has its line and a sentence that says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.files import mistakes, seen, write

# What stands in line 2 of a configuration -> the sentences it earns.
STRUCTURE = [
    ("<hots name='a'/>", '<hots> is not an element of config.xml; did you mean "host"?'),
    ("<zebra/>", "<zebra> is not an element of config.xml"),
    ("<threshold metric='cpu.percent' above='9'/>", "<threshold> cannot stand inside <poller>"),
    ("<thresholds name='a'><escalate notify='none'/></thresholds>", "<escalate> cannot stand inside <thresholds>"),
    ("<channel name='a' url='x' command='logger'/>", "url= would keep a secret in this file"),
    ("<group name='a'><group name='b'/></group>", "<group> cannot stand inside <group>"),
    ("<host name='a' adress='b'/>", '<host> has no attribute adress=; did you mean "address"?'),
    ("<group name='a' at-once='3'/>", "<group> has no attribute at-once="),
    ("<archive/>", "<archive> needs url="),
    ("<host/>", "<host> needs name="),
    ("<host name='a'>b</host>", '<host> holds the text "b", which means nothing'),
]
VALUES = [
    ("<ssh port='70000'/>", 'port="70000" is not a port: a whole number from 1 to 65535'),
    ("<ssh port='0x16'/>", 'port="0x16" is not a port: a whole number from 1 to 65535'),
    ("<ssh user='-oProxyCommand=x'/>", 'user="-oProxyCommand=x" must not begin with "-"'),
    ("<ssh user='a b'/>", 'user="a b" must be one word, without spaces'),
    ("<ssh user=''/>", 'user="" is empty'),
    ("<ssh agent='yse'/>", 'agent="yse" is not one of yes, no; did you mean "yes"?'),
    (
        "<ssh host-key-policy='strickt'/>",
        'host-key-policy="strickt" is not one of strict, accept-new; did you mean "strict"?',
    ),
    ("<ssh known-hosts='a&#10;\x85b'/>", 'known-hosts="a\\n\\x85b" holds a control character or an invisible one'),
    ("<poll interval='10'/>", 'interval="10" is not a duration: write 30s, 10m, 2h, 1d, 2w or 1y'),
    ("<poll interval='0s'/>", 'interval="0s" must lie between 1s and 1d'),
    ("<poll down-after='0 polls'/>", 'down-after="0 polls" must be at least 1 poll'),
    (
        "<poll down-after='three'/>",
        'down-after="three" is neither a number of polls ("3 polls") nor a duration ("5m")',
    ),
    ("<poll at-once='0'/>", 'at-once="0" is not a number of hosts: a whole number from 1 to 10000'),
    ("<poll interval='5s' deadline='10s'/><host name='a'/>",
     "the deadline of 10 s is longer than the interval of 5 s"),
    ("<retention samples='1m'/>", 'samples="1m" must lie between 1h and 100y'),
    ("<host name='a b'/>",
     'name="a b" is not a name: letters, digits, ".", "_" and "-", at most 100, a letter or digit first'),
    ("<host name='a' address='10.0.0.300'/>", 'address="10.0.0.300" is not an IP address'),
    ("<host name='a' address='10.0.0.3:22'/>", 'address="10.0.0.3:22" holds a port'),
    ("<host name='a' address='[2001:db8::1]:22'/>", 'address="[2001:db8::1]:22" holds a port'),
    ("<host name='a' address='a/b'/>", 'address="a/b" is neither a host name nor an IP address'),
    ("<host name='a' python='python3 -x'/>", 'python="python3 -x" must be one word, without spaces'),
    ("<host name='a' become='root'/>", 'become="root" is not one of no, sudo'),
    ("<host name='a' ssh-config='nowhere'/>", 'ssh-config="nowhere" does not exist'),
    ("<host name='a' user='${NOBODY}'/>",
     'user="${NOBODY}" needs the environment variable NOBODY, which is not set'),
    ("<host name='a' user='${HOEM}'/>",
     'user="${HOEM}" needs the environment variable HOEM, which is not set; did you mean "HOME"?'),
    ("<host name='a' user='${X'/>", 'user="${X" has a ${ that begins no variable'),
]  # fmt: skip
RANGES = [
    ("<host name='pc[01-40]' address='10.0.0.[1-39]'/>",
     'name="pc[01-40]" stands for 40 hosts but address="10.0.0.[1-39]" for 39'),
    ("<host name='pc' address='10.0.0.[1-2]'/>", 'name="pc" stands for 1 host but address="10.0.0.[1-2]" for 2'),
    ("<host name='pc[4-1]'/>", 'name="pc[4-1]" has "[4-1]", which runs backwards'),
    ("<host name='pc[a-f]'/>", 'name="pc[a-f]" has "[a-f]", which is not a range'),
    ("<host name='pc[1-4'/>", 'name="pc[1-4" has a "[" that is not closed'),
    ("<host name='pc[1-20000]'/>", 'name="pc[1-20000]" stands for more than 10000 hosts'),
    ("<host name='pc[1-200]-[1-200]'/>", 'name="pc[1-200]-[1-200]" stands for more than 10000 hosts'),
]  # fmt: skip
DOUBLE = [
    ("<ssh/>\n<ssh/>", "<ssh> stands twice; the first is in line 2"),
    ("<host name='a'/>\n<host name='a'/>", 'host "a" stands twice; the first is in line 2'),
    ("<host name='a[1-3]'/>\n<group name='g'><host name='a3'/></group>",
     'host "a3" stands twice; the first is in line 2'),
    ("<group name='a'/>\n<group name='a'/>", 'group "a" stands twice; the first is in line 2'),
    ("<thresholds name='a'/>\n<thresholds name='a'/>", 'threshold set "a" stands twice; the first is in line 2'),
    ("<mail server='m' from='a@b'/><contact name='a' mail='a@b'/>\n<contact name='a' mail='a@c'/>",
     'contact "a" stands twice; the first is in line 2'),
    ("<host name='a'><threshold metric='cpu.percent' above='9'/>\n<threshold metric='cpu.percent' above='9'/></host>",
     "this threshold on cpu.percent stands twice; the first is in line 2"),
    ("<host name='a'><threshold metric='cpu.percent' above='9'/>\n<threshold metric='cpu.percent' off='yes'/></host>",
     "cpu.percent is both set and off inside one <host>"),
]  # fmt: skip
THRESHOLDS = [
    ("metric='cpu.percnt' above='9'", 'metric="cpu.percnt" is not a metric; did you mean "cpu.percent"?'),
    ("metric='cpu.percent' above='9' below='3'", "<threshold> has both above= and below=; one of them has to go"),
    ("metric='cpu.percent'", "the threshold on cpu.percent needs above= or below="),
    ("metric='cpu.percent' above='101'", 'above="101" is not between 0 and 100 percent'),
    ("metric='cpu.percent' below='-1'", 'below="-1" is not between 0 and 100 percent'),
    ("metric='cpu.percent' above='nan'", 'above="nan" is not a number of percent'),
    ("metric='cpu.percent' above='1e1'", 'above="1e1" is not a number of percent'),
    ("metric='load.1m' above='5%'", 'above="5%" is not a number'),
    ("metric='disk.read_only' above='2'", 'above="2" is not between 0 and 1, and disk.read_only is 0 or 1'),
    ("metric='disk.used_bytes' above='5 GiB'",
     'above="5 GiB" is not a number of bytes: write 1000, 500MB or 5GiB'),
    ("metric='uptime.seconds' below='10min'",
     'below="10min" is not a number of seconds: write 2.5, 30s, 10m or 1d'),
    ("metric='cpu.percent' above='90' clear='95'", 'clear="95" is more than above="90"'),
    ("metric='cpu.percent' below='10' clear='5'", 'clear="5" is less than below="10"'),
    ("metric='cpu.percent' mountpoint='/' above='9'",
     "cpu.percent cannot be filtered by mountpoint=; it has no labels"),
    ("metric='disk.percent' device='/' above='9'",
     "disk.percent cannot be filtered by device=; its label is mountpoint="),
    ("metric='cpu.percent' above='9' severity='hihg'",
     'severity="hihg" is not one of low, medium, high; did you mean "high"?'),
    ("metric='cpu.percent' off='yes' above='9'", 'above= means nothing beside off="yes"'),
    ("metric='cpu.percent' above='9' notify='ops'", 'there is no contact "ops"'),
    ("metric='cpu.percent' above='9' polls='0'",
     'polls="0" is not a number of polls: a whole number from 1 to 10000'),
    ("metric='disk.percent' reaches='100'", "reaches= needs within="),
    ("metric='disk.percent' within='24h'", "within= needs reaches="),
    ("metric='disk.percent' above='9' within='24h'", "within= needs reaches="),
    ("metric='disk.percent' reaches='101' within='24h'", 'reaches="101" is not between 0 and 100 percent'),
    ("metric='disk.percent' reaches='5GiB' within='24h'", 'reaches="5GiB" is not a number of percent'),
    ("metric='disk.percent' reaches='100' within='5m'", 'within="5m" must lie between 10m and 30d'),
    ("metric='disk.percent' reaches='100' within='31d'", 'within="31d" must lie between 10m and 30d'),
    ("metric='disk.percent' reaches='100' within='1h' above='9'",
     "<threshold> has both above= and reaches=; one of them has to go"),
    ("metric='disk.percent' reaches='100' within='1h' clear='9'",
     "<threshold> has both clear= and reaches=; one of them has to go"),
    ("metric='disk.read_only' reaches='1' within='1h'",
     "reaches= is about numbers that move, and disk.read_only is 0 or 1"),
    ("metric='cpu.percent' off='yes' reaches='9'", 'reaches= means nothing beside off="yes"'),
    ("metric='cpu.percent' above='9' evidence='maybe'", 'evidence="maybe" is not one of yes, no'),
    ("metric='cpu.percent' above='9' remind='4h 1h'", 'remind="4h 1h" does not rise'),
]  # fmt: skip
PEOPLE = [
    ("<contact name='ops' mail='ops@example.org'/>", "somebody is to be told by mail but there is no <mail>"),
    ("<host name='a' notify='mailto:a@example.org'/>", "somebody is to be told by mail but there is no <mail>"),
    ("<host name='a' notify='mailto:a'/>", 'notify="mailto:a" is not a mail address: write just name@example.org'),
    ("<host name='a' notify='none ops'/>",
     'notify="none ops" has "none" among others; "none" stands alone and means nobody'),
    ("<mail server='m' from='A &lt;a@b&gt;'/>", 'from="A <a@b>" is not a mail address: write just name@example.org'),
    ("<mail server='m' from='a@b&#10;Bcc: c@d'/>",
     'from="a@b\\nBcc: c@d" is not a mail address: write just name@example.org'),
    ("<mail server='m' from='a@b' user='u'/>",
     "<mail> has user= but neither password-file= nor password-env="),
    ("<mail server='m' from='a@b' password-env='HOME'/>", "<mail> has a password but no user="),
    ("<mail server='m' from='a@b' user='u' password-env='HOME' security='none'/>",
     'security="none" would send the password in clear text'),
    ("<mail server='m' from='a@b'/><contact name='none' mail='a@b'/>",
     'a contact cannot be called "none", which means nobody in notify='),
    ("<mail server='m' from='a@b'/><contact name='ops' mail='a@b'/><host name='a' notify='+opps'/>",
     'there is no contact "opps"; did you mean "ops"?'),
    ("<thresholds name='base'/><host name='a' thresholds='bsae'/>",
     'there is no threshold set "bsae"; did you mean "base"?'),
    ("<host name='poller'/>", 'no host can be called "poller": the poller keeps its own trouble under that name'),
    ("<host name='a' thresholds='poller'/>",
     'thresholds="poller" names the set of the poller itself, which is no set for hosts'),
    ("<host name='a'><threshold metric='poller.rejected_polls' above='1'/></host>",
     "poller.rejected_polls is a number of the poller itself, no host has it"),
    ("<thresholds name='poller'><threshold metric='cpu.percent' above='1'/></thresholds>",
     '<thresholds name="poller"> is for the poller\'s own numbers, and cpu.percent is one of hosts'),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "own"),
    [
        ("<group name='a'><ssh port='22'/></group>", "<group> itself: <group user=...>"),
        ("<host name='a'><poll interval='5s'/></host>", "<host> itself: <host interval=...>"),
    ],
)
def test_what_a_host_says_by_attributes_of_its_own_is_shown_where_it_belongs(
    tmp_path: Path, body: str, own: str
) -> None:
    (mistake,) = mistakes(tmp_path, f"<poller>\n{body}\n</poller>")
    assert mistake.hint.endswith(f"; its attributes stand on {own}")


@pytest.mark.parametrize(("body", "sentence"), [*STRUCTURE, *VALUES, *RANGES, *PEOPLE])
def test_a_mistake_is_named_with_its_line(tmp_path: Path, body: str, sentence: str) -> None:
    assert seen(mistakes(tmp_path, f"<poller>\n{body}\n</poller>")) == [(2, sentence)]


@pytest.mark.parametrize(("body", "sentence"), DOUBLE)
def test_what_stands_twice_is_named_with_both_lines(tmp_path: Path, body: str, sentence: str) -> None:
    assert seen(mistakes(tmp_path, f"<poller>\n{body}\n</poller>")) == [(3, sentence)]


@pytest.mark.parametrize(("attributes", "sentence"), THRESHOLDS)
def test_a_threshold_that_cannot_work_is_refused(tmp_path: Path, attributes: str, sentence: str) -> None:
    text = f"<poller>\n<thresholds name='base'>\n<threshold {attributes}/></thresholds></poller>"
    assert seen(mistakes(tmp_path, text)) == [(3, sentence)]


def test_all_mistakes_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "<poller x='1'>\n<host name='a' port='x'/>\n<ssh port='y'/>\n<group/>\n</poller>")
    assert [mistake.line for mistake in found] == [1, 2, 3, 4]
    assert str(found[1]) == f'{tmp_path}/config.xml:2: port="x" is not a port: a whole number from 1 to 65535'


def test_an_attribute_of_a_long_tag_is_named_by_its_own_line(tmp_path: Path) -> None:
    text = "<poller>\n<!-- <host\n port='x'/> -->\n<host\n  name='a'\n  port='x'\n  user='b>\nc'/>\n</poller>"
    assert [line for line, _ in seen(mistakes(tmp_path, text))] == [6, 7]


def test_a_mistake_in_a_group_is_told_once_and_not_per_host(tmp_path: Path) -> None:
    text = "<poller>\n<group name='g' port='x'><host name='a[1-9]'/></group></poller>"
    assert len(mistakes(tmp_path, text)) == 1


def test_a_long_value_is_cut_in_the_sentence(tmp_path: Path) -> None:
    ((_, sentence),) = seen(mistakes(tmp_path, f"<poller>\n<ssh port='{'1' * 5000}'/></poller>"))
    assert len(sentence) < 200


def test_more_hosts_than_the_limit_are_refused(tmp_path: Path) -> None:
    body = "\n".join(f"<host name='{letter}[1-4000]'/>" for letter in "abc")
    assert seen(mistakes(tmp_path, f"<poller>\n{body}</poller>")) == [
        (4, "there are more than 10000 hosts from here on")
    ]


@pytest.mark.parametrize("name", ["password", "passphrase"])
def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path, name: str) -> None:
    (found,) = mistakes(tmp_path, f"<poller>\n<ssh {name}='geheim'/></poller>")
    assert found.sentence == f"{name}= would keep a secret in this file"
    assert f"{name}-file=" in found.hint
    assert "geheim" not in found.sentence + found.hint


def test_the_value_of_a_variable_is_not_shown_in_a_mistake(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, "<poller>\n<ssh port='${PORT}'/></poller>", PORT="geheim")
    assert found.sentence == 'port="${PORT}" is not a port: a whole number from 1 to 65535'


def test_groups_without_a_name_are_told_once_each(tmp_path: Path) -> None:
    assert seen(mistakes(tmp_path, "<poller>\n<group/>\n<group/></poller>")) == [
        (2, "<group> needs name="), (3, "<group> needs name="),
    ]  # fmt: skip


def test_two_ways_to_one_secret_are_one_too_many(tmp_path: Path) -> None:
    write(tmp_path, "x", "pass")
    text = "<poller>\n<ssh password-file='pass'\n password-env='HOME'/></poller>"
    assert seen(mistakes(tmp_path, text)) == [
        (3, "<ssh> has both password-file= and password-env=; one of them has to go")
    ]
