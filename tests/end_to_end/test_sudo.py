"""become="sudo": where sudo refuses or is not there, the host is polled without it, and left alone for an hour."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.end_to_end.site import Site
from tests.end_to_end.sshd import MakeSshd

REFUSES = "#!/bin/sh\necho >>{called}\necho 'sudo: a password is required' >&2\nexit 1\n"
GRANTS = '#!/bin/sh\necho >>{called}\n[ "$1" = -n ] && shift\nexec "$@"\n'


def site_with(make_sshd: MakeSshd, folder: Path, sudo: str | None) -> Site:
    """A login that finds `python3`, and as sudo that script or nothing."""
    programs = folder / "bin"
    programs.mkdir()
    (programs / "python3").symlink_to(shutil.which("python3", path="/usr/bin:/usr/local/bin") or "/usr/bin/python3")
    if sudo is not None:
        (programs / "sudo").write_text(sudo.format(called=folder / "called"))
        (programs / "sudo").chmod(0o755)
    site = Site(folder, make_sshd(f"SetEnv PATH={programs} HOME={folder}"))
    site.write('<host name="web1" address="127.0.0.1" become="sudo"/>')
    return site


def called(site: Site) -> int:
    file = site.folder / "called"
    return len(file.read_text()) if file.exists() else 0


def test_a_refusal_costs_no_second_login_and_is_remembered_for_an_hour(make_sshd: MakeSshd, tmp_path: Path) -> None:
    site = site_with(make_sshd, tmp_path, REFUSES)
    assert site.round()["web1"]["outcome"] == "ok"
    assert site.sshd.log().count("Starting session") == 2
    assert site.sshd.log().count("Accepted publickey") == 1
    assert site.round()["web1"]["outcome"] == "ok"
    assert called(site) == 1
    assert site.rows("SELECT sudo_denied FROM poll ORDER BY at_ms") == [(1,), (0,)]
    with closing(sqlite3.connect(site.journal)) as journal, journal:
        journal.execute("UPDATE host_memory SET sudo_denied_until_ms = sudo_denied_until_ms - 3600000")
    assert site.round()["web1"]["outcome"] == "ok"
    assert called(site) == 2


@pytest.mark.parametrize(("sudo", "times", "denied"), [(GRANTS, 1, 0), (None, 0, 1)])
def test_sudo_that_works_is_used_and_one_that_is_not_there_is_done_without(
    make_sshd: MakeSshd, tmp_path: Path, sudo: str | None, times: int, denied: int
) -> None:
    site = site_with(make_sshd, tmp_path, sudo)
    polled = site.round()["web1"]
    assert (polled["outcome"], polled["error"]) == ("ok", "")
    assert called(site) == times
    assert site.rows("SELECT sudo_denied FROM poll") == [(denied,)]
