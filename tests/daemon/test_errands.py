"""Errands of other threads: done by the main thread, answered whatever comes of them, and never the end of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from poller.control import Client, Server
from poller.daemon.errands import Errands
from poller.errors import BusyError, PollerError, UsageError

BOUND = 30.0


class Loop:
    """A main loop that does nothing but errands."""

    def __init__(self) -> None:
        self.errands = Errands()
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self.ends.wait(0.001):
            self.errands.run()
        self.errands.end()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    loop.thread.start()
    yield loop
    loop.ends.set()
    loop.thread.join(BOUND)


def asked(errands: Errands, work: Callable[[], object], pool: ThreadPoolExecutor) -> Future[Any]:
    return pool.submit(errands.ask, work, BOUND)


def test_who_asks_gets_what_the_main_thread_found(loop: Loop) -> None:
    assert loop.errands.ask(lambda: threading.current_thread() is loop.thread) is True


@pytest.mark.parametrize(
    "error", [UsageError("no such host"), ZeroDivisionError("x"), TimeoutError("y"), MemoryError()]
)
def test_what_an_errand_raises_reaches_who_asked_and_the_loop_goes_on(loop: Loop, error: Exception) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        loop.errands.ask(fail)
    assert raised.value is error
    assert loop.errands.ask(lambda: "on") == "on" and loop.thread.is_alive()


def test_a_command_is_told_of_the_fault_and_the_log_has_where_it_was(
    loop: Loop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "poller.control")

    def stumble() -> dict[str, str]:
        raise KeyError("stick")

    handlers = {
        "status": lambda caller: loop.errands.ask(stumble),
        "reload": lambda caller: loop.errands.ask(lambda: {"words": "on"}),
    }
    with Server(tmp_path / "s", handlers):
        client = Client(tmp_path / "s")
        with pytest.raises(PollerError, match="a fault of the daemon: KeyError") as told:
            client.ask("status")
        assert told.value.code == "fault" and "log of the daemon" in told.value.hint
        assert client.ask("reload") == {"words": "on"}
    assert "Traceback" in caplog.text and "in stumble" in caplog.text


def test_what_nobody_waits_for_is_logged_with_its_traceback(loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "poller.daemon")

    def stumble() -> None:
        raise KeyError("stick")

    loop.errands.put(stumble)
    assert loop.errands.ask(lambda: "on") == "on"
    assert "KeyError('stick')" in caplog.text and "in stumble" in caplog.text


def test_one_that_was_given_up_is_not_done_later() -> None:
    errands, done = Errands(), []
    with pytest.raises(BusyError, match="too busy"):
        errands.ask(lambda: done.append(1), patience=0.01)
    errands.run()
    assert done == []


def test_who_waits_when_the_loop_ends_is_told_so_and_so_is_who_comes_later() -> None:
    errands = Errands()
    with ThreadPoolExecutor(8) as pool:
        waiting = [asked(errands, lambda: 1, pool) for _ in range(8)]
        errands.end()
        for one in [*waiting, asked(errands, lambda: 1, pool)]:
            with pytest.raises(BusyError, match="stopping"):
                one.result(BOUND)
