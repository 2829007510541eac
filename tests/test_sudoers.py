"""The sudoers line of docs/security.md allows the poller's frozen command, and nothing more."""

from __future__ import annotations

import fnmatch
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from poller.probe.payload import command

SECURITY = Path(__file__).resolve().parent.parent / "docs" / "security.md"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
PROGRAM = b'import os\nprint("I am", os.geteuid())\n'


def line() -> str:
    found = re.findall(r"^    (monitor ALL=.*)$", SECURITY.read_text(), re.MULTILINE)
    assert len(found) == 1
    return str(found[0])


def asked(*more: str) -> list[str]:
    """What sudo is called with when the poller's command runs, without `exec sudo -n python3`."""
    words = shlex.split(command("python3", "sudo"))
    assert words[:4] == ["exec", "sudo", "-n", "python3"]
    return [*words[4:], *more]


def test_it_matches_the_command_as_sudoers_5_says() -> None:
    """Arguments are joined with blanks and matched as one glob; a backslash quotes."""
    wanted = line().partition("/usr/bin/python3 ")[2]
    glob = re.sub(r"\\(.)", r"\1", wanted)
    assert not set("*?[") & set(glob), "a glob sign would allow more"
    assert fnmatch.fnmatchcase(" ".join(asked()), glob)
    assert not fnmatch.fnmatchcase(" ".join(asked("more")), glob)


def sudo_there() -> None:
    """Skips by name without sudo."""
    if not shutil.which("visudo", path=PATH):
        pytest.skip("sudo is not installed: `make system-packages`")


def test_visudo_accepts_it(tmp_path: Path) -> None:
    sudo_there()
    (tmp_path / "sudoers").write_text(line() + "\n")
    done = subprocess.run(["visudo", "-c", "-f", str(tmp_path / "sudoers")], env={"PATH": PATH}, capture_output=True)
    assert done.returncode == 0, done.stderr


def namespace(tmp_path: Path, script: str) -> subprocess.CompletedProcess[bytes]:
    """Runs the script where the line, for the account `nobody`, is all that /etc/sudoers says. Only root can."""
    sudoers = tmp_path / "sudoers"
    sudoers.write_text(line().replace("monitor", "nobody", 1) + "\n")
    sudoers.chmod(0o440)
    mount = f"mount --bind {shlex.quote(str(sudoers))} /etc/sudoers && exec setpriv --reuid nobody --clear-groups "
    return subprocess.run(
        ["unshare", "--mount", "/bin/sh", "-c", mount + script],
        env={"PATH": PATH}, input=b"%d\n" % len(PROGRAM) + PROGRAM, capture_output=True, timeout=30,
    )  # fmt: skip


def test_with_it_an_ordinary_account_runs_exactly_that_as_root(tmp_path: Path) -> None:
    sudo_there()
    if os.geteuid() or namespace(tmp_path, "true").returncode:
        return  # sudo's own file can only be replaced by root in a mount namespace; the glob is tested above
    frozen = f"/bin/sh -c {shlex.quote(command('python3', 'sudo'))}"
    done = namespace(tmp_path, frozen)
    assert (done.returncode, done.stdout) == (0, b"I am 0\n"), done.stderr
    for other in (asked("more"), ["-c", "print(1)"], [*asked()[:-1], asked()[-1] + ";print(1)"]):
        done = namespace(tmp_path, f"sudo -n python3 {shlex.join(other)}")
        assert done.returncode == 1 and b"password is required" in done.stderr
