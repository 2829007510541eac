"""The options that choose hosts, the same for every command, and the names that the shell completes for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from poller.model import Config, Host


def configuration(ctx: click.Context) -> Config | None:
    """For completion, which never complains: None when config.xml cannot be read."""
    from poller.cli.settings import Settings
    from poller.config import load
    from poller.errors import PollerError

    settings = ctx.find_object(Settings)
    try:
        return load(settings.config_path if settings else None)
    except (PollerError, OSError):
        return None


def _names(ctx: click.Context, incomplete: str, of: Callable[[Host], Iterable[str]]) -> list[str]:
    config = configuration(ctx)
    names = (name for host in config.hosts for name in of(host)) if config else ()
    return list(dict.fromkeys(name for name in names if name.startswith(incomplete)))


def complete_host(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return _names(ctx, incomplete, lambda host: (host.name,))


def complete_group(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return _names(ctx, incomplete, lambda host: (host.group,) if host.group else ())


def complete_tag(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return _names(ctx, incomplete, lambda host: sorted(host.tags))


def one_host(config: Config, name: str) -> Host:
    """The one host of config.xml of that name or glob. UsageError."""
    from poller.app import Selection, select
    from poller.errors import UsageError
    from poller.model import POLLER

    known = config.host(name)
    if known is not None:
        return known
    if name == POLLER:
        raise UsageError(f"{name!r} is the poller itself, no host", "`poller check --host poller`, without --metric")
    hosts = select(config, Selection(hosts=(name,)))
    if len(hosts) > 1:
        raise UsageError(f"{name!r} matches {len(hosts)} hosts", f"name one of them, such as {hosts[0].name}")
    return hosts[0]


def host_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --host, --group and --tag; each may be given several times, hosts may be globs."""
    for option in (
        click.option(
            "--tag", "tags", multiple=True, metavar="TAG", shell_complete=complete_tag, help="Hosts with this tag."
        ),
        click.option(
            "--group", "groups", multiple=True, metavar="GROUP", shell_complete=complete_group,
            help="Hosts of this group.",
        ),
        click.option(
            "--host", "hosts", multiple=True, metavar="NAME", shell_complete=complete_host,
            help="This host; globs like 'lab*' work.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command
