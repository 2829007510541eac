"""Replays: what happens to alerts, people and channels, step by step, against what must be sent.

To add one, add a text file to `deliveries`; `tests.notify.replay` says what may stand in it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notify.replay import play

DELIVERIES = sorted((Path(__file__).parent / "deliveries").glob("*.txt"))


@pytest.mark.parametrize("path", DELIVERIES, ids=lambda path: path.stem)
def test_each_step_sends_exactly_what_the_file_says(path: Path) -> None:
    steps = list(play(path))
    assert steps, "nothing was played"
    for line, expected, happened in steps:
        assert happened == expected, line
