"""What is watched beyond numbers: said at three places, merged to one Watch, every mistake with its line."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from poller.config.mistakes import WrongError
from poller.config.pattern import regular
from poller.model import (
    NEVER,
    CheckCommand,
    Config,
    LogFile,
    LogJournal,
    NetworkAllow,
    Redaction,
    UsbAllow,
    Watch,
)
from tests.config.files import loaded, mistakes, seen


def watches(folder: Path, top: str = "", group: str = "", host: str = "") -> dict[str, Watch]:
    """`inside` is in the group and says `host` itself, `outside` has only what stands at the top."""
    config = loaded(
        folder,
        f"<poller>{top}<group name='g'>{group}<host name='inside'>{host}</host></group><host name='outside'/></poller>",
    )
    return {each.name: each.watch for each in config.hosts}


def test_nothing_is_watched_unless_it_is_said(tmp_path: Path) -> None:
    assert watches(tmp_path) == {"inside": Watch(), "outside": Watch()}


def test_sections_that_are_slow_or_seldom_change_are_read_seldom(tmp_path: Path) -> None:
    watch = Watch()
    assert {name: watch.period(name) for name in ("cpu", "units", "hardware", "kernel", "devices", "logs")} == {
        "cpu": 0, "units": 60, "hardware": 300, "kernel": 0, "devices": 0, "logs": 0,
    }  # fmt: skip


def test_the_nearest_word_about_a_section_wins(tmp_path: Path) -> None:
    found = watches(
        tmp_path,
        top="<collect section='usb hardware' every='1h'/><collect section='traffic' source='ss' seconds='5s'/>",
        group="<collect section='usb' every='never'/><collect section='traffic' every='10m' source='iftop'/>",
        host="<collect section='hardware' every='each'/>",
    )
    inside, outside = found["inside"], found["outside"]
    assert dict(outside.every) == {"usb": 3600, "hardware": 3600}
    assert dict(inside.every) == {"usb": NEVER, "hardware": 0, "traffic": 600}
    assert (outside.traffic, outside.traffic_seconds) == ("ss", 5)
    assert (inside.traffic, inside.traffic_seconds) == ("iftop", 5)


def test_lists_add_up_from_the_outside_in(tmp_path: Path) -> None:
    found = watches(
        tmp_path,
        top="<usb-allow vendor='0951'/><lan network='198.51.100.0/24'/><textfile path='/a'/><redact pattern='x+'/>",
        group="<usb-allow vendor='046D' product='C5*'/><network-allow to='192.0.2.7'/>",
        host="<usb-allow serial='A1' port='1-*'/><lan network='2001:db8::/32'/><textfile path='/a'/>"
             "<redact pattern='y+' put='-'/>",
    )  # fmt: skip
    inside = found["inside"]
    assert inside.usb_allow == (UsbAllow("0951"), UsbAllow("046d", "c5*"), UsbAllow(serial="A1", port="1-*"))
    assert inside.lans == ("198.51.100.0/24", "2001:db8::/32")
    assert inside.textfiles == ("/a",)
    assert inside.redactions == (Redaction("x+"), Redaction("y+", "-"))
    assert inside.network_allow == (NetworkAllow("192.0.2.7/32"),)
    assert found["outside"].usb_allow == (UsbAllow("0951"),)


def test_a_peer_may_be_allowed_by_port_or_protocol_alone(tmp_path: Path) -> None:
    watch = watches(tmp_path, top="<network-allow port='53' proto='udp'/>")["inside"]
    assert watch.network_allow == (NetworkAllow("0.0.0.0/0", 53, "udp"), NetworkAllow("::/0", 53, "udp"))


def test_of_logs_and_checks_with_one_name_the_nearest_wins(tmp_path: Path) -> None:
    found = watches(
        tmp_path,
        top="<log name='auth' path='/var/log/auth.log'/><log name='web' path='/var/log/web/*.log'/>"
            "<check name='disk' command='check_disk -w 10%'/>",
        group="<journal name='auth' unit='ssh.service' identifier='sshd'/>",
        host="<check name='disk' command='/opt/check &quot;two words&quot; 3' timeout='30s'/>"
             "<journal name='all' start='yes'/>",
    )  # fmt: skip
    inside, outside = found["inside"], found["outside"]
    assert outside.logs == (LogFile("auth", "/var/log/auth.log"), LogFile("web", "/var/log/web/*.log"))
    assert inside.logs == (LogFile("web", "/var/log/web/*.log"),)
    assert inside.journals == (LogJournal("auth", "ssh.service", "sshd"), LogJournal("all", start=True))
    assert outside.checks == (CheckCommand("disk", ("check_disk", "-w", "10%"), 10.0),)
    assert inside.checks == (CheckCommand("disk", ("/opt/check", "two words", "3"), 30.0),)


def test_how_processes_are_listed_is_said_attribute_by_attribute(tmp_path: Path) -> None:
    found = watches(tmp_path, top="<processes top='3'/>", host="<processes commands='yes'/>")
    assert (found["inside"].top, found["inside"].commands) == (3, True)
    assert (found["outside"].top, found["outside"].commands) == (3, False)


def test_what_limits_name_without_wildcards_is_asked_for_by_name(tmp_path: Path) -> None:
    lines = """<threshold metric="process.count" name="cron" below="1"/>
      <threshold metric="process.count" name="cron" above="5" severity="high"/>
      <threshold metric="process.count" name="php*" above="50"/>
      <threshold metric="unit.active" unit="ssh.service"/><threshold metric="unit.active" unit="*.mount"/>
      <threshold metric="port.listening" port="22"/><threshold metric="port.listening" port="udp/53"/>
      <threshold metric="disk.percent" mountpoint="/var" above="90"/>"""
    watch = watches(tmp_path, host=lines)["inside"]
    assert (watch.processes, watch.units) == (("cron",), ("ssh.service",))
    assert (watch.ports, watch.udp_ports) == ((22,), (53,))


def test_the_hosts_of_a_range_share_one_watch(tmp_path: Path) -> None:
    hosts = loaded(tmp_path, "<poller><host name='pc[1-9]'><log name='a' path='/a'/></host></poller>").hosts
    assert len({id(host.watch) for host in hosts}) == 1


def test_a_thousand_hosts_that_are_watched_alike_load_quickly(tmp_path: Path) -> None:
    hosts = "".join(f"<host name='h{number}' port='22'/>" for number in range(1000))
    logs = "".join(f"<log name='l{number}' path='/var/log/{number}'/>" for number in range(20))
    start = time.process_time()
    assert len(loaded(tmp_path, f"<poller><group name='g'>{logs}{hosts}</group></poller>").hosts) == 1000
    assert time.process_time() - start < 1.0


# The journal, of which there are two


def journals(folder: Path, text: str) -> Config:
    return loaded(folder, f"<poller>{text}<host name='a'/></poller>")


def test_the_pollers_own_journal_and_that_of_hosts_stand_side_by_side(tmp_path: Path) -> None:
    config = journals(tmp_path, "<journal name='sshd' unit='ssh.service'/><journal path='x.db'/><journal name='all'/>")
    assert config.journal == tmp_path / "x.db"
    assert [each.name for each in config.hosts[0].watch.journals] == ["sshd", "all"]


def test_a_log_source_is_not_taken_for_the_database(tmp_path: Path) -> None:
    assert journals(tmp_path, "<journal name='all'/>").journal == journals(tmp_path, "").journal


# What stands in line 2 -> what is said about it
WRONG = [
    ("<collect section='usb'/>", "<collect> needs at least one of every= source= seconds="),
    ("<collect every='1h'/>", "<collect> needs section="),
    ("<collect section='usbb' every='1h'/>", 'section="usbb" names no section; did you mean "usb"?'),
    ("<collect section='usb zebra' every='1h'/>", 'section="usb zebra" names "zebra", which is no section'),
    ("<collect section='usb' every='often'/>", 'every="often" is neither "each", "never" nor a duration'),
    ("<collect section='usb' every='nevr'/>",
     'every="nevr" is neither "each", "never" nor a duration; did you mean "never"?'),
    ("<collect section='usb' every='0s'/>", 'every="0s" must lie between 1s and 30d'),
    ("<collect section='usb' every='60'/>", 'every="60" is neither "each", "never" nor a duration'),
    ("<collect section='usb' source='ss'/>", "source= is about the section traffic alone"),
    ("<collect section='traffic' source='tcpdump'/>",
     'source="tcpdump" is not one of auto, iftop, sock_diag, ss, counts'),
    ("<collect section='usb' every='1h'/>\n<collect section='cpu usb' every='2h'/>",
     'section "usb" stands twice in <poller>; the first is in line 2'),
    ("<usb-allow/>", "<usb-allow> needs at least one of vendor= product= serial= port="),
    ("<usb-allow vendor='0x0951'/>", 'vendor="0x0951" is not four hex digits'),
    ("<usb-allow product='951'/>", 'product="951" is not four hex digits'),
    ("<usb-allow vendor='Kingston*'/>", 'vendor="Kingston*" is not four hex digits'),
    ("<network-allow/>", "<network-allow> needs at least one of to= port= proto="),
    ("<network-allow to='example.org'/>", 'to="example.org" is neither an address nor a network'),
    ("<network-allow to='192.0.2.7/24'/>",
     'to="192.0.2.7/24" is an address inside a network, not a network; did you mean 192.0.2.0/24?'),
    ("<network-allow to='192.0.2.0/33'/>", 'to="192.0.2.0/33" is neither an address nor a network'),
    ("<network-allow port='ssh'/>", 'port="ssh" is not a port: a whole number from 1 to 65535'),
    ("<network-allow proto='icmp'/>", 'proto="icmp" is not one of tcp, udp'),
    ("<lan/>", "<lan> needs network="),
    ("<log name='a'/>", "<log> needs path="),
    ("<log name='a' path='auth.log'/>", 'path="auth.log" does not begin with /'),
    ("<log name='a' path='/a'/>\n<journal name='a'/>", 'log "a" stands twice in <poller>; the first is in line 2'),
    ("<host name='h'><log name='a' path='/a'/>\n<log name='a' path='/b'/></host>",
     'log "a" stands twice in <host>; the first is in line 2'),
    ("<journal path='a'/>\n<journal bound='1GiB'/>", "<journal> stands twice; the first is in line 2"),
    ("<journal path='a' name='b'/>",
     "<journal> has both path= and name=, which are about different journals"),
    ("<journal bound='1GiB' unit='ssh.service'/>",
     "<journal> has both bound= and unit=, which are about different journals"),
    ("<journal unit='ssh.service'/>", "<journal> needs name="),
    ("<group name='g'><journal path='a'/></group>", "the poller's own <journal> cannot stand inside <group>"),
    ("<host name='h'><journal/></host>", "the poller's own <journal> cannot stand inside <host>"),
    ("<check name='a'/>", "<check> needs command="),
    ("<check name='a' command='b &quot;c'/>", "command= has a quote that is not closed"),
    ("<check name='a' command='b \\'/>", 'command= ends with a "\\"'),
    ("<check name='a' command='./b'/>", "command= names its program by a relative path"),
    ("<check name='a' command='&quot;&quot; b'/>", "command= names no program"),
    ("<check name='a' command='-x'/>", 'command= names a program that begins with "-"'),
    ("<check name='a' command='b' timeout='10m'/>", 'timeout="10m" must lie between 1s and 5m'),
    ("<check name='a' command='b'/>\n<check name='a' command='c'/>",
     'check "a" stands twice in <poller>; the first is in line 2'),
    ("<check name='a' command=''/>", "command= is empty"),
    ("<check name='raid' command='b'/><host name='h'>\n<threshold metric='check.status' check='rai' above='1'/></host>",
     'there is no check "rai"; did you mean "raid"?'),
    ("<journal name='auth'/><host name='h'>\n<threshold metric='log.readable' log='auht'/></host>",
     'there is no log "auht"; did you mean "auth"?'),
    ("<textfile path='x'/>", 'path="x" does not begin with /'),
    ("<redact/>", "<redact> needs pattern="),
    ("<redact pattern='(a'/>",
     'pattern="(a" is no regular expression: missing ), unterminated subpattern at position 0'),
    ("<redact pattern='(a+)+'/>", 'pattern="(a+)+" repeats brackets that hold a repetition or a | themselves'),
    ("<redact pattern='x*'/>", 'pattern="x*" fits where nothing stands: between any two characters'),
    ("<processes/>", "<processes> needs at least one of top= commands="),
    ("<processes top='51'/>", 'top="51" is not a number of processes: a whole number from 1 to 50'),
    ("<host name='h'><threshold metric='port.listening' port='ssh'/></host>", 'port="ssh" is not a port'),
    ("<host name='h'><threshold metric='port.listening' port='70000'/></host>", 'port="70000" is not a port'),
    ("<host name='h'><threshold metric='unit.active' unit='ssh'/></host>",
     'unit="ssh" is not the whole name of a systemd unit'),
    ("<thresholds name='t'><log name='a' path='/a'/></thresholds>", "<log> cannot stand inside <thresholds>"),
]  # fmt: skip


def test_what_is_required_has_no_default_to_fall_back_on(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, "<poller><check name='a' command=''/></poller>")
    assert (found.sentence, found.hint) == ("command= is empty", "")


@pytest.mark.parametrize(("body", "sentence"), WRONG)
def test_a_mistake_has_its_line(tmp_path: Path, body: str, sentence: str) -> None:
    line = 2 + body.count("\n")
    assert (line, sentence) in seen(mistakes(tmp_path, f"<poller>\n{body}</poller>"))


def test_a_command_that_cannot_be_understood_is_not_repeated(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "<poller><check name='a' command='b -p hunter2 \"'/></poller>")
    assert "hunter2" not in str(found)


# Patterns


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+", "(a|aa)+", "(a?b?)+x", "(?:a*)*b", "((ab?)c)*d", "(a+){20}", r"(\w+\s?)*x", "(a{1,3})+", "([)]+)+"],
)
def test_a_pattern_that_could_take_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(WrongError, match="repeats brackets") as caught:
        regular(pattern)
    assert "(a+)+" in caught.value.hint


@pytest.mark.parametrize(
    "pattern",
    [
        r"(password|token)=\S+", r"(\d{1,3}\.){3}\d+", r"(?:[0-9a-f]{2}:)+[0-9a-f]{2}", r"\(a+\)+", "[(a+)]+", "a{2,3}",
        "(?P<name>a+)b+", "(?i)secret: .*", r"[]a+]+(x)+", "{", "a{b}",
    ],
)  # fmt: skip
def test_a_pattern_that_is_harmless_is_taken(pattern: str) -> None:
    assert regular(pattern) == pattern
