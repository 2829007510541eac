"""What the processes of a daemon tell each other arrives as it was sent, whatever there is of it."""

from __future__ import annotations

import pickle
import socket
import struct
from collections.abc import Iterator
from dataclasses import fields
from types import MappingProxyType
from typing import Any, get_args

import pytest

from poller.errors import HostError
from poller.fleet import parcel
from poller.fleet.parcel import Order, ParcelError, Post
from poller.model import (
    Arrivals,
    Before,
    Deadline,
    Host,
    Link,
    LinkState,
    Logins,
    Poll,
    PollOutcome,
    Push,
    Reading,
    Report,
    Row,
    Section,
    SectionStatus,
)
from poller.ssh import Gates

Pair = tuple[Post, Post]


@pytest.fixture
def ends() -> Iterator[Pair]:
    one, other = socket.socketpair()
    posts = Post(one), Post(other)
    yield posts
    for post in posts:
        post.close()


def all_kinds() -> Reading:
    """A row of every kind, each field with a value of its own."""
    rows = tuple(
        kind(*(f"{field.name} {number}" for number, field in enumerate(fields(kind)) if field.init))
        for kind in get_args(Row)
    )
    sections = Section("all", SectionStatus.OK, "", 0.1, rows), Section("none", SectionStatus.DENIED, "no", 0.0)
    return Reading(1.5, 2.5, "boot", sections)


def carried(ends: Pair, *values: Any) -> list[Any]:
    """Both ends in one thread: what does not fit at once is sent as room is made."""
    one, other = ends
    for value in values:
        one.put(value)
    found: list[Any] = []
    while len(found) < len(values):
        found += other.receive()
        one.flush()
    return found


def test_polls_arrive_as_they_were(ends: Pair) -> None:
    reading = all_kinds()
    report = Report("h", "sha", "3.11", 0.2, (reading,))
    full = Poll("id", "h", 5, PollOutcome.PARTIAL, stages={"auth": 0.1}, report=report)
    empty = Poll("id2", "h", 6, PollOutcome.SKIPPED)
    reading.rows(type(reading.sections[0].rows[0]))  # what it has looked up before changes nothing
    arrivals = Arrivals((full, empty), (Push("h", 1, 2, reading),), (LinkState("h", Link.LOST, 7, reason="gone"),))
    (told,) = carried(ends, arrivals)
    assert told == arrivals and isinstance(told.polls[0].outcome, PollOutcome)
    assert told.polls[0].report is not None and told.polls[0].report.now.rows(type(reading.sections[0].rows[0]))


def test_hosts_and_what_is_remembered_of_them_arrive_as_they_were(ends: Pair) -> None:
    before = Before(all_kinds(), ("/mnt",), cursors=MappingProxyType({"kernel": "7"}), logins=Logins(2, 9))
    order = Order("start", ((Host("h", "127.0.0.1"),), {"h": before}), {"at_any_rate": True})
    (told,) = carried(ends, order)
    assert told == order
    with pytest.raises(TypeError):
        told.values[1]["h"].cursors["kernel"] = "8"


def test_many_and_large_ones_arrive_in_order(ends: Pair) -> None:
    values = [str(number) * 50_000 for number in range(40)]
    assert carried(ends, *values) == values


def test_the_end_of_the_other_process_is_noticed(ends: Pair) -> None:
    one, other = ends
    one.put("last")
    one.close()
    assert list(other.receive()) == ["last"]
    other.put("nobody hears that")
    with pytest.raises(EOFError):
        list(other.receive())


def test_what_is_too_long_is_refused_by_both_ends(ends: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcel, "_LONGEST", 1000)
    one, other = ends
    with pytest.raises(ParcelError, match="too long"):
        one.put("x" * 2000)
    raw = pickle.dumps("x" * 2000)
    one._sock.send(struct.pack("!I", len(raw)) + raw)
    with pytest.raises(ParcelError, match="too long"):
        list(other.receive())


def test_one_that_takes_nothing_is_not_told_without_end(ends: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcel, "_MOST_WAITING", 1 << 20)
    with pytest.raises(ParcelError, match="takes nothing"):
        for _ in range(100):
            ends[0].put("x" * 100_000)


def test_processes_share_the_logins_at_one_target() -> None:
    gates, later = Gates(per_target=4, processes=2), Deadline(5.0)
    with (
        gates.enter(["127.0.0.1"], 22, later),
        gates.enter(["127.0.0.1"], 22, later),
        pytest.raises(HostError),
        gates.enter(["127.0.0.1"], 22, Deadline(0.0)),
    ):
        pass
    with Gates(per_target=1, processes=8).enter(["127.0.0.1"], 22, later):
        pass
