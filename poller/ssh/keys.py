"""Private keys and user certificates: read once, checked, kept for every host of the process."""

from __future__ import annotations

import io
import os
import stat
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from poller.errors import HostError, PollerError
from poller.model import Deadline, Secret
from poller.ssh import apart
from poller.ssh.resolve import Route

_SIZE_MOST: Final = 64 * 1024
_RSA_LEAST: Final = 2048


@dataclass(frozen=True, slots=True)
class Identity:
    """Something to log in with. `label` says what it is, without the secret part."""

    key: paramiko.PKey
    label: str


def identities(route: Route, deadline: Deadline) -> tuple[Identity, ...]:
    """In the order in which they are tried: certificates, key files, then the agent when config.xml says so.

    HostError auth/key when a key file that somebody named cannot be used, or when there is nothing to log in with.
    """
    found: list[Identity] = []
    failures: list[HostError] = []
    for path in route.identity_files:
        try:
            found += _with_certificates(path, private_key(path, route.passphrase), route)
        except FileNotFoundError:
            failures.append(HostError("auth", "key", f"{path} does not exist"))
        except HostError as failure:
            failures.append(failure)
    if route.agent:
        found += _agent(route, deadline)
    if not found and not route.has_password:
        raise _best(failures, route)
    return tuple(found)


def _best(failures: list[HostError], route: Route) -> HostError:
    """What to say when no key is left: the first one that is there but unusable, else the first that is missing."""
    present = [failure for failure in failures if not failure.detail.endswith("does not exist")]
    if present or (failures and route.explicit_identities):
        return (present or failures)[0]
    return HostError("auth", "key", "no identity-file= is set, and ~/.ssh has none of the usual keys")


_LOCK: Final = threading.Lock()
_KEYS: Final[dict[tuple[Path, Secret | None], tuple[tuple[int, int, int], paramiko.PKey | HostError]]] = {}


def private_key(path: Path, passphrase: Secret | None) -> paramiko.PKey:
    """The key in `path`, from the cache while the file has not changed: decrypting one takes a tenth of a second."""
    try:
        status = path.stat()
    except PermissionError as error:
        raise HostError("auth", "key", f"{path}: {error.strerror}") from None
    version = (status.st_mtime_ns, status.st_size, status.st_mode)
    with _LOCK:
        cached = _KEYS.get((path, passphrase))
        if cached is None or cached[0] != version:
            cached = (version, _load(path, status, passphrase))
            _KEYS[path, passphrase] = cached
    if isinstance(cached[1], HostError):
        # A new exception each time: one that is raised in several threads grows a traceback without end.
        raise HostError("auth", "key", cached[1].detail)
    return cached[1]


def _load(path: Path, status: os.stat_result, passphrase: Secret | None) -> paramiko.PKey | HostError:
    if path.suffix == ".pub":
        return HostError("auth", "key", f"{path} is a public key: it picks a key of the agent, with agent=")
    if not stat.S_ISREG(status.st_mode) or status.st_size > _SIZE_MOST:
        return HostError("auth", "key", f"{path} is not a private key file")
    if status.st_mode & 0o077:
        mode = f"{status.st_mode & 0o777:04o}"
        return HostError("auth", "key", f"{path} can be read by other users (mode {mode}); chmod 600 it")
    try:
        return _parse(path, path.read_bytes(), passphrase)
    except HostError as failure:
        return failure
    except OSError as error:
        return HostError("auth", "key", f"{path}: {error.strerror}")


def _parse(path: Path, data: bytes, passphrase: Secret | None) -> paramiko.PKey:
    """cryptography reads every format; an unencrypted key is never asked for a passphrase."""
    loader = serialization.load_ssh_private_key if b"BEGIN OPENSSH" in data else serialization.load_pem_private_key
    try:
        return _usable(path, loader(data, None))
    except TypeError:
        pass  # encrypted
    except (ValueError, UnsupportedAlgorithm):
        raise HostError("auth", "key", f"{path} is not a private key that the poller can read") from None
    if passphrase is None:
        raise HostError("auth", "key", f"{path} is encrypted, and no passphrase-file= is set")
    try:
        return _usable(path, loader(data, reveal(passphrase).encode()))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise HostError("auth", "key", f"the passphrase in {passphrase} does not open {path}") from None


def reveal(secret: Secret) -> str:
    """The secret's text. HostError auth/key when it cannot be read."""
    from poller.config import secret as secrets

    try:
        return secrets.reveal(secret)
    except PollerError as error:
        raise HostError("auth", "key", error.sentence) from None


def _usable(path: Path, key: object) -> paramiko.PKey:
    if isinstance(key, Ed25519PrivateKey):
        plain = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        return paramiko.Ed25519Key(file_obj=io.StringIO(plain.decode()))
    if isinstance(key, EllipticCurvePrivateKey):
        return paramiko.ECDSAKey(vals=(key, key.public_key()))
    if isinstance(key, RSAPrivateKey):
        if key.key_size < _RSA_LEAST:
            raise HostError("auth", "key", f"{path} is an RSA key of {key.key_size} bits; {_RSA_LEAST} are the least")
        return paramiko.RSAKey(key=key)
    raise HostError("auth", "key", f"{path} is of a kind that is not supported; use ed25519, ecdsa or rsa")


def _with_certificates(path: Path, key: paramiko.PKey, route: Route) -> list[Identity]:
    """The key, after each certificate that belongs to it: beside it (`-cert.pub`) or named by CertificateFile."""
    beside = path.with_name(path.name + "-cert.pub")
    found = []
    for file in dict.fromkeys((*route.certificate_files, beside)):
        certified = _certified(file, key)
        if certified is not None:
            found.append(Identity(certified, f"certificate {file}"))
    return [*found, Identity(key, f"key {path}")]


def _certified(file: Path, key: paramiko.PKey) -> paramiko.PKey | None:
    """A copy of `key` that shows the certificate in `file`; None when there is none for this key."""
    try:
        line = file.read_text("ascii").split()
        blob = paramiko.Message(bytes(paramiko.pkey.PublicBlob.from_string(" ".join(line)).key_blob))
        if type(key)(msg=blob).asbytes() != key.asbytes():
            return None
        copy = type(key).__new__(type(key))
        copy.__dict__.update(key.__dict__)
        copy.load_certificate(" ".join(line))
    except (OSError, ValueError, paramiko.SSHException):
        return None
    return copy


def _agent(route: Route, deadline: Deadline) -> list[Identity]:
    """Keys of the agent; only those whose public half is named by identity-file= when any is named."""
    try:
        keys = apart.call(lambda: paramiko.Agent().get_keys(), deadline.remaining)
    except (TimeoutError, paramiko.SSHException, OSError):
        raise HostError("auth", "key", "the SSH agent does not answer") from None
    wanted = {blob for blob in (_public(path) for path in route.identity_files) if blob}
    chosen = [key for key in keys if not route.explicit_identities or not wanted or key.asbytes() in wanted]
    return [Identity(key, f"agent key {key.get_name()}") for key in chosen]


def _public(path: Path) -> bytes | None:
    try:
        text = path.with_name(path.name.removesuffix(".pub") + ".pub").read_text("ascii")
        return bytes(paramiko.pkey.PublicBlob.from_string(text).key_blob)
    except (OSError, ValueError):
        return None
