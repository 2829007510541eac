"""Hosts that hang, more of them than may be polled at once: the others are polled on time, and heard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from poller.model import Before, PollSettings
from tests.end_to_end.sshd import Sshd
from tests.fleet.running import good, running, seldom
from tests.ssh import hostile

HUNG = 8
POLLS = 12
# Milliseconds between two of what comes each second, on a machine that is busy; who waits for a place waits 6 s.
APART = 4_000


@pytest.fixture
def hung() -> Iterator[list[hostile.Server]]:
    """A server each, for logins at one are counted."""
    with ExitStack() as stack:
        yield [stack.enter_context(hostile.raw(hostile.never_speaks)) for _ in range(HUNG)]


def test_hosts_that_hang_do_not_make_the_others_wait(tmp_path: Path, sshd: Sshd, hung: list[hostile.Server]) -> None:
    names = ["web0", "web1", "web2"]
    healthy = [seldom(sshd.host(name), interval=1.0) for name in names]
    dark = [
        replace(server.host(tmp_path, sshd.client_key), name=f"dark{number}", poll=PollSettings(60.0, 6.0))
        for number, server in enumerate(hung)
    ]
    failed = {host.name: Before(failures=1) for host in dark}
    hosts = [replace(healthy[0], live=True), *healthy[1:], *dark]
    with running(tmp_path, *hosts, befores=failed, at_once=4) as run:
        run.until(lambda: all(len(run.of(name)) >= POLLS for name in names), "a dozen polls of each", 60)
        run.until(lambda: sum(server.connections > 0 for server in hung) > HUNG // 2, "those that hang are tried", 60)
    assert good([poll for name in names for poll in run.of(name)])
    for name in names:
        apart = [later.at_ms - one.at_ms for one, later in pairwise(run.of(name))]
        assert max(apart) < APART, (name, apart)
    silences = [later.at_ms - one.at_ms for one, later in pairwise(run.pushes)]
    assert len(silences) > POLLS // 2 and max(silences) < APART, silences
