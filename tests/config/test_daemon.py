"""What config.xml says about a daemon: its processes and socket, and which hosts it holds or hears from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.files import loaded, mistakes


def test_without_a_word_a_daemon_is_one_process_and_listens_beside_the_journal(tmp_path: Path) -> None:
    config = loaded(tmp_path, "<poller><host name='a'/></poller>")
    assert (config.processes, config.socket) == (1, None)
    assert (config.hosts[0].cold, config.hosts[0].live) == (False, False)


def test_processes_and_socket_are_taken_as_they_stand(tmp_path: Path) -> None:
    config = loaded(tmp_path, "<poller><daemon processes='3' socket='run/poller.socket'/><host name='a'/></poller>")
    assert (config.processes, config.socket) == (3, tmp_path / "run" / "poller.socket")


@pytest.mark.parametrize("attribute", ["cold", "live"])
def test_what_a_daemon_does_with_a_host_is_said_by_the_nearest_place(tmp_path: Path, attribute: str) -> None:
    text = f"""<poller {attribute}="yes"><group name="g" {attribute}="no"><host name="a"/>
      <host name="b" {attribute}="yes"/></group><host name="c"/></poller>"""
    assert [getattr(host, attribute) for host in loaded(tmp_path, text).hosts] == [False, True, True]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("<daemon/>", "<daemon> needs"),
        ("<daemon processes='0'/>", 'processes="0" is not a number of processes'),
        ("<daemon processes='51'/>", 'processes="51" is not a number of processes'),
        ("<daemon processes='2'/><daemon processes='2'/>", "<daemon> stands twice"),
        ("<group name='g' cold='perhaps'/>", 'cold="perhaps" is not one of'),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, body: str, sentence: str) -> None:
    assert any(sentence in str(one) for one in mistakes(tmp_path, f"<poller>\n{body}</poller>"))
