"""Is this the host we know? Decided after the key exchange and before anything of the login is sent."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

import paramiko

from poller.errors import HostError
from poller.ssh import certificate, knownhosts
from poller.ssh.knownhosts import HostKey, Known
from poller.ssh.resolve import Route

_LOG = logging.getLogger(__name__)

# Algorithms with which a key of a type can sign. No SHA-1 (paramiko 5): "ssh-rsa" is a type here, never an algorithm.
_ALGORITHMS: Final = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}
EVERY_ALGORITHM: Final = tuple(name for names in _ALGORITHMS.values() for name in names)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What known_hosts says about a host, and therefore which algorithms to ask it for."""

    name: str
    hostname: str
    known: Known
    fallback: Known

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Exactly the types on record (paramiko #2411), certified ones first; all for a host that is not on record."""
        types = {entry.key.type for entry in (*self.known.keys, *self.fallback.keys)}
        plain = tuple(name for type_, names in _ALGORITHMS.items() if type_ in types for name in names)
        if not self.known.authorities and not self.fallback.authorities:
            return plain or EVERY_ALGORITHM
        return (*(name + certificate.SUFFIX for name in EVERY_ALGORITHM), *(plain or EVERY_ALGORITHM))


def record_name(route: Route) -> str:
    """The name under which known_hosts has the host. A HostKeyAlias is used as it stands, without a port."""
    return route.key_alias or knownhosts.key_name(route.hostname, route.port)


def expect(route: Route) -> Expectation:
    """Reads known_hosts. A key recorded without the port counts for any port, as in OpenSSH."""
    name, bare = record_name(route), (route.key_alias or route.hostname).lower()
    paths = (*route.known_hosts, *route.global_known_hosts)
    known = knownhosts.lookup(name, paths)
    fallback = knownhosts.lookup(bare, paths) if name != bare and not known.keys else Known()
    return Expectation(name, bare, known, fallback)


def key_of(key: paramiko.PKey) -> HostKey:
    """The plain key that the server proved to have."""
    return HostKey(key.get_name(), key.asbytes())


def verify(transport: paramiko.Transport, expectation: Expectation, route: Route) -> HostKey:
    """The host's key, when it may be trusted. HostError hostkey/unknown, changed, revoked or certificate."""
    shown = transport.get_remote_server_key()
    key = key_of(shown)
    certified = getattr(shown, "public_blob", None)
    _refuse_revoked(key.blob, str(key), expectation)
    if certified is not None:
        reason = _certificate(certified.key_type, certified.key_blob, expectation)
        if not reason:
            return key
    else:
        reason = ""
    on_record = [entry.key.blob for entry in (*expectation.known.keys, *expectation.fallback.keys)]
    if key.blob in on_record:
        return key
    return _stranger(key, expectation, route, reason)


def _refuse_revoked(blob: bytes, shown: str, expectation: Expectation) -> None:
    for entry in (*expectation.known.revoked, *expectation.fallback.revoked):
        if entry.key.blob == blob:
            raise HostError("hostkey", "revoked", f"{expectation.name} showed {shown}, revoked at {entry.where}")


def _certificate(type_: str, blob: bytes, expectation: Expectation) -> str:
    """Why the certificate proves nothing, or ""."""
    try:
        certified = certificate.load(type_, blob)
        signer = certificate.authority(certified)
    except ValueError as error:
        return f"its certificate cannot be read: {error}"
    _refuse_revoked(signer, "a certificate of an authority", expectation)
    authorities = (*expectation.known.authorities, *expectation.fallback.authorities)
    return certificate.why_not(certified, expectation.hostname, [entry.key.blob for entry in authorities])


def _stranger(key: HostKey, expectation: Expectation, route: Route, reason: str) -> HostKey:
    recorded = [entry for entry in expectation.known.keys if entry.key.type == key.type]
    if recorded:
        entry = recorded[0]
        detail = f"{expectation.name} showed {key}, but {entry.where} has {entry.key.fingerprint}"
        raise HostError("hostkey", "changed", detail)
    if reason:
        raise HostError("hostkey", "certificate", f"{expectation.name} showed {key}; {reason}")
    others = ", ".join(str(entry.key) for entry in expectation.known.keys)
    if route.policy != "accept-new" or others:
        known = f"known_hosts has only {others}" if others else f"not in {route.known_hosts[0]}"
        raise HostError("hostkey", "unknown", f"{expectation.name} showed {key}; {known}")
    return _accept(key, expectation, route)


def _accept(key: HostKey, expectation: Expectation, route: Route) -> HostKey:
    """The opt-in policy accept-new: the first key seen is written down, and only that one is accepted from then on."""
    path = route.known_hosts[0]
    try:
        knownhosts.append(path, expectation.name, (key,))
    except OSError as error:
        raise HostError("hostkey", "file", f"{path}: {error.strerror}") from None
    _LOG.warning("accepted the new host key of %s: %s, written to %s", ascii(expectation.name), key, path)
    return key


def no_common_algorithm(expectation: Expectation, server: tuple[str, ...]) -> HostError | None:
    """The host has other key types than known_hosts: that is an unknown key, not a fault of the algorithms."""
    recorded = (*expectation.known.keys, *expectation.fallback.keys)
    usable = [name for name in server if name in EVERY_ALGORITHM]
    if not recorded or not usable or set(usable) & set(expectation.algorithms):
        return None
    has = ", ".join(str(entry.key) for entry in recorded)
    return HostError("hostkey", "unknown", f"{expectation.name} offers only {', '.join(usable)}; known_hosts has {has}")
