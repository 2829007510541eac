"""WHAT WAS IT BUSY WITH, for hosts whose rules say evidence="yes": asked in the session that told of the breach.

In: a poll with its report, and the session it came by. Out: texts, or nothing. Never the reason that a poll fails or
takes longer than it may; what is read here is not kept as a reading, and moves no cursor. Runs in the host's thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from poller.clock import now_ms
from poller.findings import find
from poller.findings.evidence import KERNEL_LINES, PROCESSES, SECTIONS, evidence
from poller.model import (
    AnyRule,
    Before,
    Deadline,
    EvidencePart,
    History,
    Host,
    Needs,
    Poll,
    Standing,
    Watch,
    World,
)
from poller.probe.envelope import open_report
from poller.probe.report import parse
from poller.probe.request import Request
from poller.probe.sight import sight
from poller.probe.values import values
from poller.rules import judge, needs

if TYPE_CHECKING:
    from poller.probe.payload import Payload
    from poller.ssh import Session

# What is known of a host, as far back as that, before an instant.
Past = Callable[[str, Needs, int], History]

_log = logging.getLogger(__name__)

# Seconds: it is not begun with less than the first, takes the second at most, and leaves the third of the poll's time.
_LEAST: Final = 0.5
_MOST: Final = 5.0
_SPARE: Final = 0.3


def rules(host: Host) -> tuple[AnyRule, ...]:
    """Those of the host that want evidence; mostly none, and then nothing here is done."""
    return tuple(rule for rule in host.judged if rule.evidence)


def forgotten(_host: str, _needs: Needs, _now_ms: int) -> History:
    """The past of who keeps none."""
    return History()


def breached(host: Host, before: Before, poll: Poll, past: Past = forgotten) -> bool:
    """Whether one of them is breached of which no alert is open yet. `past` is asked when one of them looks back."""
    found = find(before, poll, host.watch)
    seen = (*values(before, poll), *found.values)
    told = found.findings
    back = needs(rules(host))
    earlier = past(host.name, back, poll.at_ms) if back else History()
    world = World(poll.at_ms, seen, sight(poll, seen), told.lines, told.events, earlier)
    return any(
        verdict.standing is Standing.BREACH and (verdict.metric, verdict.labels) not in before.open
        for verdict in judge(rules(host), world)
    )


def gather(
    host: Host,
    before: Before,
    poll: Poll,
    session: Session,
    payload: Payload,
    deadline: Deadline,
    past: Past = forgotten,
    idle: float = 0.0,
) -> tuple[EvidencePart, ...]:
    """Asks once more, when a rule is breached and there is time. `poll` has its report. Never raises.

    `idle` as in a request: a probe that stays waits so many seconds for the next one.
    """
    try:
        left = min(deadline.remaining - _SPARE, _MOST)
        asks = left >= _LEAST and breached(host, before, poll, past)
        return _asked(host, before, session, payload, left, idle) if asks else ()
    except Exception as error:  # whatever it is: the report itself is there
        _log.info("%a: no evidence: %s", host.name, ascii(str(error)))
        return ()


def _asked(
    host: Host, before: Before, session: Session, payload: Payload, seconds: float, idle: float
) -> tuple[EvidencePart, ...]:
    deadline = Deadline(seconds)
    watch = Watch(top=PROCESSES, commands=host.watch.commands)
    request = Request.fresh(
        host.name,
        session.host_key,
        replace(Before(), stuck=before.stuck),
        payload,
        seconds * 0.8,
        idle,
        watch=watch,
        only=SECTIONS,
        options={"kernel": {"last": KERNEL_LINES}},
    )
    at_ms = now_ms()
    answer = session.ask(request.frame, request.marker, deadline=deadline)
    report = parse(open_report(answer.frame, request), request)
    return evidence(before.reading, report.now, host.watch, at_ms)


def sections(host: Host, due: Sequence[str]) -> tuple[str, ...]:
    """What the payload must be able to answer for."""
    return (*due, *SECTIONS) if rules(host) else tuple(due)
