"""The journal on a disk that is full, a real one: a tmpfs of a namespace of the test's own."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from poller.store.room import RESERVE_BYTES
from tests.end_to_end.disk import SmallDisk, small_disk
from tests.end_to_end.site import Site
from tests.notify.servers import Mail, mail_server

TINY = 2 * 1024 * 1024  # too small for a reserve
SMALL = 24 * 1024 * 1024
# Polls three days old, as one would find them after a long while; runs where the disk is.
OLD = """
from dataclasses import replace
from pathlib import Path
from sys import argv
from poller.clock import now_ms
from poller.store import Journal
from tests.store.machines import poll, values

start = now_ms() - 3 * 86_400_000
with Journal.open(Path(argv[1]), now_ms=now_ms()) as journal:
    for batch in range(80):
        with journal.transaction() as work:
            for at_ms in range(start + batch * 50_000, start + batch * 50_000 + 50_000, 1000):
                work.store_poll(replace(poll("old", 1), id=str(at_ms), at_ms=at_ms), values(1))
"""


class SiteThere(Site):
    """A site whose journal is on the small disk."""

    disk: SmallDisk

    def move(self, disk: SmallDisk) -> None:
        self.disk = disk
        self.journal = disk.folder / "poller.db"
        self.configure()

    def configure(self, more: str = "") -> None:
        self.write('<host name="me" address="local" thresholds="test" notify="ops"/>', more=more)
        text = self.config.read_text().replace('"poller.db"', f'"{self.journal}"')
        self.config.write_text(text if "<thresholds" in more else text.replace(' thresholds="test" notify="ops"', ""))

    def command(self, *words: str) -> list[str]:
        return [*self.disk.enter, *super().command(*words)]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        ask = f"import sqlite3; print(sqlite3.connect({str(self.journal)!r}).execute({sql!r}).fetchall())"
        out = subprocess.run([*self.disk.enter, sys.executable, "-c", ask], capture_output=True, text=True, check=True)
        found: list[tuple[Any, ...]] = ast.literal_eval(out.stdout)
        return found

    @property
    def reserve(self) -> Path:
        return self.disk.outside / "poller.db.reserve"

    def counts(self) -> tuple[int, int, int]:
        """Polls, polls with samples, events of a gap."""
        sql = "SELECT (SELECT count(*) FROM poll), (SELECT count(*) FROM system_sample)"
        ((polls, samples, gaps),) = self.rows(f"{sql}, (SELECT count(*) FROM event WHERE kind = 'gap')")
        return polls, samples, gaps


@pytest.fixture
def there(site: Site) -> SiteThere:
    site.__class__ = SiteThere
    assert isinstance(site, SiteThere)
    return site


@pytest.fixture
def tiny(there: SiteThere, tmp_path: Path) -> Iterator[SiteThere]:
    with small_disk(tmp_path / "disk", TINY) as disk:
        there.move(disk)
        yield there


@pytest.fixture
def small(there: SiteThere, tmp_path: Path) -> Iterator[SiteThere]:
    with small_disk(tmp_path / "disk", SMALL) as disk:
        there.move(disk)
        yield there


# A reader that stays holds up the write-ahead log: it grows until the disk is full, and on into the reserve.
READER = """
import sqlite3
from pathlib import Path
from sys import argv
from poller.clock import now_ms
from poller.errors import StoreError
from poller.store import Journal
from tests.store.machines import poll, values

journal = Journal.open(Path(argv[1]), now_ms=now_ms())

def write(minute):
    with journal.transaction() as work, work.savepoint():
        work.store_poll(poll("web1", minute), values(1))

write(0)
reader = sqlite3.connect(argv[1])
cursor = reader.execute("SELECT at_ms FROM core_sample")
cursor.fetchone()
stored, helped = 1, 0
while True:
    try:
        write(stored)
        stored += 1
    except StoreError as error:
        assert "the disk is full" in error.sentence
        if not journal.make_room(error):
            break
        helped += 1
