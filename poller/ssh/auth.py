"""Logs in: keys first, then a password where config.xml says so. Nothing is tried twice."""

from __future__ import annotations

import paramiko

from poller.errors import HostError
from poller.model import Deadline
from poller.ssh.faults import translated
from poller.ssh.keys import identities, reveal
from poller.ssh.resolve import Route
from poller.ssh.stepping import SteppingTransport
from poller.ssh.wire import Wire

# sshd ends the connection after six failures (MaxAuthTries), and each one counts as a penalty (OpenSSH 9.8).
_TRIES_MOST = 5


def log_in(transport: SteppingTransport, wire: Wire, route: Route, deadline: Deadline) -> None:
    """Returns when logged in, at a host that is verified. HostError auth/denied, key, method, closed or timeout."""
    known = identities(route, deadline)
    tried: list[str] = []
    allowed: list[str] = []
    for identity in known[:_TRIES_MOST]:
        with translated("auth", wire):
            try:
                allowed = transport.log_in_by_key(route.user, identity.key)
            except paramiko.BadAuthenticationType as error:
                if not route.has_password or not {"password", "keyboard-interactive"} & set(error.allowed_types):
                    raise
                break
            except paramiko.AuthenticationException as error:
                if not _denied(error):
                    raise
                tried.append(identity.label)
                continue
            if not allowed:
                return
            break
    if not route.has_password:
        raise _refused(route, tried, allowed)
    _password(transport, wire, route)


def _denied(error: paramiko.AuthenticationException) -> bool:
    """paramiko says the same class for "no", for a time-out and for a broken connection."""
    return str(error) == "Authentication failed."


def _refused(route: Route, tried: list[str], allowed: list[str]) -> HostError:
    if allowed:
        return HostError("auth", "method", f"the key is right, but the host also wants {', '.join(allowed)}")
    return HostError("auth", "denied", f"user {route.user}, tried {', '.join(tried)}")


def _password(transport: SteppingTransport, wire: Wire, route: Route) -> None:
    text, label = route.typed_password, "the password typed in"
    if route.password is not None:
        text, label = reveal(route.password), f"the password in {route.password}"
    assert text is not None  # noqa: S101 - the caller has looked
    with translated("auth", wire):
        try:
            left = transport.log_in_by_password(route.user, text)
        except paramiko.BadAuthenticationType:
            raise
        except paramiko.AuthenticationException as error:
            if _denied(error):
                raise HostError("auth", "denied", f"user {route.user}, tried {label}") from None
            raise
    if left:
        raise HostError("auth", "method", f"the password is right, but the host also wants {', '.join(left)}")
