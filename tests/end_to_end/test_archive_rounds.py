"""Rounds with an archive elsewhere: what is told while it is away, and that nothing else waits for it."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

from tests.end_to_end.site import Site

HOSTS = '<host name="web1" address="127.0.0.1"/><host name="db1" address="127.0.0.1"/>'


def archived(site: Site, url: str) -> None:
    site.write(HOSTS, more=f'<archive url="{url}"/>')


def document(site: Site) -> dict[str, object]:
    found: dict[str, object] = json.loads(site.poller("run", "--json").stdout)
    return found


def polls(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        return [row[0] for row in connection.execute("SELECT id FROM poll ORDER BY id")]
    finally:
        connection.close()


def test_a_round_sends_its_polls_and_says_so(site: Site) -> None:
    archived(site, "sqlite:archive.db")
    shipped = document(site)["archive"]
    assert isinstance(shipped, dict)
    assert (shipped["shipped"], shipped["waiting"], shipped["away"]) == (2, 0, None)
    assert polls(site.folder / "archive.db") == polls(site.journal)


def test_while_the_archive_is_away_rounds_go_on_and_people_are_told_once(site: Site) -> None:
    (site.folder / "nowhere").touch()  # no folder, so no file can be in it
    archived(site, "sqlite:nowhere/archive.db")
    first = site.poller("run")
    assert "poller: archive away: " in first.stderr and "; 2 polls wait in the journal" in first.stderr
    second = site.poller("run", "-q")  # opens the alert, so that cron has something to mail, once
    assert "poller: archive away: " in second.stderr and "; 4 polls wait in the journal" in second.stderr
    third = json.loads(site.poller("run", "-q", "--json").stdout)
    assert third["poller"] == [] and third["archive"]["waiting"] == 6 and third["archive"]["away"]["code"]
    shown = site.poller("status").stdout
    assert "archive away for " in shown and "6 polls wait in the journal" in shown
    assert site.poller("run", "-q").stderr == ""
    assert "[medium] poller: archive away for" in shown
    own = json.loads(site.poller("status", "--json").stdout)["poller"]
    assert own["archive"]["waiting"] == 8
    assert [alert["metric"] for alert in own["alerts"]] == ["poller.archive_away_seconds"]
    (site.folder / "nowhere").unlink()
    (site.folder / "nowhere").mkdir()
    back = json.loads(site.poller("run", "--json").stdout)
    assert (back["archive"]["shipped"], back["archive"]["away"]) == (10, None)
    assert [change["kind"] for change in back["poller"]] == ["closed"]
    assert polls(site.folder / "nowhere" / "archive.db") == polls(site.journal)
    assert "archive" not in site.poller("status").stdout
    there = sqlite3.connect(site.folder / "nowhere" / "archive.db")
    with closing(there):  # it is not open there for one interval more, where people ask what is wrong
        assert there.execute("SELECT metric FROM alert WHERE closed_ms IS NULL").fetchall() == []
    assert json.loads(site.poller("db", "verify", "journal", "archive", "--json").stdout)["equal"]


def test_what_the_archive_refuses_round_by_round_is_told_once(site: Site) -> None:
    archived(site, "sqlite:archive.db")
    site.poller("run")
    there = sqlite3.connect(site.folder / "archive.db")
    with closing(there):
        there.executescript(
            "CREATE TRIGGER no BEFORE INSERT ON poll WHEN NEW.host_id = (SELECT id FROM host WHERE name ="
            " 'web1') BEGIN SELECT RAISE(ABORT, 'not this one'); END;"
        )
    first, second = site.poller("run", "-q"), site.poller("run", "-q")
    assert first.stderr == "poller: the archive refused 1 item for good: `poller db status` says why\n"
    assert second.stderr == ""
    shown = site.poller("db", "status").stdout
    assert "not this one" in shown and "2; `poller db retry`" in shown


def test_a_signal_ends_a_round_that_waits_for_an_archive_that_never_answers(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        archived(site, f"mysql://poller@127.0.0.1:{server.getsockname()[1]}/poller")
        words = site.command("run", "-q")
        with subprocess.Popen(words, cwd=site.folder, env=site.environment(), stderr=subprocess.PIPE) as run:
            server.settimeout(30)
            connections = [server.accept()[0]]  # an empty journal asks the archive what it knows
            connections[0].close()
            connections.append(server.accept()[0])  # the round is stored, and is to be sent
            run.send_signal(signal.SIGTERM)
            start = time.monotonic()
            assert run.wait(10) == 143
            assert time.monotonic() - start < 5
            assert run.stderr and b"Traceback" not in run.stderr.read()
            connections[1].close()
    assert len(polls(site.journal)) == 2
