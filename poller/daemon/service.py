"""THE DAEMON: what it is made of, and its main loop, top to bottom.

    polls and pushes come in -> shown, stored, judged -> their hosts may be polled again -> whoever waits is told
    what the command line asked for, a reload, the round that turns, the line of a minute, duties that died

The main thread alone has the engine and the journal that polls go to; it waits for nothing but the next arrival.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final

from poller.app import collecting_seldom
from poller.clock import now_ms
from poller.control import Caller, Handler, Server, socket_path
from poller.daemon import status
from poller.daemon.asked import Asked
from poller.daemon.attending import Attending
from poller.daemon.board import Board
from poller.daemon.duties import duties
from poller.daemon.ending import end_by
from poller.daemon.engine import engine
from poller.daemon.errands import Errands
from poller.daemon.keeping import Keeping
from poller.daemon.only import only_one
from poller.daemon.reload import Reloaded, reload
from poller.daemon.rounds import Rounds
from poller.daemon.sessions import Sessions
from poller.daemon.signals import Signals
from poller.daemon.supervision import Supervisor
from poller.daemon.watchers import Watchers
from poller.history import rebuild
from poller.model import Arrivals, Config, Deadline, Seat
from poller.noticing import Noticing

_log = logging.getLogger(__name__)
_minutes = logging.getLogger(f"{__name__}.minute")

# Seconds that the main loop waits for polls before it looks at everything else.
_LOOK: Final = 0.2
_MINUTE: Final = 60.0
# Seconds that a command that wants polls waits for the main loop, which may store much just then.
_PATIENCE: Final = 60.0
# When it ends: seconds for polls that are under way, for the journal, for the duties; and for all of it at most.
_FINISH, _STORE, _PART, _END = 4.0, 2.0, 1.0, 9.5


def serve(config: Config, reread: Callable[[], Config], supervisor: Supervisor | None = None) -> int:
    """Polls until a signal ends it; the exit status (0 after SIGTERM, 130 after SIGINT). Only in the main thread.

    `reread` gives the configuration that SIGHUP asks for. Raises BusyError (another poller is at work), StoreError (no
    journal to begin with), PollerError (no socket); whatever else it raises is a fault that a supervisor restarts.
    """
    supervisor = supervisor or Supervisor()
    signals = Signals()
    with signals.taken(), ExitStack() as stack:
        stack.callback(supervisor.close)
        end_by(_END, lambda: signals.code, signals.stop)
        stack.enter_context(only_one(config.journal, signals.stop))
        stack.enter_context(collecting_seldom())
        rebuild(config, signals.stop)
        Service(config, reread, supervisor, signals, stack).run()
    return signals.code


class Service:
    """Its parts, put together. What has to be closed is closed by `stack`, also after a fault."""

    def __init__(
        self,
        config: Config,
        reread: Callable[[], Config],
        supervisor: Supervisor,
        signals: Signals,
        stack: ExitStack,
    ) -> None:
        self._began = self._config = config
        self._names = {host.name for host in config.hosts}
        self._reread = reread
        self._reloaded = Reloaded(config, now_ms(), "")
        self._supervisor = supervisor
        self._signals = signals
        self._errands = Errands()
        self._board = Board(config)
        self._rounds = Rounds(self._board)
        self._sessions = Sessions()
        self._keeping = Keeping(config, self._rounds.id)
        stack.callback(self._keeping.close)
        self._duties = duties(lambda: self._config, self._board)
        stack.callback(self._end_duties)
        self._noticing = Noticing(self._keeping.journal, config)
        self._asked = Asked(lambda: self._config, self._poll_now, lambda: self._keeping.trouble)
        self._watchers = Watchers(lambda: self._names, lambda: self._errands.put(self._watch), self._seats)
        self._server = stack.enter_context(Server(socket_path(config), self._handlers()))
        self._engine = engine(config, self._keeping.note)
        self._stopped = False
        telling = self._duties[0]
        self._attending = Attending(self._engine, self._keeping, self._noticing, self._watchers.tell, telling.wake)
        self._minute_ends = time.monotonic() + _MINUTE
        stack.callback(self._end_engine)

    def run(self) -> None:
        """Until a signal comes, or somebody asks for the end over the socket."""
        self._engine.start(self._config.hosts, self._keeping.befores(self._names))
        self._watch()
        self._supervisor.ready()
        _log.info("ready: %s of %s, process %d", status.hosts(len(self._names)), self._config.path, os.getpid())
        while not self._signals.stop.is_set():
            self._turn(self._attending.wait(_LOOK))
        self._drain()

    def _turn(self, arrivals: Arrivals) -> None:
        """One time round the loop."""
        self._rounds.turn(self._config, self._keeping)
        self._take(arrivals)
        if self._signals.wants_reload():
            self._errands.put(self._reload)
        self._errands.run()
        if time.monotonic() >= self._minute_ends:
            self._tell_minute()
        for duty in self._duties:
            duty.tend()
        self._supervisor.alive()

    def _take(self, arrivals: Arrivals, *, at_any_rate: bool = False) -> None:
        """Of a host that has left the configuration nothing is told or stored any more."""
        lost = self._sessions.take(link for link in arrivals.links if link.host in self._names)
        if lost and not self._stopped:
            _log.info("%s", lost)
        known = tuple(poll for poll in arrivals.polls if poll.host in self._names)
        taken = self._attending.take(replace(arrivals, polls=known), at_any_rate=at_any_rate)
        if taken:
            self._board.take(taken)
            self._asked.taken(self._rounds.id, taken)
            if any(one.changes for one in taken):
                self._duties[0].wake()

    def _tell_minute(self) -> None:
        self._minute_ends = time.monotonic() + _MINUTE
        tally, standings = self._board.end_minute(), [duty.standing for duty in self._duties]
        _minutes.info("%s", status.minute(tally, self._board, self._keeping, self._engine.links()))
        self._supervisor.status(status.line(self._config, tally, self._board, self._keeping, self._reloaded, standings))

    # What others ask for

    def _handlers(self) -> Mapping[str, Handler]:
        return {
            "status": lambda caller: self._errands.ask(self._status),
            "poll": self._asked.poll,
            "watch": self._watchers.watch,
            "reload": lambda caller: self._errands.ask(self._reload),
            "stop": self._stop,
        }

    def _status(self) -> Mapping[str, Any]:
        standings = [duty.standing for duty in self._duties]
        links = self._engine.links()
        listens = socket_path(self._began)
        return status.document(self._config, self._board, self._keeping, links, standings, self._reloaded, listens)

    def _stop(self, caller: Caller) -> Mapping[str, Any]:
        self._signals.end()
        return {"pid": os.getpid()}

    def _poll_now(self, hosts: Collection[str], at_any_rate: bool) -> None:
        self._errands.ask(lambda: self._engine.poll_now(hosts, at_any_rate=at_any_rate), _PATIENCE)

    def _seats(self) -> Sequence[Seat]:
        return self._errands.ask(lambda: self._noticing.all_seats)

    def _reload(self) -> Mapping[str, Any]:
        """`refused` says why not, and is empty when config.xml is taken; `restart` what of it needs a new start."""
        self._supervisor.reloading()
        try:
            self._reloaded = done = reload(self._config, self._reread, self._change, self._began)
        finally:
            self._supervisor.ready()
        self._supervisor.status("; ".join((done.words, *done.restart)))
        hosts = len(self._config.hosts)
        return {"refused": done.refused, "words": done.words, "hosts": hosts, "restart": list(done.restart)}

    def _change(self, config: Config) -> None:
        """Alerts of hosts that are gone end in the next turn of the upkeep, which is now."""
        self._config = config
        self._names = {host.name for host in config.hosts}
        self._sessions.change(self._names)
        self._board.change(config)
        self._keeping.change(config)
        self._noticing.change(config)
        self._engine.change(config.hosts, self._keeping.befores(self._names))
        self._watch()
        for duty in self._duties:
            duty.wake()

    def _watch(self) -> None:
        """Hosts with live="yes", and those that somebody looks at."""
        wanted = self._watchers.hosts
        self._attending.watch({host.name for host in self._config.hosts if host.live or host.name in wanted})

    # The end

    def _drain(self) -> None:
        """Polls that are under way may finish, what has finished is stored; what people are owed stays owed."""
        self._supervisor.stopping()
        self._errands.end()
        for duty in self._duties:
            duty.stop()
        self._stopped = True
        self._take(self._engine.stop(_FINISH), at_any_rate=True)
        deadline = Deadline(_STORE)
        while self._keeping.waiting and not deadline.passed:
            time.sleep(0.1)
            self._take(Arrivals(), at_any_rate=True)
        self._attending.finish()
        self._rounds.end(self._keeping, self._signals.number)
        _log.info("stopped")

    def _end_engine(self) -> None:
        """After a fault of the main loop: what polls, and what is polled, is given up."""
        if not self._stopped:
            self._signals.fail()
            self._errands.end()
            self._engine.stop(0.0)

    def _end_duties(self) -> None:
        deadline = Deadline(_PART)
        for duty in self._duties:
            duty.stop()
        for duty in self._duties:
            duty.join(deadline.remaining)
