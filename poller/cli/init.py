"""`poller init`: a commented config.xml to start from."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from poller.cli.settings import Settings, inert
from poller.errors import ConfigError, UsageError

_NEXT = """\
wrote {file}
next:
  1. put your hosts into it (`poller import` turns an Ansible inventory or an ssh_config into lines for it)
  2. poller{option} check-config
  3. poller{option} trust --all      fetch the hosts' keys, compare, accept
  4. poller{option} run              one round; then put it into cron
"""


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def command(settings: Settings, file: Path | None) -> None:
    """Write a commented configuration to FILE (default: --config, else ./config.xml).

    It works as it stands: it polls this machine, without SSH. A file that is there already is left alone (exit 2).

    \b
    Examples:
      poller init
      poller init ~/.config/poller/config.xml
    """
    from poller.config import template

    target = file or settings.config_path or Path("config.xml")
    _write(target, template())
    option = "" if _is_found(target, settings) else f" --config {shlex.quote(str(target))}"
    click.echo(_NEXT.format(file=inert(str(target)), option=inert(option)), nl=False)


def _is_found(target: Path, settings: Settings) -> bool:
    """Whether the next command finds the file without being told."""
    from poller.config import find

    try:
        return settings.config_path is None and find(None, os.environ).absolute() == target.absolute()
    except ConfigError:
        return False


def _write(target: Path, text: str) -> None:
    """Creates the file for its owner only. O_EXCL: nothing is overwritten, no symbolic link is followed."""
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise UsageError(f"{target} is there already; it was left as it is", "name another file") from None
    except FileNotFoundError:
        raise UsageError(f"there is no folder {target.parent}", f"mkdir -p {target.parent}") from None
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise UsageError(f"{target} cannot be written: {error.strerror}") from None
