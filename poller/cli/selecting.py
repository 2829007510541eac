"""The options that choose hosts, the same for every command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def host_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --host, --group and --tag; each may be given several times, hosts may be globs."""
    for option in (
        click.option("--tag", "tags", multiple=True, metavar="TAG", help="Hosts with this tag."),
        click.option("--group", "groups", multiple=True, metavar="GROUP", help="Hosts of this group."),
        click.option("--host", "hosts", multiple=True, metavar="NAME", help="This host; globs like 'lab*' work."),
    ):
        command = option(command)
    return command
