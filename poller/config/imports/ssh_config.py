"""The hosts of an OpenSSH client configuration (ssh_config(5)): every `Host` name without a pattern.

Settings of `Host *` and of other patterns apply as in OpenSSH: the first value wins. Nothing is run and no other file
is read: `Match` and `Include` are reported.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from poller.config.imports.checked import checked
from poller.config.imports.inventory import ImportedHost, Inventory, Note
from poller.config.imports.render import name_of

_CARRIED: Final = {
    "hostname": "address",
    "user": "user",
    "port": "port",
    "identityfile": "identity-file",
    "proxyjump": "proxy-jump",
}
# What would change where a connection goes or who is believed, and has no attribute here.
_REPORTED: Final = {
    "proxycommand": "ProxyCommand is never run by the poller: use ProxyJump",
    "hostkeyalias": "HostKeyAlias was left out: config.xml has nothing like it",
    "userknownhostsfile": "UserKnownHostsFile was left out: write it as known-hosts=",
    "certificatefile": "CertificateFile was left out: config.xml has nothing like it",
    "stricthostkeychecking": "StrictHostKeyChecking was left out: see host-key-policy=",
}


@dataclass(frozen=True, slots=True)
class _Line:
    """`patterns` are those of the Host block that the line stands in; empty inside Match."""

    number: int
    keyword: str
    arguments: tuple[str, ...]
    patterns: tuple[str, ...]


def read(text: str) -> Inventory:
    """The hosts in the order of the file."""
    notes: list[Note] = []
    lines = list(_lines(text, notes))
    names = dict.fromkeys(
        pattern
        for line in lines
        if line.keyword == "host"
        for pattern in line.arguments
        if not re.search(r"[*?!]", pattern)
    )
    hosts = [host for name in names if (host := _host(name, lines, notes))]
    return Inventory(tuple(hosts), tuple(sorted(set(notes), key=lambda note: (note.line, note.sentence))))


def _lines(text: str, notes: list[Note]) -> Iterator[_Line]:
    patterns: tuple[str, ...] = ("*",)
    for number, line in enumerate(text.splitlines(), 1):
        keyword, arguments = _split(line)
        if keyword == "host":
            patterns = arguments
        elif keyword == "match":
            patterns = ()
            notes.append(Note(number, "Match and what stands below it was left out"))
        elif keyword == "include":
            notes.append(Note(number, f"Include {' '.join(arguments)} was not read; import that file as well"))
        if keyword and arguments:
            yield _Line(number, keyword, arguments, patterns)


def _split(line: str) -> tuple[str, tuple[str, ...]]:
    """Keyword in lower case and its arguments; ssh_config allows `Key value`, `Key=value` and double quotes."""
    match = re.match(r"\s*([A-Za-z][A-Za-z0-9]*)(?:\s*=\s*|\s+)(.*)", line)
    if match is None:
        return "", ()
    try:
        return match[1].lower(), tuple(shlex.split(match[2], comments=True))
    except ValueError:
        return match[1].lower(), (match[2].strip(),)


def _applies(patterns: tuple[str, ...], name: str) -> bool:
    """ssh_config(5), PATTERNS: one pattern must match and no negated one may."""
    hits = [pattern for pattern in patterns if fnmatchcase(name, pattern.removeprefix("!"))]
    return bool(hits) and not any(pattern.startswith("!") for pattern in hits)


def _host(name: str, lines: list[_Line], notes: list[Note]) -> ImportedHost | None:
    settings: dict[str, str] = {}
    keys: list[str] = []
    for line in lines:
        if not _applies(line.patterns, name):
            continue
        if line.keyword == "identityfile":
            keys += _key(line, keys, notes)
        elif line.keyword in _CARRIED:
            settings.setdefault(_CARRIED[line.keyword], _value(line, name))
        elif line.keyword in _REPORTED:
            notes.append(Note(line.number, _REPORTED[line.keyword]))
    if keys:
        settings["identity-file"] = " ".join(keys)
    settings.setdefault("address", name)
    first = next(line.number for line in lines if line.keyword == "host" and name in line.arguments)
    return checked(ImportedHost(name_of(name), settings=settings), first, notes)


def _value(line: _Line, name: str) -> str:
    value = line.arguments[0]
    return value.replace("%h", name).replace("%%", "%") if line.keyword == "hostname" else value


def _key(line: _Line, keys: list[str], notes: list[Note]) -> list[str]:
    """A key file not yet named; those that config.xml cannot name are noted."""
    key = line.arguments[0]
    if re.search(r"\s|%|\$\{", key):
        notes.append(Note(line.number, f"IdentityFile {key} was left out: it has a space, a %-token or a variable"))
        return []
    return [] if key in keys or key == "none" else [key]
