"""Reads ssh_config(5): Host, Match and Include, the first value found wins. Runs nothing.

Our own reader because paramiko's ignores Include, runs `Match exec`, and is slow when asked for every host of a fleet.
`Match exec` that would decide about a host is refused by name (ssh_config of a user must not run programs in a poller).
"""

from __future__ import annotations

import fnmatch
import getpass
import os
import shlex
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from poller.errors import HostError

# Keywords that may be given several times and add up; of every other one the first value counts.
_ADDING: Final = frozenset({"identityfile", "certificatefile"})
_INCLUDE_DEPTH: Final = 8
_SYSTEM: Final = Path("/etc/ssh/ssh_config")


@dataclass(frozen=True, slots=True)
class Line:
    """One setting: under which conditions it counts, its lower-case keyword, and its words."""

    conditions: tuple[tuple[str, ...], ...]
    keyword: str
    words: tuple[str, ...]


class Values(dict[str, tuple[str, ...]]):
    """The settings that hold for one host. Keywords are lower case."""

    def first(self, keyword: str) -> str | None:
        words = self.get(keyword)
        return words[0] if words else None


def lookup(name: str, user: str | None, path: Path | None) -> Values:
    """What ssh_config says about `name`, as it was typed. The system's file follows the user's; None: no file."""
    values = Values()
    for file in _files(path):
        for line in _lines(file):
            if all(_holds(condition, name, user, values) for condition in line.conditions):
                _add(values, line)
    return values


def _files(path: Path | None) -> tuple[Path, ...]:
    if path is None:
        return ()
    users = path.name == "config" and path == Path.home() / ".ssh" / "config"
    return (path, _SYSTEM) if users else (path,)


def _add(values: Values, line: Line) -> None:
    if line.keyword in _ADDING:
        values[line.keyword] = values.get(line.keyword, ()) + line.words
    else:
        values.setdefault(line.keyword, line.words)


Version = tuple[int, int]
_LOCK: Final = threading.Lock()
_PARSED: Final[dict[Path, tuple[dict[Path, Version], tuple[Line, ...]]]] = {}


def _version(path: Path) -> Version:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def _lines(path: Path) -> tuple[Line, ...]:
    """Parsed once for every host of the process, until the file or one that it includes changes."""
    with _LOCK:
        versions, lines = _PARSED.get(path, ({}, ()))
        if not versions or any(_version(file) != version for file, version in versions.items()):
            versions = {}
            lines = tuple(_read(path, (), 0, versions))
            _PARSED[path] = versions, lines
    return lines


def _read(path: Path, outer: tuple[tuple[str, ...], ...], depth: int, versions: dict[Path, Version]) -> Iterator[Line]:
    """The file's lines; notes which version of which file was read."""
    versions[path] = _version(path)
    try:
        text = path.read_text("utf-8", "surrogateescape")
    except OSError:
        return
    conditions = outer
    for number, raw in enumerate(text.splitlines(), 1):
        keyword, words = _split(raw, path, number)
        if keyword in ("host", "match"):
            conditions = (*outer, (keyword, *words))
        elif keyword == "include" and depth < _INCLUDE_DEPTH:
            for file in _included(words, path):
                yield from _read(file, conditions, depth + 1, versions)
        elif keyword and words:
            yield Line(conditions, keyword, words)


def _split(raw: str, path: Path, number: int) -> tuple[str, tuple[str, ...]]:
    """`Keyword value`, `Keyword=value`, `Keyword "quoted value"`; comments only where a line or word begins with #."""
    line = raw.strip()
    if not line or line.startswith("#"):
        return "", ()
    keyword, _, rest = line.replace("=", " ", 1).partition(" ") if "=" in line.split()[0] else _on_space(line)
    rest = rest.strip()
    rest = rest[1:].strip() if rest.startswith("=") else rest
    try:
        return keyword.lower(), tuple(shlex.split(rest, comments=True))
    except ValueError:
        raise HostError("connect", "config", f"{path}:{number}: a quotation mark is not closed") from None


def _on_space(line: str) -> tuple[str, str, str]:
    words = line.split(None, 1)
    return words[0], " ", words[1] if len(words) > 1 else ""


def _included(words: Sequence[str], path: Path) -> Iterator[Path]:
    """Relative names are relative to ~/.ssh, or to /etc/ssh for the system's file (ssh_config(5), Include)."""
    base = _SYSTEM.parent if path.is_relative_to(_SYSTEM.parent) else Path.home() / ".ssh"
    for word in words:
        pattern = base / os.path.expanduser(word)  # noqa: PTH111 - a pattern, not a path
        yield from sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))


def _holds(condition: tuple[str, ...], name: str, user: str | None, values: Values) -> bool:
    kind, *words = condition
    if kind == "host":
        return matches(words, name)
    criteria = iter(words)
    return all(_criterion(criterion.lower(), criteria, name, user, values) for criterion in criteria)


def _criterion(criterion: str, rest: Iterator[str], name: str, user: str | None, values: Values) -> bool:
    negated, criterion = criterion.startswith("!"), criterion.lstrip("!")
    if criterion in ("all", "final", "canonical"):
        # There is one pass only, as without CanonicalizeHostname; a `final` block counts in it.
        return (criterion != "canonical") != negated
    pattern = next(rest, "")
    if criterion == "exec":
        raise HostError("connect", "config", f"`Match exec {pattern}` is never run")
    subject = {
        "host": values.first("hostname") or name,
        "originalhost": name,
        "user": user or values.first("user") or getpass.getuser(),
        "localuser": getpass.getuser(),
    }.get(criterion)
    return (subject is not None and matches(pattern.split(","), subject)) != negated


def matches(patterns: Sequence[str], subject: str) -> bool:
    """ssh_config(5), PATTERNS: * and ?, and ! for a pattern that forbids. As in ssh, upper case is not lower case."""
    found = False
    for pattern in patterns:
        if fnmatch.fnmatchcase(subject, pattern.lstrip("!").replace("[", "[[]")):
            if pattern.startswith("!"):
                return False
            found = True
    return found
