"""The url of `<archive>`: where history is kept. Text goes in, ArchiveSettings without a password come out.

    mysql://USER@HOST[:PORT]/DATABASE[?tls=off|require|verify&ca=FILE&socket=PATH]     mariadb:// means the same
    sqlite:PATH                                                                        relative to config.xml

User, host, database and the values behind `?` may hold %XX codes (RFC 3986); a path behind `sqlite:` is taken as it
stands. Taken apart by hand, because urllib's errors quote the text, and somebody may have put a password into it:
no sentence of this module repeats any of it but the names of files.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from poller.config import references, values
from poller.config.mistakes import WrongError, shortened
from poller.config.place import Place
from poller.model import ArchiveSettings

_FORM: Final = "write mysql://USER@HOST/DATABASE or sqlite:FILE"
_BROKEN_CODE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PARAMETERS: Final = ("tls", "ca", "socket")
_TLS: Final = ("off", "require", "verify")


def parse(text: str, place: Place) -> ArchiveSettings:
    """The archive an url names. WrongError says what is wrong with it and repeats nothing."""
    values.text(text)
    scheme, colon, rest = text.partition(":")
    if colon and scheme == "sqlite":
        return ArchiveSettings("sqlite", path=_file(rest, place))
    if scheme in ("mysql", "mariadb") and rest.startswith("//"):
        return _server(rest[2:], place)
    raise WrongError("is not an archive that this version knows", _FORM)


def _file(path: str, place: Place) -> Path:
    if path.startswith("//"):
        raise WrongError("names its SQLite file like a host", "write sqlite:FILE or sqlite:/FOLDER/FILE")
    if not path.strip():
        raise WrongError("names no file", "write sqlite:FILE")
    return place.path(path)


def _server(rest: str, place: Place) -> ArchiveSettings:
    location, _, query = rest.partition("?")
    user, at, location = location.rpartition("@")
    if ":" in user:
        raise WrongError(
            "holds a password",
            "take it out of the url, and put it into a file of mode 0600: password-file=, or a variable: password-env=",
        )
    if not at or not user:
        raise WrongError("names no user", "write mysql://USER@HOST/DATABASE")
    where, _, database = location.partition("/")
    if not database or "/" in database:
        raise WrongError("must name one database", "write mysql://USER@HOST/DATABASE")
    parameters = _query(query)
    host, port = _place_of(where, needed="socket" not in parameters)
    return ArchiveSettings(
        "mysql",
        host=host,
        port=port,
        user=_decoded(user, "the user"),
        database=_decoded(database, "the database"),
        **_security(host, parameters, place),
    )


def _query(query: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        if name not in _PARAMETERS:
            hint = "a password goes into password-file= or password-env=; several are joined with &amp;"
            raise WrongError("has something behind ? that is none of tls=, ca= and socket=", hint)
        if name in found:
            raise WrongError(f"has {name}= twice")
        found[name] = _decoded(value, f"{name}=")
    return found


def _place_of(where: str, *, needed: bool) -> tuple[str, int]:
    """Host and port. An IPv6 address stands in brackets, as in every URL."""
    match = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*)(?::([^:]*))?", where)
    if match is None:
        raise WrongError("has colons in its host", "write an IPv6 address in brackets: [2001:db8::1]")
    try:
        port = values.count(1, 65535, "port")(match[2]) if match[2] is not None else 3306
    except WrongError as wrong:
        raise WrongError(f"has something behind the host that {wrong.predicate}") from None
    if not match[1]:
        if needed:
            raise WrongError("names no host", "write mysql://USER@HOST/DATABASE")
        return "localhost", port
    try:
        return values.address(_decoded(match[1], "the host")), port
    except WrongError as wrong:
        raise WrongError(f"names a host that {wrong.predicate}", "write mysql://USER@HOST/DATABASE") from None


def _security(host: str, parameters: Mapping[str, str], place: Place) -> dict[str, Any]:
    """tls, ca and socket. Without tls= the way over a network is verified; on this machine there is none to protect."""
    ca, socket = parameters.get("ca"), parameters.get("socket")
    near = socket is not None or _loopback(host)
    tls = parameters.get("tls", "off" if near and ca is None else "verify")
    if tls not in _TLS:
        raise WrongError(f"has a tls= that is none of {', '.join(_TLS)}")
    if socket is not None and not _loopback(host):
        raise WrongError(
            "has a socket= beside another machine's name", "write mysql://USER@localhost/DATABASE?socket=…"
        )
    if socket is not None and tls != "off":
        raise WrongError("asks for TLS over a socket, which stays on this machine", "leave tls= and ca= out")
    if ca is not None and tls != "verify":
        raise WrongError("has a ca=, which is looked at with tls=verify only", "write tls=verify, or leave ca= out")
    return {
        "tls": tls,
        "ca": None if ca is None else _readable(ca, place),
        "socket": None if socket is None else place.path(socket),
    }


def _readable(ca: str, place: Place) -> Path:
    try:
        return references.existing_file(ca, place)
    except WrongError as wrong:
        raise WrongError(f"has ca={shortened(ca)}, which {wrong.predicate}", wrong.hint) from None


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _decoded(text: str, what: str) -> str:
    """Without %XX codes."""
    if _BROKEN_CODE.search(text):
        raise WrongError(f"has a % in {what} that begins no code", "write %25 for a plain %")
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise WrongError(f"has %XX codes in {what} that are not UTF-8") from None
    if not decoded.strip():
        raise WrongError(f"has nothing where {what} belongs", _FORM)
    try:
        return values.text(decoded)
    except WrongError as wrong:
        raise WrongError(f"has {what} that {wrong.predicate}") from None
