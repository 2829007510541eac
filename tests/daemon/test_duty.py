"""A duty goes on whatever happens to it, and says what is new once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from poller.daemon import duty
from poller.daemon.duty import Duty
from poller.daemon.errands import Errands
from poller.errors import BusyError, StoreError
from poller.store import Journal

PATIENCE = 20.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duty, "_AGAIN", 0.01)
    monkeypatch.setattr(duty, "_CALM", 0.0)


class Turns:
    """Work that fails as it is told to; `count` is waited for."""

    def __init__(self, failures: list[Exception], seconds: float = 0.01) -> None:
        self.failures = failures
        self.seconds = seconds
        self.count = 0
        self.changed = threading.Condition()

    def __call__(self, journal: Journal, stop: threading.Event) -> float:
        with self.changed:
            self.count += 1
            self.changed.notify_all()
        if self.failures:
            raise self.failures.pop(0)
        return self.seconds

    def wait(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.count >= count, PATIENCE)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[list[Duty]]:
    """Duties that are ended with the test."""
    duties: list[Duty] = []
    yield duties
    for one in duties:
        one.stop()
    assert all(one.join(PATIENCE) for one in duties)


def until(true: object) -> None:
    ends = time.monotonic() + PATIENCE
    while not true():  # type: ignore[operator]
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_what_fails_is_said_once_and_tried_again_until_it_works(
    made: list[Duty], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "poller.daemon")
    turns = Turns([StoreError("the disk is full"), StoreError("the disk is full"), ValueError("x")])
    made.append(Duty("upkeep", tmp_path / "poller.db", turns))
    made[0].tend()
    turns.wait(5)
    until(lambda: "works again" in caplog.text)
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "upkeep: the disk is full; it is tried again",
        "upkeep: a fault of the poller itself: ValueError('x'); it is tried again",
        "upkeep: works again",
    ]
    assert made[0].standing.trouble == "" and made[0].standing.done_ms


def test_it_is_woken_before_its_time(made: list[Duty], tmp_path: Path) -> None:
    turns = Turns([], seconds=3600)
    made.append(Duty("telling", tmp_path / "poller.db", turns))
    made[0].tend()
    turns.wait(1)
    made[0].wake()
    turns.wait(2)


def test_errands_are_run_by_the_main_thread_and_answered() -> None:
    errands = Errands()
    answers: list[threading.Thread | BusyError] = []

    def refuse() -> int:
        raise BusyError("not now")

    def ask() -> None:
        answers.append(errands.ask(threading.current_thread))
        try:
            errands.ask(refuse)
        except BusyError as error:
            answers.append(error)

    asker = threading.Thread(target=ask)
    asker.start()

    def answered() -> bool:
        errands.run()
        return len(answers) == 2

    until(answered)
    asker.join(PATIENCE)
    assert answers[0] is threading.current_thread()
    assert isinstance(answers[1], BusyError)
