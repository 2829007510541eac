"""The probe's loop: request -> collect -> render -> seal -> answer; or a watch, which pushes from then on.

Every request that could be read is answered, whatever happens in between. A thread owns standard input for the
life of the process and ends it at end of file; the kernel ends it (SIGALRM, default action) when all else fails.
"""

import _signal  # type: ignore[import-not-found]  # the C half of signal: see remote_probe
import _thread
import os
import sys
import time

from remote_probe import child, collect, host, render, seal
from remote_probe.jsontext import parsed

GRACE = 5  # seconds beyond the deadline before the kernel ends the process
NICENESS = 5  # the host's own work comes first
_sending = _thread.allocate_lock()

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Callable, Dict, Optional

    from remote_probe.watching.watcher import Watcher


class Inbox:
    """The requests that came so far. Its thread alone reads `stdin`: bytes sit in the buffer of that object."""

    def __init__(self, stdin: "BinaryIO") -> None:
        self._stdin = stdin
        self._bodies: "list[bytes]" = []
        self._error: "Exception | None" = None
        self._came = _thread.allocate_lock()
        self._came.acquire()
        _thread.start_new_thread(self._read, ())

    def next(self) -> bytes:
        """Waits for the next request and returns its body; raises what is wrong with the one that came."""
        while not self._bodies:
            if self._error:
                raise self._error
            self._came.acquire()
        return self._bodies.pop(0)

    def _read(self) -> None:
        try:
            for line in iter(self._stdin.readline, b""):
                body = self._stdin.read(int(line))
                if len(body) < int(line):
                    break
                self._bodies.append(body)
                self._wake()
            leave()
        except Exception as error:
            self._error = error
            self._wake()

    def _wake(self) -> None:
        if self._came.locked():
            self._came.release()


def leave() -> None:
    """Ends the process at once, and its children before it."""
    child.end_all()
    os._exit(0)


def main(stdin: "BinaryIO", probe: str) -> None:
    """Answers requests until end of file. `probe` is the digest of the bundle. Raises when a request is no request."""
    os.nice(NICENESS)
    inbox = Inbox(stdin)
    told = render.Told()
    watcher: "Optional[Watcher]" = None
    while True:
        body = inbox.next()
        request = parsed(body.decode("utf-8"))
        if request["version"] != 1:
            raise ValueError("requests of version %r are not known here" % (request["version"],))
        if request.get("kind", "poll") != "poll":
            watcher = watch(request, body, probe, watcher)
        else:
            _signal.alarm(int(request["deadline"]) + 1 + GRACE)
            answer(request, body, probe, told)
        _signal.alarm(int(3 * request["idle"]) or GRACE)


def answer(request: "Dict[str, Any]", body: bytes, probe: str, told: render.Told) -> None:
    """Collects, seals and sends one report. Does not return when a collector did not come back in time."""
    begin = time.monotonic()
    machine = host.Host(
        deadline=begin + request["deadline"],
        stuck=lambda mountpoint: render.escaped(mountpoint) in request["stuck"],
        options=request.get("options"),
        cursors=request.get("cursors"),
    )
    collection = collect.Collection(request["sections"], request["window"])

    def tell() -> None:
        xml = report(request, probe, time.monotonic() - begin, collection, told)
        nonce, centre, digest = (bytes.fromhex(text) for text in (request["nonce"], request["public"], probe))
        sealed = seal.seal(xml, body, nonce, centre, digest)
        send(seal.frame(request["marker"], "report", sealed))

    within(request["deadline"], lambda: collection.run(machine), tell)


def watch(request: "Dict[str, Any]", body: bytes, probe: str, before: "Optional[Watcher]") -> "Optional[Watcher]":
    """Ends the watch that was, and begins the one that is asked for (`kind` watch; unwatch: none)."""
    if before:
        before.stop()
    if request["kind"] != "watch":
        return None
    from remote_probe.watching.sealing import Events
    from remote_probe.watching.watcher import Watcher

    nonce, centre, digest = (bytes.fromhex(text) for text in (request["nonce"], request["public"], probe))
    events = Events(body, nonce, centre, digest)
    watcher = Watcher(
        request, lambda xml: send(seal.frame(request["marker"], "event", events.seal(xml)), lambda: not watcher.stopped)
    )
    _thread.start_new_thread(watcher.run, ())
    return watcher


def within(seconds: float, work: "Callable[[], None]", tell: "Callable[[], None]") -> None:
    """Does the work, then tells. Work that hangs does not keep that back: another thread tells, and ends the process.

    The work stays on this thread, because malloc(3) has memory of its own for each that allocates: a tenth of ours.
    """
    working, turn = _thread.allocate_lock(), _thread.allocate_lock()  # `turn` is for the one that tells, and kept
    working.acquire()

    def wait() -> None:
        if not working.acquire(True, max(0.0, seconds)) and turn.acquire(False):
            try:
                tell()
            finally:
                leave()  # the other one hangs in the kernel; it ends with the process, not with the request

    _thread.start_new_thread(wait, ())
    try:
        work()
    finally:
        working.release()
    turn.acquire()
    tell()


def report(
    request: "Dict[str, Any]",
    probe: str,
    seconds: float,
    collection: collect.Collection,
    told: "Optional[render.Told]" = None,
) -> bytes:
    """The report as XML; if it cannot be written, one in which every section says why."""
    head = {"host": request["host"], "probe": probe, "python": python(), "seconds": seconds}
    try:
        return render.report(head, collection.readings, told, request)
    except Exception as error:
        return render.report(head, collect.Collection(request["sections"], 0).failed(error).readings)


def python() -> str:
    """Which interpreter this is, such as `cpython 3.11.2`."""
    return "%s %d.%d.%d" % (sys.implementation.name, *sys.version_info[:3])


def send(data: bytes, wanted: "Callable[[], bool]" = lambda: True) -> None:
    """Writes all of it to standard output, if it is still wanted then; two frames never mix.

    When nobody reads any more there is nobody to tell.
    """
    with _sending:
        try:
            data = data if wanted() else b""
            while data:
                data = data[os.write(1, data) :]
        except OSError:
            leave()
