"""Fetches the host keys of a host without logging in, for `poller trust`. Nothing of ours is sent but the handshake."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from poller.model import Deadline, Host, Stopwatch
from poller.ssh import hostkeys, knownhosts
from poller.ssh.jump import through
from poller.ssh.knownhosts import HostKey, Known
from poller.ssh.login import Dial, handshake
from poller.ssh.resolve import Route, resolve

# A connection shows one key, so one connection for each family that the host has: at most three. sshd counts a
# connection without a login against its PerSourcePenalties (1 s each, enforced from 15 s): three are borne.
_FAMILIES: Final = (
    ("ssh-ed25519",),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256"),
)


@dataclass(frozen=True, slots=True)
class HostKeys:
    """What a host showed, beside what is on record. `name` is its name in known_hosts, `path` where it is written."""

    name: str
    address: str
    keys: tuple[HostKey, ...]
    known: Known
    path: Path
    offers_certificate: bool = False

    @property
    def new(self) -> tuple[HostKey, ...]:
        """Keys that are not on record, of a type that is not on record either."""
        types = {entry.key.type for entry in self.known.keys}
        return tuple(key for key in self.keys if key.type not in types)

    @property
    def changed(self) -> tuple[tuple[HostKey, HostKey], ...]:
        """(on record, shown) for each type whose key is another one now."""
        recorded = {entry.key.blob for entry in self.known.keys}
        return tuple(
            (entry.key, key)
            for key in self.keys
            for entry in self.known.keys
            if key.blob not in recorded and entry.key.type == key.type
        )

    @property
    def revoked(self) -> tuple[HostKey, ...]:
        bad = {entry.key.blob for entry in self.known.revoked}
        return tuple(key for key in self.keys if key.blob in bad)

    @property
    def certified(self) -> bool:
        """An @cert-authority line covers this host, which has a certificate: its keys need no record of their own."""
        return self.offers_certificate and bool(self.known.authorities)


def scan(host: Host, deadline: Deadline) -> HostKeys:
    """The keys of every family that the host has, through its jump hosts, whose own keys must be known. HostError."""
    route = resolve(host)
    with through(route.jumps, None, deadline, None) as dial:
        address, keys, certificate = _every(route, dial, deadline)
    expectation = hostkeys.expect(route)
    return HostKeys(expectation.name, address, keys, expectation.known, route.known_hosts[0], certificate)


def _every(route: Route, dial: Dial, deadline: Deadline) -> tuple[str, tuple[HostKey, ...], bool]:
    """The address that answered, a key of each family, and whether it has a host certificate (PROTOCOL.certkeys)."""
    address, keys, offered = "", [], set[str]()
    families = list(_FAMILIES)
    addresses = dial.find(route, deadline, Stopwatch())
    while families:
        wanted = tuple(name for family in families for name in family)
        connection = handshake(route, dial, addresses, deadline, Stopwatch(), wanted)
        try:
            address = connection.address
            shown = connection.transport.get_remote_server_key()
            keys.append(hostkeys.key_of(shown))
            offered = set(connection.transport.server_host_keys)
        finally:
            connection.close()
        used = connection.transport.host_key_type
        families = [family for family in families if used not in family and offered & set(family)]
    return address, tuple(keys), any(name.endswith("-cert-v01@openssh.com") for name in offered)


def record(found: HostKeys, *, replace: bool) -> None:
    """Writes the keys down. `replace` takes those of before out first. OSError."""
    if replace and found.known.keys:
        knownhosts.replace(found.path, found.name, found.keys)
    elif found.new:
        knownhosts.append(found.path, found.name, found.new)
