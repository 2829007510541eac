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
# What stands in /run/nologin while systemd boots (of all versions: "System is booting up.") or goes down, and what SysV
# init wrote there; all of it in small letters. pam_nologin(8) says what the file says, so others may stand there.
_NOT_YET = (b"pam_nologin", b"system is booting up", b"system is going down", b"bootup in progress")
_SAID_MOST = 200


def log_in(transport: SteppingTransport, wire: Wire, route: Route, deadline: Deadline) -> None:
    """Returns when logged in, at a host that is verified. HostError auth/denied, key, method, closed, nologin or
    timeout.
    """
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
                    raise _nobody_yet(transport, wire) or error from None
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


def _nobody_yet(transport: SteppingTransport, wire: Wire) -> HostError | None:
    """Why the connection ended in the middle of the login, when the host said that it lets in nobody but root for now.

    PAM's account modules are asked when the key was right. sshd passes on what they say (SSH_MSG_USERAUTH_BANNER, RFC
    4252 5.4) and hangs up. An account that has expired ends in the same way: only the words tell.
    """
    said = getattr(transport.auth_handler, "banner", None) or b""
    if wire.expired or transport.is_active() or not any(words in said.lower() for words in _NOT_YET):
        return None
    return HostError("auth", "nologin", ascii(said[:_SAID_MOST].decode("utf-8", "replace").strip())[1:-1])


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
            raise _nobody_yet(transport, wire) or error from None
    if left:
        raise HostError("auth", "method", f"the password is right, but the host also wants {', '.join(left)}")
