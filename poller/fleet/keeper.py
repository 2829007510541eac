"""ONE HOST'S THREAD: wait until it is due -> poll -> hand over -> wait until that is stored, and from the start.

While it waits it listens to the host, if that is held: to what is pushed, and to the end of the connection. What others
ask of it are words left in attributes, and a bell: only the thread itself acts on them. The lock is for taking a word
away without losing one that is said at that moment.
"""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from poller.asking import Admission
from poller.bell import Bell
from poller.clock import now_ms
from poller.errors import HostError
from poller.fleet import meaning, pace
from poller.fleet.pace import Next, Pace
from poller.fleet.places import LATE, Places
from poller.fleet.tray import Tray
from poller.model import Before, Host, Link, LinkState, Poll, PollOutcome
from poller.poll import broken
from poller.resident import Resident

_log = logging.getLogger(__name__)

# A host that is watched says something each second; after so many seconds without it the session is lost.
SILENCE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Yard:
    """What the keepers of one engine share. `gone` is called by a keeper's thread as its last word."""

    admission: Admission
    places: Places
    tray: Tray
    gone: Callable[[Keeper], None]


class Keeper:
    """`run` is the thread; the other public methods are for the engine's, and none of them waits."""

    __slots__ = (
        "_again",
        "_any_rate",
        "_before",
        "_began",
        "_bell",
        "_coming",
        "_dropped",
        "_ended",
        "_fits",
        "_heard_ms",
        "_known",
        "_live",
        "_lock",
        "_next",
        "_now",
        "_ours",
        "_pace",
        "_resident",
        "_stood",
        "_told",
        "_tries",
        "_yard",
        "host",
        "link",
    )

    def __init__(
        self, host: Host, before: Before, yard: Yard, first: float | None, *, fits: bool = True, live: bool = False
    ) -> None:
        """`first` is the instant of its first poll, None: it waits for `know`. `fits`: its session may be held.

        OSError: there are no more files.
        """
        self.host = host
        self._bell = Bell()
        self._lock = threading.Lock()
        self._yard = yard
        self._pace = Pace(time.monotonic() if first is None else first, host.poll.interval)
        self._before = meaning.slim(host, before)
        self._fits = fits
        self._resident = Resident(host, yard.admission.gates, stays=self._holds)
        self._next = None if first is None else Next(first)
        self._began = self._pace.first
        self._told = -math.inf  # when the newest poll began that stands for one of its instants
        self._tries = self._heard_ms = 0
        self._again = self._now = self._any_rate = self._ended = self._dropped = self._ours = self._stood = False
        self._live = live
        self._known: Before | None = None
        self._coming: Host | None = None
        crowded = "" if fits else "the poller has too few open files to hold it (`ulimit -n`)"
        link = Link.WAITING if self._holds else Link.COLD
        self.link = LinkState(host.name, link, now_ms(), reason=crowded, live=live)

    @property
    def _holds(self) -> bool:
        return self._fits and not self.host.cold and self.host.via == "ssh"

    # For the engine

    def know(self, before: Before) -> None:
        self.release()
        with self._lock:
            self._known = meaning.slim(self.host, before)
        self._bell.set()

    def release(self) -> None:
        """Others may poll the host."""
        with self._lock:
            ours, self._ours = self._ours, False
        if ours:
            self._yard.admission.release(self.host.name)

    def poll_now(self, *, at_any_rate: bool) -> None:
        with self._lock:
            self._any_rate = self._any_rate or at_any_rate
            self._now = True
        self._bell.set()

    def watch(self, *, live: bool) -> None:
        if live != self._live:
            self._live = live
            self._bell.set()

    def change(self, host: Host) -> None:
        with self._lock:
            self._coming = host
        self._bell.set()

    def end(self, *, dropped: bool = False) -> None:
        """The thread ends, after the poll that is going on. `dropped`: nobody wants that one any more."""
        self._dropped = dropped
        self._ended = True
        self._bell.set()
        if dropped:
            self.release()

    def abort(self) -> None:
        """Breaks the connection under the poll that is going on."""
        self._resident.abort()

    def close(self) -> None:
        """Instead of a thread."""
        self._bell.close()

    @property
    def waits(self) -> bool:
        """Its last poll is not stored yet."""
        return self._ours

    @property
    def before(self) -> Before:
        """What is remembered of the host."""
        return self._before

    def state(self) -> LinkState:
        """How the host stands at this moment."""
        planned = self._next
        next_ms = now_ms() + int((planned.at - time.monotonic()) * 1000) if planned else 0
        heard_at = self._resident.heard_at
        heard_ms = now_ms() - int((time.monotonic() - heard_at) * 1000) if heard_at else self._heard_ms
        return replace(self.link, next_ms=next_ms, heard_ms=heard_ms, live=self._live)

    # The thread

    def run(self) -> None:
        try:
            while not self._ended:
                self._go_on()
        finally:
            self._resident.close()
            self._bell.close()
            self._yard.gone(self)

    def _go_on(self) -> None:
        try:
            if self._rest():
                self._attempt()
        except Exception:  # a thread that ends would leave its host alone for ever
            _log.error("the thread of %a failed inside the poller", self.host.name, exc_info=_log.isEnabledFor(10))
            self._recover()

    def _recover(self) -> None:
        """Whatever it was: the host is connected to anew, and not at once. Never raises."""
        threading.Event().wait(1.0)
        for step in (self._resident.close, self._lost, *((self.release,) if self._next else ())):
            with suppress(Exception):
                step()

    def _rest(self) -> bool:
        """Waits for whatever comes first. True when a poll begins now."""
        self._bell.clear()  # before the words are read: what is said from here on rings it anew
        self._heed()
        planned = self._next
        if planned is not None:
            now = time.monotonic()
            if self._now:
                return True
            if planned.at <= now:
                at = pace.belated(planned.at, now, self.host.poll.interval, _chance())
                self._next = replace(planned, at=at)
                return at <= now
        if not self._ended:
            self._listen(planned.at - time.monotonic() if planned else float("inf"))
        return False

    def _heed(self) -> None:
        """What was said since last time."""
        with self._lock:
            coming, self._coming = self._coming, None
            known, self._known = self._known, None
        if coming is not None:
            self._adopt(coming)
        if known is not None:
            self._before = known
            if self._next is None:
                self._plan()
        if self._resident.connected and self._holds and self._live != self._resident.watching:
            self._turn_watch()

    def _adopt(self, host: Host) -> None:
        if meaning.reached(host) != meaning.reached(self.host):
            self._resident.close()
            self.host = host
            self._resident = Resident(host, self._yard.admission.gates, stays=self._holds)
            self._tell(Link.WAITING if self._holds else Link.COLD)
        if host.poll.interval != self._pace.interval:
            self._pace = Pace(time.monotonic(), host.poll.interval)
            self._next = self._next and Next(self._pace.first)
        self.host = host
        self._resident.adopt(host)
        if self._live and self._holds and not self._resident.connected:
            self._again, self._began = True, time.monotonic()  # who watches it does not wait until it is due
            if self._next is not None:
                self._plan()

    def _turn_watch(self) -> None:
        try:
            if self._live:
                self._resident.watch(self._yard.tray.push)
            else:
                self._resident.unwatch()
            self._tell(self.link.link)
        except HostError:
            self._lost()

    def _listen(self, seconds: float) -> None:
        if not self._resident.connected:
            self._bell.wait(seconds)
            return
        if self._resident.watching:
            seconds = min(seconds, self._resident.heard_at + SILENCE - time.monotonic())
        try:
            self._resident.listen(seconds, self._bell.fd)
        except HostError:
            self._lost()
            return
        if self._resident.watching and time.monotonic() - self._resident.heard_at >= SILENCE:
            self._resident.close(HostError("probe", "timeout", f"nothing was heard for {SILENCE:g} s"))
            self._lost()

    def _lost(self) -> None:
        """The session has ended while nobody asked: it is tried again soon."""
        self._tries += 1
        self._began = time.monotonic()
        self._again = True
        self._tell(Link.LOST, self._resident.lost)
        if self._next is not None:
            self._plan()

    def _plan(self) -> None:
        self._next = self._pace.next(
            time.monotonic(),
            self._began,
            self._tries,
            _chance(),
            again=self._again and self._holds,
            watched=self._live,
            told=self._told,
        )

    def _attempt(self) -> None:
        """One poll, when there is a place for it."""
        planned = self._next
        assert planned is not None  # noqa: S101 - who waits to be stored is not polled
        with self._lock:
            asked, any_rate = self._now, self._any_rate
            self._now = self._any_rate = False
        if not self._yard.places.enter(self, self.host.poll.deadline):
            self._next = None  # nobody is polled any more
            return
        if self._ended:
            self._yard.places.leave(self)
            return
        self._began = time.monotonic()
        held = self._resident.connected
        polled, self._ours = self._ask(at_any_rate=any_rate)
        if not self._yard.places.leave(self):
            # Given up meanwhile: it was reported as overdue, and another has its place.
            self._dropped = self._ended = True
        if not self._dropped:
            self._settle(polled, held=held)
        if self._dropped:
            self.release()
            return
        if self._stood_still(polled):
            self.release()
            with self._lock:
                self._now, self._any_rate = self._now or asked, self._any_rate or any_rate
            self._next = replace(
                planned, at=pace.belated(self._began, time.monotonic(), self._pace.interval, _chance())
            )
            return
        if planned.due or asked or not meaning.silent(polled):
            self._told = self._told if asked else self._began
            self._next = None
            self._yard.tray.poll(polled, urgent=asked)
        else:
            self.release()
            self._plan()

    def _stood_still(self, polled: Poll) -> bool:
        """Whether the whole process did while it polled: such a failure is not the host's. Not twice in a row."""
        late = time.monotonic() - self._began > self.host.poll.deadline + LATE
        before, self._stood = self._stood, late and polled.outcome is PollOutcome.FAILED
        return self._stood and not before

    def _ask(self, *, at_any_rate: bool) -> tuple[Poll, bool]:
        try:
            return self._yard.admission.ask(self.host, self._before, self._resident, at_any_rate=at_any_rate)
        except Exception as error:  # a thread that ends would leave its host alone for ever
            return broken(self.host, error), False

    def _settle(self, polled: Poll, *, held: bool) -> None:
        """What a poll means for how the host stands."""
        reached = polled.outcome in (PollOutcome.OK, PollOutcome.PARTIAL)
        if reached:
            self._heard_ms = polled.answered_ms or polled.at_ms
            # One that answers and breaks, again and again, must not be asked every second.
            self._tries = 0 if held or not self._resident.connected else self._tries
        elif polled.outcome is PollOutcome.FAILED:
            self._tries += 1
        self._again = not reached and meaning.worth_trying(polled, held=held, watched=self._live)
        reason = None if reached else f"{polled.stage}/{polled.code}: {polled.error}"
        if not self._holds:
            self._tell(Link.COLD, reason)
        elif self._resident.connected:
            anew = held and self._resident.connected_at >= self._began  # it broke under the poll, which went on
            self._tell(Link.CONNECTED, self._resident.lost if anew else None, anew=anew)
        else:
            self._tell(Link.LOST, reason or self._resident.lost)

    def _tell(self, link: Link, reason: str | None = None, *, anew: bool = False) -> None:
        """Says how the host stands, where that is new. `anew`: it stands so again."""
        was = self.link
        said = was.reason if reason is None else reason
        since_ms = was.since_ms if link is was.link and not anew else now_ms()
        tries = 0 if link is Link.CONNECTED else self._tries
        now = replace(was, link=link, since_ms=since_ms, tries=tries, reason=said, live=self._live)
        if now != was:
            self.link = now
            self._yard.tray.link(self.state())


def _chance() -> float:
    return random.random()  # noqa: S311 - no secret
