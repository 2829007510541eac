"""The ways to show a watch: a screen on a terminal, lines in a pipe, JSON for programs."""

from __future__ import annotations

import json
import select
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, Protocol

import click

from poller.cli.foreign import one_line
from poller.cli.instant import shown as clock
from poller.cli.settings import Settings, counted
from poller.model import Light, Seat, Sighted

if TYPE_CHECKING:
    from poller.cli.watch_picture import Picture
    from poller.live.document import Shown

# Seconds of one wait where nothing is due by itself.
_PATIENCE: Final = 0.5


class Showing(Protocol):
    """`patience`: seconds until it wants to be called again, with news or without."""

    def show(self, news: Sequence[Shown]) -> None: ...

    def patience(self) -> float: ...

    def wanted(self) -> bool:
        """False when nobody reads any more."""


@contextmanager
def showing(settings: Settings, picture: Picture, *, as_json: bool) -> Iterator[Showing]:
    if as_json:
        yield _Json()
    elif sys.stdout.isatty():
        from poller.cli.watch_screen import Screen

        with Screen(settings.out, picture) as screen:
            yield screen
    else:
        yield Lines(picture)


class _Piped:
    """Each thing at once, and seen by whoever reads."""

    def __init__(self) -> None:
        self._reader = select.poll()
        with suppress(OSError, ValueError):  # no file behind it: in a test
            self._reader.register(sys.stdout.fileno(), 0)  # 0: only told of errors and hang-ups (poll(2))

    def patience(self) -> float:
        return _PATIENCE

    def wanted(self) -> bool:
        return not self._reader.poll(0)


class _Json(_Piped):
    def show(self, news: Sequence[Shown]) -> None:
        from poller.live.document import document

        for one in news:
            click.echo(json.dumps(document(one), allow_nan=False))
        sys.stdout.flush()


class Lines(_Piped):
    """An event when it is seen, and once more when it is stored and its text has grown meanwhile.

    What the kernel only announces has no line before it is read, or known that there is nothing to read: no line can
    be taken back.
    """

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self._picture = picture
        self._said: dict[str, str] = {}
        self._coverage: list[str] = []
        self._looks: dict[str, tuple[Light, str]] = {}
        self._source = ""
        self._tell_source()

    def _tell_source(self) -> None:
        if self._picture.source != self._source:
            self._source = self._picture.source
            click.echo(f"{self._source}; {counted(len(self._picture.seats), 'host')}")

    def show(self, news: Sequence[Shown]) -> None:
        self._tell_source()
        for one in news:
            if isinstance(one, Seat):
                self._tell(one)
            elif not _announced(one) and self._is_new(one.id, one.event.details, stored=one.stored):
                click.echo(f"{clock(one.event.at_ms)} {one_line(one.host)} [{one.event.severity}] "
                           f"{one_line(one.event.kind)} {one_line(one.event.details)}")  # fmt: skip
        coverage = self._picture.coverage()
        if coverage != self._coverage:
            self._coverage = coverage
            click.echo(f"coverage: {one_line('; '.join(coverage))}")
        sys.stdout.flush()

    def _tell(self, seat: Seat) -> None:
        """Not again when it only says more of what it can see."""
        looks = (seat.light, seat.words)
        if self._looks.get(seat.host) != looks:
            self._looks[seat.host] = looks
            click.echo(seat_line(seat))

    def _is_new(self, number: str, details: str, *, stored: bool) -> bool:
        known = self._said.get(number)
        if known is not None and (known == details or not stored):
            return False
        if stored:
            self._said.pop(number, None)
        if len(self._said) > 1_000:
            self._said.clear()
        self._said[number] = details
        return True


def _announced(one: Sighted) -> bool:
    """The words are those of `poller.live.fold`. Each has a successor within a second."""
    return not one.stored and one.event.details.endswith(": being read")


def seat_line(seat: Seat) -> str:
    """`2026-01-31 08:00:00 pc07 connected`, `… pc07 dark: silent for 5 s`, `… pc07 back after 12s: …`"""
    words = str(seat.light)
    if seat.words and seat.words != words:
        words = seat.words if seat.light is Light.CONNECTED else f"{words}: {seat.words}"
    return f"{clock(seat.since_ms)} {one_line(seat.host)} {one_line(words)}"
