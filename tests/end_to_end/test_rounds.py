"""The whole path with a real sshd: config.xml in, numbers in a database out."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.end_to_end.site import Site

THREE = ("web1", "db1", "lab1")


def test_a_round_brings_real_numbers_of_every_host(site: Site) -> None:
    polled = site.round()
    assert polled[""]["outcomes"] == {"ok": 3, "partial": 0, "failed": 0, "skipped": 0}
    for name in THREE:
        host = polled[name]
        assert (host["outcome"], host["stage"], host["code"], host["error"]) == ("ok", "", "", "")
        assert set(host["stages"]) >= {
            "connect",
            "handshake",
            "hostkey",
            "auth",
            "session",
            "probe",
            "envelope",
            "report",
        }
        metrics = host["metrics"]
        assert 0 <= metrics["cpu.percent"] <= 100
        assert metrics['cpu.core_percent{core="0"}'] >= 0
        assert metrics["cpu.count"] == os.cpu_count()
        assert 0 < metrics["memory.percent"] < 100
        assert 0 < metrics['disk.percent{mountpoint="/"}'] <= 100
        assert metrics['network.receive_bytes_per_second{interface="lo"}'] >= 0
        assert metrics["host.down"] == 0


def test_the_second_round_counts_from_the_first_and_needs_no_second_reading(site: Site) -> None:
    first = site.round("--host", "web1")
    for _ in range(4):  # a busy machine may keep one of them waiting, not all
        later = time.monotonic() + 2.1  # at least two seconds of uptime lie between readings that are compared
        while time.monotonic() < later:
            time.sleep(0.1)
        second = site.round("--host", "web1")
        if second["web1"]["stages"]["probe"] < 0.5:
            break
    assert first["web1"]["stages"]["probe"] > 0.5
    assert second["web1"]["stages"]["probe"] < 0.5
    assert "cpu.percent" in second["web1"]["metrics"]


def test_what_is_polled_is_in_the_database(site: Site) -> None:
    polled = site.round()
    assert site.rows("SELECT count(*) FROM poll WHERE outcome = 'ok'") == [(3,)]
    ((percent,),) = site.rows(
        "SELECT s.memory_percent FROM system_sample s JOIN host h ON h.id = s.host_id WHERE h.name = 'web1'"
    )
    assert percent == pytest.approx(polled["web1"]["metrics"]["memory.percent"])
    assert site.journal.stat().st_mode & 0o077 == 0


def test_hosts_are_chosen_by_name_glob_group_and_tag(site: Site) -> None:
    site.write(
        '<host name="web1" address="127.0.0.1" tags="front"/>'
        '<group name="lab"><host name="pc[1-2]" address="127.0.0.1"/></group>'
    )
    assert set(site.round("--host", "pc*")) == {"", "pc1", "pc2"}
    assert set(site.round("--group", "lab")) == {"", "pc1", "pc2"}
    assert set(site.round("--tag", "front")) == {"", "web1"}
    wrong = site.poller("run", "--host", "web2", code=2)
    assert "did you mean web1?" in wrong.stderr


def test_a_dry_run_leaves_nothing(site: Site) -> None:
    out = site.poller("run", "--dry-run").stdout
    assert "dry run" in out
    assert not site.journal.exists()


def test_quiet_prints_nothing_when_all_is_well(site: Site) -> None:
    run = site.poller("run", "-q")
    assert (run.stdout, run.stderr) == ("", "")


def test_an_unknown_host_key_is_refused_and_trust_is_named(site: Site) -> None:
    site.sshd.known_hosts.write_text("")
    polled = site.round("--host", "web1", code=1)
    assert (polled["web1"]["stage"], polled["web1"]["code"]) == ("hostkey", "unknown")
    assert "poller trust" in polled["web1"]["hint"]
    assert site.sshd.fingerprint() in polled["web1"]["error"]


def test_a_changed_host_key_is_refused_with_both_fingerprints_before_anything_is_sent(
    site: Site, tmp_path: Path
) -> None:
    from tests.end_to_end.sshd import fingerprint, keygen

    other = keygen(tmp_path / "other")
    line = other.with_suffix(".pub").read_text().split()
    site.sshd.known_hosts.write_text(f"[127.0.0.1]:{site.sshd.port} {line[0]} {line[1]}\n")
    polled = site.round("--host", "web1", code=1)
    assert (polled["web1"]["stage"], polled["web1"]["code"]) == ("hostkey", "changed")
    assert site.sshd.fingerprint() in polled["web1"]["error"]
    assert fingerprint(other.with_suffix(".pub")) in polled["web1"]["error"]
    assert "Accepted" not in site.sshd.log() and "Failed" not in site.sshd.log()
    assert site.rows("SELECT kind, severity FROM event WHERE severity = 'high'")


def test_a_wrong_key_is_a_denied_login(site: Site) -> None:
    site.sshd.authorized_keys.write_text("")
    polled = site.round("--host", "web1", code=1)
    assert (polled["web1"]["stage"], polled["web1"]["code"]) == ("auth", "denied")


def test_a_missing_interpreter_is_named(site: Site) -> None:
    site.write('<host name="web1" address="127.0.0.1" python="/nowhere/python3"/>')
    polled = site.round("--host", "web1", code=1)
    assert (polled["web1"]["stage"], polled["web1"]["code"]) == ("python", "missing")
    assert "/nowhere/python3" in polled["web1"]["error"]


MEDDLED = {
    "tampered": "envelope/tag",
    "truncated": "envelope/truncated",
    "replayed": "envelope/replay",
    "other-host": "envelope/tag",
    "other-probe": "envelope/tag",
    "bomb": "envelope/inflate",
    "oversized": "probe/oversize",
    "schema": "report/schema",
    "entities": "report/xml",
}


def meddling(site: Site, mode: str) -> Path:
    """An executable that config.xml can name as `python=`."""
    script = site.folder / f"python-{mode}"
    program = " ".join(site.command()[:1])
    script.write_text(
        f"#!/bin/sh\nMEDDLE={mode} KEPT={site.folder}/kept PYTHONPATH={site.environment()['PYTHONPATH']} "
        f"exec {program} -m tests.end_to_end.meddler\n"
    )
    script.chmod(0o755)
    return script


def test_an_answer_that_was_meddled_with_is_refused_by_its_code_and_nobody_else_is_affected(site: Site) -> None:
    hosts = "".join(f'<host name="{mode}" address="127.0.0.1" python="{meddling(site, mode)}"/>' for mode in MEDDLED)
    site.write(hosts + '<host name="web1" address="127.0.0.1"/>', deadline="30s")
    if "replayed" in MEDDLED:
        site.round("--host", "replayed")  # the first answer is the one that is replayed
    polled = site.round()
    seen = {name: f"{polled[name]['stage']}/{polled[name]['code']}" for name in MEDDLED}
    assert seen == MEDDLED
    assert polled["web1"]["outcome"] == "ok"
    events = site.rows(
        "SELECT h.name, e.severity FROM event e JOIN host h ON h.id = e.host_id WHERE e.severity = 'high'"
    )
    assert {name for name, _ in events} == set(MEDDLED)
    refused = "(SELECT id FROM host WHERE name IN ('tampered', 'schema', 'bomb', 'entities', 'truncated', 'oversized'))"
    assert site.rows(f"SELECT count(*) FROM system_sample WHERE host_id IN {refused}") == [(0,)]
    assert site.rows(f"SELECT count(*) FROM poll WHERE host_id IN {refused}") == [(6,)]


def test_noise_around_the_report_is_ignored(site: Site) -> None:
    site.write(f'<host name="web1" address="127.0.0.1" python="{meddling(site, "noise")}"/>')
    assert site.round()["web1"]["outcome"] == "ok"


@pytest.fixture
def silent() -> socket.socket:
    """Accepts connections and never speaks."""
    return socket.create_server(("127.0.0.1", 0), backlog=50)


def test_a_host_that_never_speaks_delays_nobody(site: Site, silent: socket.socket) -> None:
    port = silent.getsockname()[1]
    fine = "".join(f'<host name="h{number}" address="127.0.0.1"/>' for number in range(12))
    site.write(f'<host name="stuck" address="127.0.0.1" port="{port}" deadline="3s"/>{fine}')
    polled = site.round()
    assert (polled["stuck"]["stage"], polled["stuck"]["code"]) == ("handshake", "timeout")
    assert 2.5 <= polled["stuck"]["seconds"] <= 4
    assert all(polled[f"h{number}"]["outcome"] == "ok" for number in range(12))
    silent.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_ends_within_two_seconds_and_keeps_what_has_finished(
    site: Site, silent: socket.socket, number: signal.Signals, code: int
) -> None:
    port = silent.getsockname()[1]
    site.write(
        f'<host name="stuck" address="127.0.0.1" port="{port}" deadline="60s"/><host name="web1" address="127.0.0.1"/>'
    )
    pipe = subprocess.PIPE
    run = subprocess.Popen(
        site.command("run"), cwd=site.folder, env=site.environment(), stdout=pipe, stderr=pipe, text=True
    )
    until = time.monotonic() + 20
    while time.monotonic() < until and not (site.journal.exists() and finished(site)):
        time.sleep(0.05)
    run.send_signal(number)
    start = time.monotonic()
    shown, errors = run.communicate(timeout=10)
    assert time.monotonic() - start < 5, "two seconds, and what a busy machine adds"
    assert "1 of 2 hosts" in shown
    assert run.returncode == code
    assert "Traceback" not in errors
    assert finished(site) == 1
    silent.close()


def finished(site: Site) -> int:
    try:
        return int(site.rows("SELECT count(*) FROM poll WHERE outcome = 'ok'")[0][0])
    except Exception:
        return 0


def test_a_second_round_at_the_same_time_is_busy(site: Site, silent: socket.socket) -> None:
    port = silent.getsockname()[1]
    site.write(f'<host name="stuck" address="127.0.0.1" port="{port}" deadline="20s"/>')
    first = subprocess.Popen(site.command("run", "-q"), cwd=site.folder, env=site.environment())
    try:
        silent.settimeout(20)
        connection, _ = silent.accept()
        run = site.poller("run", "-q", code=75)
        assert "another round is going on" in run.stderr
        connection.close()
    finally:
        first.kill()
        first.wait(10)
        silent.close()


def test_a_killed_round_leaves_no_lock_and_the_next_one_runs(site: Site, silent: socket.socket) -> None:
    port = silent.getsockname()[1]
    site.write(
        f'<host name="stuck" address="127.0.0.1" port="{port}" deadline="1s"/><host name="web1" address="127.0.0.1"/>'
    )
    first = subprocess.Popen(site.command("run", "-q"), cwd=site.folder, env=site.environment())
    silent.settimeout(20)
    connection, _ = silent.accept()
    first.kill()
    first.wait(10)
    connection.close()
    assert site.round()["web1"]["outcome"] == "ok"
    assert site.rows("PRAGMA integrity_check") == [("ok",)]
    silent.close()


def test_rounds_of_cron_store_each_poll_once(site: Site) -> None:
    site.write('<host name="web1" address="127.0.0.1"/><host name="me" address="local"/>')
    for _ in range(6):
        site.poller("run", "-q")
    assert site.rows("SELECT count(*), count(DISTINCT id) FROM poll") == [(12, 12)]
    assert site.rows("SELECT count(*) FROM round") == [(6,)]
    assert site.rows("SELECT count(*) FROM poll WHERE outcome <> 'ok'") == [(0,)]


def test_a_journal_that_cannot_be_written_is_a_sentence_and_74(site: Site) -> None:
    site.journal.write_bytes(b"this is not a database, but it is long enough to be taken for one" * 100)
    run = site.poller("run", code=74)
    assert str(site.journal) in run.stderr
    assert site.journal.read_bytes().startswith(b"this is not")


def test_a_full_disk_is_a_sentence_and_74(site: Site) -> None:
    site.poller("run", "-q")
    size = site.journal.stat().st_size // 512 + 8
    words = ["sh", "-c", f'ulimit -f {size}; exec "$@"', "sh", *site.command("run", "-q")]
    codes = []
    for _ in range(40):
        run = subprocess.run(
            words, cwd=site.folder, env=site.environment(), capture_output=True, text=True, check=False
        )
        assert "Traceback" not in run.stderr
        codes.append(run.returncode)
        if run.returncode:
            break
    assert codes[-1] == 74, codes
    assert run.stderr.startswith("poller: ")
    assert site.rows("PRAGMA integrity_check") == [("ok",)]


def test_doctor_goes_through_every_stage_and_section(site: Site) -> None:
    site.write('<host name="web1" address="127.0.0.1"/><host name="gone" address="127.0.0.1" port="1"/>')
    run = site.poller("doctor", code=1)
    for stage in ("connect", "handshake", "hostkey", "auth", "session", "probe", "envelope", "report", "section cpu"):
        assert f"[OK]   {stage}" in run.stdout, stage
    assert "[FAIL] connect" in run.stdout
    assert "refused" in run.stdout
    assert not site.journal.exists()
    found = json.loads(site.poller("doctor", "--json", "web1").stdout)
    assert {finding["mark"] for finding in found["web1"]} == {"OK"}


def test_the_payload_shown_is_what_the_real_command_runs(site: Site) -> None:
    raw = subprocess.run(
        site.command("payload", "--raw", "web1"),
        cwd=site.folder,
        env=site.environment(),
        capture_output=True,
        check=True,
    ).stdout
    shown = json.loads(site.poller("payload", "web1", "--json").stdout)
    assert shown["bytes"] == len(raw) < 60_000
    marker = json.loads(raw[raw.rindex(b'{"cursors"') :])["marker"]
    with subprocess.Popen(["sh", "-c", shown["command"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdin and run.stdout
        run.stdin.write(raw)
        run.stdin.flush()
        assert run.stdout.readline() == b"\n"
        assert run.stdout.readline().startswith(b"#" + marker.encode() + b" report ")


def test_status_and_metrics_show_what_was_stored(site: Site) -> None:
    site.round()
    shown = json.loads(site.poller("status", "--json").stdout)
    assert {host["name"]: host["outcome"] for host in shown["hosts"]} == dict.fromkeys(THREE, "ok")
    text = site.poller("metrics", "--host", "web1", "memory.percent").stdout
    assert '<threshold metric="memory.percent" above="' in text
