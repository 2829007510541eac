"""What the commands that read the past share: which database, whose past, which time, and following it."""

from __future__ import annotations

import difflib
import select
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

import click

from poller.cli.instant import instant
from poller.cli.selecting import complete_host
from poller.errors import StoreError, UsageError
from poller.model import POLLER, Severity

if TYPE_CHECKING:
    from pathlib import Path

    from poller.cli.settings import Settings
    from poller.model import ArchiveSettings

# Without --since as many of the newest as one can look through.
USUAL: Final = 100
_FOLLOW_MS: Final = 1_000


def source(settings: Settings, *, journal: bool = False) -> Path | ArchiveSettings:
    """Where the past is: the archive that config.xml names, otherwise (or when asked for) the journal."""
    config = settings.config
    return config.journal if journal or config.archive is None else config.archive


def since_option(default: str | None, help_text: str) -> Callable[..., Any]:
    return click.option(
        "--since", "since_ms", callback=instant, default=default, metavar="WHEN", help=help_text, show_default=False
    )


def until_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--until", "until_ms", callback=instant, metavar="WHEN", help="Only what is older.")(command)


def journal_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--journal", is_flag=True, help="Ask the journal, also when an archive is configured."
    )(command)  # fmt: skip


def hosts_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--host", "hosts", multiple=True, metavar="NAME", shell_complete=complete_host,
        help="This host; globs like 'lab*' work.",
    )(command)  # fmt: skip


def severity_option(noun: str) -> Callable[..., Any]:
    return click.option(
        "--severity", type=click.Choice([str(one) for one in Severity]), default=str(Severity.LOW),
        callback=lambda ctx, parameter, value: Severity.parse(value), help=f"Only {noun} that are this bad, or worse.",
    )  # fmt: skip


def limit_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--limit", type=click.IntRange(min=1), metavar="N",
        help=f"The newest N. Without it and without --since: {USUAL}.",
    )(command)  # fmt: skip


def known_hosts(settings: Settings, where: Path | ArchiveSettings) -> list[str]:
    """Names of config.xml, and of hosts that left it but not the database."""
    from poller.store.paging import host_names

    names = [host.name for host in settings.config.hosts]
    try:
        return list(dict.fromkeys((*names, *host_names(where))))
    except StoreError as error:
        if error.code != "absent":
            raise
        return names


def matching(patterns: Sequence[str], names: Sequence[str], noun: str = "host") -> tuple[str, ...] | None:
    """The names that any of these globs fits, None without globs. UsageError for one that fits nothing."""
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            meant = difflib.get_close_matches(pattern, names, n=1)
            hint = f"did you mean {meant[0]}?" if meant else "`poller status` lists the hosts"
            raise UsageError(f"no {noun} matches {pattern!r}", hint)
    if not patterns:
        return None
    return tuple(name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns))


def one_host(settings: Settings, where: Path | ArchiveSettings, name: str) -> str:
    """The one host of that name or glob."""
    found = matching((name,), known_hosts(settings, where)) or ()
    if len(found) > 1 and name not in found:
        raise UsageError(f"{name!r} matches {len(found)} hosts", f"name one of them, such as {found[0]}")
    return name if name in found else found[0]


def some_hosts(settings: Settings, where: Path | ArchiveSettings, patterns: Sequence[str]) -> tuple[str, ...] | None:
    """The hosts of these globs; `poller` is the poller itself. None: all."""
    return matching(patterns, [*known_hosts(settings, where), POLLER]) if patterns else None


def ticks() -> Iterator[None]:
    """Once a second, until nobody reads our output any more. Ctrl-C ends it like every command (130)."""
    sys.stdout.flush()
    reader = select.poll()
    with suppress(OSError, ValueError):  # no file behind it: in a test
        reader.register(sys.stdout.fileno(), 0)  # 0: only told of errors and hang-ups (poll(2))
    while not reader.poll(_FOLLOW_MS):
        yield
        sys.stdout.flush()
