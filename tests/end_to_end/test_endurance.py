"""Round after round in one process: threads, descriptors and memory stay; two pollers share a host."""

from __future__ import annotations

import gc
import socket
import threading
import time
from collections.abc import Callable

import pytest

from poller.app import Selection, run_round
from poller.config import load
from poller.model import Config, Deadline
from poller.schedule import Stop
from poller.store import Leases
from tests.end_to_end.site import Site
from tests.ssh import hostile
from tests.ssh.hostile import raw
from tests.ssh.standins import descriptors, resident_bytes, threads


def configuration(site: Site) -> Config:
    return load(site.config, {"HOME": str(site.folder)})


def settled(count: int, more: int, now: Callable[[], int]) -> bool:
    """Ended connections are closed by their own threads, a moment later."""
    until = time.monotonic() + 15
    while now() > count + more and time.monotonic() < until:
        time.sleep(0.02)
    return now() <= count + more


def test_round_after_round_leaves_no_thread_no_descriptor_and_no_memory(site: Site) -> None:
    """Without the garbage collector: what it would have to find grows until it comes by."""
    jump = f"{site.sshd.user}@127.0.0.1:{site.sshd.port}"
    with raw(hostile.floods_banner) as flood, raw(hostile.closes_at_once) as closing:
        site.write(
            '<host name="web1" address="127.0.0.1"/><host name="me" address="local"/>'
            f'<host name="behind" address="127.0.0.1" proxy-jump="{jump}"/>'
            '<host name="gone" address="127.0.0.1" port="1"/>'
            f'<host name="flood" address="127.0.0.1" port="{flood.port}"/>'
            f'<host name="closing" address="127.0.0.1" port="{closing.port}"/>'
        )
        config = configuration(site)
        fds = running = memory = 0
        try:
            for number in range(8):
                result = run_round(config, Selection(), stop=Stop())
                assert result.outcomes == {"ok": 3, "failed": 3}
                if number == 1:
                    gc.collect()
                    gc.disable()
                    time.sleep(0.2)
                    fds, running, memory = descriptors(), len(threads()), resident_bytes()
            assert settled(fds, 5, descriptors)
            assert settled(running, 2, lambda: len(threads())), threads()
        finally:
            gc.enable()
        assert resident_bytes() - memory < 8 * 1024 * 1024


@pytest.mark.parametrize(("held", "outcome", "code"), [(0.2, "failed", "timeout"), (1.8, "skipped", "busy")])
def test_who_waits_for_another_poller_still_ends_by_the_deadline(
    site: Site, held: float, outcome: str, code: str
) -> None:
    """And what is left of it must be worth a try: a host is not down because somebody else polled it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        site.write(f'<host name="web1" address="127.0.0.1" port="{silent.getsockname()[1]}" deadline="2s"/>')
        config = configuration(site)
        other = Leases(config.journal)
        other.acquire("web1", Deadline(1))
        timer = threading.Timer(held, other.release, ("web1",))
        timer.start()
        started = time.monotonic()
        (taken,) = run_round(config, Selection(), stop=Stop()).taken
        assert time.monotonic() - started < 3
        assert (taken.poll.outcome, taken.poll.code) == (outcome, code)
        timer.join()
        other.close()
