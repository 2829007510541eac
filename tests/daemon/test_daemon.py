"""The daemon as people run it: polls, reloads, is asked, and ends."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from tests.daemon.daemons import Daemon, StartDaemon, hosts, overlaps, start
from tests.end_to_end.site import Site, site
from tests.end_to_end.sshd import make_sshd, sshd
from tests.notify.servers import Mail, mail_server

__all__ = ["make_sshd", "site", "sshd", "start"]


def more_logins(site: Site) -> int:
    """Logins that a busy machine needs more: a poll that it does not get done in its time costs a session or two."""
    return 2 * int(site.rows("SELECT count(*) FROM poll WHERE outcome <> 'ok'")[0][0])


def hanging(site: Site) -> str:
    """A host whose Python never answers."""
    program = site.folder / "hangs"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o700)
    return f'<host name="db1" address="127.0.0.1" python="{program}" deadline="50s"/>'


def test_each_host_is_polled_at_its_interval_over_one_session_and_each_poll_is_stored_once(
    site: Site, start: StartDaemon
) -> None:
    site.write(hosts("web1", "db1"))
    daemon = start()
    daemon.until_said("ready: 2 hosts")
    daemon.until_polled(3, ("web1", "db1"))
    logins = site.sshd.log().count("Accepted publickey")
    assert daemon.end() == 0
    assert logins <= 2 + more_logins(site), "one session for each host"
    assert site.rows("SELECT count(*) - count(DISTINCT id) FROM poll") == [(0,)]
    assert site.rows("SELECT DISTINCT outcome FROM poll WHERE outcome = 'ok'") == [("ok",)]
    assert overlaps(site) == 0
    assert site.rows("PRAGMA integrity_check") == [("ok",)]
    assert not site.journal.with_name("poller.db.socket").exists()


def test_polls_refer_to_rounds_that_count_them(site: Site, start: StartDaemon) -> None:
    site.write(hosts("web1"))
    daemon = start()
    daemon.until_polled(3)
    assert daemon.end() == 0
    assert site.rows("SELECT DISTINCT kind FROM round") == [("full",)]
    assert site.rows("SELECT count(*) FROM poll WHERE round_id NOT IN (SELECT id FROM round)") == [(0,)]
    assert site.rows("SELECT count(*) FROM round WHERE ended_ms IS NULL") == [(0,)]
    assert site.rows("SELECT sum(ok + partial + failed + skipped) FROM round") == site.rows("SELECT count(*) FROM poll")
    assert site.rows("SELECT stopped_by FROM round ORDER BY started_ms DESC LIMIT 1") == [(int(signal.SIGTERM),)]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_in_the_middle_of_polls_that_hang_ends_it(
    site: Site, start: StartDaemon, number: signal.Signals, code: int
) -> None:
    site.write(hosts("web1") + hanging(site))
    daemon = start()
    daemon.until_polled(1)
    daemon.signal(number)
    assert daemon.wait() == code
    assert site.rows("PRAGMA integrity_check") == [("ok",)]


def test_a_second_signal_ends_it_at_once(site: Site, start: StartDaemon) -> None:
    site.write(hosts("web1") + hanging(site))
    daemon = start()
    daemon.until_polled(1)
    began = time.monotonic()
    while daemon.process.poll() is None and time.monotonic() - began < 20:
        daemon.signal(signal.SIGTERM)
        time.sleep(0.05)
    assert daemon.wait() in (0, 143)
    again = start()
    again.until_polled(1)
    assert again.end() == 0


def test_sighup_takes_hosts_away_and_adds_others_and_the_rest_stays_connected(site: Site, start: StartDaemon) -> None:
    site.write(hosts("web1", "db1"))
    daemon = start()
    daemon.until_polled(2, ("web1", "db1"))
    site.write("\n" + hosts("web1", "lab1"))
    daemon.signal(signal.SIGHUP)
    daemon.until_said("2 hosts, 1 new, 1 gone")
    daemon.until_polled(2, ("web1", "lab1"))
    gone = daemon.polls()["db1"]
    daemon.until_polled(2, ("web1",))
    assert daemon.polls()["db1"] == gone
    assert site.sshd.log().count("Accepted publickey") <= 3 + more_logins(site), "web1 was not connected to again"
    assert daemon.end() == 0


def test_a_bad_config_is_refused_with_its_lines_and_what_was_in_force_stays(site: Site, start: StartDaemon) -> None:
    site.write(hosts("web1"))
    daemon = start()
    daemon.until_polled(1)
    good = site.config.read_text()
    site.write('<host name="web1" address="127.0.0.1" port="x"/><hots/>')
    daemon.signal(signal.SIGHUP)
    daemon.until_said(r"config.xml:7: .*\n.*config.xml:7: .*\n.*is refused, what was in force stays")
    daemon.until_polled(2)
    asked = site.poller("daemon", "--status")
    assert f"process {daemon.process.pid}," in asked.stdout and "is refused, what was in force stays" in asked.stdout
    assert asked.stderr.startswith("poller: config.xml has mistakes; a daemon that runs goes on with what it has read")
    assert f"{site.config}:7: " in asked.stderr and "and 1 more: `poller check-config`" in asked.stderr
    assert "what was in force stays" in site.poller("daemon", "--reload", code=2).stdout
    site.config.write_text(good)
    status = json.loads(site.poller("daemon", "--status", "--json").stdout)
    assert "port" in status["reload"]["refused"]
    assert site.poller("daemon", "--reload").stdout.count("no host has changed") == 1
    assert json.loads(site.poller("daemon", "--status", "--json").stdout)["reload"]["refused"] == ""
    site.config.write_text("<poller><!-- half a fi")
    assert "no daemon listens" in site.poller("daemon", "--stop", code=2).stderr, "nothing says where it is"
    site.config.write_text(good + "</poller>")
    assert "has ended" in site.poller("daemon", "--stop").stdout
    assert daemon.wait() == 0


def test_a_second_daemon_on_the_same_journal_refuses(site: Site, start: StartDaemon) -> None:
    site.write(hosts("web1"))
    daemon = start()
    daemon.until_polled(1)
    run = site.poller("daemon", code=75)
    assert f"a daemon (process {daemon.process.pid}) is at work on {site.journal} already" in run.stderr
    daemon.until_polled(1)
    assert daemon.end() == 0


def test_poller_run_asks_the_daemon(site: Site, start: StartDaemon) -> None:
    site.write('<host name="web1" address="127.0.0.1" interval="1h" deadline="30s"/>')
    daemon = start()
    daemon.until_polled(1)
    document = site.round("--host", "web1")
    assert document["web1"]["outcome"] in ("ok", "partial") and document["web1"]["metrics"]["host.down"] == 0
    assert site.sshd.log().count("Accepted publickey") == 1, "over the session that it holds"
    assert daemon.end() == 0


def test_a_journal_that_another_program_keeps_for_a_while_costs_no_poll(site: Site, start: StartDaemon) -> None:
    site.write(hosts("web1"))
    daemon = start()
    daemon.until_polled(2)
    with closing(sqlite3.connect(site.journal, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        daemon.until_said("polls wait in memory")
        since_ms = time.time_ns() // 1_000_000
        daemon.until(lambda: time.time_ns() // 1_000_000 - since_ms > 3_000, "three seconds")
        other.execute("ROLLBACK")
    daemon.until_said("can be written again")
    daemon.until(lambda: daemon.rows("SELECT max(at_ms) FROM poll")[0][0] > since_ms + 3_000, "polls go on")
    assert daemon.end() == 0
    waited = site.rows(f"SELECT count(*) FROM poll WHERE at_ms BETWEEN {since_ms} AND {since_ms + 3_000}")[0][0]
    assert waited >= 1, "polls of that time were stored afterwards"
    assert site.rows("SELECT count(*) FROM event WHERE kind = 'gap'") == [(0,)]


def test_people_are_told_after_the_time_that_is_collected_for(site: Site, start: StartDaemon) -> None:
    mail = Mail()
    with mail_server(mail) as port:
        site.write(
            hosts("web1", "db1", more='thresholds="test" notify="ops"'),
            more=f'<mail server="127.0.0.1" port="{port}" security="none" from="poller@example.org"/>'
            '<contact name="ops" mail="ops@example.org"/><delivery wait="1s"/>'
            '<thresholds name="test"><threshold metric="uptime.seconds" above="0" severity="low"/></thresholds>',
        )
        daemon = start()
        daemon.until(lambda: mail.messages, "a mail")
        daemon.until_polled(3, ("web1", "db1"))
        assert daemon.end() == 0
    assert len(mail.messages) == 1, "both alerts in one, and told once"


def test_alerts_of_a_host_that_is_gone_end_as_unconfigured(site: Site, start: StartDaemon) -> None:
    more = '<thresholds name="test"><threshold metric="uptime.seconds" above="0" severity="low"/></thresholds>'
    site.write(hosts("web1", "db1", more='thresholds="test"'), more=more)
    daemon = start()
    open_alerts = (
        "SELECT host.name FROM alert JOIN host ON host.id = host_id WHERE closed_ms IS NULL AND host.name <> 'poller'"
    )
    daemon.until(lambda: sorted(daemon.rows(open_alerts)) == [("db1",), ("web1",)], "two alerts")
    site.write(hosts("web1", more='thresholds="test"'), more=more)
    daemon.signal(signal.SIGHUP)
    daemon.until(lambda: daemon.rows(open_alerts) == [("web1",)], "one alert")
    assert daemon.end() == 0


def test_what_it_says_is_fit_for_the_journal_of_systemd(site: Site, start: StartDaemon) -> None:
    site.write(hosts("web1"))
    plain, journald = start(), None
    plain.until_said(r"^\d\d:\d\d:\d\d ready: ")
    assert plain.end() == 0
    journald = start(journald=True)
    journald.until_said(r"^<6>ready: 1 host of")
    assert journald.end() == 0


def test_a_terminal_that_inherited_the_name_of_another_stream_gets_lines_for_people(
    site: Site, start: StartDaemon
) -> None:
    """What GNOME starts has JOURNAL_STREAM of GNOME's own stderr."""
    site.write(hosts("web1"))
    daemon = start(environment={"JOURNAL_STREAM": "8:1"})
    daemon.until_said("ready: ")
    assert daemon.end() == 0
    assert not [line for line in daemon.said.splitlines() if not line[:2].isdigit()], daemon.said


def test_a_killed_one_leaves_nothing_that_stops_the_next(site: Site, start: StartDaemon) -> None:
    site.write(hosts("web1"))
    daemon = start()
    daemon.until_polled(1)
    os.kill(daemon.process.pid, signal.SIGKILL)
    daemon.process.wait(20)
    again: Daemon = start()
    again.until_polled(2)
    assert again.end() == 0
    assert overlaps(site) == 0
    assert site.rows("SELECT count(*) - count(DISTINCT id) FROM poll") == [(0,)]
