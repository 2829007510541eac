"""Names of peers: looked up at the poller after a round, never for long, and remembered for a day."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from poller.clock import now_ms
from poller.model import Findings, Talk
from poller.names import MOST, look_up, resolve
from poller.store import Journal
from poller.store.names import AGAIN_MS, FRESH_MS
from tests.store.machines import poll


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "poller.db", now_ms=now_ms()) as opened:
        yield opened


def talked(journal: Journal, addresses: Sequence[str], scope: str = "internet", number: int = 0) -> None:
    """A poll of a host that talked with these."""
    talks = tuple(Talk("tcp", False, one, 443, 0, scope, False, 1, 1, 60.0, 1, 1) for one in addresses)
    done = replace(poll("web1", number=number), at_ms=now_ms())
    with journal.transaction() as work:
        assert work.store_poll(done, (), None, Findings(talks=talks))


def stored(journal: Journal) -> dict[str, tuple[str, int]]:
    """address -> name, and for how many milliseconds from now it will not be looked up."""
    with closing(sqlite3.connect(journal.path)) as connection:
        rows = connection.execute("SELECT address, name, looked_ms FROM address_name").fetchall()
    return {address: (name, looked_ms + FRESH_MS - now_ms()) for address, name, looked_ms in rows}


def named(address: str) -> str:
    return f"{address.replace('.', '-')}.example.org"


def test_peers_get_the_names_their_addresses_have(journal: Journal) -> None:
    talked(journal, ["192.0.2.1", "198.51.100.7"])
    assert resolve(journal, threading.Event(), named) == 2
    assert {address: name for address, (name, _) in stored(journal).items()} == {
        "192.0.2.1": "192-0-2-1.example.org",
        "198.51.100.7": "198-51-100-7.example.org",
    }
    talked(journal, ["192.0.2.1"], number=1)
    with closing(sqlite3.connect(journal.path)) as connection:
        assert ("192-0-2-1.example.org",) in connection.execute("SELECT name FROM peer").fetchall()


def test_a_name_is_looked_up_once_a_day(journal: Journal) -> None:
    asked: list[str] = []

    def look(address: str) -> str:
        asked.append(address)
        return ""

    talked(journal, ["192.0.2.1"])
    for _ in range(3):
        resolve(journal, threading.Event(), look)
    assert asked == ["192.0.2.1"]
    with closing(sqlite3.connect(journal.path)) as connection, connection:
        connection.execute("UPDATE address_name SET looked_ms = looked_ms - ?", (FRESH_MS + 1,))
    assert resolve(journal, threading.Event(), look) == 1


def test_nothing_is_asked_where_there_is_nobody_to_ask_for(journal: Journal) -> None:
    def look(address: str) -> str:
        raise AssertionError(address)

    assert resolve(journal, threading.Event(), look) == 0
    talked(journal, ["127.0.0.1"], scope="loopback")
    assert resolve(journal, threading.Event(), look) == 0
    talked(journal, ["fe80::1", "224.0.0.9", "no address"], number=1)
    assert resolve(journal, threading.Event(), look) == 0
    assert {name for name, _ in stored(journal).values()} == {""}


def test_a_name_server_that_does_not_answer_holds_no_round_up(journal: Journal) -> None:
    """What is not answered in time keeps its old name and is asked for again in ten minutes, not in each round."""
    hanging = threading.Event()

    def look(address: str) -> str:
        if address == "192.0.2.9":
            return "quick.example.org"
        hanging.wait(30)
        return ""

    talked(journal, [f"192.0.2.{number}" for number in range(1, 10)])
    begin = time.monotonic()
    assert resolve(journal, threading.Event(), look, seconds=0.3) == 9
    assert time.monotonic() - begin < 10
    found = stored(journal)
    hanging.set()
    assert len(found) == 9
    assert found["192.0.2.1"][0] == ""
    assert 0 < found["192.0.2.1"][1] <= AGAIN_MS
    assert resolve(journal, threading.Event(), look) == 0


def test_a_signal_ends_the_waiting(journal: Journal) -> None:
    stop, hanging = threading.Event(), threading.Event()

    def look(_address: str) -> str:
        stop.set()
        hanging.wait(30)
        return ""

    talked(journal, ["192.0.2.1"])
    begin = time.monotonic()
    resolve(journal, stop, look, seconds=20)
    assert time.monotonic() - begin < 10
    hanging.set()
    assert stored(journal) == {}


def test_so_many_at_once_and_the_others_in_the_next_round(journal: Journal) -> None:
    talked(journal, [f"10.0.{number}.1" for number in range(MOST + 7)])
    assert resolve(journal, threading.Event(), named) == MOST
    assert resolve(journal, threading.Event(), named) == 7
    assert len(stored(journal)) == MOST + 7


def test_the_systems_resolver_is_asked() -> None:
    assert "localhost" in look_up("127.0.0.1")
    assert look_up("no address") == ""
