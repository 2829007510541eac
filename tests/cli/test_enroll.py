"""`poller enroll` against a real server, whose account has a home of the test's own."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from poller.errors import ConfigError, UsageError
from poller.ssh.enroll import make_key
from tests.cli.calling import poller
from tests.cli.fleet import complaint, run, run_json, write_config
from tests.end_to_end.sshd import MakeSshd, Sshd, keygen
from tests.ssh.standins import ask


class Account:
    """A server that reads ~/.ssh/authorized_keys of the fixture's home, where an administrator's key is already."""

    def __init__(self, make_sshd: MakeSshd, tmp_path: Path) -> None:
        home = tmp_path / "sshd0" / "home"
        self.authorized_keys = home / ".ssh" / "authorized_keys"
        self.server: Sshd = make_sshd(f"AuthorizedKeysFile {self.authorized_keys}")
        self.admin = keygen(tmp_path / "admin")
        self.authorized_keys.parent.mkdir(0o700)
        self.authorized_keys.touch(0o600)
        self.authorized_keys.write_text(self.admin.with_suffix(".pub").read_text().strip())  # no newline at the end
        self.key = tmp_path / "poller" / "key"
        make_key(self.key)
        self.config = write_config(tmp_path, self.server, {"web1": "127.0.0.1"}, identity_file=self.key)

    def lines(self) -> list[str]:
        return self.authorized_keys.read_text().splitlines()


@pytest.fixture
def account(make_sshd: MakeSshd, tmp_path: Path) -> Account:
    return Account(make_sshd, tmp_path)


def test_the_key_is_made_installed_restricted_and_proven(account: Account) -> None:
    account.key.unlink()
    result = run(
        account.config, "enroll", "web1", "--identity", str(account.admin), "--yes", "--new-key", str(account.key)
    )
    assert result.return_value == 0, result.output
    assert stat.S_IMODE(account.key.stat().st_mode) == 0o600
    public = account.key.with_suffix(".pub").read_text().split()
    assert account.lines()[0] == account.admin.with_suffix(".pub").read_text().strip()
    assert account.lines()[1].startswith(f'restrict,from="127.0.0.1" {public[0]} {public[1]} poller@')
    assert "made, without a passphrase" in result.stdout
    assert "Python 3" in result.stdout
    assert f"with {account.key}" in result.stdout
    host = account.server.host(identity_files=(account.key,))
    assert ask(host).frame == b"report"


def test_enrolling_twice_adds_one_line(account: Account) -> None:
    for _ in range(2):
        assert run(account.config, "enroll", "web1", "--identity", str(account.admin), "--yes").return_value == 0
    assert len(account.lines()) == 2


def test_the_address_for_from_can_be_given(account: Account) -> None:
    words = ("enroll", "web1", "--identity", str(account.admin), "--yes", "--from", "127.0.0.0/8,10.0.0.5")
    assert run(account.config, *words).return_value == 0
    assert 'from="127.0.0.0/8,10.0.0.5"' in account.lines()[1]
    assert "not a list" in complaint(run(account.config, *words[:-1], '*" command="id')).sentence


def test_an_address_that_does_not_fit_is_found_out(account: Account) -> None:
    words = ("enroll", "web1", "--identity", str(account.admin), "--yes", "--from", "10.0.0.5")
    code, document = run_json(account.config, *words)
    assert code == 1
    assert document["hosts"][0]["error"].startswith("auth/denied")


def test_a_line_with_other_options_is_left_alone_and_told(account: Account) -> None:
    run(account.config, "enroll", "web1", "--identity", str(account.admin), "--yes")
    lines = account.lines()
    lines[1] = lines[1].replace("restrict,", "no-pty,")
    account.authorized_keys.write_text("\n".join(lines) + "\n")
    result = run(account.config, "enroll", "web1", "--identity", str(account.admin), "--yes")
    assert (result.return_value, account.lines()) == (0, lines)
    assert "WARN" in result.stdout


@pytest.mark.parametrize("trap", ["link", "folder-link", "writable"])
def test_surprising_files_are_not_followed(account: Account, tmp_path: Path, trap: str) -> None:
    victim = tmp_path / "victim"
    if trap == "folder-link":
        account.authorized_keys.parent.rename(victim)
        account.authorized_keys.parent.symlink_to(victim)
    elif trap == "link":
        account.authorized_keys.rename(victim)
        account.authorized_keys.symlink_to(victim)
    else:
        account.authorized_keys.chmod(0o666)
    before = account.lines()
    code, document = run_json(account.config, "enroll", "web1", "--identity", str(account.admin), "--yes")
    assert (code, account.lines()) == (1, before)
    assert "was not changed" in document["hosts"][0]["error"]


def test_a_host_that_is_not_trusted_is_not_enrolled(account: Account) -> None:
    account.server.known_hosts.write_text("")
    code, document = run_json(account.config, "enroll", "web1", "--identity", str(account.admin), "--yes")
    assert (code, len(account.lines())) == (1, 1)
    assert document["hosts"][0]["error"].startswith("hostkey/unknown")
    assert "poller trust" in document["hosts"][0]["hint"]


def test_without_a_terminal_it_wants_yes(account: Account) -> None:
    assert "--yes" in complaint(run(account.config, "enroll", "web1")).hint


def test_a_missing_key_is_named_with_the_command_that_makes_it(account: Account) -> None:
    account.key.unlink()
    error = complaint(run(account.config, "check-config"))
    assert isinstance(error, ConfigError)
    assert error.mistakes[0].hint == f"`poller enroll --new-key {account.key}` makes one"
    assert run(account.config, "enroll", "--new-key", str(account.key)).return_value == 0
    assert "ok" in run(account.config, "check-config").stdout


def test_all_hosts_can_be_meant(account: Account) -> None:
    assert run(account.config, "enroll", "--all", "--yes", "--identity", str(account.admin)).return_value == 0
    assert isinstance(complaint(run(account.config, "enroll", "--all", "web1")), UsageError)
    assert isinstance(complaint(run(account.config, "enroll")), UsageError)


def test_a_newcomer_gets_from_nothing_to_numbers(account: Account, tmp_path: Path) -> None:
    """The steps of README.md, with a machine where only the administrator's own key works."""
    home = tmp_path / "newcomer"
    (home / ".ssh").mkdir(0o700, parents=True)
    shutil.copy(account.admin, home / ".ssh" / "id_ed25519")
    (home / ".ssh" / "config").write_text(f"Host *\n  User {account.server.user}\n  Port {account.server.port}\n")
    assert poller(home, "init", "--new-key", str(home / ".ssh" / "poller")).code == 0
    config = home / "config.xml"
    assert '<ssh identity-file="~/.ssh/poller"/>' in config.read_text()
    config.write_text(config.read_text().replace("<host name", '<host name="web1" address="127.0.0.1"/><host name', 1))
    for words in ("check-config", "trust --all --yes", "enroll --all --yes", "doctor", "run --strict -q", "status"):
        answer = poller(home, *words.split())
        assert answer.code == 0, f"{words}: {answer.out}{answer.err}"
    states = [line.split()[:2] for line in answer.out.splitlines()[1:3]]
    assert states == [["web1", "ok"], ["me", "ok"]]
    assert len(account.lines()) == 2
