"""A report after polls that failed -> what had happened to the host meanwhile; and whether its clock can be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from poller.model import Before, Event, Poll, Reading, Severity, System

# Seconds between the host's clock and ours, beyond what its error explains: from the first on it is wrong, and right
# again below the second.
WRONG: Final = 60.0
RIGHT: Final = 30.0

# Seconds by which our wall clock and a clock that nobody sets may differ about how long an answer took.
_APART: Final = 1.0
# The stages of a poll between question and answer.
_ASKING: Final = ("session", "probe")

# Stages at which it is the way to a host that fails, and not what is on it.
_WAY: Final = ("dns", "connect", "handshake", "ping")


def back(before: Before, poll: Poll) -> tuple[Event, ...]:
    """When a host answers that did not: for how long it was dark, and why, as far as one can tell."""
    answers = poll.report is not None or (poll.ping is not None and poll.ping.received > 0 and not poll.stage)
    if not (before.failures and before.report_ms and answers):
        return ()
    dark = span(max(0, answered_ms(poll) - max(before.report_ms, poll.heard_ms)) // 1000)
    return (Event("back", poll.at_ms, Severity.LOW, f"back after {dark}: {cause(before, poll)}"),)


def answered_ms(poll: Poll) -> int:
    """When the host answered: a dial may take long."""
    return poll.answered_ms or poll.at_ms


def span(seconds: int) -> str:
    """The two largest units: 45s, 12m, 3h 5m, 2d 1h."""
    units = (("d", seconds // 86400), ("h", seconds // 3600 % 24), ("m", seconds // 60 % 60), ("s", seconds % 60))
    first = next((number for number, (_, count) in enumerate(units) if count), 3)
    most = 1 if units[first][0] == "m" else 2  # nobody asks for the seconds of minutes
    return " ".join(f"{count}{unit}" for unit, count in units[first : first + most] if count or first == 3)


def cause(before: Before, poll: Poll, lost: str = "") -> str:
    """Why a host that answers now was away, as far as a report can tell: rebooted, sshd, the network, another key.

    `lost` says what became of its session, where no poll has failed in between.
    """
    return ", ".join(_causes(before, poll, lost))


def _causes(before: Before, poll: Poll, lost: str = "") -> Iterator[str]:
    was, now = before.reading, poll.report.now if poll.report else None
    if now is None:
        yield "it answers ping again"
    elif was is None or not _known(was) or not _known(now):
        yield f"it had failed with {before.trouble}"
    elif was.boot_id != now.boot_id:
        yield "rebooted (boot id changed)"
    else:
        yield _of_the_same_boot(_sshd(was), _sshd(now), before.trouble, lost)
    if poll.host_key and before.host_key and poll.host_key != before.host_key:
        yield f"it has another host key: {poll.host_key}, before {before.host_key}"


def _of_the_same_boot(was: float, now: float, trouble: str, lost: str) -> str:
    if was and now and was != now:
        return "sshd was restarted"
    same = "same boot, same sshd" if was and now else "same boot"
    if lost:
        return f"{lost} ({same})"
    return f"the network ({same})" if trouble.partition("/")[0] in _WAY else f"it had failed with {trouble} ({same})"


def _known(reading: Reading) -> bool:
    """A host without /proc may have no boot id of its own."""
    return reading.boot_id not in ("", "unknown")


def _sshd(reading: Reading) -> float:
    """When its sshd began to listen, in seconds after boot; 0 unknown."""
    return next((row.sshd_started for row in reading.rows(System) if isinstance(row, System)), 0.0)


def skew(before: Before, poll: Poll) -> tuple[Event, ...]:
    """When the host's clock turns out to be wrong, and when it is right again."""
    if poll.report is None or not poll.answered_ms or _ours_was_set(poll):
        return ()
    offset = poll.report.now.clock - (poll.asked_ms + poll.answered_ms) / 2000
    error = (poll.answered_ms - poll.asked_ms) / 2000
    way = "ahead of" if offset > 0 else "behind"
    words = f"{abs(offset):.1f} s {way} the poller's, give or take {error:.1f} s"
    if not before.skewed and abs(offset) - error > WRONG:
        return (Event("clock_skew", poll.at_ms, Severity.MEDIUM, f"the clock of the host is {words}"),)
    if before.skewed and abs(offset) + error < RIGHT:
        return (Event("clock_skew", poll.at_ms, Severity.LOW, f"the clock of the host is right again: {words}"),)
    return ()


def _ours_was_set(poll: Poll) -> bool:
    """Our own clock was, between question and answer: then it tells nothing about the host's."""
    took = (poll.answered_ms - poll.asked_ms) / 1000
    measured = [poll.stages[stage] for stage in _ASKING if stage in poll.stages]
    return took < 0 or (bool(measured) and abs(took - sum(measured)) > _APART)
