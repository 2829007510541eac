"""How late polls are, as the daemon counts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from poller.daemon.board import Board
from poller.intake import Taken
from poller.model import Config, Host, Poll, PollOutcome, PollSettings


@pytest.fixture
def board(tmp_path: Path) -> Board:
    host = Host("web1", "::1", poll=PollSettings(interval=60.0))
    return Board(Config(tmp_path / "c", tmp_path / "j", hosts=(host,)))


def late(board: Board, *polls: tuple[int, float]) -> float:
    """Of polls at an instant of the wall clock (seconds), stored at one of the monotonic clock."""
    for at, now in polls:
        board.take([Taken(Poll(str(at), "web1", at * 1000, PollOutcome.OK), (), ())], now)
    return board.end_round().late


def test_a_poll_that_begins_after_its_time_is_late(board: Board) -> None:
    assert late(board, (1000, 1.0), (1070, 71.0)) == 10.0


def test_a_clock_that_is_set_makes_no_poll_late(board: Board) -> None:
    assert late(board, (1000, 1.0), (4660, 61.0)) == 0.0
    assert late(board, (1060, 121.0)) == 0.0


def test_a_journal_that_was_away_makes_no_poll_late(board: Board) -> None:
    assert late(board, (1000, 1.0), (1060, 181.0)) == 0.0
