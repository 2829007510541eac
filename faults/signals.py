"""K3: told to end, and told again."""

from __future__ import annotations

import random
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from faults.journals import ask
from faults.lab import Lab
from faults.near import local, near
from faults.site import LabSite

CHANCE: Final = random.Random(3)

CODES: Final = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: -signal.SIGHUP}


def signalled(lab: Lab) -> str:
    """K3: the same signal twice while 50 hosts hang. (A hang-up ends a round as it ends any program.)"""
    with socket.create_server(("0.0.0.0", 0), backlog=200) as everywhere:  # noqa: S104 - all of 127.0.0.0/8
        everywhere.settimeout(30)
        port = everywhere.getsockname()[1]
        key = lab.identity()
        hosts = f'<host name="h[1-50]" address="127.0.0.[1-50]" port="{port}" identity-file="{key}" deadline="60s"/>'
        site = near(lab, hosts + local("me"))
        longest = 0.0
        for number in lab.size(short=(signal.SIGINT, signal.SIGTERM), full=tuple(CODES) * 5):
            longest = max(longest, _twice(site, everywhere, number))
        assert longest < 10, f"{longest:.1f} s"
    assert ask(site.journal, "PRAGMA integrity_check") == [("ok",)]
    site.write(local("me"))
    assert site.round()["me"]["outcome"] == "ok", "the next round is held up"
    return f"ended <= {longest:.2f} s after the first signal, with 130 and 143; the next round is ok"


def _twice(site: LabSite, everywhere: socket.socket, number: signal.Signals) -> float:
    """Seconds from the first signal to the end."""
    with _interruptible(), site.running("run", "-q") as run:
        held = [everywhere.accept()[0] for _ in range(50)]
        begun = time.monotonic()
        run.send_signal(number)
        time.sleep(CHANCE.uniform(0.0, 0.1))
        run.send_signal(number)
        code = run.wait(30)
        seconds = time.monotonic() - begun
        for connection in held:
            connection.close()
    assert code == CODES[number], f"{number.name} twice: exit {code}"
    assert "Traceback" not in site.said[-1], site.said[-1]
    return seconds


@contextmanager
def _interruptible() -> Iterator[None]:
    """What a shell runs in the background ignores SIGINT, and hands that on; what is handled is reset by exec."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
