"""The examples that are shipped load, and mean what they show."""

from __future__ import annotations

import re
import time
from pathlib import Path

from poller.config import load, template
from poller.model import Config, Hold, Severity
from tests.config.files import ROOT, environ, loaded, write

DESIGN = """\
<poller>
  <journal path="poller.db"/>
  <retention samples="14d" logs="30d" connections="7d" events="2y" polls="90d"/>
  <ssh user="monitor" port="22" identity-file="~/.ssh/id_ed25519" known-hosts="~/.ssh/known_hosts" host-key-policy="strict"/>
  <poll interval="60s" deadline="30s" at-once="200" down-after="3 polls"/>
  <mail server="smtp.example.org" port="587" security="starttls" user="poller" password-file="smtp.pass" from="poller@example.org"/>
  <contact name="ops" mail="ops@example.org"/>
  <contact name="net" mail="net@example.org" severities="medium high"/>
  <thresholds name="server">
    <threshold metric="cpu.percent" above="90" clear="75" for="3m" severity="high"/>
    <threshold metric="disk.percent" mountpoint="/var" above="85" notify="+net"/>
  </thresholds>
  <group name="lab" thresholds="server" user="exam" notify="ops">
    <host name="pc[01-40]" address="10.1.0.[11-50]" tags="floor2"/>
    <host name="gw1" address="10.1.0.1" port="2222" python="/usr/libexec/platform-python" notify="mailto:owner@example.org"/>
  </group>
  <host name="me" address="local"/>
</poller>
"""  # noqa: E501 - as it stands in the design


def secrets(folder: Path) -> None:
    """The files that the examples refer to."""
    (folder / ".ssh").mkdir(exist_ok=True)
    write(folder / ".ssh", "a key", "id_ed25519")
    write(folder, "a password\n", "smtp.pass")
    write(folder, "a password\n", "db.pass")
    write(folder, "json://127.0.0.1:9/\n", "sms.url")
    write(folder, "a key\n", "hook.key")
    write(folder, "a certificate\n", "ca.pem")
    write(folder, "a certificate\n", "db-ca.pem")


def uncommented(folder: Path) -> str:
    """The template with every example in it switched on."""
    secrets(folder)
    return re.sub(r"<!--\s*(<.*?>)\s*-->", r"\1", template(), flags=re.DOTALL)


def design(folder: Path) -> Config:
    secrets(folder)
    return loaded(folder, DESIGN)


def test_the_example_in_the_checkout_is_what_init_writes() -> None:
    assert (ROOT / "config.xml").read_text() == template()


def test_the_template_works_as_it_stands(tmp_path: Path) -> None:
    config = loaded(tmp_path, template())
    assert [(host.name, host.local) for host in config.hosts] == [("me", True)]
    assert config.mail is None


def test_every_example_in_the_template_works_when_it_is_switched_on(tmp_path: Path) -> None:
    config = loaded(tmp_path, uncommented(tmp_path))
    assert len(config.hosts) == 46
    assert config.mail is not None and len(config.contacts) == 4
    assert str(config.archive) == "mysql://poller@db.example.org:3306/poller"


def test_the_example_of_the_design_means_what_it_says(tmp_path: Path) -> None:
    config = design(tmp_path)
    assert len(config.hosts) == 42 and config.at_once == 200
    assert config.journal == tmp_path / "poller.db"
    assert config.retention.events == 2 * 365 * 86400 and config.retention.cores == 2 * 86400
    first, fortieth, gateway, me = (config.hosts[index] for index in (0, 39, 40, 41))
    assert (first.name, first.address, fortieth.name, fortieth.address) == ("pc01", "10.1.0.11", "pc40", "10.1.0.50")
    assert first.tags == {"floor2"} and first.group == "lab" and first.notify == ("ops",)
    assert (first.ssh.user, first.ssh.port, gateway.ssh.port) == ("exam", 22, 2222)
    assert first.ssh.identity_files == (tmp_path / ".ssh" / "id_ed25519",)
    assert (gateway.python, gateway.notify) == ("/usr/libexec/platform-python", ("mailto:owner@example.org",))
    assert me.local and me.ssh.user == "monitor" and me.group == ""
    down, security, cpu, disk = first.thresholds
    assert (cpu.above, cpu.clear, cpu.hold, cpu.severity) == (90, 75, Hold(seconds=180), Severity.HIGH)
    assert (disk.labels, disk.above, disk.notify) == ((("mountpoint", "/var"),), 85, ("ops", "net"))
    assert (down.metric, down.severity, down.hold) == ("host.down", Severity.HIGH, Hold(polls=3))
    assert (security.metric, security.severity, security.hold) == ("host.security", Severity.HIGH, Hold())
    assert cpu.where == f"{tmp_path}/config.xml:10" and down.where == "default"


def test_the_mail_server_of_the_design_is_read(tmp_path: Path) -> None:
    mail = design(tmp_path).mail
    assert mail is not None and mail.password is not None
    assert (mail.server, mail.port, mail.security, mail.user, mail.sender) == (
        "smtp.example.org", 587, "starttls", "poller", "poller@example.org")  # fmt: skip
    assert mail.password.reference == str(tmp_path / "smtp.pass")
    assert mail.password.where == f"{tmp_path}/config.xml:6"


def test_a_thousand_hosts_with_limits_of_their_own_load_quickly(tmp_path: Path) -> None:
    host = '<host name="h{0}" port="22"><threshold metric="cpu.percent" above="9{1}"/></host>\n'
    hosts = "".join(host.format(number, number % 10) for number in range(1000))
    path = write(tmp_path, f"<poller><group name='g' user='u'>{hosts}</group></poller>")
    took = []
    for _ in range(5):
        start = time.process_time()
        assert len(load(path, environ(tmp_path)).hosts) == 1000
        took.append(time.process_time() - start)
    assert min(took) < 0.3
