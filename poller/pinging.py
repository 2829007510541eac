"""DOES IT ANSWER PING: the whole poll of a host without SSH, and a second question to one whose SSH does not answer.

In: addresses. Out: a Ping, or None where nobody may send one. Never a bare connection to port 22: sshd takes it for an
attack (PerSourcePenalties, OpenSSH 9.8). Runs in the host's thread.
"""

from __future__ import annotations

from typing import Final

from poller.errors import HostError
from poller.model import Before, Deadline, Host, Ping, Stopwatch
from poller.reach.ping import ping
from poller.ssh import addresses

# Stage and code of a poll that did not take place because this machine may not ping.
DENIED: Final = ("ping", "denied")
# Seconds of a poll that are kept back for this question, or as much of a short poll.
_KEPT: Final = 1.0
_SHARE: Final = 0.1
_REQUESTS: Final = 2
# What a machine that is gone looks like, and one whose sshd is gone.
_OPEN: Final = frozenset(
    {
        *(("connect", code) for code in ("timeout", "unreachable", "refused", "reset")),
        *(("handshake", code) for code in ("timeout", "closed")),
    }
)


def first_opinion(host: Host, before: Before, deadline: Deadline, stopwatch: Stopwatch) -> Ping:
    """What a host with via="ping" answers: three requests to each of its addresses until one does.

    HostError dns/unknown, dns/timeout or ping/denied.
    """
    found = addresses(host, deadline, stopwatch, before.address)
    with stopwatch.measure("ping"):
        answer = _first(found, deadline, count=3, timeout=1.0)
    if answer is None:
        raise HostError(*DENIED)
    return answer


def unanswered(ping: Ping) -> HostError:
    """What it means that none was answered."""
    if ping.error:
        return HostError("ping", "unreachable", f"{ping.address}: {ping.error}")
    return HostError("ping", "timeout", ping.address)


def for_login(deadline: Deadline) -> Deadline:
    """By when a host must have let us in, so that there is time for a ping when it does not."""
    left = deadline.remaining
    return Deadline(left - min(_KEPT, left * _SHARE))


def second_opinion(error: HostError, deadline: Deadline) -> Ping | None:
    """Does the machine answer, though its SSH does not? None when that is no question, or cannot be asked.

    Not asked behind a jump host, nor when something was said that only a living machine says. At most a second.
    """
    if (error.stage, error.code) not in _OPEN or not error.addresses or error.security or deadline.passed:
        return None
    left = min(deadline.remaining, _KEPT)
    timeout = left / (_REQUESTS * len(error.addresses))
    return _first(error.addresses, Deadline(left), count=_REQUESTS, timeout=timeout)


def in_words(ping: Ping | None) -> str:
    """The end of the sentence about a poll that failed."""
    if ping is None:
        return ""
    return "; it answers ping: the machine is up" if ping.received else "; it does not answer ping either"


def _first(addresses: tuple[str, ...], deadline: Deadline, *, count: int, timeout: float) -> Ping | None:
    """The first that answers, else what the first of them said; None when none may be sent."""
    silent: Ping | None = None
    for address in addresses:
        answer = ping(address, count=count, timeout=timeout, deadline=deadline)
        if answer is None or answer.received:
            return answer
        silent = silent or answer
    return silent
