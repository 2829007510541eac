"""The ten lines of docs/operations.md set up an archive on a real MariaDB, with accounts that can do no more."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.documented import commands, programs, run
from tests.end_to_end.site import ROOT, Site
from tests.mariadb import MariaDb

PAGE = (ROOT / "docs" / "operations.md").read_text()
HEADING = "MySQL or MariaDB"


def archive_of_the_page(site: Site, server: MariaDb) -> str:
    """The <archive> that the page shows, with this server in its place."""
    (shown,) = re.findall(r"^  (<archive .*/>)$", PAGE, re.MULTILINE)
    shutil.copy(server.ca, site.folder / "db-ca.pem")
    assert "db.example.org" in shown
    return str(shown).replace("db.example.org", f"localhost:{server.port}")


def as_user(server: MariaDb, user: str, password: str, sql: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["mariadb", "--no-defaults", "--protocol=tcp", "--host=localhost", f"--port={server.port}", "--ssl",
         f"--ssl-ca={server.ca}", "--batch", "--skip-column-names", f"--user={user}", "poller", "-e", sql],
        env={"PATH": "/usr/bin:/bin", "MYSQL_PWD": password}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_ten_lines_set_up_an_archive(site: Site, make_mariadb: Callable[..., MariaDb], tmp_path: Path) -> None:
    server = make_mariadb()
    site.write('<host name="web1" address="127.0.0.1"/>')
    site.poller("run")
    site.write('<host name="web1" address="127.0.0.1"/>', more=archive_of_the_page(site, server))
    lines = commands("operations.md", HEADING)
    assert len(lines.splitlines()) == 10
    client = f'exec {shutil.which("mariadb")} --no-defaults --user=root --socket={shlex.quote(str(server.socket))} "$@"'
    said = run(site, lines, programs(tmp_path / "bin", mariadb=client), {})
    assert "schema up to date" in said and "1 ok" in said

    assert server.sql("SELECT host, outcome FROM polls", "poller").split() == ["web1", "ok"]
    for command in ("copy", "verify"):
        assert f"`poller db {command} journal archive`" in PAGE
        site.poller("db", command, "journal", "archive")
    assert server.sql("SELECT count(*) FROM poll", "poller").strip() == "2"
    assert server.sql("SELECT count(*) FROM core_samples", "poller").strip() != "0"
    for name in ("accounts.sql", "db.pass"):
        assert (site.folder / name).stat().st_mode & 0o077 == 0

    accounts = (site.folder / "accounts.sql").read_text()
    writer = (site.folder / "db.pass").read_text().strip()
    (reader,) = re.findall(r"'poller_reader'@'%' IDENTIFIED BY '(\w+)'", accounts)
    assert as_user(server, "poller_reader", reader, "SELECT host FROM hosts").stdout == "web1\n"
    assert "denied" in as_user(server, "poller_reader", reader, "DELETE FROM poll").stderr
    assert "denied" in as_user(server, "poller", writer, "DROP TABLE poll").stderr
    assert "Access denied" in as_user(server, "poller", "wrong", "SELECT 1").stderr
