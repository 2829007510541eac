"""What config.xml says should be watched on a host beyond numbers: sections, lists of what is allowed, logs, checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final, Literal

# `every` of a section that is never asked for.
NEVER: Final = float("inf")
# Seconds from one reading to the next of sections that are costly or change seldom; all others are read at each poll.
EVERY: Final[Mapping[str, float]] = MappingProxyType({"hardware": 300.0, "units": 60.0})


@dataclass(frozen=True, slots=True)
class UsbAllow:
    """`<usb-allow>`: a device fits when all that is set fits; vendor and product are hex, all are globs."""

    vendor: str = "*"
    product: str = "*"
    serial: str = "*"
    port: str = "*"

    def fits(self, vendor: str, product: str, serial: str, port: str) -> bool:
        pairs = ((vendor, self.vendor), (product, self.product), (serial, self.serial), (port, self.port))
        return all(fnmatchcase(value, glob) for value, glob in pairs)


@dataclass(frozen=True, slots=True)
class NetworkAllow:
    """`<network-allow>`: peers in `network` (CIDR), on `port` (0: any) by `protocol` ("": any)."""

    network: str
    port: int = 0
    protocol: Literal["", "tcp", "udp"] = ""


@dataclass(frozen=True, slots=True)
class LogFile:
    """`<log>`: a file or a glob of files. `start`: what is there already counts, too."""

    name: str
    path: str
    start: bool = False


@dataclass(frozen=True, slots=True)
class LogJournal:
    """`<journal name= unit=>`: entries of a systemd unit, of a program (`identifier`), or both; else all."""

    name: str
    unit: str = ""
    identifier: str = ""
    start: bool = False


@dataclass(frozen=True, slots=True)
class CheckCommand:
    """`<check>`: a monitoring plugin and its arguments, run without a shell; `timeout` in seconds."""

    name: str
    command: tuple[str, ...]
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Redaction:
    """`<redact>`: what fits `pattern` (a regular expression) in log lines is stored as `put`."""

    pattern: str
    put: str = "***"


@dataclass(frozen=True, slots=True)
class Watch:
    """Everything of one host, merged. `every` maps sections to seconds (0: each poll, NEVER), of those not by default.

    `units`, `processes` and `ports` are those named without wildcards in the host's thresholds: what is not there has
    to be asked for by name: `ports` of TCP or UDP, `udp_ports` of UDP alone. `lans` are networks (CIDR) that count as
    local beside the connected ones.
    """

    every: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    usb_allow: tuple[UsbAllow, ...] = ()
    network_allow: tuple[NetworkAllow, ...] = ()
    lans: tuple[str, ...] = ()
    logs: tuple[LogFile, ...] = ()
    journals: tuple[LogJournal, ...] = ()
    checks: tuple[CheckCommand, ...] = ()
    textfiles: tuple[str, ...] = ()
    redactions: tuple[Redaction, ...] = ()
    processes: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    udp_ports: tuple[int, ...] = ()
    top: int = 10
    commands: bool = False
    traffic: Literal["auto", "iftop", "sock_diag", "ss", "counts"] = "auto"
    traffic_seconds: float = 2.0

    def period(self, section: str) -> float:
        """Seconds from one reading of the section to the next; 0: each poll."""
        return self.every.get(section, EVERY.get(section, 0.0))

    def lists_usb(self, vendor: str, product: str, serial: str, port: str) -> bool:
        """Whether a `<usb-allow>` fits the device."""
        return any(allow.fits(vendor, product, serial, port) for allow in self.usb_allow)
