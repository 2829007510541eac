"""Logging in at OpenSSH's sshd: what works, and what each refusal is called."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from poller.model import Secret, Stopwatch
from tests.end_to_end.sshd import MakeSshd, Sshd, has_ipv6, keygen
from tests.ssh.standins import ask, fails, outcome


def test_a_login_with_a_known_key_gets_an_answer(sshd: Sshd) -> None:
    stopwatch = Stopwatch()
    answer = ask(sshd.host(), stopwatch=stopwatch)
    assert (answer.frame, answer.kind, answer.sudo_denied) == (b"report", "report", False)
    assert list(stopwatch.seconds) == ["dns", "hostkey", "connect", "handshake", "auth", "session", "probe"]
    assert answer.sent_bytes > 100
    assert answer.received_bytes >= len(answer.frame)


@pytest.mark.parametrize("address", ["127.0.0.2", "localhost", *(["::1"] if has_ipv6() else [])])
def test_every_kind_of_address_works(sshd: Sshd, address: str) -> None:
    sshd.trust(address)
    assert ask(sshd.host(address=address)).frame == b"report"


@pytest.mark.parametrize("type_", ["ed25519", "ecdsa", "rsa"])
def test_every_type_of_key_works(sshd: Sshd, tmp_path: Path, type_: str) -> None:
    key = keygen(tmp_path / "other", type_)
    sshd.authorize(key.with_suffix(".pub"))
    assert ask(sshd.host(identity_files=(key,))).frame == b"report"


def test_a_wrong_key_is_denied_after_exactly_one_attempt(sshd: Sshd, tmp_path: Path) -> None:
    error = fails(sshd.host(identity_files=(keygen(tmp_path / "stranger"),)))
    assert outcome(error) == "auth/denied"
    assert sshd.user in error.detail
    sshd.wait_for_log("Connection closed by authenticating user")
    assert sshd.log().count("Failed publickey") == 1
    assert sshd.log().count("Connection from") == 1


def test_the_second_of_two_keys_is_tried_on_the_same_connection(sshd: Sshd, tmp_path: Path) -> None:
    assert ask(sshd.host(identity_files=(keygen(tmp_path / "stranger"), sshd.client_key))).frame == b"report"
    assert sshd.log().count("Connection from") == 1


def test_an_encrypted_key_opens_with_its_passphrase_file(sshd: Sshd, tmp_path: Path) -> None:
    key = keygen(tmp_path / "locked", passphrase="open sesame")
    sshd.authorize(key.with_suffix(".pub"))
    secret = tmp_path / "passphrase"
    secret.touch(0o600)
    secret.write_text("open sesame\n")
    assert ask(sshd.host(identity_files=(key,), passphrase=Secret("file", str(secret)))).frame == b"report"


@pytest.mark.parametrize(
    ("passphrase", "says"), [("not this one", "does not open"), (None, "is encrypted"), ("", "passphrase")]
)
def test_a_key_that_stays_locked_says_so_and_shows_no_passphrase(
    sshd: Sshd, tmp_path: Path, passphrase: str | None, says: str
) -> None:
    key = keygen(tmp_path / "locked", passphrase="open sesame")
    secret = tmp_path / "passphrase"
    secret.touch(0o600)
    secret.write_text(passphrase or "")
    reference = None if passphrase is None else Secret("file", str(secret))
    error = fails(sshd.host(identity_files=(key,), passphrase=reference))
    assert outcome(error) == "auth/key"
    assert says in error.sentence
    assert "not this one" not in error.sentence


def test_a_key_that_others_can_read_is_not_used(sshd: Sshd, tmp_path: Path) -> None:
    key = keygen(tmp_path / "open")
    key.chmod(0o644)
    error = fails(sshd.host(identity_files=(key,)))
    assert (outcome(error), "0644" in error.detail) == ("auth/key", True)
    assert "Accepted" not in sshd.log()


@pytest.mark.parametrize("content", [None, b"", b"nonsense", b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"])
def test_a_key_file_that_is_none_is_named(sshd: Sshd, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken"
    if content is not None:
        path.touch(0o600)
        path.write_bytes(content)
    error = fails(sshd.host(identity_files=(path,)))
    assert (outcome(error), str(path) in error.detail) == ("auth/key", True)


def test_a_key_that_was_exchanged_on_disk_is_read_again(sshd: Sshd, tmp_path: Path) -> None:
    key = keygen(tmp_path / "key")
    assert outcome(fails(sshd.host(identity_files=(key,)))) == "auth/denied"
    sshd.client_key.replace(key)
    assert ask(sshd.host(identity_files=(key,))).frame == b"report"


def test_a_user_certificate_is_shown(make_sshd: MakeSshd, tmp_path: Path) -> None:
    authority, key = keygen(tmp_path / "authority"), keygen(tmp_path / "certified")
    server = make_sshd(f"TrustedUserCAKeys {authority.with_suffix('.pub')}")
    sign = ["ssh-keygen", "-q", "-s", str(authority), "-I", "poller", "-n", server.user, str(key) + ".pub"]
    assert outcome(fails(server.host(identity_files=(key,)))) == "auth/denied"
    subprocess.run(sign, check=True)
    assert ask(server.host(identity_files=(key,))).frame == b"report"
    assert "Accepted certificate ID" in server.log()


def test_a_certificate_of_another_key_is_passed_over(sshd: Sshd, tmp_path: Path) -> None:
    authority, other = keygen(tmp_path / "authority"), keygen(tmp_path / "other")
    subprocess.run(["ssh-keygen", "-q", "-s", str(authority), "-I", "x", str(other) + ".pub"], check=True)
    beside = sshd.client_key.with_name(sshd.client_key.name + "-cert.pub")
    (tmp_path / "other-cert.pub").replace(beside)
    assert ask(sshd.host()).frame == b"report"


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An ssh-agent with one key; yields that key's public half."""
    # The path of a socket may have 107 characters (unix(7)).
    with tempfile.TemporaryDirectory(prefix="a") as folder:
        monkeypatch.setenv("SSH_AUTH_SOCK", f"{folder}/s")
        process = subprocess.Popen(["ssh-agent", "-D", "-a", f"{folder}/s"], stdout=subprocess.DEVNULL)
        try:
            key = keygen(tmp_path / "held")
            until = time.monotonic() + 20
            while not Path(folder, "s").exists() and time.monotonic() < until:
                time.sleep(0.01)
            subprocess.run(["ssh-add", "-q", str(key)], check=True, stdin=subprocess.DEVNULL, capture_output=True)
            key.unlink()
            yield key.with_suffix(".pub")
        finally:
            process.terminate()
            process.wait(20)


