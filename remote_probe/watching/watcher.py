"""The loop of a watch: waits for the kernel, tells hints and contacts at once, reads anew what may have changed.

Whatever cannot be watched as it should is watched in a lesser way, and the frames say so (`coverage`, `why`).
"""

import os
import select
import time

from remote_probe import collect, host
from remote_probe.watching import packets
from remote_probe.watching.contacts import Contacts
from remote_probe.watching.event import Teller
from remote_probe.watching.mounts import Mounts
from remote_probe.watching.readings import Readings
from remote_probe.watching.uevents import Uevents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Tuple

    from remote_probe.host import Host

QUIET, LATEST = 0.02, 0.2  # seconds: a burst is read once it is over, but not later than this
LOOK = 0.5  # seconds from one reading to the next where the kernel does not tell
SHARE = 20  # a reading that took so much of a processor is not repeated before so many times as long
DEVICES, MOUNTS = ("usb", "devices"), ("mounts",)
NEVER = float("inf")


class Watcher:
    """One watch. `run` is for a thread of its own and returns soon after `stop`, which any thread may call.

    `request` names the host, the `sections` (of usb, devices, mounts) that are watched, whether `contacts` are, and
    whether those of `loopback` count. `out` takes the XML of a frame.
    """

    def __init__(
        self,
        request: "Dict[str, Any]",
        out: "Callable[[bytes], None]",
        machine: "Callable[[], Host]" = host.Host,
        clock: "Callable[[], float]" = time.monotonic,
    ) -> None:
        self._request, self._machine, self._clock = request, machine, clock
        self._teller = Teller(request["host"], out, clock)
        self._readings = Readings()
        self._sections = [name for name in DEVICES + MOUNTS if name in request["sections"]]
        self._poll = select.poll()
        self._sources: "Dict[int, Tuple[str, Any]]" = {}
        self._due: "Dict[str, float]" = {}  # section -> when it is read anew
        self._first: "Dict[str, float]" = {}  # section -> when its burst began
        self._rests_until = 0.0
        self._chosen: "Any" = None  # which contacts are told
        self._looks: "Any" = None  # contacts from the kernel's sockets
        self._resting: "Dict[int, float]" = {}  # taps that had their share
        self._wake, self._waker = os.pipe()
        self.stopped = self._failed = False

    def stop(self) -> None:
        """No frame is begun after this."""
        try:
            os.write(self._waker, b"x")  # stays there: the loop does not sleep again
        except OSError:
            pass  # it ended by itself
        self.stopped = True
        os.close(self._waker)

    def run(self) -> None:
        """Until it is stopped. Never raises: what goes wrong is said in a frame."""
        try:
            self._poll.register(self._wake, select.POLLIN)
            self._open()
            while not self.stopped:
                try:
                    self._turn()
                except Exception as error:
                    self._fail(error)
        finally:
            self._close()

    def _open(self) -> None:
        if set(DEVICES) & set(self._sections):
            self._try("devices", self._uevents)
        if "mounts" in self._sections:
            self._try("mounts", self._mounts)
        if self._request["contacts"]:
            self._try("contacts", self._contacts)
        for name in self._sections:
            self._due[name] = self._clock()

    def _uevents(self) -> None:
        self._watch("devices", Uevents(self._machine()), select.POLLIN)
        self._teller.coverage["devices"] = "uevent"

    def _mounts(self) -> None:
        self._watch("mounts", Mounts(self._machine()), Mounts.events)
        self._teller.coverage["mounts"] = "mountinfo"

    def _contacts(self) -> None:
        self._chosen = Contacts(self._machine, bool(self._request.get("loopback")), self._clock)
        try:
            for protocol in (6, 17):  # TCP, UDP
                self._watch("contacts", packets.Tap(protocol, self._chosen, self._clock), select.POLLIN)
            self._teller.coverage["contacts"] = "packet"
        except (OSError, ImportError):
            self._drop("contacts")
            self._connections()

    def _connections(self) -> None:
        from remote_probe.watching.connections import Connections

        self._looks = Connections(self._machine, self._chosen, self._clock)
        self._teller.coverage["contacts"] = "sock_diag"

    def _try(self, what: str, begin: "Callable[[], None]") -> None:
        try:
            begin()
        except Exception as error:
            self._without(what, error)

    def _without(self, what: str, error: Exception) -> None:
        """The source is no longer there: its sections are looked at, contacts are not seen."""
        self._drop(what)
        if what == "contacts":
            self._looks = None
        self._teller.coverage[what] = "none" if what == "contacts" else "set-difference"
        self._teller.why = "%s: %s" % (what, collect.explain(error)[1])
        self._teller.lost += 1

    def _drop(self, what: str) -> None:
        for number in [number for number, (name, _) in self._sources.items() if name == what]:
            if self._resting.pop(number, None) is None:
                self._poll.unregister(number)
            self._sources.pop(number)[1].close()

    def _watch(self, what: str, source: "Any", events: int) -> None:
        self._sources[source.fileno()] = what, source
        self._poll.register(source.fileno(), events)

    def _turn(self) -> None:
        """Waits, takes what came, and tells what is due."""
        now = self._clock()
        for number in [number for number, until in self._resting.items() if until <= now]:
            del self._resting[number]
            self._poll.register(number, select.POLLIN)
        wait = max(0.0, min(self._next(now) - now, 1.0))
        for number, _ in self._poll.poll(wait * 1000):
            if number in self._sources:
                what, source = self._sources[number]
                try:
                    self._take(what, number, source)
                except Exception as error:
                    self._without(what, error)
                    if what == "contacts":  # packets do not come any more
                        self._try(what, self._connections)
        if self.stopped:
            return
        self._look()
        now = self._clock()
        free = max(self._rests_until, self._teller.free(now))
        names = [name for name in self._sections if max(self._due[name], free) <= now]
        if self._teller.due(now) <= now:
            self._count()
            self._teller.tell()  # hints do not wait for what is read
        if names:
            self._read(names)

    def _next(self, now: float) -> float:
        """When something is due."""
        moments = [self._teller.due(now), *self._resting.values()]
        moments += [max(moment, self._rests_until, self._teller.free(now)) for moment in self._due.values()]
        if self._looks:
            moments.append(self._looks.due)
        return min(moments)

    def _take(self, what: str, number: int, source: "Any") -> None:
        if what == "devices":
            touched, hints, lost = source.take()
            self._teller.add("hint", hints)
            self._teller.lost += lost
            if touched:
                self._touch(DEVICES)
        elif what == "mounts":
            self._touch(MOUNTS)
        else:
            self._teller.add("encounter", source.take())
            if source.rests_until > self._clock():
                self._poll.unregister(number)
                self._resting[number] = source.rests_until

    def _touch(self, names: "Tuple[str, ...]") -> None:
        now = self._clock()
        for name in names:
            if name in self._due:
                first = self._first.setdefault(name, now)
                self._due[name] = min(now + QUIET, first + LATEST)

    def _read(self, names: "List[str]") -> None:
        begin = time.clock_gettime(time.CLOCK_THREAD_CPUTIME_ID)
        reading = self._readings.changed(self._machine(), names)
        took = time.clock_gettime(time.CLOCK_THREAD_CPUTIME_ID) - begin
        now = self._clock()
        self._rests_until = now + min(LOOK, max(0.0, SHARE * took - QUIET))
        for name in names:
            self._first.pop(name, None)
            watched = self._teller.coverage["mounts" if name in MOUNTS else "devices"]
            self._due[name] = now + LOOK if watched == "set-difference" else NEVER
        if reading:
            self._teller.tell(reading)

    def _look(self) -> None:
        if self._looks and self._looks.due <= self._clock():
            try:
                self._teller.add("encounter", self._looks.take())
            except Exception as error:
                self._without("contacts", error)

    def _count(self) -> None:
        """Packets that the kernel had no room for."""
        for what, source in self._sources.values():
            if what == "contacts":
                self._teller.lost += source.dropped()

    def _fail(self, error: Exception) -> None:
        """Nothing is watched any more, but that the machine is there; and not even that if it happens again."""
        self.stopped, self._failed = self._failed, True
        for what in self._teller.coverage:
            self._without(what, error)
            self._teller.coverage[what] = "none"
        self._due.clear()
        self._sections = []
        self._teller.beats_at = self._clock()

    def _close(self) -> None:
        for _, source in self._sources.values():
            source.close()
        os.close(self._wake)
