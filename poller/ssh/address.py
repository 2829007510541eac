"""From a name to a connected TCP socket: resolve, try every address, give up at the deadline.

paramiko would not fall back to the next address (#22), and a look-up cannot be interrupted (urllib3 #1334).
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
from typing import Final

from poller.errors import HostError
from poller.model import Deadline
from poller.ssh import apart

_LOG = logging.getLogger(__name__)

# With a last good address in hand the resolver gets only so long, and never more than this share of the time.
_PATIENCE: Final = 5.0
_SHARE: Final = 1 / 3
_ABSENT: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
# A peer that vanished is noticed after about 25 s even on a connection where nobody waits (paramiko #918).
_KEEPALIVE: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 25_000),
)


def resolve(name: str, deadline: Deadline, last_good: str | None = None) -> tuple[str, ...]:
    """Addresses of `name`, in the resolver's order. HostError dns/unknown or dns/timeout.

    `last_good` answers for a resolver that does not; never for one that says that there is no such name.
    """
    if _literal(name):
        return (name,)
    patience = min(deadline.remaining * _SHARE, _PATIENCE) if last_good else deadline.remaining
    try:
        found = apart.call(lambda: socket.getaddrinfo(name, None, type=socket.SOCK_STREAM), patience)
    except TimeoutError:
        return _instead(last_good, HostError("dns", "timeout", name))
    except socket.gaierror as error:
        code = "unknown" if error.errno in _ABSENT else "timeout"
        failure = HostError("dns", code, f"{name}: {error.strerror}")
        return _instead(last_good if code == "timeout" else None, failure)
    except UnicodeError:
        raise HostError("dns", "unknown", f"{name!r} is not a host name") from None
    return tuple(dict.fromkeys(str(address[4][0]) for address in found))


def _literal(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _instead(last_good: str | None, failure: HostError) -> tuple[str, ...]:
    if last_good is None or not _literal(last_good):
        raise failure
    _LOG.info("%s; using the last good address %s", failure.sentence, last_good)
    return (last_good,)


def dial(addresses: tuple[str, ...], port: int, deadline: Deadline) -> tuple[socket.socket, str]:
    """Connects to the first address that answers, and says which. Each gets its share of the time that is left."""
    failures: list[HostError] = []
    for number, address in enumerate(addresses):
        share = deadline.remaining / (len(addresses) - number)
        if share <= 0:
            break
        try:
            return _connect(address, port, share), address
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                raise  # ours, whatever the address
            failures.append(_failure(error, address, port))
    try:
        raise failures[0] if failures else HostError("connect", "timeout", f"port {port}")
    finally:
        failures.clear()  # an exception that its own frame refers to keeps all frames of the poll


def _connect(address: str, port: int, seconds: float) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        for level, option, value in _KEEPALIVE:
            connection.setsockopt(level, option, value)
        connection.settimeout(seconds)
        connection.connect(_target(address, port))
        connection.settimeout(None)
    except BaseException:
        connection.close()
        raise
    return connection


def _target(address: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    """A link-local IPv6 address carries its interface: fe80::1%eth0 (RFC 4007)."""
    bare, percent, zone = address.partition("%")
    if not percent:
        return address, port
    return bare, port, 0, int(zone) if zone.isdigit() else socket.if_nametoindex(zone)


def _failure(error: OSError, address: str, port: int) -> HostError:
    where = f"{address} port {port}"
    if isinstance(error, TimeoutError):
        return HostError("connect", "timeout", where)
    if isinstance(error, ConnectionRefusedError):
        return HostError("connect", "refused", where)
    if isinstance(error, ConnectionResetError):
        return HostError("connect", "reset", where)
    return HostError("connect", "unreachable", f"{where}: {error.strerror or error}")
