"""`poller notify test`: what the user sees and which exit status a script gets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.notify.servers import PASSWORD, Mail, dead_port, mail_server

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
        "contact": "ops", "mail": "ops@example.org", "server": "127.0.0.1", "port": port, "security": "none",
        "user": None, "accepted": True, "code": "", "error": "", "hint": "", "retry": None,
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
    document = json.loads(done.stdout)
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
