"""Sockets that began or ceased to listen."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from poller.findings.both import Both
from poller.findings.told import Told, joined
from poller.model import Listener, Severity

# The kernel gives these to clients (ip_local_port_range): an unconnected UDP socket there is somebody's question.
EPHEMERAL: Final = 32768


def listeners(both: Both) -> Iterator[Told]:
    """Where there are too many sockets, the probe leaves out connected ones."""
    for old, new in both.pairs("sockets", Listener, partly=True):
        one = new or old
        if one.protocol.startswith("udp") and one.port >= EPHEMERAL:
            continue
        address = f"[{one.address}]" if ":" in one.address else one.address
        details = joined(one.protocol, f"{address}:{one.port}", one.process, f"uid {one.uid}")
        if old is None:
            yield Told("listener_new", Severity.LOW if _loopback(one.address) else Severity.MEDIUM, details)
        elif new is None:
            yield Told("listener_gone", Severity.LOW, details)


def _loopback(address: str) -> bool:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return found.is_loopback or bool(getattr(found, "ipv4_mapped", None) and found.ipv4_mapped.is_loopback)  # type: ignore[union-attr]
