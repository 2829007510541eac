"""Where an address is: in this machine, in a local network, in the internet; and whether `<network-allow>` has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from poller.model import Address, NetworkAllow, Reading, Watch

Network = IPv4Network | IPv6Network
IpAddress = IPv4Address | IPv6Address

# RFC 1918, 3927, 4193, 4291; groups and the limited broadcast do not leave the local network unasked either.
_LOCAL: Final = tuple(
    ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32"),
        *("fe80::/10", "fc00::/7", "ff00::/8"),
    )
)
_LOOPBACK: Final = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@dataclass(frozen=True, slots=True)
class Scope:
    """What is where, for one host: its own addresses, the networks that are local to it, and what is allowed.

    `broadcasts` are the broadcast addresses of the networks that it is connected to.
    """

    own: frozenset[str]
    broadcasts: frozenset[str]
    place_of: Callable[[str], str]
    allowed: tuple[NetworkAllow, ...]

    @classmethod
    def of(cls, before: Reading | None, now: Reading, watch: Watch) -> Scope:
        """From the addresses in this reading, or where they were not read in the one before."""
        rows = [row for row in now.rows(Address) if isinstance(row, Address)]
        if not rows and before is not None:
            rows = [row for row in before.rows(Address) if isinstance(row, Address)]
        connected = tuple([f"{row.address}/{row.prefix}" for row in rows])
        own = frozenset([row.address for row in rows])
        return cls(own, _broadcasts(connected), _places(connected, watch.lans), watch.network_allow)

    def place(self, peer: str) -> str:
        """`local`, `internet` or `loopback`; what is no address is taken for one far away."""
        return "loopback" if peer in self.own else self.place_of(peer)

    def is_group(self, peer: str) -> bool:
        """A multicast group or a broadcast address: nobody in particular."""
        return peer in self.broadcasts or _is_group(peer)

    def lists(self, peer: str, port: int, protocol: str) -> bool:
        """Whether an element `<network-allow>` has that peer on that port by that protocol."""
        return any(
            allow.port in (0, port) and allow.protocol in ("", protocol) and _within(peer, allow.network)
            for allow in self.allowed
        )


@lru_cache(maxsize=4096)
def _places(connected: tuple[str, ...], named: tuple[str, ...]) -> Callable[[str], str]:
    """Where a peer is. Networks and most peers are the same at every poll of a host, and dear to compare."""
    found = map(_network, (*connected, *named))
    local = dict.fromkeys((*_LOCAL, *(network for network in found if network is not None and network.prefixlen)))

    @lru_cache(maxsize=64)
    def place(peer: str) -> str:
        address = _address(peer)
        if address and any(address in network for network in _LOOPBACK):
            return "loopback"
        return "local" if address and any(address in network for network in local) else "internet"

    return place


@lru_cache(maxsize=4096)
def _broadcasts(connected: tuple[str, ...]) -> frozenset[str]:
    """Of IPv4 alone; a network of one or two addresses has none (RFC 3021)."""
    networks = (_network(one) for one in connected)
    return frozenset(
        str(one.broadcast_address) for one in networks if isinstance(one, IPv4Network) and one.prefixlen < 31
    )


@lru_cache(maxsize=4096)
def _is_group(peer: str) -> bool:
    address = _address(peer)
    return address is not None and (address.is_multicast or peer == "255.255.255.255")


def _within(peer: str, text: str) -> bool:
    address, network = _address(peer), _network(text)
    return address is not None and network is not None and address in network


@lru_cache(maxsize=4096)
def _address(text: str) -> IpAddress | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def _network(text: str) -> Network | None:
    """Of an address and its prefix; None for what is none."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None
