"""Ansible inventories and ssh_config become lines that load; what is left out is named by its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.config.imports import ansible_ini, ansible_yaml, ssh_config
from poller.config.imports.ansible import hostnames
from poller.config.imports.inventory import Inventory
from poller.config.imports.render import render
from poller.errors import UsageError
from tests.config.files import loaded

INI = """\
# a comment
lone ansible_host=192.0.2.9 ansible_port=2222
mail.example.org:2200

[web]
web[01:10].example.org
db-[a:c]
odd[1:9:3] ansible_user=odd
[db]
db1 ansible_host=2001:db8::1 ansible_password=geheim role=main
db2 ansible_become=true ansible_python_interpreter=auto_silent
web[01:10].example.org
win1 ansible_connection=winrm
[prod:children]
web
db
[prod:vars]
ansible_user=deploy
ansible_ssh_common_args='-o ProxyJump=bastion.example.org'
[all:vars]
ansible_ssh_private_key_file=/etc/poller/key
ansible_python_interpreter={{ python }}
"""
INI_LINES = """\
<host name="lone" address="192.0.2.9" port="2222" identity-file="/etc/poller/key"/>
<host name="mail.example.org" port="2200" identity-file="/etc/poller/key"/>
<group name="web" identity-file="/etc/poller/key" proxy-jump="bastion.example.org">
  <host name="web[01-10].example.org" user="deploy" tags="db prod"/>
  <host name="db-a" user="deploy" tags="prod"/>
  <host name="db-b" user="deploy" tags="prod"/>
  <host name="db-c" user="deploy" tags="prod"/>
  <host name="odd[1,4,7]" user="odd" tags="prod"/>
</group>
<group name="db" user="deploy" identity-file="/etc/poller/key" proxy-jump="bastion.example.org" tags="prod">
  <host name="db1" address="2001:db8::1"/>
  <host name="db2" become="sudo"/>
</group>"""
INI_NOTES = [
    (10, "ansible_password was left out: put the secret into a file of mode 0600 and name that"),
    (10, "the variable role was left out: it means nothing to the poller"),
    (13, "ansible_connection=winrm: the hosts it applies to were left out"),
    (22, "ansible_python_interpreter is a template; it was left out"),
]
YAML = """\
all:
  hosts:
    lone: {ansible_host: 192.0.2.9}
  children:
    web:
      hosts:
        web[01:03]:
        me:
          ansible_connection: local
      vars:
        ansible_user: deploy
        ansible_port: 2222
        numbers: [1, 2]
    prod:
      children:
        web:
"""
YAML_LINES = """\
<host name="lone" address="192.0.2.9"/>
<group name="web" user="deploy" port="2222" tags="prod">
  <host name="web[01-03]"/>
  <host name="me" address="local"/>
</group>"""
YAML_NOTES = [(13, "the variable numbers was left out: it means nothing to the poller")]
SSH = """\
Host web1 web2
  HostName %h.example.org
  Port 2222
Host *.lab !x.lab
  User lab
Host pc1.lab x.lab
  IdentityFile "~/.ssh/lab key"
Host = "jump"
  HostName=2001:db8::7
  ProxyCommand ssh -W %h:%p elsewhere
Match exec "touch owned"
  User evil
Include other
Host *
  User me   # last
  ProxyJump bastion.example.org
"""
SSH_LINES = """\
<host name="web1" address="web1.example.org" user="me" port="2222" proxy-jump="bastion.example.org"/>
<host name="web2" address="web2.example.org" user="me" port="2222" proxy-jump="bastion.example.org"/>
<host name="pc1.lab" user="lab" proxy-jump="bastion.example.org"/>
<host name="x.lab" user="me" proxy-jump="bastion.example.org"/>
<host name="jump" address="2001:db8::7" user="me" proxy-jump="bastion.example.org"/>"""
SSH_NOTES = [
    (7, "IdentityFile ~/.ssh/lab key was left out: it has a space, a %-token or a variable"),
    (10, "ProxyCommand is never run by the poller: use ProxyJump"),
    (11, "Match and what stands below it was left out"),
    (13, "Include other was not read; import that file as well"),
]


def lines(inventory: Inventory) -> str:
    return "\n".join(render(inventory))


def notes(inventory: Inventory) -> list[tuple[int, str]]:
    return [(note.line, note.sentence) for note in inventory.notes]


def test_an_ini_inventory_becomes_groups_and_tags() -> None:
    assert lines(ansible_ini.read(INI)) == INI_LINES


def test_what_an_ini_inventory_says_beyond_that_is_named_by_line() -> None:
    assert notes(ansible_ini.read(INI)) == INI_NOTES


def test_a_yaml_inventory_becomes_groups_and_tags() -> None:
    inventory = ansible_yaml.read(YAML)
    assert lines(inventory) == YAML_LINES
    assert notes(inventory) == YAML_NOTES


def test_an_ssh_config_becomes_hosts_with_the_values_that_openssh_would_use() -> None:
    inventory = ssh_config.read(SSH)
    assert lines(inventory) == SSH_LINES
    assert notes(inventory) == SSH_NOTES


def test_the_lines_load(tmp_path: Path) -> None:
    text = "\n".join((INI_LINES.replace(' identity-file="/etc/poller/key"', ""), SSH_LINES))
    config = loaded(tmp_path, f"<poller>{text}</poller>")
    assert len(config.hosts) == 2 + 10 + 3 + 3 + 2 + 5
    assert len(loaded(tmp_path, f"<poller>{YAML_LINES}</poller>").hosts) == 5


@given(st.text(max_size=20), st.text(max_size=20))
def test_whatever_stands_in_an_inventory_the_lines_are_escaped_and_right(
    tmp_path_factory: pytest.TempPathFactory, name: str, value: str
) -> None:
    folder = tmp_path_factory.mktemp("import")
    for inventory in (
        ansible_ini.read(f"[a]\n{name} ansible_user='{value}' ansible_host={value}\n"),
        ssh_config.read(f"Host {name}\n  User {value}\n  HostName {value}\n"),
    ):
        unique = {host.name: host for host in inventory.hosts}
        text = lines(Inventory(tuple(unique.values()), ()))
        assert len(loaded(folder, f"<poller>{text}</poller>").hosts) >= len(unique)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a", ["a"]),
        ("a[1:3]", ["a[1-3]"]),
        ("a[01:05:2]", ["a[01,03,05]"]),
        ("[a:b]-[1:2]", ["a-[1-2]", "b-[1-2]"]),
        ("a[:3]", ["a[0-3]"]),
    ],
)
def test_ansible_ranges_become_ours(pattern: str, names: list[str]) -> None:
    assert list(hostnames(pattern)) == names


@pytest.mark.parametrize("text", ["- a", "a: [", "hello", "a: &x {children: {a: *x}}", "\x01"])
def test_what_is_no_yaml_inventory_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="the inventory"):
        ansible_yaml.read(text)


def test_groups_that_contain_each_other_do_not_hang() -> None:
    assert lines(ansible_ini.read("[a]\nh\n[a:children]\nb\n[b:children]\na\n")) == (
        '<group name="a" tags="b">\n  <host name="h"/>\n</group>'
    )
