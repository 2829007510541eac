"""What contrib/ offers does what docs/operations.md says."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from tests.documented import commands, programs
from tests.end_to_end.site import ROOT

SCRIPT = ROOT / "contrib" / "setup.sh"
ACCOUNTS = ("passwd", "group", "shadow", "gshadow", "login.defs", "nsswitch.conf")


def test_the_script_holds_the_lines_of_the_page() -> None:
    assert commands("operations.md", "A service user") in SCRIPT.read_text()


def test_cron_runs_what_the_page_shows() -> None:
    cron = (ROOT / "contrib" / "poller.cron").read_text()
    assert "* * * * *  poller  poller --config /etc/poller/config.xml run -q" in cron


def test_cron_finds_the_program_that_the_unit_runs() -> None:
    """cron's own PATH has /usr/bin and /bin only (crontab(5))."""
    cron = (ROOT / "contrib" / "poller.cron").read_text()
    unit = (ROOT / "contrib" / "poller-run.service").read_text()
    program = next(line.partition("=")[2].split()[0] for line in unit.splitlines() if line.startswith("ExecStart="))
    places = next(line for line in cron.splitlines() if line.startswith("PATH=")).partition("=")[2].split(":")
    assert str(Path(program).parent) in places


def elsewhere(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Runs it as root where /etc and /var/lib are folders of the test, seen by nobody else."""
    (folder / "etc").mkdir()
    (folder / "lib").mkdir()
    for name in ACCOUNTS:
        if (Path("/etc") / name).exists():
            (folder / "etc" / name).write_bytes((Path("/etc") / name).read_bytes())
    mounts = "".join(
        f"mount --bind {shlex.quote(str(folder / name))} {place}\n"
        for name, place in (("etc", "/etc"), ("lib", "/var/lib"))
    )
    environment = {"PATH": programs(folder / "bin") + ":/usr/sbin", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        ["unshare", "--mount", "sh", "-euc", mounts + script],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_script_makes_a_user_whose_configuration_only_root_may_change(tmp_path: Path) -> None:
    if os.geteuid():
        return  # only root makes users; what it runs is compared with the page above
    twice = f"{SCRIPT}\n{SCRIPT}\n"
    seen = "stat -c '%A %U %G %n' /var/lib/poller /etc/poller /etc/poller/config.xml\ngetent passwd poller\n"
    done = elsewhere(tmp_path, f"{twice}{seen}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-4:-1] == [
        "drwx------ poller poller /var/lib/poller",
        "drwxr-x--- root poller /etc/poller",
        "-rw-r----- root poller /etc/poller/config.xml",
    ]
    assert done.stdout.splitlines()[-1].endswith(":/var/lib/poller:/usr/sbin/nologin")
