"""ASK ONE HOST, top to bottom. Runs in the host's thread, holds no state, stores nothing.

In: a host and what is remembered of it. Out: a Poll, always: an unreachable host is a Poll whose outcome says so.
"""

from __future__ import annotations

import errno
import logging
import time
from dataclasses import replace
from datetime import datetime, timezone
from typing import Final

from uuid6 import uuid7

from poller import evidence, pinging
from poller.clock import now_ms
from poller.errors import HostError
from poller.model import (
    Before,
    Deadline,
    EvidencePart,
    Host,
    Logins,
    Poll,
    PollOutcome,
    Report,
    SectionStatus,
    Stopwatch,
)
from poller.probe.envelope import open_report
from poller.probe.report import parse
from poller.probe.request import Request
from poller.probe.wanted import due, elsewhere
from poller.resident import Resident
from poller.ssh import Gates, Session

_log = logging.getLogger(__name__)

# A section that does not exist on a host (no swap, no PSI) is no defect of the report.
_COMPLETE: Final = frozenset({SectionStatus.OK, SectionStatus.ABSENT})
# What a plain login may not see (on most systems the kernel's log) is told beside the section, and is no defect either.
_FOR_SOME: Final = frozenset({"kernel"})

# Stage and code of a poll that was skipped because the host refused the logins before.
BACK_OFF: Final = ("auth", "backoff")
# And of one for which the poller's own machine had too little left.
RESOURCES: Final = ("connect", "resources")
# How the end of a connection shows to who asks in it.
_BROKEN: Final = frozenset({("session", "closed"), ("probe", "closed")})
_NEW: Final = Before()
_LACKS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})


def poll(
    host: Host,
    before: Before,
    gates: Gates,
    deadline: Deadline | None = None,
    past: evidence.Past = evidence.forgotten,
    resident: Resident | None = None,
) -> Poll:
    """One attempt, by `deadline` (default: the host's own). A fault of the host is an outcome, no exception.

    `past` is for rules that want evidence and look back. The session is that of `resident`, which keeps it afterwards
    unless the poll failed; without one it is closed.
    """
    stopwatch = Stopwatch()
    started = time.monotonic()
    deadline = deadline or Deadline(host.poll.deadline)
    draft = Poll(id=str(uuid7()), host=host.name, at_ms=now_ms(), outcome=PollOutcome.FAILED)
    talk = _Talk(draft, past, resident)
    try:
        result = (talk.ping if host.via == "ping" else talk.hold)(host, before, gates, deadline, stopwatch)
    except Exception as error:
        result = _pinged(_ended(talk.draft, error, stopwatch.stage), error, deadline)
    return replace(result, seconds=time.monotonic() - started, stages=stopwatch.seconds)


def _pinged(failed: Poll, error: Exception, deadline: Deadline) -> Poll:
    """With whether the machine answers at least a ping, where that is the question."""
    if failed.outcome is PollOutcome.SKIPPED or not isinstance(error, HostError):
        return failed
    try:
        ping = pinging.second_opinion(error, deadline)
    except (OSError, MemoryError):  # too little of our own: then there is no second opinion
        return failed
    return replace(failed, ping=ping, error=failed.error + pinging.in_words(ping))


class _Talk:
    """Keeps what is learned on the way, so that a poll that fails half-way still says how far it came."""

    def __init__(self, draft: Poll, past: evidence.Past, resident: Resident | None) -> None:
        self.draft = draft
        self._past = past
        self._resident = resident

    def ping(self, host: Host, before: Before, _gates: Gates, deadline: Deadline, stopwatch: Stopwatch) -> Poll:
        """A host without SSH."""
        answer = pinging.first_opinion(host, before, deadline, stopwatch)
        answered = replace(self.draft, address=answer.address, ping=answer)
        if answer.received:
            return replace(answered, outcome=PollOutcome.OK)
        return _failed(answered, pinging.unanswered(answer))

    def hold(self, host: Host, before: Before, gates: Gates, deadline: Deadline, stopwatch: Stopwatch) -> Poll:
        """Asks in a session. One that was held and turns out to be broken is no fault of the host: then in a new one.

        With less than half of the time left that is not tried any more.
        """
        held = self._resident or Resident(host, gates, stays=False)
        draft, used = self.draft, held.connected
        try:
            return self._turn(held, before, deadline, stopwatch)
        except HostError as error:
            broken = used and not held.aborted and (error.stage, error.code) in _BROKEN
            if not broken or deadline.remaining < host.poll.deadline / 2:
                raise
            _log.info("%a: %s; connecting anew", host.name, ascii(error.sentence))
        self.draft = draft
        return self._turn(held, before, deadline, stopwatch)

    def _turn(self, held: Resident, before: Before, deadline: Deadline, stopwatch: Stopwatch) -> Poll:
        host = held.host
        with held.turn(before, pinging.for_login(deadline), stopwatch) as session:
            self.draft = replace(self.draft, address=session.address, host_key=session.host_key)
            wanted = due(host.watch, before, now_ms())
            payload, bundle = held.payload(
                evidence.sections(host, wanted),
                lambda: evidence.sections(host, due(host.watch, _NEW, 0)),
                before,
                elsewhere=elsewhere(before),
            )
            nonce, previous = held.opened
            # The probe gives up a little earlier than the poller, so that a slow section arrives as data.
            request = Request.fresh(
                host.name,
                session.host_key,
                before,
                payload,
                deadline.remaining * 0.8,
                held.idle,
                watch=host.watch,
                only=wanted,
                after=nonce,
            )
            sealed = self._ask(session, bundle, request, deadline)
            report = _opened(sealed, request, stopwatch, previous)
            held.note(request.nonce, report)
            proof: tuple[EvidencePart, ...] = ()
            if evidence.rules(host):
                known = replace(self.draft, report=report)
                proof = evidence.gather(host, before, known, session, payload, deadline, self._past, held.idle)
        return replace(self.draft, outcome=_outcome(report), report=report, evidence=proof)

    def _ask(self, session: Session, bundle: bytes, request: Request, deadline: Deadline) -> bytes:
        asked_ms = now_ms()
        answer = session.ask(bundle + request.frame, request.marker, deadline=deadline)
        self.draft = replace(
            self.draft,
            asked_ms=asked_ms,
            answered_ms=now_ms(),
            sent_bytes=answer.sent_bytes,
            received_bytes=answer.received_bytes,
            sudo_denied=answer.sudo_denied,
        )
        return answer.frame


