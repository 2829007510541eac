"""How a host is reached: by SSH or by ping alone, and through which other host."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.files import loaded, mistakes, seen


def parents(folder: Path, body: str) -> dict[str, str]:
    return {host.name: host.parent for host in loaded(folder, f"<poller>{body}</poller>").hosts}


def test_a_host_may_be_reached_by_ping_alone(tmp_path: Path) -> None:
    text = (
        "<poller><host name='a'/><group name='g' via='ping'><host name='b'/><host name='c' via='ssh'/></group></poller>"
    )
    assert [host.via for host in loaded(tmp_path, text).hosts] == ["ssh", "ping", "ssh"]


def test_a_parent_stands_on_a_host_or_its_group_and_the_nearest_wins(tmp_path: Path) -> None:
    body = """<host name="gw1"/><host name="gw2" parent="gw1"/>
      <group name="g" parent="gw2"><host name="a"/><host name="b" parent="gw1"/></group>"""
    assert parents(tmp_path, body) == {"gw1": "", "gw2": "gw1", "a": "gw2", "b": "gw1"}


def test_parents_of_a_range_run_in_step_or_are_one_for_all(tmp_path: Path) -> None:
    body = "<host name='sw[1-2]'/><host name='pc[1-2]' parent='sw[1-2]'/><host name='x[1-2]' parent='sw1'/>"
    assert parents(tmp_path, body) == {"sw1": "", "sw2": "", "pc1": "sw1", "pc2": "sw2", "x1": "sw1", "x2": "sw1"}


def test_a_group_may_name_one_of_its_own_hosts_as_parent(tmp_path: Path) -> None:
    assert parents(tmp_path, "<group name='g' parent='gw'><host name='gw'/><host name='a'/></group>") == {
        "gw": "", "a": "gw",
    }  # fmt: skip


def test_a_parent_may_stand_anywhere_in_the_file(tmp_path: Path) -> None:
    assert parents(tmp_path, "<host name='a' parent='z'/><host name='z'/>")["a"] == "z"


@pytest.mark.parametrize(
    ("body", "line", "sentence"),
    [
        ("<host name='gw1'/>\n<host name='a' parent='gw'/>", 3,
         'parent="gw" is no host of this file; did you mean "gw1"?'),
        ("<host name='a' parent='a'/>", 2, 'host "a" cannot be its own parent'),
        ("<host name='pc[1-3]' parent='pc2'/>", 2, 'host "pc2" cannot be its own parent'),
        ("<host name='a' parent='b'/>\n<host name='b' parent='c'/>\n<host name='c' parent='a'/>", 4,
         "parents go in a circle: a -> b -> c -> a"),
        ("<host name='a' parent='b'/>\n<host name='b' parent='c'/>\n<host name='c' parent='b'/>", 4,
         "parents go in a circle: b -> c -> b"),
        ("<host name='sw[1-2]'/>\n<host name='a[1-3]' parent='sw[1-2]'/>", 3,
         'name="a[1-3]" stands for 3 hosts but parent="sw[1-2]" for 2'),
        ("<host name='pc[1-300]' parent='none[1-300]'/>", 2, 'parent="none1" is no host of this file'),
        ("<host name='a' parent='b c'/>", 2,
         'parent="b c" is not a name: letters, digits, ".", "_" and "-", at most 100, a letter or digit first'),
        ("<host name='a' via='icmp'/>", 2, 'via="icmp" is not one of ssh, ping'),
        ("<host name='a' address='local' via='ping'/>", 2,
         'via="ping" means nothing for address="local": no network is between'),
        ("<poll/><ssh via='ping'/>", 2, "<ssh> has no attribute via="),
    ],
)  # fmt: skip
def test_a_way_that_cannot_be_is_refused_with_its_line(tmp_path: Path, body: str, line: int, sentence: str) -> None:
    assert seen(mistakes(tmp_path, f"<poller>\n{body}</poller>")) == [(line, sentence)]


def test_a_circle_of_thousands_is_found_quickly_and_told_shortly(tmp_path: Path) -> None:
    hosts = "".join(f"<host name='h{number}' parent='h{(number + 1) % 3000}'/>" for number in range(3000))
    ((_, sentence),) = seen(mistakes(tmp_path, f"<poller>{hosts}</poller>"))
    assert sentence.startswith("parents go in a circle: h0 -> h1 -> ") and len(sentence) < 200


def test_a_pinged_host_is_judged_by_what_an_echo_tells(tmp_path: Path) -> None:
    limit = '<threshold metric="ping.loss_percent" above="20"/>'
    hosts = f'<host name="sw1" address="192.0.2.1" via="ping">{limit}</host><host name="web1" address="192.0.2.2"/>'
    config = loaded(tmp_path, f"<poller>{hosts}</poller>")
    assert {one.metric for one in config.hosts[0].thresholds} == {"host.down", "host.security", "ping.loss_percent"}
    assert "disk.percent" in {one.metric for one in config.hosts[1].thresholds}
