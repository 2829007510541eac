"""The host's key is verified before anything of the login is sent."""

from __future__ import annotations

import logging
import stat
import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.sshd import MakeSshd, Sshd, keygen
from tests.ssh.standins import ask, fails, outcome


def sent_nothing(sshd: Sshd) -> bool:
    """sshd names the user of every connection that said who it wants to be."""
    sshd.wait_for_log("Connection closed by")
    return "user" not in sshd.log()


def test_an_unknown_host_is_refused_with_its_fingerprint(sshd: Sshd) -> None:
    sshd.known_hosts.write_text("")
    error = fails(sshd.host())
    assert outcome(error) == "hostkey/unknown"
    assert sshd.fingerprint() in error.detail
    assert "poller trust" in error.hint
    assert sent_nothing(sshd)


def test_a_changed_key_shows_both_fingerprints_and_nothing_is_sent(sshd: Sshd, tmp_path: Path) -> None:
    other = keygen(tmp_path / "former").with_suffix(".pub").read_text().split()
    sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {other[0]} {other[1]}\n")
    error = fails(sshd.host())
    assert (outcome(error), error.security) == ("hostkey/changed", True)
    former = subprocess.run(
        ["ssh-keygen", "-lf", str(tmp_path / "former.pub")], check=True, capture_output=True, text=True
    ).stdout.split()[1]
    assert sshd.fingerprint() in error.detail
    assert former in error.detail
    assert sent_nothing(sshd)


def test_a_revoked_key_is_refused_even_when_it_is_known(sshd: Sshd) -> None:
    with sshd.known_hosts.open("a") as file:
        file.write("@revoked " + sshd.known_line(name="*"))
    error = fails(sshd.host())
    assert (outcome(error), error.security) == ("hostkey/revoked", True)
    assert sent_nothing(sshd)


def test_a_host_with_only_another_type_than_known_is_unknown_not_changed(make_sshd: MakeSshd, tmp_path: Path) -> None:
    server = make_sshd(types=("rsa",))
    other = keygen(tmp_path / "other").with_suffix(".pub").read_text().split()
    server.known_hosts.write_text(f"[127.0.0.1]:{server.port} {other[0]} {other[1]}\n")
    error = fails(server.host())
    assert outcome(error) == "hostkey/unknown"
    assert "offers only rsa-sha2" in error.detail


@pytest.mark.parametrize("type_", ["ecdsa", "rsa"])
def test_the_known_type_is_asked_for_though_the_host_has_others(make_sshd: MakeSshd, type_: str) -> None:
    server = make_sshd(types=("ed25519", "ecdsa", "rsa"))
    server.known_hosts.write_text(server.known_line(type_=type_))
    assert ask(server.host()).frame == b"report"


def test_hashed_names_are_found(sshd: Sshd) -> None:
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(sshd.known_hosts)], check=True, capture_output=True)
    assert sshd.known_hosts.read_text().startswith("|1|")
    assert ask(sshd.host()).frame == b"report"


def test_a_key_recorded_without_the_port_counts(sshd: Sshd) -> None:
    sshd.known_hosts.write_text(sshd.known_line(name="127.0.0.*"))
    assert ask(sshd.host()).frame == b"report"


def test_an_alias_is_looked_up_as_it_stands(sshd: Sshd) -> None:
    sshd.known_hosts.write_text(sshd.known_line(name="the-machine"))
    assert outcome(fails(sshd.host())) == "hostkey/unknown"
    sshd.ssh_config.write_text("HostKeyAlias the-machine\n")
    assert ask(sshd.host()).frame == b"report"


