"""How each host looks: connected while it gives a sign of life each second, amber and dark when it does not."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from poller.model import Light, Link, LinkState, Seat

# Seconds of silence.
AMBER: Final = 2.0
DARK: Final = 5.0
_GONE: Final = "no longer in config.xml"


@dataclass(slots=True)
class _Place:
    """`heard` is the instant of the last sign of life (monotonic), None before the first.

    `news` (why it is back) and `sees` (that it says something new of what it can see) are told with the next look.
    `lost`: its session was, since it last looked connected.
    """

    seat: Seat
    link: Link = Link.WAITING
    heard: float | None = None
    pushes: bool = False
    reason: str = ""
    news: str = ""
    sees: bool = False
    lost: bool = False


class Seats:
    """Of all hosts that are watched. `now` are seconds of the monotonic clock: a step of the wall clock moves nothing.

    Instants `_ms` only say when, for people.
    """

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}
        self._gone: dict[str, Seat] = {}  # as they are told with the next look, for the last time

    def expect(self, hosts: Collection[str], now_ms: int) -> tuple[str, ...]:
        """Exactly these are watched from now on. Those that were not before.

        Whoever looks at a host keeps it watched for as long as it is configured: to him, one that is left out is gone.
        """
        new = tuple(host for host in hosts if host not in self._places)
        gone = (host for host in (*self._gone, *self._places) if host not in hosts)
        self._gone = {host: Seat(host, Light.DARK, now_ms, _GONE) for host in gone}
        known = {host: place for host, place in self._places.items() if host in hosts}
        self._places = known | {host: _Place(Seat(host, Light.WAITING, now_ms)) for host in new}
        return new

    def linked(self, state: LinkState, now: float, *, anew: bool = False) -> None:
        """The engine says how it stands with a host. `anew`: connected as before, though in another session."""
        place = self._places.get(state.host)
        if place is None:
            return
        if state.link is Link.CONNECTED and (anew or place.link is not Link.CONNECTED):
            place.heard, place.pushes = now, False
        place.link, place.reason = state.link, state.reason
        place.lost = place.lost or anew or state.link is Link.LOST

    def heard(self, host: str, coverage: tuple[str, ...], now: float) -> None:
        """A frame came."""
        place = self._places.get(host)
        if place is not None:
            place.heard, place.pushes = now, True
            if coverage and coverage != place.seat.coverage:
                place.seat = replace(place.seat, coverage=coverage)
                place.sees = True

    def returned(self, host: str, words: str) -> None:
        """Why it was away: said with the next look."""
        place = self._places.get(host)
        if place is not None:
            place.news = words

    def look(self, now: float, now_ms: int) -> tuple[Seat, ...]:
        """Those that look another way than they did, and once those that are not watched any more."""
        changed, self._gone = [*self._gone.values()], {}
        for place in self._places.values():
            light = _light(place, now)
            if light is place.seat.light and not place.news and not place.sees:
                continue
            words = place.news or (place.seat.words if light is place.seat.light else _words(place, light, now))
            if not place.news and light is Light.CONNECTED and place.seat.light is Light.WAITING:
                words = "connected"
            if not place.news and light is Light.CONNECTED and place.seat.light is Light.DARK and not place.lost:
                # No poll will say why: its session is the same. What was pushed meanwhile came late, but came.
                seconds = DARK + max(0, now_ms - place.seat.since_ms) / 1000
                words = f"back after {seconds:.0f}s: silence, in the same session"
            place.lost = place.lost and light is not Light.CONNECTED
            since = now_ms if light is not place.seat.light else place.seat.since_ms
            place.seat = replace(place.seat, light=light, since_ms=since, words=words)
            place.news, place.sees = "", False
            changed.append(place.seat)
        return tuple(changed)

    def next(self, now: float) -> float:
        """The next instant at which a silence may turn one of them."""
        turns = (place.heard + wait for place in self._places.values() if place.heard is not None for wait in _WAITS)
        return min((turn for turn in turns if turn > now), default=math.inf)

    @property
    def all(self) -> tuple[Seat, ...]:
        return tuple(place.seat for place in self._places.values())


_WAITS: Final = (AMBER, DARK)


def _light(place: _Place, now: float) -> Light:
    """A host that pushes nothing (yet) is connected as long as its session is. One that never was is dark at once."""
    if place.link is Link.COLD:
        return Light.COLD
    if place.heard is None:
        return Light.DARK if place.link is Link.LOST else Light.WAITING
    silence = now - place.heard
    if place.link is Link.CONNECTED and (not place.pushes or silence < AMBER):
        return Light.CONNECTED
    return Light.AMBER if silence < DARK else Light.DARK


def _words(place: _Place, light: Light, now: float) -> str:
    if light in (Light.AMBER, Light.DARK) and place.heard is not None and place.link is not Link.LOST:
        return f"silent for {now - place.heard:.0f} s"
    return place.reason if light in (Light.AMBER, Light.DARK) else str(light)
