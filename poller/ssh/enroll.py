"""Gives a host the poller's public key, through a login that exists already. The host's key must be known."""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from poller.errors import HostError, PollerError
from poller.model import Deadline, Host, Stopwatch
from poller.ssh.connect import logged_in, session_on
from poller.ssh.keys import private_key
from poller.ssh.resolve import Route, resolve


@dataclass(frozen=True, slots=True)
class ExistingLogin:
    """How to get in before the poller's key is there: empty means keys and agent that ssh would use by itself."""

    user: str | None = None
    identity: Path | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done or found. `mark` is OK or WARN."""

    mark: str
    text: str


def key_path(host: Host) -> Path:
    """The poller's own key for this host. PollerError when config.xml names none."""
    if not host.ssh.identity_files:
        raise PollerError(
            f"{host.name} has no identity-file=", 'set <ssh identity-file="…"> in config.xml', code="usage"
        )
    return host.ssh.identity_files[0]


def make_key(path: Path) -> bool:
    """Makes an ed25519 key pair (0600) unless there is one. OSError."""
    if path.exists():
        return False
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".pub")
    _write(path, private, 0o600)
    beside.unlink(missing_ok=True)  # the public half of a key that is gone
    _write(beside, public + f" {_comment()}\n".encode(), 0o644)
    return True


def _write(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _comment() -> str:
    return f"poller@{''.join(c for c in socket.gethostname() if c.isalnum() or c in '-.')}"


def enroll(
    host: Host, login: ExistingLogin, *, command: str, address: str | None, deadline: Deadline
) -> Iterator[Step]:
    """Installs the key and proves that it works; yields each step. HostError ends it; doing it again does no harm.

    `command` starts the host's Python as for a probe; `address` is for from=; None means ours as the host sees it.
    """
    route = resolve(host)
    key = private_key(key_path(host), host.ssh.passphrase)
    public = f"{key.get_name()} {key.get_base64()}"
    with logged_in(_existing(route, login), deadline, Stopwatch()) as connection:
        assert connection.key is not None  # noqa: S101 - logged_in verifies it
        yield Step("OK", f"logged in as {login.user or route.user} at {connection.address}, {connection.key}")
        marker = secrets.token_hex(16)
        session = session_on(connection, command, Stopwatch())
        answer = session.ask(_outgoing(public, address, marker), marker, deadline=deadline)
        yield from _told(json.loads(answer.frame))
    only_ours = replace(route, identity_files=(key_path(host),), certificate_files=(), password=None, agent=False)
    with logged_in(only_ours, deadline, Stopwatch()):
        yield Step("OK", f"logged in as {route.user} with {key_path(host)}")


def _existing(route: Route, login: ExistingLogin) -> Route:
    """The same host, another way in. Its host key is verified all the same."""
    route = replace(route, user=login.user or route.user, typed_password=login.password, password=None)
    if login.identity is not None:
        return replace(route, identity_files=(login.identity,), explicit_identities=True, agent=False)
    own = route.identity_files[:1] if route.explicit_identities else ()
    usual = tuple(Path.home() / ".ssh" / name for name in ("id_ed25519", "id_ecdsa", "id_rsa"))
    others = tuple(path for path in (*route.identity_files, *usual) if path not in own and path.exists())
    return replace(route, identity_files=others, explicit_identities=False, agent="SSH_AUTH_SOCK" in os.environ)


def _outgoing(public: str, address: str | None, marker: str) -> bytes:
    source = resources.files("poller.ssh").joinpath("install_key.py").read_text("utf-8")
    program = f"{source}\n\nmain({marker!r})\n".encode()
    request = json.dumps({"key": public, "comment": _comment(), "from": address})
    return b"%d\n" % len(program) + program + request.encode() + b"\n"


_RESULTS = {
    "added": "added to authorized_keys: {}",
    "present": "is in authorized_keys already: {}",
    "different": "is in authorized_keys already, with other options, left as they are; wanted: {}",
}


def _told(found: dict[str, Any]) -> Iterator[Step]:
    yield Step("OK", f"Python {found['python']}")
    if found["result"] == "refused":
        raise HostError("auth", "key", f"authorized_keys was not changed: {found['reason']}")
    yield Step("WARN" if found["result"] == "different" else "OK", _RESULTS[found["result"]].format(found["line"]))
    missing = sorted(set(found["groups"]["exist"]) - set(found["groups"]["member"]))
    if missing and found["uid"] != 0:
        yield Step("WARN", f"not in {' or '.join(missing)}: logs will show as denied (usermod -aG {missing[0]})")
    else:
        yield Step("OK", f"groups: {', '.join(found['groups']['member']) or 'none needed'}")
