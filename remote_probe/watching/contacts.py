"""Which contacts are told: not those within the machine, of mDNS, of the poller's own connection, to the resolvers."""

import time

from remote_probe import inet
from remote_probe.collectors import network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Set

    from remote_probe.host import Host, Value
    from remote_probe.inet import Ends

OLD = 10.0  # seconds after which the resolvers are read again
PATIENCE = 2.0  # seconds before our addresses are read again because of a stranger's packet
DNS = 53


class Contacts:
    """What must be known of the machine to choose. `loopback`: what stays within it is told, too."""

    def __init__(
        self, machine: "Callable[[], Host]", loopback: bool, clock: "Callable[[], float]" = time.monotonic
    ) -> None:
        self._machine, self._clock = machine, clock
        self.loopback = loopback
        self._poller = inet.own(machine())
        self._resolvers: "Set[str]" = set()
        self._addresses: "Set[str]" = set()
        self._read_at = self._listed_at = float("-inf")

    def ours(self, address: str) -> bool:
        """Whether it is an address of this machine. Of addresses that are not the list is read anew now and then."""
        if address not in self._addresses and self._clock() - self._listed_at >= PATIENCE:
            self._listed_at = self._clock()
            self._addresses = {one[2] for one in network.parse_addresses(self._machine().addresses())}
        return address in self._addresses

    def row(self, protocol: str, ends: "Ends", inbound: bool, seen_by: str) -> "Dict[str, Value]":
        """What is told of it; {} for nothing."""
        inside = inet.within(ends) or ends[0].startswith("127.")
        if ends in self._poller or (inside and not self.loopback) or ends[:2] in inet.MDNS or ends[2:] in inet.MDNS:
            return {}
        if (ends[3] == DNS and ends[2] in self.resolvers()) or (ends[1] == DNS and ends[0] in self.resolvers()):
            return {}
        return {
            "protocol": protocol,
            "local_address": ends[0],
            "local_port": ends[1],
            "remote_address": ends[2],
            "remote_port": ends[3],
            "inbound": int(inbound),
            "seen_by": seen_by,
        }

    def resolvers(self) -> "Set[str]":
        """Of /etc/resolv.conf, and those behind the machine's own."""
        if self._clock() - self._read_at >= OLD:
            self._read_at = self._clock()
            self._resolvers = inet.parse_resolvers(*map(self._content, inet.RESOLVERS))
        return self._resolvers

    def _content(self, path: bytes) -> bytes:
        try:
            return self._machine().read(path)
        except OSError:
            return b""
