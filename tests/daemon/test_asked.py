"""Which polls count for a command that asked a daemon for some."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from poller.clock import now_ms
from poller.control import Client, Server
from poller.daemon import asked
from poller.daemon.asked import Asked
from poller.errors import BusyError, StoreError, UsageError
from poller.intake import Taken
from poller.model import Config, Host, MetricValue, Poll, PollOutcome, PollSettings

BOUND = 30.0


def taken(name: str, at_ms: int, outcome: PollOutcome = PollOutcome.OK) -> Taken:
    return Taken(Poll(f"{name}{at_ms}", name, at_ms, outcome), (MetricValue("load.1m", 1.0),), ())


class Daemon:
    """What is asked of it, and what it answers: `polls` are stored as soon as they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.config = Config(folder / "c", folder / "j", hosts=(Host("web1", "::1"), Host("db1", "::1")))
        self.trouble = ""
        self.asked = Asked(lambda: self.config, self._poll_now, lambda: self.trouble)
        self.wanted: list[tuple[Collection[str], bool]] = []
        self.begun = threading.Event()
        self.polls: list[Callable[[], Taken]] = []

    def _poll_now(self, hosts: Collection[str], at_any_rate: bool) -> None:
        self.wanted.append((hosts, at_any_rate))
        for one in self.polls:
            self.asked.taken("round-1", [one()])
        self.begun.set()


@pytest.fixture
def daemon(tmp_path: Path) -> Daemon:
    return Daemon(tmp_path)


@pytest.fixture
def server(daemon: Daemon, tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "s", {"poll": daemon.asked.poll}) as server:
        yield server


@pytest.fixture
def client(server: Server, tmp_path: Path) -> Client:
    return Client(tmp_path / "s")


def told(client: Client, *names: str, now: bool = False) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    with client.stream("poll", hosts=list(names), now=now) as stream:
        items = list(stream)
    return items, stream.answer


def test_each_host_is_told_once_and_others_are_not(daemon: Daemon, client: Client) -> None:
    names = ("db1", "web1", "web1", "other")
    daemon.polls = [lambda name=name: taken(name, now_ms()) for name in names]  # type: ignore[misc]
    items, answer = told(client, "web1", "db1", now=True)
    assert [one["name"] for one in items] == ["db1", "web1"]
    assert items[0]["metrics"] == {"load.1m": 1.0} and items[0]["outcome"] == "ok"
    assert answer["round"] == "round-1" and answer["missing"] == []
    assert daemon.wanted == [(("web1", "db1"), True)]


def test_a_poll_that_was_under_way_does_not_count_but_the_next_does_whatever_the_clock_says(
    daemon: Daemon, client: Client
) -> None:
    early = now_ms() - 60_000
    daemon.polls = [lambda: taken("web1", early), lambda: taken("web1", early + 1, PollOutcome.FAILED)]
    items, _ = told(client, "web1")
    assert [one["outcome"] for one in items] == ["failed"]


def test_after_a_poll_that_does_not_count_the_next_has_all_of_its_time(
    daemon: Daemon, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long its deadline is: the one that was under way took nearly all of it."""
    daemon.config = replace(daemon.config, hosts=(Host("web1", "::1", poll=PollSettings(deadline=270.0)),))
    clock = count(0.0, 160.0)  # the deadline, and half a minute
    monkeypatch.setattr(asked, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    daemon.polls = [lambda: taken("web1", now_ms() - 60_000), lambda: taken("web1", now_ms())]
    items, answer = told(client, "web1")
    assert ([one["outcome"] for one in items], answer["missing"]) == (["ok"], [])


def test_a_host_that_the_daemon_does_not_know_is_a_mistake(client: Client, daemon: Daemon) -> None:
    with pytest.raises(UsageError, match="'new'") as refused:
        told(client, "web1", "new")
    assert "--reload" in refused.value.hint and daemon.wanted == []


def test_what_cannot_be_stored_is_not_waited_for(client: Client, daemon: Daemon) -> None:
    daemon.trouble = "the disk is full"
    with pytest.raises(StoreError, match="the disk is full"):
        told(client, "web1")


def test_a_daemon_that_stops_says_so(client: Client, daemon: Daemon, server: Server) -> None:
    def close() -> None:
        daemon.begun.wait(BOUND)
        server.close()

    closer = threading.Thread(target=close)
    closer.start()
    with pytest.raises(BusyError, match="stopping"):
        told(client, "web1")
    closer.join(BOUND)
