"""`poller watch`: what happens on a host stands on the screen while it happens, and afterwards in the journal."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from poller.cli.watch_feed import open_feed
from poller.cli.watch_picture import Picture
from poller.cli.watch_shown import Lines, seat_line
from poller.control import Caller, Server, socket_path
from poller.errors import BusyError
from poller.live.document import Shown, document, read
from poller.live.fold import Fold
from poller.model import Config, Event, Hint, Host, Light, Seat, Severity, Sighted
from poller.store.lock import RoundLock
from tests.cli import past
from tests.cli.calling import Inside
from tests.cli.watchers import site, watching
from tests.end_to_end.mounting import mount, sshd
from tests.end_to_end.site import ROOT
from tests.end_to_end.sshd import Sshd

__all__ = ["sshd"]

AT = 1_760_000_000_000


def family(server: Sshd) -> list[int]:
    """The processes that serve connections, and theirs."""
    found = server.children()
    for pid in found:
        with suppress(OSError):
            found += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return found


def kinds(folder: Path) -> list[str]:
    connection = sqlite3.connect(folder / "poller.db")
    found = [kind for (kind,) in connection.execute("SELECT kind FROM event ORDER BY id")]
    connection.close()
    return found


def test_a_mount_is_seen_stored_and_not_told_again_and_ctrl_c_ends_it(tmp_path: Path, sshd: Sshd) -> None:
    site(tmp_path, sshd, "pc07")
    with watching(tmp_path) as watcher:
        watcher.until(lambda one: one.get("coverage", []) != [])
        place = tmp_path / "stick"
        mount(sshd, place)
        seen = watcher.until(lambda one: one.get("kind") == "mounted")
        assert f"on {place} type tmpfs" in seen["details"] and not seen["stored"]
        stored = watcher.until(lambda one: one.get("id") == seen["id"] and one["stored"])
        assert stored["details"] == seen["details"]
        code, err = watcher.end()
    assert (code, err) == (130, "")
    assert kinds(tmp_path).count("mounted") == 1
    with watching(tmp_path, "--seconds", "600") as watcher:
        watcher.until_light("connected")
        assert watcher.end(signal.SIGTERM)[0] == 143
    assert kinds(tmp_path).count("mounted") == 1


def test_a_host_that_stands_still_is_amber_then_dark_then_back_with_the_gap(tmp_path: Path, sshd: Sshd) -> None:
    site(tmp_path, sshd, "pc07")
    with watching(tmp_path) as watcher:
        watcher.until(lambda one: one.get("coverage", []) != [])
        stopped = family(sshd)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            watcher.until_light("amber")
            watcher.until_light("dark")
            gap = watcher.until(lambda one: one.get("kind") == "gap")
            watcher.until(lambda one: one.get("light") == "connected" and one["words"].startswith("back after "))
        finally:
            for pid in stopped:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        assert "not watched from " in gap["details"] and "same boot" in gap["details"]
        assert watcher.end()[0] == 130
    assert "gap" in kinds(tmp_path)


def test_without_a_terminal_it_prints_lines_and_ends_after_its_time(tmp_path: Path, sshd: Sshd) -> None:
    site(tmp_path, sshd, "pc07")
    words = [sys.executable, "-m", "poller", "watch", "--seconds", "4"]
    done = subprocess.run(
        words, cwd=tmp_path, env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]}, capture_output=True, text=True,
        timeout=100,
    )  # fmt: skip
    first, *lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert first == "no daemon: polled by this command; 1 host"
    assert all(past.inert(line) for line in lines)


def lines_of(capsys: pytest.CaptureFixture[str], *shown: Sighted) -> list[str]:
    """What stands in a pipe of these, one after the other, without the instant of each."""
    lines = Lines(Picture(["pc07"], everything=False))
    capsys.readouterr()
    for one in shown:
        lines.show([one])
    return [line[20:] for line in capsys.readouterr().out.splitlines()]


def test_a_line_cannot_be_taken_back_so_it_waits_until_the_device_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    fold = Fold("pc07", map(str, count(1)).__next__)
    hint = fold.hint(Hint("usb", "add", "/devices/pci0000:00/0000:00:14.0/usb1/1-2", "1-2"), AT, 0.0)
    assert hint is not None and lines_of(capsys, hint) == []
    first = replace(sighted(hint.id, "storage 0951:1666 at port 1-2"), stored=False)
    grown = replace(sighted(hint.id, "storage 0951:1666 at port 1-2; disk sdb"), stored=False)
    assert lines_of(capsys, hint, first, grown, replace(grown, stored=True)) == [
        "pc07 [medium] usb_attached storage 0951:1666 at port 1-2",
        "pc07 [medium] usb_attached storage 0951:1666 at port 1-2; disk sdb",
    ]
    (unread,) = fold.unread(9.0)
    assert lines_of(capsys, hint, unread) == ["pc07 [low] usb_attached USB device at port 1-2, nothing to read"]


def test_beside_a_daemon_that_does_not_answer_it_does_not_begin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    past.fill(tmp_path)
    daemon = subprocess.Popen([sys.executable, "-c", "input()", "daemon"], stdin=subprocess.PIPE)
    try:
        with RoundLock(tmp_path / "poller.db"):
            (tmp_path / "poller.db.lock").write_bytes(b"%-20d\n" % daemon.pid)
            answer = Inside(tmp_path, capsys, monkeypatch)("watch")
    finally:
        daemon.communicate()
    assert answer.code == 75 and f"a daemon (process {daemon.pid})" in answer.err
    assert "poller daemon --status" in answer.err


def test_a_host_that_is_none_is_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    past.fill(tmp_path)
    answer = Inside(tmp_path, capsys, monkeypatch)("watch", "--host", "wbe1", "--json")
    assert answer.code == 2 and "did you mean web1?" in json.loads(answer.out)["error"]["hint"]


def sighted(number: str, details: str, severity: Severity = Severity.MEDIUM, kind: str = "usb_attached") -> Sighted:
    return Sighted(number, "pc07", Event(kind, AT, severity, details), stored=True)


def test_contacts_that_nobody_is_told_of_are_shown_when_asked_for() -> None:
    far = sighted("1", "tcp to 203.0.113.7:443 (internet)", Severity.LOW, "encounter")
    assert not Picture(["pc07"], everything=False).take(far)
    assert Picture(["pc07"], everything=True).take(far)


def test_an_event_that_grows_is_one_event() -> None:
    picture = Picture(["pc07"], everything=False)
    for text in ("stick", "stick (sdb)", "stick (sdb); disk sdb"):
        picture.take(sighted("1", text))
    assert [one.event.details for one in picture.events.values()] == ["stick (sdb); disk sdb"]
    assert picture.finished == 1


def test_coverage_says_of_how_many_hosts_what_is_seen_how() -> None:
    picture = Picture(["pc07", "pc08"], everything=False)
    picture.take(Seat("pc07", Light.CONNECTED, AT, "", ("uevent", "mountinfo", "sock_diag", "contacts: EPERM")))
    picture.take(Seat("pc08", Light.CONNECTED, AT, "", ("uevent", "set-difference", "sock_diag")))
    assert picture.coverage() == [
        "2 hosts: devices at once (uevent)",
        "1 host: mounts at once (mountinfo)",
        "1 host: mounts by set-difference each half second",
        "2 hosts: contacts by sock_diag each second",
        "1 host: contacts: EPERM",
    ]


def test_what_a_host_does_not_see_is_called_by_its_name() -> None:
    picture = Picture(["pc07", "pc08", "pc09"], everything=False)
    picture.take(Seat("pc07", Light.CONNECTED, AT, "", ("none", "mountinfo", "packet")))
    picture.take(Seat("pc08", Light.CONNECTED, AT, "", ("set-difference", "none", "none")))
    picture.take(Seat("pc09", Light.CONNECTED, AT, "", ("none", "none", "of a later version")))
    assert picture.coverage() == [
        "1 host: devices by set-difference each half second",
        "2 hosts: devices not seen",
        "1 host: mounts at once (mountinfo)",
        "2 hosts: mounts not seen",
        "1 host: contacts at once (packet)",
        "1 host: contacts not seen",
        "1 host: of a later version",
    ]


@pytest.mark.parametrize("seen", [("none", "mountinfo", "none"), ("uevent", "none", "none", "contacts: EPERM")])
def test_a_program_is_told_what_is_seen_of_devices_mounts_and_contacts_in_this_order(seen: tuple[str, ...]) -> None:
    seat = Seat("pc07", Light.CONNECTED, AT, "", seen)
    said = json.loads(json.dumps(document(seat)))
    assert said["seat"]["coverage"] == list(seen) and read(said) == seat


@pytest.mark.parametrize(
    ("light", "words", "line"),
    [
        (Light.CONNECTED, "connected", "pc07 connected"),
        (Light.CONNECTED, "back after 12s: sshd was restarted", "pc07 back after 12s: sshd was restarted"),
        (Light.AMBER, "silent for 2 s", "pc07 amber: silent for 2 s"),
        (Light.DARK, f"session/closed: {past.HOSTILE}", "pc07 dark: session/closed: =cmd|"),
    ],
)
def test_a_seat_is_one_line(light: Light, words: str, line: str) -> None:
    said = seat_line(Seat("pc07", light, AT, words))
    assert said.startswith(f"2025-10-09 08:53:20 {line}") and past.inert(said)


def test_what_a_daemon_tells_is_shown_until_it_stops(tmp_path: Path) -> None:
    config = Config(path=tmp_path / "config.xml", journal=tmp_path / "poller.db")
    told: list[Shown] = [Seat("pc07", Light.CONNECTED, AT, "connected", ("uevent",)), sighted("1", "a stick")]

    def watch(caller: Caller) -> dict[str, bool]:
        assert caller.request["hosts"] == ["pc07"]
        for one in told:
            caller.send(document(one))
        caller.send({"weather": "of a later version"})
        caller.wait()
        return {"stopping": True}

    server = Server(socket_path(config), {"watch": watch})
    try:
        with open_feed(config, [Host("pc07", "192.0.2.7")]) as feed:
            assert feed.source == "the daemon"
            shown: list[Shown] = []
            while len(shown) < len(told):
                shown += feed.take(60.0)
            assert shown == told
            server.close()
            with pytest.raises(BusyError, match=r"stopped|away|stopping"):
                feed.take(60.0)
    finally:
        server.close()


HOLDS = """
import sys
from pathlib import Path
from poller.store.lock import RoundLock
with RoundLock(Path(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_watch_that_polls_by_itself_leaves_that_to_a_daemon_that_begins(tmp_path: Path) -> None:
    host = Host("pc07", "127.0.0.1", via="ping")
    config = Config(path=tmp_path / "config.xml", journal=tmp_path / "poller.db", hosts=(host,))
    told = Seat("pc07", Light.CONNECTED, 1, "connected", ("uevent",))

    def watch(caller: Caller) -> dict[str, bool]:
        caller.send(document(told))
        caller.wait()
        return {}

    with open_feed(config, [host]) as feed:
        assert feed.source.startswith("no daemon")
        with subprocess.Popen(
            [sys.executable, "-c", HOLDS, "daemon", str(config.journal)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)},
        ) as holder:  # fmt: skip
            assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
            with Server(socket_path(config), {"watch": watch}):
                shown: list[Shown] = []
                while told not in shown:
                    shown += feed.take(60.0)
                assert feed.source == "the daemon" and "host pc07" not in [one.name for one in threading.enumerate()]
                feed.close()
            holder.communicate()


def test_lines_say_when_they_come_from_somewhere_else(capsys: pytest.CaptureFixture[str]) -> None:
    picture = Picture(["pc07"], everything=False)
    picture.source = "no daemon"
    lines = Lines(picture)
    picture.source = "the daemon"
    lines.show(())
    lines.show(())
    assert capsys.readouterr().out == "no daemon; 1 host\nthe daemon; 1 host\n"


def test_who_watches_may_go_while_the_daemon_stays(tmp_path: Path) -> None:
    config = Config(path=tmp_path / "config.xml", journal=tmp_path / "poller.db")

    def watch(caller: Caller) -> dict[str, bool]:
        caller.wait()
        return {}

    with Server(socket_path(config), {"watch": watch}):
        for _ in range(2):
            with open_feed(config, [Host("pc07", "192.0.2.7")]) as feed:
                assert feed.take(0.0) == []
            assert feed.stop.is_set()
