"""A journal of one's own for each test."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import pytest

from poller.model import Message
from poller.store import Journal
from tests.store.machines import START_MS


class Ask(Protocol):
    """Runs one SELECT on the database file, as somebody with a shell would."""

    def __call__(self, sql: str, *values: Any) -> list[tuple[Any, ...]]: ...


def message(*notifications: str, number: str = "m1", sent_ms: int = START_MS, digest: bool = False) -> Message:
    """One to ops by mail about these notifications (ids)."""
    return Message(number, "ops", "mail", sent_ms, "[HIGH] web1", notifications, digest)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "poller.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with Journal.open(path, now_ms=START_MS) as opened:
        yield opened


@pytest.fixture
def ask(path: Path) -> Ask:
    def run(sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute(sql, values).fetchall()

    return run
