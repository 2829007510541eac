"""`poller notify test`: what the user sees and which exit status a script gets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.notify.servers import PASSWORD, Mail, dead_port, mail_server
from tests.notify.web import Site, answering, web_server

MAIL = '<mail server="127.0.0.1" port="{port}" security="{security}" from="poller@example.org" timeout="5s"{more}/>'


def configuration(folder: Path, mail: str) -> Path:
    path = folder / "config.xml"
    contact = '<contact name="ops" mail="ops@example.org"/>'
    path.write_text(f'<poller>{mail}{contact}<host name="me" address="local"/></poller>')
    path.chmod(0o600)
    return path


def notify(folder: Path, mail: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = configuration(folder, mail)
    words = [sys.executable, "-m", "poller", "--config", str(path), "notify", "test", *arguments]
    return subprocess.run(words, env={"HOME": str(folder)}, capture_output=True, text=True, timeout=60)


def server(port: int, security: str = "none", more: str = "") -> str:
    return MAIL.format(port=port, security=security, more=more)


@pytest.mark.parametrize(
    ("recipient", "address"), [("ops", "ops@example.org"), ("mailto:me@example.org", "me@example.org")]
)
def test_a_test_mail_is_accepted(tmp_path: Path, recipient: str, address: str) -> None:
    handler = Mail()
    with mail_server(handler) as port:
        done = notify(tmp_path, server(port), "--to", recipient)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"mail server 127.0.0.1:{port} (not encrypted)" in done.stdout
    assert f"accepted a test message for {address}" in done.stdout
    assert handler.messages[0]["To"] == address


def test_as_json(tmp_path: Path) -> None:
    with mail_server(Mail()) as port:
        done = notify(tmp_path, server(port), "--to", "ops", "--json")
    assert json.loads(done.stdout) == {
        "contact": "ops", "mail": "ops@example.org", "accepted": True, "channels": [{
            "channel": "mail", "kind": "mail", "server": "127.0.0.1", "port": port, "security": "none", "user": None,
            "accepted": True, "code": "", "error": "", "hint": "", "retry": None,
        }],
    }  # fmt: skip


def test_a_dead_server_exits_1_with_a_sentence_and_a_hint(tmp_path: Path) -> None:
    done = notify(tmp_path, server(dead_port()), "--to", "ops")
    assert done.returncode == 1
    assert "does not listen there" in done.stderr
    assert "check server= and port=" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_refusal_as_json_exits_1(tmp_path: Path) -> None:
    with mail_server(Mail(answers={"RCPT": lambda address: "550 no such user"})) as port:
        done = notify(tmp_path, server(port), "--to", "ops", "--json")
    (document,) = json.loads(done.stdout)["channels"]
    assert (done.returncode, document["accepted"], document["code"], document["retry"]) == (1, False, "rejected", False)


def test_without_starttls_no_password_leaves(tmp_path: Path) -> None:
    secret = tmp_path / "smtp.pass"
    secret.touch(mode=0o600)
    secret.write_text(PASSWORD)
    handler = Mail()
    with mail_server(handler) as port:
        done = notify(tmp_path, server(port, "starttls", ' user="poller" password-file="smtp.pass"'), "--to", "ops")
    assert done.returncode == 1
    assert "STARTTLS" in done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    assert handler.messages == []


def test_an_unknown_contact_exits_2_and_is_told_what_was_meant(tmp_path: Path) -> None:
    done = notify(tmp_path, server(25), "--to", "opps")
    assert done.returncode == 2
    assert "there is no contact 'opps'" in done.stderr
    assert "did you mean ops?" in done.stderr


def test_no_mail_server_exits_2(tmp_path: Path) -> None:
    done = notify(tmp_path, "", "--to", "ops")
    assert done.returncode == 2
    assert "there is no <mail>" in done.stderr


TOKEN = "t0ken-in-an-address"


def everything(folder: Path, site: Site, command: str) -> str:
    """Three channels of three kinds, and a contact that has them all."""
    for name, text in {"sms.url": f"json://{TOKEN}@127.0.0.1:{site.port}/sms", "hook.key": "k3y"}.items():
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(text)
    return (
        '<channel name="sms" url-file="sms.url" quota="20"/>'
        f'<channel name="hook" webhook="{site.url(f"/{TOKEN}")}" secret-file="hook.key"/>'
        f'<channel name="wall" command="{command}"/>'
        '<contact name="net" channels="sms hook wall" severities="high"/>'
    )


def test_every_channel_of_a_contact_is_tried(tmp_path: Path) -> None:
    with web_server(Site()) as site:
        done = notify(tmp_path, server(25) + everything(tmp_path, site, "/bin/true"), "--to", "net")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("accepted a test message for net") == 3
    assert f"apprise file:{tmp_path}/sms.url" in done.stdout
    assert "webhook to 127.0.0.1, signed" in done.stdout and "command /bin/true" in done.stdout
    assert TOKEN not in done.stdout
    assert [request.path for request in site.requests] == ["/sms", f"/{TOKEN}"]


def test_one_channel_that_fails_exits_1_and_the_others_are_tried_all_the_same(tmp_path: Path) -> None:
    with web_server(answering(404)) as site:
        done = notify(tmp_path, server(25) + everything(tmp_path, site, "/bin/true"), "--to", "net", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["accepted"]) == (1, False)
    assert [(one["channel"], one["kind"], one["accepted"]) for one in document["channels"]] == [
        ("sms", "apprise", False), ("hook", "webhook", False), ("wall", "command", True)
    ]  # fmt: skip
    assert TOKEN not in done.stdout + done.stderr


def test_one_channel_by_its_name_for_a_contact_that_has_another(tmp_path: Path) -> None:
    with web_server(Site()) as site:
        done = notify(
            tmp_path, server(25) + everything(tmp_path, site, "/bin/false"), "--to", "ops", "--channel", "wall"
        )
        assert done.returncode == 1 and "command wall ended with status 1" in done.stderr
        assert site.requests == []
        done = notify(
            tmp_path, server(25) + everything(tmp_path, site, "/bin/false"), "--to", "ops", "--channel", "wal"
        )
        assert done.returncode == 2 and "did you mean wall?" in done.stderr


def test_the_list_shows_who_is_told_by_which_way(tmp_path: Path) -> None:
    with web_server(Site()) as site:
        path = configuration(tmp_path, server(25) + everything(tmp_path, site, "/bin/true"))
    words = [sys.executable, "-m", "poller", "--config", str(path), "notify", "list"]
    done = subprocess.run(words, env={"HOME": str(tmp_path)}, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == [
        "contact net: by sms, hook, wall; only high",
        "contact ops: by mail; ops@example.org",
        "channel mail: mail server 127.0.0.1:25 (not encrypted); 0 today",
        f"channel sms: apprise file:{tmp_path}/sms.url; 0 of 20 today",
        "channel hook: webhook to 127.0.0.1, signed; 0 today",
        "channel wall: command /bin/true; 0 today",
    ]
    done = subprocess.run([*words, "--json"], env={"HOME": str(tmp_path)}, capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout)["channels"][1] == {
        "channel": "sms", "kind": "apprise", "quota": 20, "sent_today": 0
    }  # fmt: skip
