"""A backup made while a round goes on, restored with the commands of docs/operations.md after the journal is lost."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

from tests.documented import commands, programs, run
from tests.end_to_end.site import Site
from tests.end_to_end.test_mails import configure
from tests.notify.servers import Mail, mail_server

WAITING = '#!/bin/sh\n: >"{begun}"\nwhile [ ! -e "{go}" ]; do sleep 0.05; done\nexec python3 "$@"\n'


def slow_python(folder: Path) -> Path:
    """An interpreter that says when it was asked for, and begins when it may."""
    script = folder / "slow-python"
    script.write_text(WAITING.format(begun=folder / "begun", go=folder / "go"))
    script.chmod(0o755)
    return script


def wait_for(path: Path) -> None:
    until = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < until, f"{path} was never made"
        time.sleep(0.02)


def hosts(python: str = "python3") -> str:
    return "".join(
        f'<host name="{name}" address="127.0.0.1" python="{its}" thresholds="test" notify="ops"/>'
        for name, its in (("web1", "python3"), ("db1", python))
    )


def test_after_a_restore_the_next_round_goes_on_and_tells_nothing_twice(site: Site, tmp_path: Path) -> None:
    mail = Mail()
    path = programs(tmp_path / "bin")
    backup = tmp_path / "backup"
    backup.mkdir()
    places = {"/backup/poller.db": str(backup / "poller.db")}
    with mail_server(mail) as port:
        configure(site, port, hosts=hosts())
        site.poller("run")
        assert len(mail.messages) == 1
        before = site.rows("SELECT id FROM poll")
        opened = site.rows("SELECT id, opened_ms FROM alert ORDER BY id")

        configure(site, port, hosts=hosts(str(slow_python(tmp_path))))
        going = subprocess.Popen(site.command("run", "-q"), cwd=site.folder, env=site.environment())
        try:
            wait_for(tmp_path / "begun")
            run(site, commands("operations.md", "Back up"), path, places)
            assert going.poll() is None, "the backup was to be made while the round goes on"
            (tmp_path / "go").touch()
            assert going.wait(30) == 0
        finally:
            (tmp_path / "go").touch()  # or the interpreter would wait for ever when something above has failed
            going.kill()
            going.wait()

        site.journal.write_bytes(b"lost " * 4096)
        site.poller("run", "-q", code=74)
        shown = run(site, commands("operations.md", "Restore"), path, {**places, "/var/lib/poller": str(site.folder)})
        assert "2 ok" in shown
        configure(site, port, hosts=hosts())
        site.poller("run")
        assert len(mail.messages) == 1, "an alert that was told before the backup is not told again"
    polls = site.rows("SELECT id, outcome FROM poll")
    assert set(before) < {(id_,) for id_, _ in polls} and {outcome for _, outcome in polls} == {"ok"}
    assert len(polls) in (6, 7)  # web1 of the round under way may have been stored before the backup
    assert site.rows("SELECT id, opened_ms FROM alert ORDER BY id") == opened
    assert site.rows("SELECT count(*) FROM host") == [(2,)]
    assert site.journal.stat().st_mode & 0o777 == 0o600


def rows(file: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(sql).fetchall()


def test_with_an_archive_what_came_after_the_backup_is_kept_and_the_rest_goes_on(site: Site, tmp_path: Path) -> None:
    path = programs(tmp_path / "bin")
    archive = site.folder / "archive.db"
    host = '<host name="web1" address="127.0.0.1" thresholds="test"/>'
    limits = (
        '<archive url="sqlite:archive.db"/><thresholds name="test"><threshold metric="uptime.seconds" {}/></thresholds>'
    )
    site.write(host, more=limits.format('above="9999d"'))
    site.poller("run")
    site.poller("db", "backup", str(tmp_path / "poller.db"))
    site.write(host, more=limits.format('above="0"'))
    site.poller("run")
    site.journal.unlink()
    places = {"/backup/poller.db": str(tmp_path / "poller.db"), "/var/lib/poller": str(site.folder)}
    run(site, commands("operations.md", "Restore"), path, places)
    ((polls,), *_) = rows(archive, "SELECT count(*) FROM poll")
    assert polls == 3, "before the backup, after it, and after the restore"
    assert rows(archive, "SELECT closed_ms IS NULL FROM alert ORDER BY opened_ms, id") == [(0,), (1,)]
    assert site.rows("SELECT count(*) FROM outgoing") == [(0,)]
    assert site.rows("SELECT count(*) FROM rejected") == [(0,)]


def test_a_journal_that_is_lost_remembers_by_the_archive_what_was_told(site: Site) -> None:
    mail = Mail()
    with mail_server(mail) as port:
        configure(site, port, names=("web1",))
        text = site.config.read_text().replace("<ssh ", '<archive url="sqlite:archive.db"/><ssh ')
        site.config.write_text(text)
        site.poller("run")
        opened = site.rows("SELECT id, opened_ms FROM alert")
        assert len(mail.messages) == 1
        for file in site.folder.glob("poller.db*"):
            file.unlink()
        site.poller("run")
    assert len(mail.messages) == 1
    assert site.rows("SELECT id, opened_ms FROM alert") == opened
    assert rows(site.folder / "archive.db", "SELECT count(*) FROM poll") == [(2,)]
    assert rows(site.folder / "archive.db", "SELECT id, opened_ms FROM alert") == opened
