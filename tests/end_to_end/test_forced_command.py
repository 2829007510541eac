"""The lines of docs/security.md for authorized_keys, used as they stand there with a real sshd."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from poller.probe.payload import command
from tests.end_to_end.site import ROOT, Site
from tests.end_to_end.sshd import Sshd

LINES = re.findall(
    r"^    (restrict,.*) ssh-ed25519 AAAA… poller$", (ROOT / "docs/security.md").read_text(), re.MULTILINE
)


def forced() -> str:
    (line,) = [line for line in LINES if "command=" in line]
    return str(line)


def allow(sshd: Sshd, options: str, address: str = "127.0.0.1") -> None:
    """The client's key may log in with these options only, from that address."""
    assert 'from="192.0.2.10"' in options
    sshd.authorized_keys.write_text("")
    sshd.authorize(options=options.replace("192.0.2.10", address))


def ssh(sshd: Sshd, *words: str) -> subprocess.CompletedProcess[str]:
    """OpenSSH's own client with the poller's key."""
    options = ("BatchMode=yes", "IdentitiesOnly=yes", f"UserKnownHostsFile={sshd.known_hosts}", "ConnectTimeout=10",
               "ExitOnForwardFailure=yes", "LogLevel=ERROR")  # fmt: skip
    return subprocess.run(
        ["ssh", "-F", "none", "-p", str(sshd.port), "-i", str(sshd.client_key),
         *(word for option in options for word in ("-o", option)), *words],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("options", LINES, ids=["restrict", "command"])
def test_a_host_with_the_documented_line_is_polled(site: Site, options: str) -> None:
    allow(site.sshd, options)
    polled = site.round()
    assert {polled[name]["outcome"] for name in ("web1", "db1", "lab1")} == {"ok"}


def test_the_documented_command_is_the_one_that_the_poller_runs() -> None:
    assert f'command="{command("python3", "no")}"' in forced()
    text = (ROOT / "docs" / "security.md").read_text()
    assert 'command="exec sudo -n python3 -IS -c ' in text
    assert command("python3", "sudo").startswith("exec sudo -n python3 -IS -c ")


def test_with_the_forced_command_the_key_starts_nothing_else(sshd: Sshd, tmp_path: Path) -> None:
    where = f"{sshd.user}@127.0.0.1"
    made = tmp_path / "made"
    assert ssh(sshd, where, f"touch {made}").returncode == 0 and made.exists()
    made.unlink()
    allow(sshd, forced())
    assert ssh(sshd, where, f"touch {made}").returncode != 0
    assert ssh(sshd, "-tt", where, f"touch {made}").returncode != 0
    assert ssh(sshd, "-R", f"{tmp_path / 'back'}:{tmp_path / 'none'}", where, f"touch {made}").returncode != 0
    assert not made.exists()


def test_from_another_address_the_key_is_refused(site: Site) -> None:
    allow(site.sshd, forced(), address="192.0.2.10")
    polled = site.round("--host", "web1", code=1)["web1"]
    assert (polled["stage"], polled["code"]) == ("auth", "denied")
