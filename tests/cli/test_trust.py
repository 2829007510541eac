"""`poller trust` against real servers."""

from __future__ import annotations

import subprocess
from pathlib import Path

from poller.errors import UsageError
from tests.cli.fleet import complaint, run, run_json, statuses, write_config
from tests.end_to_end.sshd import MakeSshd, Sshd, fingerprint, keygen
from tests.ssh.standins import ask


def test_new_keys_are_shown_and_written_with_yes(make_sshd: MakeSshd, tmp_path: Path) -> None:
    server = make_sshd(types=("ed25519", "ecdsa", "rsa"))
    server.known_hosts.write_text("")
    config = write_config(tmp_path, server, {"web1": "127.0.0.1"})
    result = run(config, "trust", "web1", "--yes")
    assert result.return_value == 0
    for type_ in ("ed25519", "ecdsa", "rsa"):
        assert server.fingerprint(type_) in result.stdout
    assert str(server.known_hosts) in result.stdout
    assert server.known_hosts.read_text() == "".join(server.known_line(type_=t) for t in ("ed25519", "ecdsa", "rsa"))
    assert ask(server.host()).frame == b"report"
    assert "user" not in server.log().replace(f"for {server.user}", "").split("Accepted")[0]


def test_trusting_again_changes_nothing(sshd: Sshd, tmp_path: Path) -> None:
    config = write_config(tmp_path, sshd, {"web1": "127.0.0.1"})
    before = sshd.known_hosts.read_text()
    code, document = run_json(config, "trust", "web1", "--yes")
    assert (code, statuses(document)) == (0, {"web1": "known"})
    assert sshd.known_hosts.read_text() == before


def test_without_a_terminal_nothing_is_accepted_unseen(sshd: Sshd, tmp_path: Path) -> None:
    sshd.known_hosts.write_text("")
    config = write_config(tmp_path, sshd, {"web1": "127.0.0.1"})
    assert "--yes" in complaint(run(config, "trust", "web1")).hint
    code, document = run_json(config, "trust", "web1")
    assert (code, statuses(document)) == (1, {"web1": "new"})
    assert sshd.known_hosts.read_text() == ""


def test_a_changed_key_needs_replace(sshd: Sshd, tmp_path: Path) -> None:
    other = keygen(tmp_path / "former").with_suffix(".pub").read_text().split()
    line = f"other.example.org,[127.0.0.1]:{sshd.port} {other[0]} {other[1]}\n"
    sshd.known_hosts.write_text(line)
    config = write_config(tmp_path, sshd, {"web1": "127.0.0.1"})
    result = run(config, "trust", "web1", "--yes")
    assert result.return_value == 1
    assert sshd.fingerprint() in result.output
    assert fingerprint(tmp_path / "former.pub") in result.output
    assert sshd.known_hosts.read_text() == line
    assert run(config, "trust", "web1", "--yes", "--replace").return_value == 0
    assert sshd.known_hosts.read_text() == line.split(",")[0] + " " + line.split(" ", 1)[1] + sshd.known_line()
    assert ask(sshd.host()).frame == b"report"


def test_replacing_takes_hashed_lines_out_and_leaves_the_rest(sshd: Sshd, tmp_path: Path) -> None:
    other = keygen(tmp_path / "former").with_suffix(".pub").read_text().split()
    sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {other[0]} {other[1]}\nexample.org {other[0]} {other[1]}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(sshd.known_hosts)], check=True, capture_output=True)
    kept = "# a comment\n" + sshd.known_hosts.read_text().splitlines()[1] + "\n"
    sshd.known_hosts.write_text("# a comment\n" + sshd.known_hosts.read_text())
    config = write_config(tmp_path, sshd, {"web1": "127.0.0.1"})
    assert run(config, "trust", "web1", "--yes", "--replace").return_value == 0
    assert sshd.known_hosts.read_text() == kept + sshd.known_line()


def test_two_hosts_with_one_key_are_warned_about(sshd: Sshd, tmp_path: Path) -> None:
    sshd.known_hosts.write_text("")
    config = write_config(tmp_path, sshd, {"web1": "127.0.0.1", "web2": "127.0.0.2"})
    code, document = run_json(config, "trust", "--all", "--yes")
    assert (code, statuses(document)) == (0, {"web1": "accepted", "web2": "accepted"})
    assert len(document["warnings"]) == 1
    assert "web1, web2" in document["warnings"][0]