def test_known_hosts_comes_from_ssh_config_when_config_xml_is_silent(sshd: Sshd, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    sshd.known_hosts.rename(elsewhere)
    sshd.ssh_config.write_text(f"UserKnownHostsFile /nowhere {elsewhere}\n")
    assert ask(sshd.host(known_hosts=())).frame == b"report"


@pytest.mark.parametrize("mode", [0o666, 0o620])
def test_known_hosts_that_others_can_write_proves_nothing(sshd: Sshd, mode: int) -> None:
    sshd.known_hosts.chmod(mode)
    assert outcome(fails(sshd.host())) == "hostkey/file"


def test_accept_new_writes_the_first_key_down_and_insists_on_it(
    sshd: Sshd, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "new" / "known_hosts"
    host = sshd.host(known_hosts=(path,), host_key_policy="accept-new")
    with caplog.at_level(logging.WARNING):
        assert ask(host).frame == b"report"
    assert sshd.fingerprint() in caplog.text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == sshd.known_line()
    ask(host)
    assert path.read_text() == sshd.known_line()
    other = keygen(tmp_path / "other").with_suffix(".pub").read_text().split()
    path.write_text(f"[127.0.0.1]:{sshd.port} {other[0]} {other[1]}\n")
    assert outcome(fails(host)) == "hostkey/changed"


def test_accept_new_writes_through_no_link(sshd: Sshd, tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "link"
    victim.touch(0o600)
    link.symlink_to(victim)
    assert outcome(fails(sshd.host(known_hosts=(link,), host_key_policy="accept-new"))) == "hostkey/file"
    assert victim.read_text() == ""


def test_strict_host_key_checking_no_does_not_weaken_the_poller(sshd: Sshd) -> None:
    sshd.known_hosts.write_text("")
    sshd.ssh_config.write_text("StrictHostKeyChecking no\n")
    assert outcome(fails(sshd.host())) == "hostkey/unknown"


class Certified:
    """A server with a host certificate; `sign` makes it, before `start`."""

    def __init__(self, make_sshd: MakeSshd, tmp_path: Path, *sign: str) -> None:
        self.authority = keygen(tmp_path / "authority")
        public = tmp_path / "certified.pub"
        keygen(tmp_path / "certified")
        subprocess.run(["ssh-keygen", "-q", "-s", str(self.authority), "-I", "host", *sign, str(public)], check=True)
        self.server = make_sshd(
            f"HostKey {tmp_path / 'certified'}", f"HostCertificate {tmp_path / 'certified-cert.pub'}"
        )
        public_authority = self.authority.with_suffix(".pub").read_text().split()
        self.line = f"@cert-authority 127.0.0.* {public_authority[0]} {public_authority[1]}\n"
        self.server.known_hosts.write_text(self.line)


def test_a_certified_host_needs_no_record_of_its_own(make_sshd: MakeSshd, tmp_path: Path) -> None:
    certified = Certified(make_sshd, tmp_path, "-h", "-n", "127.0.0.1", "-V", "-1m:+1h")
    assert ask(certified.server.host()).frame == b"report"


@pytest.mark.parametrize(
    ("sign", "says"),
    [
        (("-h", "-n", "other.example.org"), "not for 127.0.0.1"),
        (("-h",), "for no host"),
        (("-n", "127.0.0.1"), "a user, not a host"),
        (("-h", "-n", "127.0.0.1", "-V", "20200101:20210101"), "expired"),
    ],
)
def test_a_certificate_that_does_not_fit_is_refused(
    make_sshd: MakeSshd, tmp_path: Path, sign: tuple[str, ...], says: str
) -> None:
    certified = Certified(make_sshd, tmp_path, *sign)
    error = fails(certified.server.host())
    # sshd itself leaves a user certificate out; what is then shown is a plain key that nobody knows.
    assert outcome(error) in ("hostkey/certificate", "hostkey/unknown")
    assert says in error.detail or "user" in says
    assert "user" not in certified.server.log()


def test_a_certificate_of_another_authority_is_refused(make_sshd: MakeSshd, tmp_path: Path) -> None:
    certified = Certified(make_sshd, tmp_path, "-h", "-n", "127.0.0.1")
    other = keygen(tmp_path / "other").with_suffix(".pub").read_text().split()
    certified.server.known_hosts.write_text(f"@cert-authority * {other[0]} {other[1]}\n")
    error = fails(certified.server.host())
    assert (outcome(error), "authority" in error.detail) == ("hostkey/certificate", True)


def test_a_revoked_authority_certifies_nobody(make_sshd: MakeSshd, tmp_path: Path) -> None:
    certified = Certified(make_sshd, tmp_path, "-h", "-n", "127.0.0.1")
    certified.server.known_hosts.write_text(certified.line + certified.line.replace("@cert-authority", "@revoked"))
    assert outcome(fails(certified.server.host())) == "hostkey/revoked"
