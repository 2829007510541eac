"""The screen of a watch: a head, one cell for each host, and below them what happened, the newest last.

It is drawn anew when something has happened, at most some thirty times a second, and once a second for its clock.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.control import Control
from rich.segment import Segment
from rich.style import Style

from poller.cli.firing import STYLES
from poller.cli.foreign import one_line
from poller.cli.instant import shown as clock
from poller.clock import now_ms
from poller.model import Light, Seat, Sighted

if TYPE_CHECKING:
    from rich.console import Console

    from poller.cli.watch_picture import Picture
    from poller.live.document import Shown

# Seconds between two drawings at least, and at most.
_SOONEST: Final = 0.03
_LATEST: Final = 1.0
_SIGNS: Final = {
    Light.CONNECTED: ("●", "+", "green"),
    Light.AMBER: ("◐", "~", "yellow"),
    Light.DARK: ("○", "-", "bold red"),
    Light.WAITING: ("·", ".", "dim"),
    Light.COLD: ("◌", "c", "cyan"),
}
_GAP: Final = 2
# The head has two parts, and each at most so much of the lines.
_SHARE: Final = 6
_PLAIN: Final = Style.null()
_BOLD: Final = Style.parse("bold")
_DIM: Final = Style.parse("dim")

Line = list[Segment]


class Screen:
    """On the terminal's other screen, which it gives back as it was. Colours are those of `console`."""

    def __init__(self, console: Console, picture: Picture) -> None:
        self._console = console
        self._picture = picture
        self._ascii = "utf" not in console.encoding.lower()
        self._drawn = 0.0
        self._stale = True
        self._widest = max((cell_len(one_line(name)) for name in picture.seats), default=0)
        self._lines: dict[str, tuple[Sighted, Line]] = {}

    def __enter__(self) -> Screen:
        try:
            self._console.set_alt_screen()
            self._console.show_cursor(False)
            self._draw()
        except BaseException:  # Ctrl-C may come that soon
            self._give_back()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._give_back()

    def _give_back(self) -> None:
        self._console.show_cursor()
        self._console.set_alt_screen(False)

    def wanted(self) -> bool:
        return True

    def patience(self) -> float:
        return max(0.0, self._drawn + (_SOONEST if self._stale else _LATEST) - time.monotonic())

    def show(self, news: Sequence[Shown]) -> None:
        self._stale = self._stale or bool(news)
        if self.patience() <= 0.0:
            self._draw()

    def _draw(self) -> None:
        """All of it in one write, over what is there: nothing flickers."""
        self._drawn, self._stale = time.monotonic(), False
        width, height = self._console.size
        head = self._head(width, max(1, height // _SHARE))
        lines = [*head, *self._grid(width, max(1, (height - 1 - len(head)) // 2))]
        lines = lines[: height - 1]
        lines += self._events(height - len(lines))
        segments = [Control.home().segment]
        for number, line in enumerate(lines[:height]):
            if number:
                segments.append(Segment.line())
            segments += Segment.adjust_line_length(line, width)
        self._console.print(_Segments(segments), end="", soft_wrap=True)

    def _head(self, width: int, most: int) -> list[Line]:
        """What it is and how many hosts look how; whom it comes from and how well all of it is seen; an empty line.

        Each of both takes as many lines as its parts need, at most so many.
        """
        counts = [f"{count} {self._sign(light)} {light}" for light, count in self._picture.counts().items() if count]
        title = f"poller watch  {clock(now_ms())} UTC"
        first, *others = _packed([title, *counts], "  ", width)[:most]
        head: list[Line] = [[Segment(title, _BOLD), Segment(first[len(title) :], _PLAIN)]]
        head += [[Segment(line, _PLAIN)] for line in others]
        coverage = self._picture.coverage() or ["nobody has told yet how well he can be seen"]
        seen = _packed([one_line(part) for part in (self._picture.source, *coverage)], "; ", width)[:most]
        return [*head, *([Segment(line, _DIM)] for line in seen), []]

    def _sign(self, light: Light) -> str:
        return _SIGNS[light][1 if self._ascii else 0]

    def _grid(self, width: int, most: int) -> list[Line]:
        """Rows of cells. Where not all find room, those that are not well come first."""
        seats = list(self._picture.seats.values())
        cell = max((cell_len(one_line(seat.host)) for seat in seats), default=0) + 2 + _GAP
        across = max(1, width // cell)
        room = across * most
        if len(seats) > room:
            seats.sort(key=lambda seat: _TROUBLE.index(seat.light))
        shown = seats[:room]
        rows = [self._row(shown[start : start + across], cell) for start in range(0, len(shown), across)]
        more = len(seats) - len(shown)
        return [*rows, [Segment(f"and {more} more", _DIM)] if more else [], *([[]] if more else [])]

    def _row(self, seats: Sequence[Seat], cell: int) -> Line:
        line: Line = []
        for seat in seats:
            name = one_line(seat.host)
            style = Style.parse(_SIGNS[seat.light][2])
            line += [Segment(f"{self._sign(seat.light)} {name}", style), Segment(" " * (cell - 2 - cell_len(name)))]
        return line

    def _events(self, room: int) -> list[Line]:
        """The newest that find room, and as many news of hosts that are not well."""
        newest = list(self._picture.events.values())[-room:] if room > 0 else []
        known, self._lines = self._lines, {}
        for one in newest:
            had = known.get(one.id)
            self._lines[one.id] = had if had is not None and had[0] is one else (one, self._event(one))
        lines = [line for _, line in self._lines.values()]
        return lines + [[] for _ in range(room - len(lines))]

    def _event(self, one: Sighted) -> Line:
        event = one.event
        style = Style.parse(STYLES.get(str(event.severity), "none"))
        mark = " " if one.stored else ("…" if not self._ascii else ".")
        text = f"{event.severity!s:6} {one_line(event.kind)} {one_line(event.details)}"
        host = one_line(one.host)
        begin = f"{clock(event.at_ms)[11:]}{mark} {host}{' ' * (self._widest - cell_len(host))} "
        return [Segment(begin, _PLAIN), Segment(text, style)]


def _packed(parts: Sequence[str], between: str, width: int) -> list[str]:
    """As few lines as they fit into; a part that is wider has one of its own."""
    lines = [parts[0]]
    for part in parts[1:]:
        if cell_len(lines[-1] + between + part) <= width:
            lines[-1] += between + part
        else:
            lines.append(part)
    return lines


_TROUBLE: Final = (Light.DARK, Light.AMBER, Light.WAITING, Light.COLD, Light.CONNECTED)


class _Segments:
    """What is drawn already, for rich to colour and write."""

    def __init__(self, segments: list[Segment]) -> None:
        self._segments = segments

    def __rich_console__(self, console: Console, options: object) -> list[Segment]:
        return self._segments
