"""THE SESSION AT ONE HOST, for one poll or for many: connected when a poll needs it, kept while it is good.

In: a host, and polls that ask. Out: the session to ask in, pushed frames, and why it was lost. It belongs to one thread
but for `abort`. Never two connections to a host, and nothing is left of one that is lost: no thread, no file.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from poller.clock import now_ms
from poller.errors import HostError
from poller.model import Before, Deadline, Host, Push, Report, Stopwatch
from poller.probe.payload import Payload, build, command
from poller.probe.report import kept
from poller.ssh import Allowance, Gates, Session, connect

_log = logging.getLogger(__name__)

# Seconds: a probe that stays ends itself after three times as long without a request.
_IDLE_LEAST: Final = 20.0
_TELL_SECONDS: Final = 10.0
# Bytes of text that pushed frames may hold at once, and per second: what is sealed is compressed, up to a thousandfold,
# and to read 1.4 MB takes 0.2 s. A machine with a thousand mounts tells of 0.15 MB when one changes.
_TEXT_MOST: Final = 16 * 1024 * 1024
_TEXT_PER_SECOND: Final = 1024 * 1024


class Resident:
    """`stays`: the session is held after a poll, and the probe in it can answer for every section of the host.

    `lost` is why the last session ended, "" when none did: stage/code: sentence. `dial` is for how many seconds the
    host is dialled when there is none, None: until the deadline.
    """

    __slots__ = (
        "_elsewhere",
        "_opened",
        "_running",
        "_session",
        "_settled",
        "_stack",
        "_stays",
        "_unwatch",
        "aborted",
        "connected_at",
        "dial",
        "gates",
        "host",
        "lost",
        "watching",
    )

    def __init__(self, host: Host, gates: Gates, *, stays: bool = True) -> None:
        self.host = host
        self.gates = gates
        self.lost = ""
        self.watching = False
        self.aborted = False
        self.dial: float | None = None
        self.connected_at = 0.0  # when the newest session was made, on the monotonic clock
        self._stays = stays
        self._stack: ExitStack | None = None
        self._session: Session | None = None
        self._running: Payload | None = None
        self._elsewhere = False
        self._opened: tuple[bytes, Report] | None = None
        self._unwatch = b""
        self._settled = False  # the probe that runs was compared with what config.xml says now

    @property
    def connected(self) -> bool:
        return self._session is not None

    @property
    def idle(self) -> float:
        """Seconds between two requests, for the probe: 0 when there is but one poll."""
        return max(self.host.poll.interval, _IDLE_LEAST) if self._stays else 0.0

    @property
    def heard_at(self) -> float:
        """When anything came last, on the monotonic clock; 0 without a session."""
        session = self._session  # others ask, too, while it is lost
        return session.heard_at if session else 0.0

    @contextmanager
    def turn(self, before: Before, deadline: Deadline, stopwatch: Stopwatch) -> Iterator[Session]:
        """The session of one poll: the one that is there, or by `deadline` a new one. A poll that fails ends it."""
        try:
            session = self._session or self._connect(before, deadline, stopwatch)
            session.stopwatch = stopwatch
            yield session
        except BaseException as error:
            self.close(error)
            raise
        if not self._stays or session.unanswered:
            self.close()

    def _connect(self, before: Before, deadline: Deadline, stopwatch: Stopwatch) -> Session:
        with ExitStack() as stack:
            session = stack.enter_context(
                connect(
                    self.host,
                    command=self._command,
                    deadline=deadline,
                    stopwatch=stopwatch,
                    before=before,
                    gates=self.gates,
                    held=self._stays,
                    dial=self.dial,
                )
            )
            self._stack = stack.pop_all()
        self._session, self.connected_at = session, time.monotonic()
        return session

    @property
    def _command(self) -> str:
        return command(self.host.python, self.host.become)

    def payload(
        self, now: tuple[str, ...], ever: Callable[[], tuple[str, ...]], before: Before, *, elsewhere: bool
    ) -> tuple[Payload, bytes]:
        """The probe that answers for the sections `now`, and what must be sent before the request: b"" when it runs.

        One that stays answers for all that are `ever` asked for, and can push. `elsewhere`: the host may have no /proc.
        """
        assert self._session is not None  # noqa: S101 - called within a turn
        running, denied = self._running, before.sudo_denied(now_ms())
        able = running is not None and (self._elsewhere or not elsewhere)
        if running is not None and able and self._settled and self._privileged(denied=denied):
            return running, b""
        sections = ever() if self._stays else now
        self._settled = True
        if running is not None:
            if able and set(sections) <= set(running.sections) and self._privileged(denied=denied):
                return running, b""
            self._restart(denied=denied)
        self._running, self._elsewhere = build(sections, elsewhere=elsewhere, watch=self._stays), elsewhere
        return self._running, self._running.data

    def _privileged(self, *, denied: bool) -> bool:
        """It runs as config.xml says, or sudo refused that lately."""
        assert self._session is not None  # noqa: S101 - a probe runs in it
        return denied or self._session.elevated or self.host.become == "no"

    @property
    def opened(self) -> tuple[bytes, Report | None]:
        """The nonce of the newest request whose report was opened, and that report: b"" and None when there is none."""
        return self._opened or (b"", None)

    def note(self, nonce: bytes, report: Report) -> None:
        """A report was opened. Only a session that is held needs it."""
        if self._stays:
            self._opened = nonce, kept(report)

    def _restart(self, *, denied: bool) -> None:
        assert self._session is not None  # noqa: S101 - a probe runs in it
        self._session.restart(sudo_denied=denied, command=self._command)
        self._running = self._opened = None
        self.watching = False

    def adopt(self, host: Host) -> None:
        """The host as config.xml has it now; where and how it is reached did not change."""
        if host.watch != self.host.watch:
            self.watching = False  # what is pushed depends on it: the next request replaces this one
        self.host = host
        self._settled = False

    def watch(self, heard: Callable[[Push], None]) -> None:
        """From now on the probe pushes what happens; `heard` gets it while `listen` waits, and while a poll asks.

        After a poll. HostError envelope/… or report/… ends what goes on when a frame is not good.
        """
        from poller.probe.watching import WatchRequest

        session, running = self._session, self._running
        assert session is not None and running is not None  # noqa: S101 - a poll has been answered
        request = WatchRequest.fresh(self.host.name, session.host_key, running, self.host.watch, self.idle)
        opener = request.opener(Allowance(_TEXT_MOST, _TEXT_PER_SECOND).spend)
        with self._ending():
            session.expect(request.marker, lambda sealed: heard(opener.open(sealed, now_ms())))
            session.tell(request.frame, deadline=Deadline(_TELL_SECONDS))
        session.heard_at = time.monotonic()
        self._unwatch = request.ending
        self.watching = True

    def unwatch(self) -> None:
        """It pushes no more. HostError: the session is lost."""
        if self.watching and self._session is not None:
            self._session.ignore()
            with self._ending():
                self._session.tell(self._unwatch, deadline=Deadline(_TELL_SECONDS))
        self.watching = False

    def listen(self, seconds: float, wake: int) -> None:
        """Waits so long (inf: for ever), until `wake` is readable, or for what was pushed. HostError: it is lost."""
        assert self._session is not None  # noqa: S101 - the caller has looked
        with self._ending():
            self._session.listen(seconds, wake)

    @contextmanager
    def _ending(self) -> Iterator[None]:
        try:
            yield
        except HostError as error:
            self.close(error)
            raise

    def close(self, reason: BaseException | None = None) -> None:
        """Ends the session, if there is one. `reason` is why, when it was lost."""
        stack, self._stack = self._stack, None
        self._session, self._running, self.watching = None, None, False
        self._opened = None
        if isinstance(reason, HostError):
            self.lost = f"{reason.stage}/{reason.code}: {reason.sentence}"
        if stack is not None:
            stack.close()

    def abort(self) -> None:
        """Wakes the thread that waits for this host, who then makes no other. For other threads."""
        self.aborted = True
        session = self._session
        if session is not None:
            session.abort()
