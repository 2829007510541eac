"""Settles how to reach a host: config.xml first, then ssh_config, then OpenSSH's defaults."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from poller.errors import HostError
from poller.model import Host, Secret, Ssh
from poller.ssh import sshconfig

_IDENTITIES: Final = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
_USER_KNOWN: Final = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
_GLOBAL_KNOWN: Final = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
_JUMPS_MOST: Final = 4


@dataclass(frozen=True, slots=True)
class Route:
    """Everything needed to log in at one host. `jumps` come in the order in which they are passed."""

    hostname: str
    port: int
    user: str
    key_alias: str | None
    known_hosts: tuple[Path, ...]
    global_known_hosts: tuple[Path, ...]
    policy: Literal["strict", "accept-new"]
    identity_files: tuple[Path, ...]
    explicit_identities: bool
    certificate_files: tuple[Path, ...] = ()
    passphrase: Secret | None = None
    password: Secret | None = None
    typed_password: str | None = field(default=None, repr=False)
    agent: bool = False
    connect_timeout: float | None = None
    jumps: tuple[Route, ...] = ()

    @property
    def has_password(self) -> bool:
        return self.password is not None or self.typed_password is not None

    @property
    def where(self) -> str:
        """For people: the address as one would type it."""
        return self.hostname if self.port == 22 else f"[{self.hostname}]:{self.port}"


def resolve(host: Host) -> Route:
    """How to reach `host`. HostError connect/config when ssh_config wants something that the poller does not do."""
    route, jump = _route(host.address, host.ssh)
    jumps = _jumps(jump, host.ssh)
    return replace(route, jumps=jumps) if jumps else route


def hostname(host: Host) -> str:
    """The name or address of `host`, for one at which nobody logs in: as HostName of ssh_config has it."""
    return _hostname(host.address, sshconfig.lookup(host.address, host.ssh.user, host.ssh.ssh_config))


def _hostname(name: str, values: sshconfig.Values) -> str:
    return (values.first("hostname") or name).replace("%h", name).replace("%%", "%")


def _route(name: str, ssh: Ssh) -> tuple[Route, str | None]:
    values = sshconfig.lookup(name, ssh.user, ssh.ssh_config)
    hostname = _hostname(name, values)
    port = ssh.port if ssh.port is not None else _number(values, "port", 22)
    user = ssh.user or values.first("user") or getpass.getuser()
    tokens = {"h": hostname, "n": name, "p": str(port), "r": user}
    jump = ssh.proxy_jump if ssh.proxy_jump is not None else values.first("proxyjump")
    if not jump and (values.first("proxycommand") or "none").lower() != "none":
        raise HostError("connect", "config", f"ProxyCommand for {name} is never run; use ProxyJump")
    identities = ssh.identity_files or _paths(values.get("identityfile", ()), tokens)
    timeout = _number(values, "connecttimeout", 0)
    alias = values.first("hostkeyalias")
    return Route(
        hostname=hostname,
        port=port,
        user=user,
        key_alias=alias.lower() if alias else None,
        known_hosts=ssh.known_hosts or _paths(values.get("userknownhostsfile", _USER_KNOWN), tokens),
        global_known_hosts=_paths(values.get("globalknownhostsfile", _GLOBAL_KNOWN), tokens),
        policy=_policy(ssh, values),
        identity_files=identities or _paths(_IDENTITIES, tokens),
        explicit_identities=bool(identities),
        certificate_files=_paths(values.get("certificatefile", ()), tokens),
        passphrase=ssh.passphrase,
        password=ssh.password,
        agent=ssh.agent,
        connect_timeout=timeout or None,
    ), jump


def _policy(ssh: Ssh, values: sshconfig.Values) -> Literal["strict", "accept-new"]:
    """ssh_config can opt in to accept-new by that name only; `no` and `off` never weaken the poller."""
    if ssh.host_key_policy == "accept-new" or values.first("stricthostkeychecking") == "accept-new":
        return "accept-new"
    return "strict"


def _jumps(text: str | None, ssh: Ssh) -> tuple[Route, ...]:
    """`[user@]host[:port]` or ssh://…, separated by commas (ssh_config(5), ProxyJump).

    A jump host has the keys and known_hosts of the host behind it, but not its user, port or password.
    """
    if text is None or text.lower() == "none" or not text:
        return ()
    parts = text.split(",")
    if len(parts) > _JUMPS_MOST:
        raise HostError("connect", "config", f"more than {_JUMPS_MOST} jump hosts: {text}")
    routes = []
    for part in parts:
        user, name, port = _jump(part.strip())
        routes.append(_route(name, replace(ssh, user=user, port=port, proxy_jump="none", password=None))[0])
    return tuple(routes)


def _jump(text: str) -> tuple[str | None, str, int | None]:
    try:
        split = urlsplit(text if text.startswith("ssh://") else f"ssh://{text}")
        if not split.hostname:
            raise ValueError
        return split.username, split.hostname, split.port
    except ValueError:
        raise HostError("connect", "config", f"ProxyJump {text!r} is not [user@]host[:port]") from None


def _number(values: sshconfig.Values, keyword: str, default: int) -> int:
    text = values.first(keyword)
    if text is None or text == "none":
        return default
    if not text.isdecimal():
        raise HostError("connect", "config", f"ssh_config: {keyword} {text!r} is not a number")
    return int(text)


def _paths(words: Iterable[str], tokens: dict[str, str]) -> tuple[Path, ...]:
    return tuple(_path(word, tokens) for word in words if word.lower() != "none")


def _path(word: str, tokens: dict[str, str]) -> Path:
    """Expands ~, ${VARIABLE} and the %-tokens that name files (ssh_config(5), TOKENS)."""
    return Path(os.path.expandvars(_tokens_expanded(word, tokens) if "%" in word else word)).expanduser()


def _tokens_expanded(word: str, tokens: dict[str, str]) -> str:
    known = {**tokens, "d": str(Path.home()), "u": getpass.getuser(), "%": "%"}
    parts = word.split("%")
    out, index = parts[0], 1
    while index < len(parts):
        part = parts[index]
        if part:
            out += known.get(part[0], "%" + part[0]) + part[1:]
        else:
            out += "%" + (parts[index + 1] if index + 1 < len(parts) else "")
            index += 1
        index += 1
    return out
