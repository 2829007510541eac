"""On a terminal: colour unless NO_COLOR, a progress bar for long rounds; nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.terminal import terminal
from tests.config.files import write

MANY = "<poller><journal path='p.db'/><host name='h[01-12]' address='local' python='/nowhere/python3'/></poller>"
FEW = MANY.replace("[01-12]", "[1-2]")


def on_terminal(folder: Path, *words: str, **environ: str) -> str:
    """What somebody sees who runs the command on a terminal of 100 columns."""
    with terminal(folder, *words, environ={"COLUMNS": "100", **environ}) as seen:
        seen.end()
        return seen.shown


def test_colour_is_for_terminals_and_not_with_no_color(tmp_path: Path) -> None:
    write(tmp_path, FEW)
    assert "\x1b[1m" in on_terminal(tmp_path, "status")
    plain = on_terminal(tmp_path, "status", NO_COLOR="1")
    assert "never" in plain and "\x1b[3" not in plain
    assert "\x1b" not in on_terminal(tmp_path, "status", TERM="dumb")


@pytest.mark.parametrize(
    ("config", "words", "bar"),
    [(MANY, ["run"], True), (FEW, ["run"], False), (MANY, ["run", "-q"], False), (MANY, ["run", "--json"], False)],
)
def test_a_long_round_shows_how_far_it_is(tmp_path: Path, config: str, words: list[str], bar: bool) -> None:
    write(tmp_path, config)
    assert ("polled h" in on_terminal(tmp_path, *words)) is bar


def test_a_narrow_terminal_loses_nothing(tmp_path: Path) -> None:
    write(tmp_path, FEW)
    on_terminal(tmp_path, "run", "-q")
    shown = on_terminal(tmp_path, "status", COLUMNS="50", NO_COLOR="1").replace("\r", "")
    assert max(map(len, shown.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines())) <= 50
    assert "/nowhere/python3" in shown
