"""The nearest place that says something wins; every merged value knows its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from poller.config.hosts import SHOWN
from poller.model import Hold, Host, PollSettings, Ssh
from tests.config.files import loaded, write

LEVELS = """<poller {top}>
  <ssh {ssh}/>
  <poll {poll}/>
  <group name="g" {group}>
    <host name="inside" {inside}/>
  </group>
  <host name="outside"/>
</poller>"""


def levels(folder: Path, **said: str) -> dict[str, Host]:
    text = LEVELS.format(**{"top": "", "ssh": "", "poll": "", "group": "", "inside": "", **said})
    return {host.name: host for host in loaded(folder, text).hosts}


def test_without_a_word_everything_has_its_default(tmp_path: Path) -> None:
    host = levels(tmp_path)["outside"]
    assert host.ssh == Ssh(ssh_config=tmp_path / ".ssh" / "config") and host.poll == PollSettings()
    assert (host.python, host.become, host.tags, host.notify, host.group) == ("python3", "no", frozenset(), (), "")
    assert host.address == "outside"


@pytest.mark.parametrize(
    ("attribute", "values", "read"),
    [
        ("port", (1, 2, 3), lambda host: host.ssh.port),
        ("user", ("a", "b", "c"), lambda host: host.ssh.user),
        ("proxy-jump", ("a", "b", "none"), lambda host: host.ssh.proxy_jump),
    ],
)
def test_ssh_attributes_win_where_they_are_nearest(tmp_path: Path, attribute: str, values: tuple[object, ...],
                                                   read: object) -> None:  # fmt: skip
    assert callable(read)
    far, near, nearest = (f'{attribute}="{value}"' for value in values)
    assert read(levels(tmp_path, ssh=far)["inside"]) == values[0]
    assert read(levels(tmp_path, ssh=far, group=near)["inside"]) == values[1]
    hosts = levels(tmp_path, ssh=far, group=near, inside=nearest)
    assert [read(hosts[name]) for name in ("inside", "outside")] == [values[2], values[0]]


def test_poll_attributes_win_where_they_are_nearest(tmp_path: Path) -> None:
    hosts = levels(
        tmp_path, poll='interval="5m" down-after="2 polls"', group='deadline="2m"', inside='down-after="10m"'
    )
    assert hosts["inside"].poll == PollSettings(300.0, 120.0, Hold(seconds=600.0))
    assert hosts["outside"].poll == PollSettings(300.0, 30.0, Hold(polls=2))


def test_a_short_interval_shortens_the_default_deadline(tmp_path: Path) -> None:
    assert levels(tmp_path, poll='interval="10s"')["outside"].poll.deadline == 10


def test_the_poller_element_hands_down_too(tmp_path: Path) -> None:
    hosts = levels(tmp_path, top='python="python3.12" become="sudo"', inside='become="no"')
    assert (hosts["inside"].python, hosts["inside"].become) == ("python3.12", "no")
    assert hosts["outside"].become == "sudo"


def test_tags_add_up(tmp_path: Path) -> None:
    assert levels(tmp_path, group='tags="a b"', inside='tags="b c"')["inside"].tags == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", ("ops",)),
        ("net", ("net",)),
        ("+net", ("ops", "net")),
        ("+ops", ("ops",)),
        ("net +mailto:a@example.org", ("net", "mailto:a@example.org")),
        ("none", ()),
    ],
)
def test_notify_overrides_or_adds(tmp_path: Path, said: str, told: tuple[str, ...]) -> None:
    notify = f'notify="{said}"' if said else ""
    text = f"""<poller notify="ops"><mail server="m.example.org" from="p@example.org"/>
      <contact name="ops" mail="ops@example.org"/><contact name="net" mail="net@example.org"/>
      <host name="a" {notify}/></poller>"""
    assert loaded(tmp_path, text).hosts[0].notify == told


def test_a_nearer_secret_wins_whichever_way_it_is_referred_to(tmp_path: Path) -> None:
    write(tmp_path, "x", "pass")
    host = levels(tmp_path, ssh='password-file="pass"', group='password-env="HOME"')["inside"]
    assert host.ssh.password is not None and str(host.ssh.password) == "env:HOME"


def test_an_address_without_a_range_is_for_every_host_of_the_line(tmp_path: Path) -> None:
    hosts = loaded(tmp_path, "<poller><host name='a[1-3]' address='192.0.2.1'/></poller>").hosts
    assert [(host.name, host.address) for host in hosts] == [(f"a{number}", "192.0.2.1") for number in (1, 2, 3)]


@pytest.mark.parametrize("address", ["2001:db8::1", "[2001:db8::1]"])
def test_an_ipv6_address_may_stand_in_brackets(tmp_path: Path, address: str) -> None:
    assert loaded(tmp_path, f"<poller><host name='a' address='{address}'/></poller>").hosts[0].address == "2001:db8::1"


def test_every_value_knows_the_line_that_set_it(tmp_path: Path) -> None:
    path = write(tmp_path, "<poller>\n<ssh user='a'\n port='1'/>\n<group name='g'\n port='2' tags='x'>\n"
                           "<host name='h'\n tags='y' address='b'/></group></poller>")  # fmt: skip
    config = loaded(tmp_path, path.read_bytes())
    origins = config.origins["h"]
    assert tuple(origins) == SHOWN
    said = {name: where.replace(f"{path}:", "") for name, where in origins.items() if where != "default"}
    assert said == {"user": "2", "port": "5", "address": "7", "tags": "5, 7"}


def test_variables_take_their_value_from_the_environment_once(tmp_path: Path) -> None:
    text = "<poller><host name='a' user='x${ONE}y' python='$${ONE}${TWO}'/></poller>"
    host = loaded(tmp_path, text, ONE="1", TWO="${ONE}").hosts[0]
    assert (host.ssh.user, host.python) == ("x1y", "${ONE}${ONE}")


def test_paths_start_at_the_file_and_at_home(tmp_path: Path) -> None:
    text = "<poller><journal path='data/../poller.db'/><ssh known-hosts='known /k ~/k'/><host name='a'/></poller>"
    config = loaded(tmp_path, text, HOME="/home-of-poller")
    assert config.journal == tmp_path / "poller.db"
    assert config.hosts[0].ssh.known_hosts == (tmp_path / "known", Path("/k"), Path("/home-of-poller/k"))


def test_the_journal_stands_in_the_state_folder_by_default(tmp_path: Path) -> None:
    assert loaded(tmp_path, "<poller/>").journal == tmp_path / ".local/state/poller/poller.db"
    assert loaded(tmp_path, "<poller/>", XDG_STATE_HOME="/var/s").journal == Path("/var/s/poller/poller.db")
    assert loaded(tmp_path, "<poller/>", XDG_STATE_HOME="no").journal == tmp_path / ".local/state/poller/poller.db"


def test_the_users_ssh_config_is_used_unless_it_is_switched_off(tmp_path: Path) -> None:
    own = tmp_path / ".ssh" / "config"
    assert loaded(tmp_path, "<poller><host name='a'/></poller>").hosts[0].ssh.ssh_config == own
    assert loaded(tmp_path, "<poller><ssh ssh-config='none'/><host name='a'/></poller>").hosts[0].ssh.ssh_config is None
