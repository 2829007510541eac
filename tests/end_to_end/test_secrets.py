"""What nobody may see is nowhere: not on the terminal, not with -vv, not in the database, not in a mail."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.site import Site
from tests.end_to_end.sshd import keygen
from tests.end_to_end.test_mails import THRESHOLD
from tests.notify.servers import PASSWORD, USER, Mail, login_with_password, mail_server, make_tls

PASSPHRASE = "correct horse battery staple"


def secret_file(path: Path, text: str) -> Path:
    path.touch(0o600)
    path.write_text(text)
    return path


@pytest.fixture
def guarded(site: Site, tmp_path: Path) -> Iterator[tuple[Site, Mail]]:
    """A site with every secret there is: an encrypted key, and a mail server that wants a password."""
    tls = make_tls(tmp_path)
    key = keygen(tmp_path / "locked", passphrase=PASSPHRASE)
    site.sshd.authorize(key.with_suffix(".pub"))
    secret_file(tmp_path / "key.pass", PASSPHRASE)
    secret_file(tmp_path / "smtp.pass", PASSWORD)
    mail = Mail()
    options: dict[str, Any] = {"tls_context": tls.context, "auth_required": True, "authenticator": login_with_password}
    with mail_server(mail, **options) as port:
        site.write(
            f'<host name="web1" address="127.0.0.1" identity-file="{key}" passphrase-file="{tmp_path}/key.pass"'
            f' thresholds="test" notify="ops"/>',
            more=f'<mail server="127.0.0.1" port="{port}" security="starttls" from="poller@example.org"'
            f' user="{USER}" password-file="{tmp_path}/smtp.pass" ca-file="{tls.ca_file}"/>'
            f'<contact name="ops" mail="ops@example.org"/>{THRESHOLD.format(limit=0)}',
        )
        yield site, mail


def secrets(tmp_path: Path) -> list[bytes]:
    """Every form in which one of them could show: as it is, as SMTP sends it, and each line of the key."""
    plain = f"\0{USER}\0{PASSWORD}".encode()
    key = (tmp_path / "locked").read_bytes().splitlines()[1:-1]
    return [
        PASSPHRASE.encode(),
        PASSWORD.encode(),
        base64.b64encode(PASSWORD.encode()),
        base64.b64encode(plain),
        *key,
    ]


def inert(shown: bytes) -> bool:
    """No control character but newline and tab, in ASCII or in UTF-8's C1."""
    text = shown.decode("utf-8")
    return not any((ord(letter) < 0x20 and letter not in "\n\t") or 0x7F <= ord(letter) < 0xA0 for letter in text)


def test_a_round_with_every_secret_shows_none_however_much_is_asked_for(
    guarded: tuple[Site, Mail], tmp_path: Path
) -> None:
    site, mail = guarded
    (site.sshd.home / ".bashrc").write_text("printf 'hello \\033]0;you\\007 \\033[31mred\\n'\n")
    shown = b""
    for words in (
        ("-vv", "run"),
        ("-vv", "run", "--json"),
        ("-vv", "doctor"),
        ("-vv", "status"),
        ("-vv", "config", "show", "web1"),
        ("-vv", "notify", "test", "--to", "ops"),
        ("-vv", "payload", "web1", "--json"),
        ("-vv", "db", "status"),
        ("-vv", "query", "events"),
    ):
        run = subprocess.run(
            site.command(*words), cwd=site.folder, env=site.environment(), capture_output=True, timeout=60, check=False
        )
        assert run.returncode == 0, run.stderr
        shown += run.stdout + run.stderr
    assert len(mail.messages) == 2
    stored = b"".join(path.read_bytes() for path in site.folder.glob("poller.db*"))
    told = b"".join(bytes(message) for message in mail.messages)
    for secret in secrets(tmp_path):
        assert secret not in shown
        assert secret not in stored
        assert secret not in told
    assert b"hello" in shown, "-vv tells of the noise"
    assert inert(shown)
    assert b"<report " not in shown


@pytest.mark.parametrize("wrong", ["key.pass", "smtp.pass"])
def test_a_secret_that_does_not_fit_is_not_quoted(guarded: tuple[Site, Mail], tmp_path: Path, wrong: str) -> None:
    site, mail = guarded
    (tmp_path / wrong).write_text("Tr0ub4dor&3-of-its-own")
    run = subprocess.run(
        site.command("-vv", "run"),
        cwd=site.folder,
        env=site.environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0
    assert mail.messages == []
    assert b"Tr0ub4dor" not in run.stdout + run.stderr
    assert base64.b64encode(b"Tr0ub4dor&3-of-its-own") not in run.stdout + run.stderr
    assert inert(run.stdout + run.stderr)


@pytest.mark.parametrize("name", ["smtp.pass", "key.pass"])
def test_a_secret_that_others_can_read_is_refused_and_not_quoted(
    guarded: tuple[Site, Mail], tmp_path: Path, name: str
) -> None:
    site, mail = guarded
    (tmp_path / name).chmod(0o644)
    run = site.poller("-vv", "run", code=2)
    assert f"chmod go= {tmp_path / name}" in run.stderr
    assert run.stderr.count("config.xml:") == 1, "one mistake is one complaint"
    assert PASSWORD not in run.stderr and PASSPHRASE not in run.stderr
    assert mail.messages == []
