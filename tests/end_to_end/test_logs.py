"""Log lines in the database: each once, whatever rotates the log and whoever kills the poller."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.end_to_end.site import Site
from tests.remote_probe.logs import tick

LINES = "SELECT message, repeats, seen_ms, number FROM log_line WHERE log = 'app' ORDER BY seen_ms, number"
QUIET = "".join(
    f'<collect section="{name}" every="never"/>'
    for name in ("usb", "devices", "mounts", "kernel", "sockets", "traffic", "top", "units", "people", "hardware")
)


class App:
    """A program that numbers its lines, and logrotate(8) for its log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o755)
        self.log = folder / "app.log"
        self.number = 0
        self.write(1)

    def write(self, count: int) -> None:
        with self.log.open("ab") as file:
            for _ in range(count):
                self.number += 1
                stamp = time.strftime("%b %e %H:%M:%S ") + socket.gethostname()
                file.write(b"%s app[7]: line %d\n" % (stamp.encode(), self.number))

    def rotate(self, *settings: str) -> None:
        tick(self.folder.parent)
        conf = self.folder.parent / "logrotate.conf"
        conf.write_text(f"{self.log} {{\n rotate 20\n" + "".join(f" {line}\n" for line in settings) + "}\n")
        conf.chmod(0o600)
        command = ["logrotate", "--force", "--state", str(conf.with_suffix(".state")), str(conf)]
        path = os.environ["PATH"] + ":/usr/sbin"
        subprocess.run(command, env={"PATH": path}, check=True, capture_output=True)
        tick(self.folder.parent)


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(tmp_path / "app")


def watch(site: Site, app: App, more: str = "", host: str = '<host name="web1" address="local"/>') -> None:
    site.write(host, more=f'{QUIET}<log name="app" path="{app.log}" start="yes"/>{more}')


def stored(site: Site) -> list[int]:
    return [int(message.rpartition(" ")[2]) for message, *_ in site.rows(LINES)]


def test_every_line_is_stored_once_over_rotations_by_logrotate(site: Site, app: App) -> None:
    watch(site, app, host='<host name="web1" address="127.0.0.1"/>')
    site.poller("run", "-q")
    for settings in (
        ("create",),
        ("create", "compress"),
        ("create", "compress", "delaycompress"),
        ("copytruncate",),
        ("copytruncate", "compress"),
        ("create", "dateext", "dateformat -%Y%m%d-%s"),
    ):
        app.write(3)
        app.rotate(*settings)
        app.write(3)
        site.poller("run", "-q")
    for _ in range(3):  # between two polls
        app.write(2)
        app.rotate("create", "compress")
    app.write(1)
    site.poller("run", "-q")
    assert stored(site) == list(range(1, app.number + 1))
    assert site.rows("SELECT DISTINCT program, pid, trusted FROM log_line") == [("app", 7, 0)]


def test_killed_at_any_moment_the_poller_stores_each_line_once(site: Site, app: App) -> None:
    watch(site, app)
    site.poller("run", "-q")
    chance = random.Random(5)
    for turn in range(8):
        run = subprocess.Popen(site.command("run", "-q"), cwd=site.folder, env=site.environment())
        until = time.monotonic() + chance.uniform(0.2, 1.6)
        while time.monotonic() < until and run.poll() is None:
            app.write(1)
            time.sleep(0.005)
        run.kill()
        run.wait()
        if turn % 3 == 2:
            app.rotate("create")
    site.poller("run", "-q")
    assert stored(site) == list(range(1, app.number + 1))


def test_two_pollers_on_one_journal_store_each_line_once(site: Site, app: App) -> None:
    watch(site, app)
    for _ in range(3):
        app.write(20)
        runs = [subprocess.Popen(site.command("run", "-q"), cwd=site.folder, env=site.environment()) for _ in range(2)]
        app.write(20)
        assert {run.wait(60) for run in runs} <= {0, 75}
    site.poller("run", "-q")
    assert stored(site) == list(range(1, app.number + 1))


def test_a_backlog_is_stored_in_slices_and_the_metric_says_how_much_is_left(site: Site, app: App) -> None:
    watch(site, app)
    app.write(24_999)
    behind = []
    for _ in range(3):
        site.poller("run", "-q")
        behind.append(site.rows("SELECT state, behind_bytes > 0 FROM log_source")[0])
    assert behind == [("behind", 1), ("behind", 1), ("ok", 0)]
    assert stored(site) == list(range(1, 25_001))
    [(most, least)] = site.rows(
        "SELECT max(value), min(value) FROM series_sample JOIN series ON series.id = series_id"
        " WHERE metric = 'log.behind_bytes'"
    )
    assert most > 0 == least


def test_a_log_that_is_not_there_is_a_state_and_a_number_and_not_silence(site: Site, app: App) -> None:
    watch(site, app, more=f'<log name="auth" path="{app.folder}/auth.log"/><log name="web" path="{app.folder}/w*"/>')
    site.poller("run", "-q")
    assert site.rows("SELECT log, state FROM log_source ORDER BY log") == [
        ("app", "ok"),
        ("auth", "absent"),
        ("web", "absent"),
    ]
    assert site.rows(
        "SELECT label, value FROM series_sample JOIN series ON series.id = series_id"
        " WHERE metric = 'log.readable' ORDER BY label"
    ) == [("app", 1.0), ("auth", 0.0), ("web", 0.0)]


def test_secrets_never_reach_the_database(site: Site, app: App) -> None:
    watch(site, app, more='<redact pattern="password=\\S+" put="(gone)"/>')
    with app.log.open("ab") as file:
        file.write(b"Nov 21 10:00:00 host app[7]: user=a password=hunter2 line 2\n")
    site.poller("run", "-q")
    assert site.rows("SELECT message FROM log_line WHERE message LIKE 'user%'") == [("user=a (gone) line 2",)]
    assert b"hunter2" not in b"".join(path.read_bytes() for path in site.folder.glob("poller.db*"))
