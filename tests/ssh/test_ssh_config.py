"""ssh_config(5) as OpenSSH reads it, without running anything."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from poller.errors import HostError
from poller.model import Host, Ssh
from poller.ssh.resolve import Route, resolve
from tests.ssh.standins import outcome


def route(tmp_path: Path, text: str, address: str = "web1.example.org", **ssh: object) -> Route:
    path = tmp_path / "config"
    path.write_text(text)
    return resolve(Host(name="web1", address=address, ssh=Ssh(ssh_config=path, **ssh)))  # type: ignore[arg-type]


CASES = {
    "first value wins": "Host web*\n Port 2201\nHost *\n Port 2202\n User other\n",
    "equals signs and quotes": 'Host=web1.*\n Port=2201\n User = "some one"\n',
    "case of keywords": "HOST web1.example.org\n pOrT 2201\nHost WEB1*\n User nobody\n",
    "negation": "Host * !web1.example.org\n Port 2201\nHost *\n Port 2202\n",
    "question mark": "Host web?.example.org\n Port 2201\n",
    "match host": "Match host web1.example.org,other\n Port 2201\nMatch all\n User x\n",
    "match not host": "Match !host web1.example.org\n Port 2201\n",
    "match user": "User joe\nMatch user joe\n Port 2201\nMatch user ann\n Port 2202\n",
    "match originalhost": "HostName 192.0.2.1\nMatch originalhost web1.*\n Port 2201\nMatch host 192.*\n User joe\n",
    "host name token": "HostName %h.example.net\n",
    "alias": "HostKeyAlias Some-Alias\n",
    "jump": "ProxyJump joe@gate.example.org:2222\n",
    "comments": "# Port 1\n\n  # Host *\nPort 2201 # a comment\n",
    "time-out": "ConnectTimeout 7\n",
    "several known hosts files": "UserKnownHostsFile /tmp/a /tmp/b\nGlobalKnownHostsFile /tmp/c\n",
}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_settings_are_those_of_ssh_itself(tmp_path: Path, text: str) -> None:
    found = route(tmp_path, text)
    command = ["ssh", "-G", "-F", str(tmp_path / "config"), "web1.example.org"]
    said: dict[str, str] = {}
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
        keyword, _, value = line.partition(" ")
        said.setdefault(keyword, value)
    assert (found.hostname, str(found.port), found.user) == (said["hostname"], said["port"], said["user"])
    assert found.key_alias == said.get("hostkeyalias")
    if "known" in text.lower():
        assert " ".join(map(str, found.known_hosts)) == said["userknownhostsfile"]
        assert " ".join(map(str, found.global_known_hosts)) == said["globalknownhostsfile"]
    assert (found.connect_timeout or 0) == float(said["connecttimeout"].replace("none", "0"))
    jumps = ",".join(f"{jump.user}@{jump.hostname}:{jump.port}" for jump in found.jumps)
    assert jumps == said.get("proxyjump", "")


def test_identity_files_add_up_and_expand_tokens(tmp_path: Path) -> None:
    found = route(tmp_path, "User joe\nIdentityFile /keys/%r@%h-%n-%p-100%%\nHost *\n IdentityFile ~/second\n")
    assert found.identity_files == (
        Path("/keys/joe@web1.example.org-web1.example.org-22-100%"),
        Path.home() / "second",
    )


def test_includes_are_read_in_their_place(tmp_path: Path) -> None:
    for name, port in (("a.conf", 2201), ("b.conf", 2202)):
        (tmp_path / name).write_text(f"Port {port}\nHost other\n User nobody\n")
    found = route(tmp_path, f"Host web1.*\n Include {tmp_path}/*.conf\n User joe\n")
    assert (found.port, found.user) == (2201, "joe")
    assert route(tmp_path, f"Host db*\n Include {tmp_path}/*.conf\n").port == 22


def test_a_change_of_an_included_file_counts(tmp_path: Path) -> None:
    part = tmp_path / "part"
    for port in (2201, 22010):
        part.write_text(f"Port {port}\n")
        assert route(tmp_path, f"Include {part}\n").port == port


def test_a_file_that_includes_itself_ends(tmp_path: Path) -> None:
    assert route(tmp_path, f"Include {tmp_path}/config\nPort 2201\n").port == 2201


def test_match_exec_is_refused_and_not_run(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    with pytest.raises(HostError) as caught:
        route(tmp_path, f'Match exec "touch {witness}"\n Port 2201\n')
    assert (outcome(caught.value), witness.exists()) == ("connect/config", False)
    assert route(tmp_path, f'Match host other exec "touch {witness}"\n Port 2201\n').port == 22


@pytest.mark.parametrize(
    "text",
    ["ProxyCommand nc %h %p\n", "Port ssh\n", 'User "joe\n', "ProxyJump a,b,c,d,e\n", "ProxyJump joe@:\n"],
)
def test_what_cannot_be_done_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(HostError) as caught:
        route(tmp_path, text)
    assert outcome(caught.value) == "connect/config"


def test_config_xml_wins(tmp_path: Path) -> None:
    found = route(tmp_path, "Port 1\nUser a\nProxyJump b\nIdentityFile /c\n", user="x", port=2, proxy_jump="none")
    assert (found.user, found.port, found.jumps, found.identity_files) == ("x", 2, (), (Path("/c"),))
    assert route(tmp_path, "ProxyCommand nc\n", proxy_jump="gate").jumps[0].hostname == "gate"


def test_a_password_is_not_given_to_jump_hosts_and_not_shown(tmp_path: Path) -> None:
    from dataclasses import replace

    from poller.model import Secret

    found = route(tmp_path, "ProxyJump gate\n", password=Secret("env", "PASSWORD"))
    assert found.jumps[0].password is None
    assert "hunter2" not in repr(replace(found, typed_password="hunter2"))