def test_the_agent_is_asked_only_where_config_xml_says_so(sshd: Sshd, agent: Path) -> None:
    sshd.authorize(agent)
    assert ask(sshd.host(identity_files=(agent,), agent=True)).frame == b"report"
    error = fails(sshd.host(identity_files=(agent,)))
    assert (outcome(error), "public key" in error.detail) == ("auth/key", True)


def test_an_agent_that_is_away_is_no_key(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "nowhere"))
    assert outcome(fails(sshd.host(identity_files=(tmp_path / "held.pub",), agent=True))) == "auth/key"


def test_a_host_that_allows_no_keys_says_which_ways_there_are(make_sshd: MakeSshd) -> None:
    server = make_sshd("PubkeyAuthentication no", "PasswordAuthentication yes")
    error = fails(server.host())
    assert (outcome(error), "password" in error.detail) == ("auth/method", True)


def test_a_key_that_is_only_half_of_what_the_host_wants_is_told_apart(make_sshd: MakeSshd) -> None:
    server = make_sshd("AuthenticationMethods publickey,password", "PasswordAuthentication yes")
    error = fails(server.host())
    assert (outcome(error), "also wants password" in error.detail) == ("auth/method", True)


def test_user_and_port_come_from_ssh_config(sshd: Sshd) -> None:
    text = f"Host alias\n HostName 127.0.0.1\n Port {sshd.port}\n User {sshd.user}\n IdentityFile {sshd.client_key}\n"
    sshd.ssh_config.write_text(text)
    host = sshd.host(address="alias", user=None, port=None, identity_files=())
    assert ask(host).frame == b"report"


def test_config_xml_wins_over_ssh_config(sshd: Sshd) -> None:
    sshd.ssh_config.write_text("User nobody\nPort 1\nIdentityFile /nowhere\nUserKnownHostsFile /nowhere\n")
    assert ask(sshd.host()).frame == b"report"


def test_nothing_listens(sshd: Sshd) -> None:
    host = sshd.host()
    sshd.stop()
    assert outcome(fails(host)) == "connect/refused"


def test_a_name_that_does_not_resolve(sshd: Sshd) -> None:
    assert outcome(fails(replace(sshd.host(), address="no-such-host.invalid"))) in ("dns/unknown", "dns/timeout")
