"""What a poll, or a change of config.xml, means for a host that is held. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from poller import evidence
from poller.model import Before, Host, Poll, PollOutcome

# Where a poll of a host that nobody reached ends; and how one does whose session broke.
_UNREACHED: Final = frozenset({"dns", "connect", "handshake"})
_BROKEN: Final = frozenset({("session", "closed"), ("probe", "closed"), ("probe", "timeout")})
# Another try soon would be one more login that is refused, and sshd counts them (PerSourcePenalties). Who only sees a
# host key that is not the one on record leaves before a user name was sent, which costs nothing there.
_LOGIN: Final = "auth"
# But for this one: the key was right, and the machine that boots will let us in.
_BOOTING: Final = ("auth", "nologin")
_KEY: Final = "hostkey"
# sshd says so while it punishes our address for refused logins, whoever's they were.
_PUNISHED: Final = "Not allowed at this time"


def reached(host: Host) -> tuple[object, ...]:
    """What a session depends on."""
    return host.address, host.ssh, host.python, host.become, host.via, host.cold, host.poll.interval


def slim(host: Host, before: Before) -> Before:
    """What the next question needs: of the last reading only when it was, unless rules are judged right there."""
    if before.reading is None or evidence.rules(host):
        return before
    return replace(before, reading=replace(before.reading, sections=()))


def answered(polled: Poll) -> bool:
    """The host was asked and told something."""
    return polled.outcome in (PollOutcome.OK, PollOutcome.PARTIAL)


def boots(polled: Poll) -> bool:
    """Its sshd answers, and lets nobody in yet. sshd counts the tries all the same (PerSourcePenalties)."""
    return (polled.stage, polled.code) == _BOOTING


def _barred(polled: Poll) -> bool:
    """It refuses our login, and will the next time."""
    return polled.stage == _LOGIN and not boots(polled)


def refused(polled: Poll) -> bool:
    """It lets nobody in for now, whoever waits for it; or it was not even asked, so that this is not known."""
    punished = polled.stage == "handshake" and _PUNISHED in polled.error
    return polled.outcome is PollOutcome.SKIPPED or _barred(polled) or punished


def silent(polled: Poll, trouble: str) -> bool:
    """A try that failed and taught nothing: nobody needs to know before the host is due.

    `trouble` is how the newest poll ended that was told (stage/code): another key is news once.
    """
    if polled.outcome is not PollOutcome.FAILED:
        return polled.outcome is PollOutcome.SKIPPED
    if polled.stage == _KEY:
        return trouble == f"{polled.stage}/{polled.code}"
    return not _barred(polled) and not polled.security


def worth_trying(polled: Poll, *, held: bool, watched: bool) -> bool:
    """Whether the host may be there again before it is due."""
    if polled.outcome is PollOutcome.SKIPPED or _barred(polled):
        return False
    return watched or boots(polled) or polled.stage in _UNREACHED or (held and (polled.stage, polled.code) in _BROKEN)
