"""A crossing becomes a mail, once; nothing that is owed is lost."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.end_to_end.site import Site
from tests.end_to_end.test_rounds import meddling
from tests.notify.servers import Mail, dead_port, mail_server, text_of

THRESHOLD = '<thresholds name="test"><threshold metric="uptime.seconds" above="{limit}" severity="low"/></thresholds>'


@pytest.fixture
def inbox() -> Iterator[tuple[Mail, int]]:
    mail = Mail()
    with mail_server(mail) as port:
        yield mail, port


def configure(
    site: Site, port: int, *, limit: str = "0", hosts: str = "", names: tuple[str, ...] = ("web1", "db1")
) -> None:
    """Hosts whose uptime is over the limit on purpose, and who is told."""
    hosts = hosts or "".join(
        f'<host name="{name}" address="127.0.0.1" thresholds="test" notify="ops"/>' for name in names
    )
    site.write(
        hosts,
        more=f'<mail server="127.0.0.1" port="{port}" security="none" from="poller@example.org"/>'
        f'<contact name="ops" mail="ops@example.org"/>{THRESHOLD.format(limit=limit)}',
        deadline="5s",
    )


def test_a_round_is_one_mail_that_lists_everything_and_the_end_is_told_in_the_same_thread(
    site: Site, inbox: tuple[Mail, int]
) -> None:
    mail, port = inbox
    configure(site, port)
    assert "1 mail sent" in site.poller("run").stdout
    site.poller("run")
    assert len(mail.messages) == 1, "an alert that goes on is not told again"
    opened = mail.messages[0]
    assert "uptime.seconds" in text_of(opened)
    assert "web1" in text_of(opened) and "db1" in text_of(opened)
    assert opened["To"] == "ops@example.org"
    configure(site, port, limit="9999d")
    site.poller("run")
    closed = mail.messages[1]
    assert len(mail.messages) == 2
    assert closed["Subject"].startswith("[2 OK]")
    assert closed["References"]
    assert site.rows("SELECT count(*) FROM alert WHERE closed_ms IS NULL") == [(0,)]


def test_a_dead_mail_server_loses_nothing(site: Site, inbox: tuple[Mail, int]) -> None:
    mail, port = inbox
    configure(site, dead_port())
    run = site.poller("run", "-q")
    assert "mail" in run.stderr
    configure(site, dead_port(), limit="9999d")
    site.poller("run", "-q")
    assert mail.messages == []
    configure(site, port, limit="9999d")
    site.poller("run", "-q")
    (told,) = [text_of(message) for message in mail.messages]
    assert "web1" in told and "db1" in told
    assert site.rows("SELECT kind, count(*) FROM notification WHERE state = 'delivered' GROUP BY kind") == [
        ("closed", 2),
        ("opened", 2),
    ]


def test_a_host_is_down_after_three_failed_polls_and_its_return_is_told(site: Site, inbox: tuple[Mail, int]) -> None:
    mail, port = inbox
    gone = f'<host name="web1" address="127.0.0.1" port="{dead_port()}" notify="ops"/>'
    configure(site, port, hosts=gone)
    for _ in range(2):
        site.poller("run", "-q")
    assert mail.messages == []
    site.poller("run", "-q")
    (down,) = mail.messages
    assert down["Subject"].startswith("[HIGH] web1: host.down")
    configure(site, port, hosts='<host name="web1" address="127.0.0.1" notify="ops"/>')
    site.poller("run", "-q")
    assert mail.messages[1]["Subject"].startswith("[OK] web1: host.down")


def test_a_host_that_leaves_the_configuration_ends_its_alerts_with_one_notice(
    site: Site, inbox: tuple[Mail, int]
) -> None:
    mail, port = inbox
    configure(site, port)
    site.poller("run", "-q")
    configure(site, port, names=("db1",))
    site.poller("run", "-q")
    site.poller("run", "-q")
    assert len(mail.messages) == 2
    assert "no longer" in text_of(mail.messages[1]) or "unconfigured" in text_of(mail.messages[1])


def test_a_dry_run_sends_nothing(site: Site, inbox: tuple[Mail, int]) -> None:
    mail, port = inbox
    configure(site, port)
    assert "opened" in site.poller("run", "--dry-run").stdout
    assert mail.messages == []


def test_a_changed_host_key_is_one_high_mail_at_once_and_over_when_somebody_accepted_the_key(
    site: Site, inbox: tuple[Mail, int]
) -> None:
    mail, port = inbox
    configure(site, port, hosts='<host name="web1" address="127.0.0.1" notify="ops"/>')
    site.poller("run", "-q")
    site.sshd.known_hosts.write_text(other_key(site))
    for _ in range(2):
        site.poller("run", "-q")
    (told,) = mail.messages
    assert told["Subject"].startswith("[HIGH] web1: hostkey/changed: the host key is not the one on record; nothing")
    site.poller("trust", "web1", "--yes", code=1)
    site.poller("run", "-q")
    assert site.sshd.log().count("Accepted publickey") == 1, "the one before the key changed"
    assert [str(message["Subject"])[:12] for message in mail.messages[1:]] == ["[HIGH] web1:"], "down, by now"
    site.poller("trust", "web1", "--replace", "--yes")
    site.poller("run", "-q")
    assert str(mail.messages[2]["Subject"]).startswith("[2 OK] web1: ")


def other_key(site: Site) -> str:
    """A line of known_hosts for the site's server with a key that it does not have."""
    key = site.folder / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    kind, blob, *_ = key.with_suffix(".pub").read_text().split()
    return f"[127.0.0.1]:{site.sshd.port} {kind} {blob}\n"


def test_a_report_whose_seal_is_broken_is_one_high_mail(site: Site, inbox: tuple[Mail, int]) -> None:
    mail, port = inbox
    script = meddling(site, "tampered")
    configure(site, port, hosts=f'<host name="web1" address="127.0.0.1" python="{script}" notify="ops"/>')
    for _ in range(2):
        site.poller("run", "-q")
    (told,) = mail.messages
    assert str(told["Subject"]).startswith("[HIGH] web1: envelope/tag: the sealed report is not authentic")
