"""Down means down: hosts that are only pinged, why a host was away, what one was busy with, as cron would see it."""

from __future__ import annotations

import os

import pytest

from tests.end_to_end.site import Site

EVIDENCE = '<threshold metric="processes.total" above="0" evidence="yes" severity="high"/>'


def test_a_host_without_ssh_is_watched_by_ping(site: Site) -> None:
    if os.geteuid() != 0:
        pytest.skip("echo requests need privileges here")
    site.write('<host name="sw1" address="127.0.0.1" via="ping"/><host name="web1" address="127.0.0.1" port="1"/>')
    hosts = site.round()
    assert (hosts["sw1"]["outcome"], hosts["web1"]["outcome"]) == ("ok", "failed")
    assert hosts["web1"]["error"].endswith("; it answers ping: the machine is up")
    shown = site.poller("doctor", "sw1").stdout
    assert "[OK]   ping" in shown and "FAIL" not in shown
    assert site.rows("SELECT ping_loss_percent, ping_seconds > 0 FROM activity_sample") == [(0.0, 1)] * 2


def test_what_a_host_was_busy_with_is_kept_once_with_its_alert(site: Site) -> None:
    site.write(f'<host name="web1" address="127.0.0.1">{EVIDENCE}</host>')
    site.round()
    sql = "SELECT alert.metric, evidence.part, evidence.at_ms FROM evidence JOIN alert ON alert.id = alert_id"
    kept = site.rows(sql)
    assert {(metric, part) for metric, part, _ in kept} == {
        ("processes.total", part) for part in ("processes", "sockets", "kernel")
    }
    site.round()
    assert site.rows(sql) == kept
    commands = site.sshd.log().count("Starting session: command")
    assert commands == 2, "asked in the session that told of it"


def test_a_host_that_is_back_says_what_had_happened(site: Site) -> None:
    site.write('<host name="web1" address="127.0.0.1"/>')
    site.round()
    lines = site.sshd.log().count("Server listening")
    site.sshd.stop()
    assert site.round()["web1"]["outcome"] == "failed"
    site.sshd.start(site.sshd.port)
    site.sshd.wait_for_log("Server listening", 2 * lines)
    assert site.round()["web1"]["outcome"] == "ok"
    ((details, severity),) = site.rows("SELECT details, severity FROM event WHERE kind = 'back'")
    assert details.startswith("back after ") and details.endswith(": sshd was restarted") and severity == "low"
