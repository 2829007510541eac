"""The screen of `poller watch`: it fits into any terminal, tells what matters first, and gives the terminal back."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from poller.cli.watch_picture import Picture
from poller.cli.watch_screen import Screen
from poller.model import Event, Light, Seat, Severity, Sighted
from tests.cli import past
from tests.cli.terminal import CTRL_C, terminal

AT = 1_760_000_000_000


def drawn(picture: Picture, width: int, height: int, **environ: str) -> str:
    out = StringIO()
    console = Console(file=out, width=width, height=height, force_terminal=True, _environ={"TERM": "xterm", **environ})
    with Screen(console, picture):
        pass
    return out.getvalue()


def test_the_screen_works_without_colour_and_shows_foreign_text_as_it_is_harmless() -> None:
    picture = Picture([f"pc{number:02}" for number in range(60)], everything=False)
    picture.take(Seat("pc07", Light.DARK, AT, "silent for 5 s"))
    picture.take(Sighted("1", "pc07", Event("usb_attached", AT, Severity.MEDIUM, past.HOSTILE), stored=True))
    plain = drawn(picture, 100, 24, NO_COLOR="1")
    assert "○ pc07" in plain and "· pc08" in plain and "\x1b[3" not in plain
    assert "\x1b[2J" not in plain and "\x9b" not in plain and "\u202e" not in plain
    assert "\x1b[1;31m○ pc07" in drawn(picture, 100, 24)


def test_on_a_narrow_terminal_it_still_says_how_many_look_how_and_how_well_that_is_seen() -> None:
    picture = Picture(["pc07", "pc08"], everything=False)
    picture.source = "the daemon"
    picture.take(Seat("pc07", Light.CONNECTED, AT, "connected", ("uevent", "mountinfo", "packet")))
    picture.take(Seat("pc08", Light.DARK, AT, "silent for 5 s"))
    for width in (60, 200):
        frame = drawn(picture, width, 24, NO_COLOR="1")
        assert "1 ● connected" in frame and "1 ○ dark" in frame
        assert "the daemon; 1 host: devices at once (uevent)" in frame
        assert "1 host: contacts at once (packet)" in frame


def test_a_terminal_is_given_back_also_when_the_first_drawing_is_interrupted() -> None:
    class Interrupted(Picture):
        def counts(self) -> dict[Light, int]:
            raise KeyboardInterrupt

    out = StringIO()
    console = Console(file=out, width=80, height=24, force_terminal=True, _environ={"TERM": "xterm"})
    with pytest.raises(KeyboardInterrupt), Screen(console, Interrupted(["pc07"], everything=False)):
        pass
    assert out.getvalue().endswith("\x1b[?25h\x1b[?1049l")


@pytest.mark.parametrize(("width", "height"), [(20, 3), (40, 8), (200, 60)])
def test_it_fits_into_any_terminal_and_those_that_are_not_well_come_first(width: int, height: int) -> None:
    picture = Picture([f"pc{number:03}" for number in range(400)], everything=False)
    picture.take(Seat("pc399", Light.DARK, AT, "silent for 5 s"))
    frame = drawn(picture, width, height).split("\x1b[H", 1)[1].split("\x1b[?25h")[0]
    assert frame.count("\n") <= height - 1
    if height > 3:
        assert "pc399" in frame


def test_on_a_terminal_it_draws_a_screen_and_gives_it_back(tmp_path: Path) -> None:
    past.fill(tmp_path)
    with terminal(tmp_path, "watch", "--host", "web1", "--seconds", "3") as screen:
        assert screen.end() == 0
        assert screen.shown.startswith("\x1b[?1049h") and screen.shown.endswith("\x1b[?1049l")
        assert "poller watch" in screen.shown


def test_ctrl_c_on_a_narrow_terminal_gives_it_back_too(tmp_path: Path) -> None:
    past.fill(tmp_path)
    with terminal(tmp_path, "watch", columns=30, lines=10) as screen:
        screen.until("web1")
        screen.press(CTRL_C)
        assert screen.end() == 130
        assert screen.shown.endswith("\x1b[?25h\x1b[?1049l")
