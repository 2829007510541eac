"""Who listens, who is connected, who talks to whom, as a probe reports it. Field names equal the XML attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# A user id that could not be learned; -1 as 32 bits, which is no user's.
NOBODY_KNOWN: Final = 4294967295


@dataclass(frozen=True, slots=True)
class Listener:
    """Section `sockets`: a TCP socket in state LISTEN, or an unconnected UDP socket. `process` "": not permitted."""

    protocol: str
    address: str
    port: int
    uid: int
    process: str


@dataclass(frozen=True, slots=True)
class Socket:
    """Section `sockets`, element `socket`: a connected one. `state` as netstat(8) names it, queues in bytes."""

    protocol: str
    local_address: str
    local_port: int
    remote_address: str
    remote_port: int
    state: str
    send_queue: int
    receive_queue: int
    uid: int
    process: str


@dataclass(frozen=True, slots=True)
class SocketCount:
    """Section `sockets`, element `socket_count`: all sockets of one protocol (tcp, udp) and state, listed or not."""

    protocol: str
    state: str
    count: int


@dataclass(frozen=True, slots=True)
class Protocols:
    """Section `traffic`, element `protocols`: counters since boot of /proc/net/snmp and /proc/net/netstat
    (Documentation/networking/snmp_counter.rst of the kernel)."""

    active_opens: int
    passive_opens: int
    attempt_fails: int
    resets: int
    retransmits: int
    syncookies: int
    listen_overflows: int
    listen_drops: int
    udp_no_ports: int
    udp_in_errors: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """Section `traffic`: one row, how the flows were learned.

    `source` is iftop, sock_diag, ss or counts. `counted` 1: the bytes of an open TCP connection are those since it
    began. `seconds`: all others are those of so long a look; 0 when nobody looked. `dns_sent` and `dns_received` are
    the bytes to and from the configured resolvers, which are no flows: those of the look, without one those of open TCP
    connections. `left_out`: flows that did not fit. `why` says why no better source was used, "" for the best. `own` is
    the cookie of the connection the poller came by, "" when it cannot be told from others.
    """

    source: str
    seconds: float
    dns_sent: int
    dns_received: int
    left_out: int
    why: str
    own: str = ""
    counted: int = 0


@dataclass(frozen=True, slots=True)
class Flow:
    """Section `traffic`, element `flow`: one connection, or what iftop shows as one.

    `inbound` 1 when the local port is one that is listened on. `sent` and `received` are bytes as the host sees them
    (see Traffic.seconds). `cookie` tells two connections with the same ends apart. `uid` NOBODY_KNOWN when unknown.
    """

    protocol: str
    local_address: str
    local_port: int
    remote_address: str
    remote_port: int
    inbound: int
    uid: int
    sent: int
    received: int
    cookie: str
