"""paramiko's Transport, adjusted where it must be (paramiko 4 and 5; each override names its reason)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

import paramiko
from paramiko.kex_curve25519 import KexCurve25519
from paramiko.packet import Packetizer

from poller.ssh.stepping import SteppingTransport
from poller.ssh.wire import Wire

# OpenSSH never sends more than 256 KiB in one packet (PACKET_MAX_SIZE in packet.c).
PACKET_MOST: Final = 256 * 1024 + 1024
# RFC 8731: one method under its standard name as well, which hardened servers offer alone.
_KEX_METHODS: Final = {**paramiko.Transport._kex_info, "curve25519-sha256": KexCurve25519}  # type: ignore[attr-defined]
_KEX_ORDER: Final = (
    "mlkem768x25519-sha256",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group14-sha256",
)
_LOGGER: Final = "poller.ssh.transport"


class OversizePacket(paramiko.SSHException):
    """The server announced a packet that no SSH server sends (paramiko #2626)."""


class BoundedPacketizer(Packetizer):
    """Refuses giant packets before reading them, and needs no timer thread: the watchdog has the deadline."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)  # type: ignore[arg-type]
        self._wire = wire

    _initial_kex_done: bool  # paramiko's; its stubs leave it out

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        if n > PACKET_MOST:
            self._wire.flooded = True
            raise OversizePacket(f"the server announced a packet of {n} bytes")
        # Until the keys are there it may hold bytes that came with the banner. After that its loop would only look
        # for time-outs, which a wire has none of, twenty times per connection.
        return self._wire.take(n) if self._initial_kex_done else super().read_all(n, check_rekey)

    def start_handshake(self, timeout: float) -> None:
        """paramiko starts a threading.Timer here: a thread per connection, and one that delays the exit."""


class PollTransport(SteppingTransport):
    """One SSH connection over a wire. `offered` are the host key algorithms to ask for, in order of preference."""

    _CLIENT_ID = "poller"
    _kex_info = _KEX_METHODS
    # Cheapest first among the good ones, measured: AES-GCM needs no HMAC computed in Python. No CBC, no SHA-1, no MD5.
    _preferred_ciphers = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
    _preferred_macs = (
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-512",
    )
    _preferred_kex = tuple(name for name in _KEX_ORDER if name in _KEX_METHODS)

    _talkative = False

    def __init__(self, wire: Wire, offered: Sequence[str]) -> None:
        super().__init__(wire, packetizer_class=BoundedPacketizer)  # type: ignore[arg-type]
        self._offered = tuple(offered)
        self.server_host_keys: tuple[str, ...] = ()
        self.set_log_channel(_logger())
        self._talkative = self.logger.isEnabledFor(logging.DEBUG)
        wire.reader = self

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """Exactly the algorithms asked for: paramiko would leave every other one allowed behind them (#2411)."""
        return self._offered

    def _filter_algorithm(self, type_: str) -> tuple[str, ...]:
        """The lists above as they stand: paramiko filters each of them a dozen times per connection."""
        names: tuple[str, ...] = getattr(self, f"_preferred_{type_}")
        return names

    def _log(self, level: int, msg: Any, *args: Any) -> None:
        """paramiko says thirty things per connection; each is made a log record before it is thrown away."""
        if self._talkative:
            super()._log(level, msg, *args)  # type: ignore[misc]

    def _parse_debug(self, m: paramiko.Message) -> None:
        """Ignored: paramiko copies each byte of it in Python, in quadratic time, for a log that nobody reads."""

    def _really_parse_kex_init(self, m: paramiko.Message, ignore_first_byte: bool = False) -> dict[str, Any]:
        """Remembers which host keys the server has, for `scan` and for messages."""
        parsed: dict[str, Any] = super()._really_parse_kex_init(m, ignore_first_byte)  # type: ignore[misc]
        self.server_host_keys = tuple(parsed["server_key_algo_list"])
        return parsed


class _Inert(logging.Filter):
    """paramiko logs what servers say, word for word: no control character of theirs may reach a log."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = ascii(record.getMessage())[1:-1], ()
        return True


_INERT: Final = _Inert()


def _logger() -> str:
    """Name of the logger for paramiko. Its errors are reported as outcomes, so they are logged only when debugging."""
    logger = logging.getLogger(_LOGGER)
    debugging = logging.getLogger("poller").isEnabledFor(logging.DEBUG)
    level = logging.DEBUG if debugging else logging.CRITICAL + 1
    if logger.level != level:  # setting it, even to the same, makes every logger of the process look up its level again
        logger.setLevel(level)
    logger.addFilter(_INERT)
    return _LOGGER
