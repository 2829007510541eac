"""Reads and writes known_hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): plain, hashed, patterns, markers."""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import hashlib
import hmac
import os
import stat
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from poller.errors import HostError
from poller.ssh.sshconfig import matches

CA_MARKER: Final = "@cert-authority"
REVOKED_MARKER: Final = "@revoked"
_SIZE_MOST: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public host key: its type, its blob as in RFC 4253 6.6."""

    type: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def base64(self) -> str:
        return base64.b64encode(self.blob).decode()

    def __str__(self) -> str:
        return f"{self.type} {self.fingerprint}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `names` is the first field as it stands."""

    marker: str
    names: str
    key: HostKey
    where: str

    def covers(self, name: str) -> bool:
        if self.names.startswith("|1|"):
            return _hashed(self.names, name)
        return matches(self.names.lower().split(","), name)


@dataclass(frozen=True, slots=True)
class Known:
    """What is on record for one name."""

    keys: tuple[Entry, ...] = ()
    authorities: tuple[Entry, ...] = ()
    revoked: tuple[Entry, ...] = ()


def key_name(hostname: str, port: int) -> str:
    """The name under which OpenSSH records a host: lower case, `[name]:port` unless the port is 22."""
    return hostname.lower() if port == 22 else f"[{hostname.lower()}]:{port}"


def lookup(name: str, paths: Sequence[Path]) -> Known:
    """Everything that the files say about `name`. Files that do not exist say nothing."""
    found = [entry for path in paths for entry in _file(path).about(name)]
    return Known(
        tuple(entry for entry in found if not entry.marker),
        tuple(entry for entry in found if entry.marker == CA_MARKER),
        tuple(entry for entry in found if entry.marker == REVOKED_MARKER),
    )


def _hashed(names: str, name: str) -> bool:
    """|1|base64(salt)|base64(HMAC-SHA1(salt, name))"""
    _, _, salt, digest = (*names.split("|"), "", "", "")[:4]
    try:
        computed = hmac.digest(base64.b64decode(salt), name.encode(), "sha1")
        return hmac.compare_digest(computed, base64.b64decode(digest))
    except (binascii.Error, ValueError):
        return False


class _File:
    """One version of one file, with an index, because a fleet asks it about a thousand names."""

    def __init__(self, text: str, path: Path) -> None:
        self._plain: dict[str, list[Entry]] = {}
        self._others: list[Entry] = []
        self._answers: dict[str, tuple[Entry, ...]] = {}
        for entry in parse(text, str(path)):
            if any(character in entry.names for character in "*?!|"):
                self._others.append(entry)
                continue
            for name in entry.names.lower().split(","):
                self._plain.setdefault(name, []).append(entry)

    def about(self, name: str) -> tuple[Entry, ...]:
        if name not in self._answers:
            others = (entry for entry in self._others if entry.covers(name))
            self._answers[name] = (*self._plain.get(name, ()), *others)
        return self._answers[name]


def parse(text: str, path: str) -> Iterator[Entry]:
    """Entries in order. Lines that are no entries (comments, SSH1 keys, damage) are passed over, as OpenSSH does."""
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
        if len(fields) < 3 or fields[0].startswith("#") or marker not in ("", CA_MARKER, REVOKED_MARKER):
            continue
        with contextlib.suppress(binascii.Error, ValueError):
            blob = base64.b64decode(fields[2], validate=True)
            yield Entry(marker, fields[0], HostKey(fields[1], blob), f"{path}:{number}")


_LOCK: Final = threading.Lock()
_FILES: Final[dict[Path, tuple[tuple[int, int, int], _File]]] = {}


def _file(path: Path) -> _File:
    """The parsed file, from the cache while it has not changed on disk."""
    try:
        status = path.stat()
    except OSError:
        return _File("", path)
    version = (status.st_mtime_ns, status.st_size, status.st_ino)
    with _LOCK:
        cached = _FILES.get(path)
        if cached is None or cached[0] != version:
            _refuse_open(path, status)
            cached = (version, _File(path.read_text("utf-8", "surrogateescape"), path))
            _FILES[path] = cached
    return cached[1]


def _refuse_open(path: Path, status: os.stat_result) -> None:
    """Whoever can write known_hosts can pose as any host."""
    if not stat.S_ISREG(status.st_mode):
        if path == Path("/dev/null"):
            return
        raise HostError("hostkey", "file", f"{path} is not a regular file")
    if status.st_mode & 0o022 or status.st_uid not in (0, os.geteuid()):
        raise HostError("hostkey", "file", f"{path} can be written by other users (mode {status.st_mode & 0o777:04o})")
    if status.st_size > _SIZE_MOST:
        raise HostError("hostkey", "file", f"{path} has {status.st_size} bytes")


def append(path: Path, name: str, keys: Sequence[HostKey]) -> None:
    """Adds lines at the end in one write. Makes file (0600) and folder (0700); never follows a link. OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        broken = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        lines = "".join(f"{name} {key.type} {key.base64}\n" for key in keys)
        os.write(descriptor, ("\n" * broken + lines).encode())
    finally:
        os.close(descriptor)


def replace(path: Path, name: str, keys: Sequence[HostKey]) -> None:
    """Takes every unmarked key of `name` out and puts `keys` in, by renaming a new file into place. OSError."""
    text = path.read_text("utf-8", "surrogateescape")
    kept = [line for line in (_without(line, name) for line in text.splitlines()) if line is not None]
    kept += [f"{name} {key.type} {key.base64}" for key in keys]
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=".known_hosts-", delete=False) as new:
        try:
            new.write("".join(f"{line}\n" for line in kept).encode("utf-8", "surrogateescape"))
            new.flush()
            os.fchmod(new.fileno(), path.stat().st_mode & 0o755)
            os.fsync(new.fileno())
            Path(new.name).replace(path)
        except BaseException:
            Path(new.name).unlink(missing_ok=True)
            raise


def _without(line: str, name: str) -> str | None:
    """The line without `name`: unchanged, with one name less, or None. Patterns and markers stay."""
    entry = next(parse(line, ""), None)
    if entry is None or entry.marker or not entry.covers(name):
        return line
    if entry.names.startswith("|1|"):
        return None
    names = entry.names.split(",")
    left = [other for other in names if other.lower() != name]
    if len(left) == len(names):
        return line
    return line.replace(entry.names, ",".join(left), 1) if left else None