full = Path(argv[1] + "-wal").stat().st_size
cursor.close()
reader.close()
write(stored)
assert Path(argv[1] + "-wal").stat().st_size < full / 4
print(stored + 1, helped)
"""


def check_full(site: SiteThere) -> None:
    """Every command that writes says so, and readers still read."""
    for words in (("run", "-q"), ("run", "-q", "--host", "me"), ("db", "prune")):
        run = site.poller(*words, code=74)
        assert run.stderr.startswith(f"poller: {site.journal}: ")
        assert len(run.stderr.splitlines()) == 2
        assert run.stdout == ""


def test_a_first_round_on_a_full_disk_is_a_sentence_and_74(tiny: SiteThere) -> None:
    tiny.disk.fill()
    run = tiny.poller("run", "-q", code=74)
    assert "the disk is full" in run.stderr
    tiny.disk.clear()
    tiny.poller("run", "-q")
    assert tiny.rows("SELECT outcome FROM poll") == [("ok",)]


def test_a_disk_that_fills_up_loses_nothing_stored_and_the_next_round_with_room_goes_on(tiny: SiteThere) -> None:
    tiny.poller("run", "-q")
    assert not tiny.reserve.exists(), "this disk is too small for one"
    tiny.disk.fill()
    check_full(tiny)
    assert "me" in tiny.poller("status").stdout
    tiny.disk.clear()
    assert tiny.rows("PRAGMA integrity_check") == [("ok",)]
    assert tiny.rows("SELECT (SELECT count(*) FROM poll), (SELECT count(*) FROM system_sample)") == [(1, 1)]
    tiny.poller("run", "-q")
    assert tiny.rows("SELECT count(*) FROM poll WHERE outcome = 'ok'") == [(2,)]
    assert tiny.rows("PRAGMA integrity_check") == [("ok",)]


def test_a_full_disk_still_takes_polls_alerts_and_their_mail_from_the_reserve_and_recovers_by_itself(
    small: SiteThere,
) -> None:
    mail = Mail()
    with mail_server(mail) as port:
        small.poller("run", "-q")
        assert small.reserve.stat().st_blocks * 512 == RESERVE_BYTES
        assert small.reserve.stat().st_mode & 0o777 == 0o600
        small.disk.fill()
        small.configure(
            f'<mail server="127.0.0.1" port="{port}" security="none" from="poller@example.org"/>'
            '<contact name="ops" mail="ops@example.org"/>'
            '<thresholds name="test"><threshold metric="uptime.seconds" above="0" severity="high"/></thresholds>'
        )
        for _ in range(2):
            run = small.poller("run", "-q", code=74)
            assert run.stderr.startswith(f"poller: {small.journal}: the disk is full: ")
            assert len(run.stderr.splitlines()) == 2
        assert len(mail.messages) == 1, "the alert is told, and once"
        assert small.counts() == (3, 1, 1)
        assert small.rows("SELECT count(*) FROM alerts WHERE metric = 'uptime.seconds'") == [(1,)]
        small.poller("db", "prune")
        small.disk.clear()
        small.poller("run", "-q")
        small.poller("run", "-q")
    assert small.counts() == (5, 3, 2)
    assert small.reserve.stat().st_blocks * 512 == RESERVE_BYTES
    assert small.rows("PRAGMA integrity_check") == [("ok",)]
    assert small.rows("SELECT host, severity FROM events WHERE kind = 'gap' ORDER BY at_ms") == [
        (None, "high"),
        (None, "low"),
    ]


def test_with_the_reserve_taken_away_a_full_disk_is_a_sentence_and_what_was_stored_stays(small: SiteThere) -> None:
    small.poller("run", "-q")
    small.reserve.unlink()
    small.disk.fill()
    check_full(small)
    small.disk.clear()
    small.poller("run", "-q")
    assert small.counts() == (2, 2, 0)
    assert small.reserve.stat().st_size == RESERVE_BYTES
    assert small.rows("PRAGMA integrity_check") == [("ok",)]


def test_a_disk_that_is_low_takes_no_samples_and_says_so_once(small: SiteThere) -> None:
    small.poller("run", "-q")
    small.disk.fill(leave=SMALL // 20 - 16 * 4096)
    small.reserve.unlink()  # the small disk would not be low with it: its reserve is more than 5 %
    small.disk.fill(leave=SMALL // 20 - 16 * 4096)
    for _ in range(3):
        small.poller("run", "-q")
    assert small.counts() == (4, 1, 1)
    assert "cpu.percent" in small.poller("run", "--json").stdout, "rates go on from what is remembered"
    small.disk.clear()
    small.poller("run", "-q")
    assert small.counts() == (6, 2, 2)


def test_pruning_works_on_a_full_disk_and_gives_its_room_back(small: SiteThere) -> None:
    small.configure('<retention samples="2d" cores="2d"/>')
    small.poller("run", "-q")
    words = [*small.disk.enter, sys.executable, "-c", OLD, str(small.journal)]
    subprocess.run(words, env=small.environment(), check=True)
    before = (small.disk.outside / "poller.db").stat().st_size
    assert before > 8 << 20
    small.disk.fill()
    small.poller("db", "prune")
    assert (small.disk.outside / "poller.db").stat().st_size < before / 2
    assert small.rows("SELECT count(*) FROM core_sample WHERE at_ms < 0 + (SELECT day_ago_ms FROM moment)") == [(0,)]
    assert small.rows("PRAGMA integrity_check") == [("ok",)]
    small.poller("run", "-q")
    assert small.counts()[1] == 2


@pytest.mark.parametrize("reserve", [True, False])
def test_a_reader_that_makes_the_log_fill_the_disk_stops_writing_until_it_ends(small: SiteThere, reserve: bool) -> None:
    if not reserve:
        small.disk.fill(leave=RESERVE_BYTES)
    words = [*small.disk.enter, sys.executable, "-c", READER, str(small.journal)]
    run = subprocess.run(words, env=small.environment(), check=True, stdout=subprocess.PIPE, text=True)
    stored = int(run.stdout.split()[0])
    assert stored > 10
    assert small.counts()[0] == stored
    assert small.rows("PRAGMA integrity_check") == [("ok",)]
