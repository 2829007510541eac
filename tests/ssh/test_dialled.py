"""How long a host that does not answer at all is dialled."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from poller.errors import HostError
from poller.model import Deadline, Stopwatch
from poller.ssh import connect
from tests.end_to_end.sshd import Sshd

SECONDS = 0.3


@contextlib.contextmanager
def crowded() -> Iterator[int]:
    """A port whose queue is full: who dials it is not answered, as by a machine that is switched off."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = server.getsockname()
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(address)
        yield address[1]


def test_who_is_in_a_hurry_gives_up_long_before_the_deadline(sshd: Sshd) -> None:
    with crowded() as port:
        host, stopwatch = sshd.host(), Stopwatch()
        host = replace(host, ssh=sshd.ssh(port=port))
        began = time.monotonic()
        with (
            pytest.raises(HostError) as caught,
            connect(host, command="true", deadline=Deadline(60.0), stopwatch=stopwatch, dial=SECONDS),
        ):
            pass
    assert (caught.value.stage, caught.value.code) == ("connect", "timeout")
    assert SECONDS <= stopwatch.seconds["connect"] <= time.monotonic() - began < 30.0
