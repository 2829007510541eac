"""A configured poller of its own: config.xml in a folder, hosts on a test's sshd, the command line as users run it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.sshd import Sshd

ROOT = Path(__file__).resolve().parents[2]


class Site:
    """`write()` makes config.xml; `poller()` runs a command; `rows()` asks the database."""

    def __init__(self, folder: Path, sshd: Sshd) -> None:
        self.folder = folder
        self.sshd = sshd
        self.config = folder / "config.xml"
        self.journal = folder / "poller.db"

    def write(self, hosts: str, *, more: str = "", deadline: str = "10s") -> None:
        """`hosts` are <host> or <group> elements; `more` stands before them."""
        self.config.write_text(f"""<poller>
  <journal path="poller.db"/>
  <ssh user="{self.sshd.user}" port="{self.sshd.port}" identity-file="{self.sshd.client_key}"
       known-hosts="{self.sshd.known_hosts}" ssh-config="{self.sshd.ssh_config}"/>
  <poll deadline="{deadline}"/>
  {more}
  {hosts}
</poller>
""")
        self.config.chmod(0o600)

    def environment(self) -> dict[str, str]:
        """Nothing of the developer's but what finds programs."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "poller", "--config", str(self.config), *words]

    def poller(self, *words: str, code: int = 0, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Runs `poller WORDS`; fails with what it said when it exits otherwise than `code`, or shows a traceback."""
        run = subprocess.run(
            self.command(*words),
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert run.returncode == code, f"exit {run.returncode}, not {code}:\n{run.stdout}\n{run.stderr}"
        assert "Traceback" not in run.stderr + run.stdout, run.stderr
        return run

    def round(self, *words: str, code: int = 0) -> dict[str, Any]:
        """`poller run --json`: hosts by name, and under "" the round itself."""
        document = json.loads(self.poller("run", "--json", *words, code=code).stdout)
        return {"": document["round"], **{host["name"]: host for host in document["hosts"]}}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


@pytest.fixture
def site(tmp_path: Path, sshd: Sshd) -> Site:
    """A site whose three hosts web1, db1, lab1 are all the machine of the test."""
    folder = tmp_path / "site"
    folder.mkdir()
    made = Site(folder, sshd)
    made.write("".join(f'<host name="{name}" address="127.0.0.1"/>' for name in ("web1", "db1", "lab1")))
    return made