def _opened(sealed: bytes, request: Request, stopwatch: Stopwatch, previous: Report | None) -> Report:
    with stopwatch.measure("envelope"):
        xml = open_report(sealed, request)
    with stopwatch.measure("report"):
        return parse(xml, request, previous)


def _outcome(report: Report) -> PollOutcome:
    complete = all(
        section.status in _COMPLETE or (section.status is SectionStatus.DENIED and section.name in _FOR_SOME)
        for section in report.now.sections
    )
    return PollOutcome.OK if complete else PollOutcome.PARTIAL


def _ended(draft: Poll, error: Exception, stage: str) -> Poll:
    """What an exception in the middle of a poll makes of it. What we ran out of ourselves is no fault of the host."""
    lack = _lack(error)
    if lack:
        return replace(_failed(draft, HostError(*RESOURCES, lack)), outcome=PollOutcome.SKIPPED)
    if isinstance(error, HostError):
        own = (error.stage, error.code) == pinging.DENIED  # a ban of this machine, as little the host's
        return replace(_failed(draft, error), outcome=PollOutcome.SKIPPED if own else PollOutcome.FAILED)
    _log.error("poll of %a failed inside the poller", draft.host, exc_info=_log.isEnabledFor(logging.DEBUG))
    return _failed(draft, HostError("report", "internal", f"in stage {stage}"))


def _lack(error: BaseException) -> str:
    """What this machine had too little of, as the reason behind `error`; empty when that is not the reason."""
    if isinstance(error, BlockingIOError):
        return "no more processes"  # EAGAIN of fork(2); further down it is but a socket that has to wait
    reason: BaseException | None = error
    while reason is not None:
        if isinstance(reason, MemoryError):
            return "no more memory"
        if isinstance(reason, OSError) and reason.errno in _LACKS:
            return reason.strerror or str(reason)
        if isinstance(reason, RuntimeError) and "start new thread" in str(reason):
            return "no more threads"
        reason = reason.__cause__ or reason.__context__
    return ""


def lacking(poll: Poll) -> bool:
    """Whether this poll was skipped because the poller ran out of something: with less going on it may succeed."""
    return poll.outcome is PollOutcome.SKIPPED and (poll.stage, poll.code) == RESOURCES


def _failed(draft: Poll, error: HostError) -> Poll:
    return replace(
        draft,
        outcome=PollOutcome.FAILED,
        stage=error.stage,
        code=error.code,
        error=error.sentence,
        hint=error.hint,
        security=error.security,
    )


def unstorable(poll: Poll) -> Poll:
    """The same attempt without its report, which the store did not take: one report must not hold up the others."""
    return replace(_failed(poll, HostError("report", "internal", "its report cannot be stored")), report=None)


def held_off(host: Host, logins: Logins) -> Poll | None:
    """The skipped poll of a host that refused its last logins, while none is tried; else None."""
    if not logins.waits(now_ms()):
        return None
    until = datetime.fromtimestamp(logins.retry_at_ms // 1000, timezone.utc)
    rest = f"none is tried until {until:%Y-%m-%d %H:%M:%S} UTC, or with `poller run --now`"
    detail = f"{logins.refused} times in a row; {rest}"
    return skipped(host, HostError(*BACK_OFF, detail))


def skipped(host: Host, error: HostError) -> Poll:
    """A poll that did not take place, and says why."""
    draft = Poll(id=str(uuid7()), host=host.name, at_ms=now_ms(), outcome=PollOutcome.FAILED)
    return replace(_failed(draft, error), outcome=PollOutcome.SKIPPED)


def unable(host: Host) -> Poll:
    """A poll for which not even a thread could be started."""
    return skipped(host, HostError(*RESOURCES, "no more threads"))


def broken(host: Host, error: Exception) -> Poll:
    """A poll that a defect of the poller itself has ended."""
    draft = Poll(id=str(uuid7()), host=host.name, at_ms=now_ms(), outcome=PollOutcome.FAILED)
    return _ended(draft, error, "asking")


def overdue(host: Host) -> Poll:
    """A poll whose thread did not come back in time, whatever holds it (a system call that cannot be interrupted)."""
    draft = Poll(id=str(uuid7()), host=host.name, at_ms=now_ms(), outcome=PollOutcome.FAILED)
    return replace(
        _failed(draft, HostError("connect", "timeout", "the poll did not come back")), seconds=host.poll.deadline
    )
