"""A worker process rests while there is nothing to do, and obeys at once all the same."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from poller.bell import Bell
from poller.clock import now_ms
from poller.fleet.shards import Shards
from poller.fleet.threads import Threads
from poller.model import Config
from poller.store import Journal

SECONDS = 6.0
PATIENCE = 60.0


@pytest.fixture
def config(tmp_path: Path) -> Config:
    Journal.open(tmp_path / "poller.db", now_ms=now_ms()).close()
    return Config(path=tmp_path / "config.xml", journal=tmp_path / "poller.db", processes=2)


@pytest.fixture
def shards(config: Config) -> Iterator[Shards]:
    engine = Shards(config)
    engine.start([], {})
    yield engine
    engine.stop(0.0)


def switches(process: int) -> int:
    """How often all of its threads went to sleep (proc_pid_status(5))."""
    count = 0
    for status in Path(f"/proc/{process}/task").glob("*/status"):
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        count += int(fields["voluntary_ctxt_switches"])
    return count


def test_a_worker_with_nothing_to_do_wakes_a_few_times_in_five_seconds(shards: Shards) -> None:
    until = time.monotonic() + PATIENCE
    while not all(shard._heard > shard._began for shard in shards._shards):
        assert time.monotonic() < until, "none is ready"
        shards.take(0.2)
    before = {one: switches(one) for one in shards.workers}
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        shards.take(ends - time.monotonic())
    more = [switches(one) - count for one, count in before.items()]
    assert len(more) == 2 and max(more) <= 15, more  # two signs of life, and what the interpreter needs for them


def test_an_engine_that_waits_is_woken_by_an_order_and_by_something_to_log(config: Config) -> None:
    engine, order = Threads(config), Bell()
    engine.start([], {})
    try:
        began = time.monotonic()
        order.set()
        assert engine.take(PATIENCE, wake=order.fileno()).polls == ()
        engine.ring()
        assert engine.take(PATIENCE).polls == ()
        assert time.monotonic() - began < PATIENCE, "neither waited to the end"
    finally:
        order.close()
        engine.stop(0.0)
