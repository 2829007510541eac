"""Echo requests and their answers (RFC 792, RFC 4443). The only door to icmplib. Numeric addresses only: no look-up.

Without privileges where the kernel lets this group send them (sysctl net.ipv4.ping_group_range, icmp(7)), else by a raw
socket, which needs CAP_NET_RAW. Each call has a socket of its own, connected to the address, and takes answers from
nobody else.
"""

from __future__ import annotations

import errno
import itertools
import random
import socket
import threading
import time
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Final

from poller.model import Deadline, Ping

if TYPE_CHECKING:
    from icmplib import ICMPReply  # type: ignore[import-untyped]
    from icmplib.sockets import ICMPSocket  # type: ignore[import-untyped]

# Between two requests, in seconds: some routers answer only so many of them.
_PAUSE: Final = 0.1
_LIMIT: Final = 0xFFFF
# The identifier of each call is another one. It begins anywhere, as another poller may be at work beside this one.
_identifiers: Final = itertools.count(random.randrange(_LIMIT))  # noqa: S311 - no secret
_ANSWER: Final = (0, 129)  # type of an echo reply of ICMP and of ICMPv6
# What this machine had too little of: no fault of the address. The poll says so.
_OURS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})


def ping(address: str, *, count: int = 3, timeout: float = 1.0, deadline: Deadline | None = None) -> Ping | None:
    """Sends `count` requests one after the other; each may take `timeout` seconds, all of them until the deadline.

    None when this machine may not send any. OSError when it has no sockets or memory left. From many threads at once.
    """
    from icmplib.exceptions import ICMPLibError, SocketPermissionError  # type: ignore[import-untyped]

    try:
        with _socket(address) as link:
            return _Echo(link, address, deadline or Deadline(count * (timeout + _PAUSE))).run(count, timeout)
    except SocketPermissionError:
        return None
    except (ICMPLibError, OSError) as error:
        return Ping(address, 0, 0, error=_reason(error))


def _socket(address: str) -> ICMPSocket:
    """Connected. SocketPermissionError when neither way is allowed."""
    from icmplib import ICMPv4Socket, ICMPv6Socket
    from icmplib.exceptions import ICMPSocketError

    kind = ICMPv6Socket if ":" in address else ICMPv4Socket
    try:
        link = kind(privileged=False)
    except ICMPSocketError as error:  # not allowed, or a kernel without such sockets
        _reason(error)
        link = kind(privileged=True)
    try:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        target = socket.getaddrinfo(address, None, family, socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)
        link.sock.connect(target[0][4])
    except BaseException:
        link.close()
        raise
    return link


def _plain(address: str) -> IPv4Address | IPv6Address:
    """Without the interface of a link-local one: fe80::1%eth0."""
    return ip_address(address.partition("%")[0])


def _reason(error: BaseException) -> str:
    """What the kernel said. icmplib keeps of its errors but the text; the error itself is the context of its own."""
    inner = error if isinstance(error, OSError) else error.__context__
    if isinstance(inner, OSError):
        if inner.errno in _OURS:
            raise inner
        return inner.strerror or str(inner)
    return str(error)


class _Echo:
    """The requests of one call, by number: when each was sent, and how long its answer took."""

    def __init__(self, link: ICMPSocket, address: str, deadline: Deadline) -> None:
        self._link = link
        self._address = address
        self._deadline = deadline
        self._identifier = next(_identifiers) & _LIMIT
        self._answer = _ANSWER[":" in address]
        self._sent: list[float] = []
        self._answers: dict[int, float] = {}
        self._error = ""

    def run(self, count: int, timeout: float) -> Ping:
        for number in range(count):
            if number:
                threading.Event().wait(min(_PAUSE, self._deadline.remaining))
            if self._deadline.passed:
                break
            if self._send(number):
                self._listen(number, min(time.monotonic() + timeout, self._deadline.at))
        received = len(self._answers)
        seconds = sum(self._answers.values()) / received if received else None
        return Ping(self._address, len(self._sent), received, seconds, "" if received else self._error)

    def _send(self, number: int) -> bool:
        from icmplib import ICMPRequest
        from icmplib.exceptions import ICMPLibError

        self._sent.append(time.monotonic())
        try:
            request = ICMPRequest(self._address, self._identifier, number)
            self._link.send(request)
            self._identifier = request.id  # without privileges the kernel chooses it
            return True
        except ICMPLibError as error:
            self._error = _reason(error)
            return False

    def _listen(self, number: int, until: float) -> None:
        """Until that request is answered; an answer to an earlier one counts as well."""
        from icmplib.exceptions import ICMPLibError, TimeoutExceeded

        while number not in self._answers and (left := until - time.monotonic()) > 0:
            try:
                self._note(self._link.receive(None, left))
            except TimeoutExceeded:
                return
            except ICMPLibError as error:
                self._error = _reason(error)
                return

    def _note(self, reply: ICMPReply) -> None:
        """The socket hears all that comes from there, also (on this machine) its own requests; and what came from
        elsewhere before it was connected.
        """
        ours = reply.id == self._identifier and reply.sequence < len(self._sent)
        if ours and _plain(reply.source) == _plain(self._address) and reply.type == self._answer:
            self._answers.setdefault(reply.sequence, time.monotonic() - self._sent[reply.sequence])
