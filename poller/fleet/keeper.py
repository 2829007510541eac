"""ONE HOST'S THREAD: wait until it is due -> poll -> hand over -> wait until that is stored, and from the start.

While it waits it listens to the host, if that is held (`holding`). What others want of it are `wishes`, and when it
polls next is its `agenda`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from poller.asking import Admission
from poller.fleet import meaning
from poller.fleet.agenda import Agenda
from poller.fleet.holding import Holding
from poller.fleet.places import Places
from poller.fleet.tray import Tray
from poller.fleet.wishes import Said, Wishes
from poller.model import Before, Host, LinkState, Poll
from poller.poll import broken

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Yard:
    """What the keepers of one engine share. `gone` is called by a keeper's thread as its last word."""

    admission: Admission
    places: Places
    tray: Tray
    gone: Callable[[Keeper], None]


class Keeper:
    """`run` is the thread; the other public methods are for the engine's, and none of them waits.

    `wishes` is what the engine wants of it, but for what has a method here.
    """

    __slots__ = ("_agenda", "_before", "_holding", "_lease", "_ours", "_yard", "wishes")

    def __init__(
        self, host: Host, before: Before, yard: Yard, first: float | None, *, fits: bool = True, live: bool = False
    ) -> None:
        """`first` is the instant of its first poll, None: it waits for `know`. `fits`: its session may be held.

        OSError: there are no more files.
        """
        self.wishes = Wishes(live=live)
        self._yard = yard
        self._agenda = Agenda(first, host.poll.interval)
        self._holding = Holding(host, self._agenda, self.wishes, yard.tray, yard.admission.gates, fits=fits)
        self._before = meaning.slim(host, before)
        self._lease = threading.Lock()
        self._ours = False  # nobody else may poll the host

    @property
    def host(self) -> Host:
        """As it is polled now."""
        return self._holding.host

    # For the engine

    def know(self, before: Before) -> None:
        """Its poll is stored."""
        self.release()
        self.wishes.know(meaning.slim(self.host, before))

    def release(self) -> None:
        """Others may poll the host."""
        with self._lease:
            ours, self._ours = self._ours, False
        if ours:
            self._yard.admission.release(self.host.name)

    def end(self, *, dropped: bool = False) -> None:
        """The thread ends, after the poll that is going on. `dropped`: nobody wants that one any more."""
        self.wishes.end(dropped=dropped)
        if dropped:
            self.release()

    def abort(self) -> None:
        """Breaks the connection under the poll that is going on."""
        self._holding.abort()

    def close(self) -> None:
        """Instead of a thread."""
        self.wishes.close()

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
        return self._holding.state()

    # The thread

    def run(self) -> None:
        try:
            while not self.wishes.ended:
                self._go_on()
        finally:
            self._holding.close()
            self.wishes.close()
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
        for step in (self._holding.close, self._holding.lost, *((self.release,) if self._agenda.next else ())):
            with suppress(Exception):
                step()

    def _rest(self) -> bool:
        """Waits for whatever comes first. True when a poll begins now."""
        self.wishes.bell.clear()  # before the words are read: what is said from here on rings it anew
        self._heed()
        agenda = self._agenda
        if agenda.next is not None and (self.wishes.now or agenda.come()):
            return True
        if not self.wishes.ended:
            self._holding.listen(agenda.next.at - time.monotonic() if agenda.next else float("inf"))
        return False

    def _heed(self) -> None:
        """What was said since last time."""
        said = self.wishes.take()
        try:
            self._act_on(said)
        except Exception:
            self.wishes.put_back(said)
            raise

    def _act_on(self, said: Said) -> None:
        if said.host is not None:
            self._holding.adopt(said.host)
        if said.fits is not None:
            self._holding.fit(fits=said.fits)
        if said.known is not None:
            self._before = said.known
            if self._agenda.next is None:
                self._holding.plan()
        if said.watched:
            self._holding.hasten()
        self._holding.turn_watch()

    def _attempt(self) -> None:
        """One poll, when there is a place for it: told, repeated, or kept to ourselves."""
        planned, deadline = self._agenda.next, self.host.poll.deadline
        assert planned is not None  # noqa: S101 - who waits to be stored is not polled
        asked, any_rate = self.wishes.take_poll()
        if not self._yard.places.enter(self, deadline, doubtful=self._doubtful):
            self._agenda.next = None  # nobody is polled any more
            return
        if self.wishes.ended:
            self._yard.places.leave(self)
            return
        polled = self._poll(at_any_rate=any_rate)
        if self.wishes.dropped:
            self.release()
        elif self._agenda.stood_still(polled, deadline):
            self.release()
            if asked:
                self.wishes.poll_now(at_any_rate=any_rate)
            self._agenda.repeat(planned)
        elif planned.due or asked or self._agenda.fell_due or not meaning.silent(polled, self._before.trouble):
            self._agenda.tell(deadline, asked=asked)
            self._yard.tray.poll(polled, urgent=asked)
        else:
            self.release()
            self._holding.plan()

    @property
    def _doubtful(self) -> bool:
        """Nothing may answer there until the deadline: it has no session, and failed last, or was lost since."""
        return not self._holding.connected and (self._agenda.away or self._before.failures > 0)

    def _poll(self, *, at_any_rate: bool) -> Poll:
        """Asks, and says how the host stands now."""
        self._holding.begin()
        held = self._holding.connected
        polled, self._ours = self._ask(at_any_rate=at_any_rate)
        if not self._yard.places.leave(self):
            # Given up meanwhile: it was reported as overdue, and another has its place.
            self.wishes.end(dropped=True)
        if not self.wishes.dropped:
            self._holding.settle(polled, held=held)
        heard_ms = self._holding.pushed_ms
        return replace(polled, heard_ms=heard_ms) if heard_ms else polled

    def _ask(self, *, at_any_rate: bool) -> tuple[Poll, bool]:
        try:
            resident = self._holding.resident
            return self._yard.admission.ask(self.host, self._before, resident, at_any_rate=at_any_rate)
        except Exception as error:  # a thread that ends would leave its host alone for ever
            return broken(self.host, error), False
