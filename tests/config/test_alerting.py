"""Who is told, how and when: contacts, channels, downtimes, escalation; and every mistake in them with its line."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from poller.model import (
    ChannelSettings,
    Config,
    Contact,
    Downtime,
    Escalation,
    Heartbeat,
    Hours,
    Secret,
    Severity,
)
from tests.config.files import loaded, mistakes, seen, write

BERLIN = ZoneInfo("Europe/Berlin")
MAIL = "<mail server='m.example.org' from='p@example.org'/>"


def config(folder: Path, body: str, **more: str) -> Config:
    return loaded(folder, f"<poller>{MAIL}{body}<host name='a'/></poller>", **more)


# Contacts and channels


def test_a_contact_says_how_when_and_of_what_it_is_told(tmp_path: Path) -> None:
    (boss,) = config(
        tmp_path,
        """<channel name="sms" url-env="SMS"/><group name="lab"/>
           <contact name="boss" mail="boss@example.org" channels="sms mail" severities="high" groups="lab"
                    hours="mon-fri 08:00-18:00; sat 10:00-12:00" zone="Europe/Berlin"/>""",
        SMS="json://127.0.0.1",
    ).contacts
    assert boss == Contact(
        "boss",
        "boss@example.org",
        frozenset({Severity.HIGH}),
        ("sms", "mail"),
        frozenset({"lab"}),
        (Hours(frozenset(range(5)), 480, 1080, "Europe/Berlin"), Hours(frozenset({5}), 600, 720, "Europe/Berlin")),
    )


def test_a_contact_with_channels_needs_no_mail_and_no_mail_server(tmp_path: Path) -> None:
    text = "<channel name='c' command='logger'/><contact name='a' channels='c'/><host name='h' notify='a'/>"
    (contact,) = loaded(tmp_path, f"<poller>{text}</poller>").contacts
    assert (contact.mail, contact.channels) == ("", ("c",))


def test_channels_are_of_three_kinds_and_keep_no_secret(tmp_path: Path) -> None:
    write(tmp_path, "key", "hook.key")
    found = config(
        tmp_path,
        """<channel name="sms" url-env="SMS" quota="20"/>
           <channel name="hook" webhook="https://example.org/alerts" secret-file="hook.key" timeout="10s"/>
           <channel name="chat" webhook-env="SMS"/>
           <channel name="wall" command="logger -t 'two words'"/>""",
        SMS="json://127.0.0.1",
    ).channels
    where = [f"{tmp_path}/config.xml:{line}" for line in (1, 2, 3, 4)]
    assert found == (
        ChannelSettings("sms", "apprise", Secret("env", "SMS", where[0]), quota=20, where=where[0]),
        ChannelSettings("hook", "webhook", address="https://example.org/alerts", timeout=10.0, where=where[1],
                        secret=Secret("file", f"{tmp_path}/hook.key", where[1])),
        ChannelSettings("chat", "webhook", Secret("env", "SMS", where[2]), where=where[2]),
        ChannelSettings("wall", "command", command=("logger", "-t", "two words"), where=where[3]),
    )  # fmt: skip
    assert config(tmp_path, "<channel name='x' command='logger'/>").channel("x") is not None


@pytest.mark.parametrize(
    "address",
    [
        "https://user:geheim@example.org/a",
        "https://geheim@example.org/a",
        "https://hooks.example.org/services/T012345/B012345/geheimABCdef0123456789xy",
        "https://example.org/a?token=geheim",
        "https://example.org/a?x=geheim0123456789ABCDEFGHI",
        "https://example.org/8c1f2a34-0000-4000-8000-geheim123456",
    ],
)
def test_a_secret_in_the_address_of_a_webhook_is_refused_and_not_repeated(tmp_path: Path, address: str) -> None:
    (found,) = mistakes(tmp_path, f"<poller>\n<channel name='a' webhook='{address}'/></poller>")
    assert found.line == 2 and found.sentence.startswith("webhook= holds ")
    assert "webhook-file=" in found.hint and "geheim" not in found.sentence + found.hint


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:8080/alerts", "https://example.org", "https://example.org/notifications-of-the-monitoring/v2"],
)
def test_an_address_without_a_secret_may_stand_in_the_file(tmp_path: Path, address: str) -> None:
    (channel,) = config(tmp_path, f"<channel name='a' webhook='{address}'/>").channels
    assert channel.address == address


def test_mail_and_delivery_and_heartbeat_have_their_settings(tmp_path: Path) -> None:
    text = """<poller><mail server="m" from="p@example.org" quota="200"/><delivery wait="10s" interval="1h"/>
              <heartbeat url="https://example.org/ping/8c1f2a34-0000-4000-8000-0123456789ab" timeout="5s"/></poller>"""
    found = loaded(tmp_path, text)
    assert found.mail is not None and found.mail.quota == 200
    assert (found.group_wait, found.group_interval) == (10.0, 3600.0)
    address = "https://example.org/ping/8c1f2a34-0000-4000-8000-0123456789ab"
    assert found.heartbeat == Heartbeat(address, timeout=5.0)
    bare = loaded(tmp_path, "<poller><heartbeat url-env='BEAT'/></poller>", BEAT="https://example.org")
    assert bare.heartbeat == Heartbeat("", Secret("env", "BEAT", f"{tmp_path}/config.xml:1"))
    assert (bare.group_wait, bare.group_interval, bare.mail) == (30.0, 300.0, None)


# Downtimes


def test_a_downtime_of_every_week_is_kept_as_hours(tmp_path: Path) -> None:
    (found,) = config(
        tmp_path,
        """<downtime name="nightly" hosts="a b*" days="mon-fri" from="22:00" until="04:00" zone="Europe/Berlin"
                     comment="backup"/><host name="b1"/>""",
    ).downtimes
    assert found == Downtime(
        name="nightly",
        hosts=("a", "b*"),
        hours=Hours(frozenset(range(5)), 22 * 60, 4 * 60, "Europe/Berlin"),
        comment="backup",
        where=f"{tmp_path}/config.xml:1",
    )


def test_a_downtime_of_once_is_kept_as_moments(tmp_path: Path) -> None:
    (found,) = config(
        tmp_path,
        """<downtime name="move" groups="g" tags="t" from="2026-12-01 22:00" until="2026-12-02T02:00:30"
             zone="Europe/Berlin"/><group name="g"><host name="b" tags="t"/></group>""",
    ).downtimes
    assert (found.hours, found.groups, found.tags) == (None, ("g",), ("t",))
    assert found.from_ms == datetime(2026, 12, 1, 22, tzinfo=BERLIN).timestamp() * 1000
    assert found.until_ms == datetime(2026, 12, 2, 2, 0, 30, tzinfo=BERLIN).timestamp() * 1000


def test_a_downtime_may_name_a_range_of_hosts(tmp_path: Path) -> None:
    text = """<host name="pc[1-12]"/><downtime name="d" hosts="pc[9-11] a*" from="1:00" until="2:00" zone="UTC"/>"""
    (found,) = config(tmp_path, text).downtimes
    assert found.hosts == ("pc9", "pc10", "pc11", "a*")


def once(folder: Path, begin: str, end: str) -> list[str]:
    text = f"<downtime name='d' from='{begin}' until='{end}' zone='Europe/Berlin'/>"
    (found,) = config(folder, text).downtimes
    moments = (found.from_ms, found.until_ms)
    return [datetime.fromtimestamp(ms / 1000, ZoneInfo("UTC")).strftime("%H:%M") for ms in moments]


def test_a_moment_that_the_clocks_skip_or_show_twice_is_taken(tmp_path: Path) -> None:
    assert once(tmp_path, "2026-03-29 02:30", "2026-03-29 04:00") == ["01:30", "02:00"]
    assert once(tmp_path, "2026-10-25 02:30", "2026-10-25 04:00") == ["00:30", "03:00"]


# Told again, and told to somebody else

LEVELS = """<contact name='ops' mail='o@example.org'/><contact name='boss' mail='b@example.org'/>
  <group name='g' {group}>{in_group}<host name='h' {host} notify='ops'>{in_host}</host></group>"""


def told(folder: Path, top: str = "", **said: str) -> dict[str, tuple[tuple[float, ...], list[str]]]:
    """metric -> when told again, and who too, of host h."""
    body = LEVELS.format(**{"group": "", "in_group": "", "host": "", "in_host": "", **said})
    attributes, _, elements = top.partition(">")
    text = f"<poller {attributes}>{MAIL}{elements}{body}</poller>"
    (host,) = loaded(folder, text).hosts
    assert (host.remind, host.escalations) == (host.thresholds[0].remind, host.thresholds[0].escalations)
    return {
        each.metric: (each.remind, [f"{one.after:g} {' '.join(one.notify)}" for one in each.escalations])
        for each in host.thresholds
    }


def test_nobody_is_told_again_unless_it_is_said(tmp_path: Path) -> None:
    assert set(map(str, told(tmp_path).values())) == {"((), [])"}


def test_the_nearest_reminders_and_escalations_win_each_as_a_whole(tmp_path: Path) -> None:
    top = "remind='1h 4h'><escalate after='30m' notify='boss'/><escalate after='10m' notify='ops'/>"
    assert told(tmp_path, top)["cpu.percent"] == ((3600, 14400), ["600 ops", "1800 boss"])
    in_group = "<escalate after='2h' notify='mailto:x@example.org boss'/>"
    assert told(tmp_path, top, in_group=in_group)["cpu.percent"] == ((3600, 14400), ["7200 mailto:x@example.org boss"])
    in_host = "<threshold metric='cpu.percent' above='9' remind='never'><escalate notify='none'/></threshold>"
    found = told(tmp_path, top, group="remind='6h'", in_host=in_host)
    assert found["cpu.percent"] == ((), [])
    assert found["memory.percent"] == ((21600,), ["600 ops", "1800 boss"])


def test_the_poller_itself_is_told_of_like_everything_else(tmp_path: Path) -> None:
    text = f"<poller remind='1h' notify='ops'>{MAIL}<contact name='ops' mail='o@example.org'/><escalate after='30m' notify='ops'/></poller>"  # noqa: E501
    (first, *_) = loaded(tmp_path, text).thresholds
    assert (first.remind, first.escalations) == ((3600.0,), (Escalation(1800.0, ("ops",)),))


NIGHTLY = "<downtime name='d' from='2:00' until='3:00' zone='UTC'/>"

# What stands in line 2 -> what is said about it
WRONG = [
    ("<contact name='a'/>", "<contact> needs at least one of mail= channels="),
    ("<contact name='a' channels='sms'/>", 'there is no channel "sms"'),
    ("<channel name='sms' command='logger'/><contact name='a' channels='smss'/>",
     'there is no channel "smss"; did you mean "sms"?'),
    ("<contact name='a' channels='mail'/>", 'contact "a" is to be told by mail but has no mail='),
    ("<contact name='a' mail='a@example.org' groups='lba'/><group name='lab'/>",
     'there is no group "lba"; did you mean "lab"?'),
    ("<contact name='a' mail='a@example.org' hours='mon 08:00-09:00'/>", "hours= needs zone=: by whose clock?"),
    ("<contact name='a' mail='a@example.org' zone='UTC'/>", "zone= means nothing without hours="),
    ("<contact name='a' mail='a@example.org' hours='mon 08:00-09:00' zone='Europe/Berln'/>",
     'zone="Europe/Berln" is no time zone; did you mean "Europe/Berlin"?'),
    ("<contact name='a' mail='a@example.org' hours='mon 08:00-09:00' zone='Berlin'/>",
     'zone="Berlin" is no time zone; did you mean "Europe/Berlin"?'),
    ("<contact name='a' mail='a@example.org' hours='mon 08:00-09:00' zone='Europe'/>",
     'zone="Europe" is no time zone; did you mean "Europe/Rome"?'),
    ("<contact name='a' mail='a@example.org' hours='mon 08:00-09:00' zone='/etc/passwd'/>",
     'zone="/etc/passwd" is no time zone'),
    ("<channel name='a'/>",
     "<channel> needs at least one of url-file= url-env= webhook= webhook-file= webhook-env= command="),
    ("<channel command='logger'/>", "<channel> needs name="),
    ("<channel name='mail' command='logger'/>",
     'a channel cannot be called "mail", which means the server of <mail>'),
    ("<channel name='a' command='logger'/>\n<channel name='a' command='logger'/>",
     'channel "a" stands twice; the first is in line 2'),
    ("<channel name='a' command='logger' webhook='https://example.org'/>",
     "<channel> has both webhook= and command=; one of them has to go"),
    ("<channel name='a' command='logger' secret-env='HOME'/>",
     "secret-env= signs what a webhook gets; this channel is none"),
    ("<channel name='a' url-file='nowhere'/>", 'url-file="nowhere" does not exist'),
    ("<channel name='a' url-env='NOWHERE'/>", 'url-env="NOWHERE" names an environment variable that is not set'),
    ("<channel name='a' command='logger' url='mailto://x'/>", "url= would keep a secret in this file"),
    ("<channel name='a' webhook='ftp://example.org'/>", "webhook= is no address of the web"),
    ("<channel name='a' webhook='https://[::1/'/>", "webhook= is no address of the web"),
    ("<channel name='a' webhook='https://example.org:99999/'/>", "webhook= is no address of the web"),
    ("<channel name='a' command='/nowhere/tell'/>", "command= names a program that does not exist"),
    ("<channel name='a' command='/etc/passwd'/>", "command= names a file that may not be executed"),
    ("<channel name='a' command='./tell'/>", "command= names its program by a relative path"),
    ("<channel name='a' command='logger' quota='0'/>",
     'quota="0" is not a number of messages a day: a whole number from 1 to 100000'),
    ("<delivery wait='2h'/>", 'wait="2h" must lie between 0s and 1h'),
    ("<heartbeat/>", "<heartbeat> needs at least one of url= url-file= url-env="),
    ("<heartbeat url='ftp://example.org/'/>", "url= is no address of the web"),
    ("<heartbeat url='https://a:geheim@example.org/'/>", "url= holds a user or a password"),
    ("<heartbeat url='https://example.org/'/>\n<heartbeat url='https://example.org/'/>",
     "<heartbeat> stands twice; the first is in line 2"),
    ("<host name='b' remind='4h 1h'/>", 'remind="4h 1h" does not rise'),
    ("<host name='b' remind='1h 1h'/>", 'remind="1h 1h" does not rise'),
    ("<host name='b' remind='1s'/>", 'remind="1s" must lie between 1m and 30d'),
    ("<host name='b' remind='often'/>", 'remind="often" is not a duration: write 30s, 10m, 2h, 1d, 2w or 1y'),
    ("<escalate after='30m'/>", "<escalate> needs notify="),
    ("<escalate notify='mailto:a@example.org'/>", "<escalate> needs after="),
    ("<escalate after='30m' notify='boss'/>", 'there is no contact "boss"'),
    ("<escalate after='30m' notify='+mailto:a@example.org'/>", "notify= of <escalate> always adds: leave the + out"),
    ("<escalate after='30m' notify='mailto:a@example.org'/>\n<escalate after='1800s' notify='mailto:a@example.org'/>",
     "two <escalate> have the same after=; the first is in line 2"),
    ("<host name='b'><downtime name='d' from='02:00' until='03:00' zone='UTC'/></host>",
     "<downtime> cannot stand inside <host>"),
    ("<downtime name='d' from='02:00' zone='UTC'/>", "<downtime> needs until="),
    ("<downtime name='d' from='02:00' until='03:00'/>", "<downtime> needs zone="),
    (f"{NIGHTLY}\n{NIGHTLY}", 'downtime "d" stands twice; the first is in line 2'),
    ("<downtime name='d' hosts='a x*' from='02:00' until='03:00' zone='UTC'/>", 'hosts="x*" fits no host'),
    ("<downtime name='d' hosts='aa' from='02:00' until='03:00' zone='UTC'/>",
     'hosts="aa" fits no host; did you mean "a"?'),
    ("<downtime name='d' hosts='a pc[01-40]' from='02:00' until='03:00' zone='UTC'/>", 'hosts="pc01" fits no host'),
    ("<downtime name='d' hosts='pc[ab]' from='02:00' until='03:00' zone='UTC'/>",
     'hosts="pc[ab]" has "[ab]", which is not a range'),
    ("<downtime name='d' hosts='a*[1-201]' from='02:00' until='03:00' zone='UTC'/>",
     'hosts="a*[1-201]" stands for more than 200 hosts'),
    ("<downtime name='d' groups='lba' from='02:00' until='03:00' zone='UTC'/><group name='lab'/>",
     'there is no group "lba"; did you mean "lab"?'),
    ("<downtime name='d' tags='x' from='02:00' until='03:00' zone='UTC'/>", 'there is no tag "x"'),
    ("<downtime name='d' days='mon-fir' from='02:00' until='03:00' zone='UTC'/>",
     'days="mon-fir" has "fir", which is no day; did you mean "fri"?'),
    ("<downtime name='d' from='02:00' until='02:00' zone='UTC'/>",
     'downtime "d" begins and ends at the same time'),
    ("<downtime name='d' from='24:00' until='02:00' zone='UTC'/>", 'downtime "d" begins at 24:00'),
    ("<downtime name='d' from='25:00' until='02:00' zone='UTC'/>",
     'downtime "d" has "25:00", which is no time of day'),
    ("<downtime name='d' from='tomorrow' until='02:00' zone='UTC'/>",
     'from="tomorrow" is neither a time of day nor a moment'),
    ("<downtime name='d' from='2026-02-30 10:00' until='2026-03-01 10:00' zone='UTC'/>",
     'from="2026-02-30 10:00" is no day of the calendar, or no time of day'),
    ("<downtime name='d' from='0001-01-01 00:00' until='2026-03-01 10:00' zone='UTC'/>",
     'from="0001-01-01 00:00" is no day of the calendar, or no time of day'),
    ("<downtime name='d' from='2026-12-02 02:00' until='2026-12-01 22:00' zone='UTC'/>",
     'until="2026-12-01 22:00" is not after from="2026-12-02 02:00"'),
    ("<downtime name='d' from='02:00' until='2026-12-01 22:00' zone='UTC'/>",
     "from= and until= are of two kinds, a time of day and a moment"),
    ("<downtime name='d' days='mon' from='2026-12-01 02:00' until='2026-12-01 22:00' zone='UTC'/>",
     "days= means nothing where from= and until= are dates"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "sentence"), WRONG)
def test_a_mistake_has_its_line(tmp_path: Path, body: str, sentence: str) -> None:
    line = 2 + body.count("\n")
    found = seen(
        mistakes(tmp_path, f"<poller>\n{body}\n<mail server='m' from='p@example.org'/><host name='a'/></poller>")
    )
    assert found == [(line, sentence)]


def test_a_channel_mail_without_a_mail_server_is_a_mistake(tmp_path: Path) -> None:
    text = "<channel name='c' command='logger'/>\n<contact name='a' mail='a@example.org' channels='c mail'/>"
    assert seen(mistakes(tmp_path, f"<poller>\n{text}</poller>")) == [
        (3, "somebody is to be told by mail but there is no <mail>")
    ]


def test_a_secret_of_a_channel_must_be_as_private_as_any(tmp_path: Path) -> None:
    write(tmp_path, "json://127.0.0.1", "sms.url").chmod(0o644)
    ((line, sentence),) = seen(mistakes(tmp_path, "<poller>\n<channel name='c' url-file='sms.url'/></poller>"))
    assert (line, sentence) == (2, 'url-file="sms.url" may be read or changed by others')