def test_globs_choose_hosts_and_a_host_that_is_away_does_not_hold_up_the_others(sshd: Sshd, tmp_path: Path) -> None:
    sshd.known_hosts.write_text("")
    config = write_config(tmp_path, sshd, {"web1": "127.0.0.1", "web2": "no-such-host.invalid", "db1": "127.0.0.2"})
    code, document = run_json(config, "trust", "web*", "--yes")
    assert (code, statuses(document)) == (1, {"web1": "accepted", "web2": "failed"})


def test_a_host_behind_a_jump_host_is_fetched_through_it(make_sshd: MakeSshd, tmp_path: Path) -> None:
    jump, server = make_sshd(), make_sshd()
    server.known_hosts.write_text(jump.known_line())
    jump.authorize(server.client_key.with_suffix(".pub"))
    config = write_config(tmp_path, server, {"inner": "127.0.0.1"}, proxy_jump=f"{jump.user}@127.0.0.1:{jump.port}")
    code, document = run_json(config, "trust", "inner", "--yes")
    assert (code, statuses(document)) == (0, {"inner": "accepted"})
    assert server.known_hosts.read_text() == jump.known_line() + server.known_line()


def test_a_file_that_is_a_link_is_not_written(sshd: Sshd, tmp_path: Path) -> None:
    link = tmp_path / "link"
    (tmp_path / "victim").touch(0o600)
    link.symlink_to(tmp_path / "victim")
    config = write_config(tmp_path, sshd, {"web1": "127.0.0.1"}, known_hosts=link)
    assert "cannot be written" in complaint(run(config, "trust", "web1", "--yes")).sentence
    assert (tmp_path / "victim").read_text() == ""


def test_saying_neither_hosts_nor_all_is_a_usage_error(sshd: Sshd, tmp_path: Path) -> None:
    config = write_config(tmp_path, sshd, {"web1": "127.0.0.1"})
    assert isinstance(complaint(run(config, "trust")), UsageError)


def test_a_configuration_without_ssh_hosts_needs_nothing(sshd: Sshd, tmp_path: Path) -> None:
    """So that `poller init && poller trust --all && poller run` works as it stands."""
    config = write_config(tmp_path, sshd, {"me": "local"})
    result = run(config, "trust", "--all")
    assert (result.return_value, "nothing to do" in result.stdout) == (0, True)


def test_without_a_terminal_all_fingerprints_are_shown_before_it_refuses(make_sshd: MakeSshd, tmp_path: Path) -> None:
    server = make_sshd()
    server.known_hosts.write_text("")
    config = write_config(tmp_path, server, {"web1": "127.0.0.1", "web2": "127.0.0.2"})
    result = run(config, "trust", "--all")
    assert isinstance(complaint(result), UsageError)
    assert result.stdout.count(server.fingerprint()) == 2
    assert server.known_hosts.read_text() == ""


def test_a_host_with_a_certificate_of_a_trusted_authority_needs_no_record(make_sshd: MakeSshd, tmp_path: Path) -> None:
    key, authority = keygen(tmp_path / "certified"), keygen(tmp_path / "authority")
    words = ["ssh-keygen", "-q", "-s", str(authority), "-I", "test", "-h", "-n", "127.0.0.1", f"{key}.pub"]
    subprocess.run(words, check=True, capture_output=True)
    server, plain = make_sshd(f"HostKey {key}", f"HostCertificate {key}-cert.pub"), make_sshd()
    line = f"@cert-authority * {authority.with_suffix('.pub').read_text()}"
    server.known_hosts.write_text(line)
    config = write_config(tmp_path, server, {"web1": "127.0.0.1"})
    code, document = run_json(config, "trust", "web1")
    assert (code, statuses(document)) == (0, {"web1": "certified"})
    assert server.known_hosts.read_text() == line
    # One that shows no certificate is not covered by the line: its plain key must be trusted as everywhere.
    plain.known_hosts.write_text(line)
    config = write_config(tmp_path, plain, {"db1": "127.0.0.1"})
    code, document = run_json(config, "trust", "db1", "--yes")
    assert (code, statuses(document)) == (0, {"db1": "accepted"})
    assert ask(plain.host()).frame == b"report"
