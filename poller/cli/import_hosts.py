"""`poller import`: an Ansible inventory or an ssh_config as lines for config.xml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from poller.cli.settings import inert
from poller.errors import UsageError

if TYPE_CHECKING:
    from poller.config.imports.inventory import Inventory

_MOST_BYTES: Final = 16 * 1024 * 1024
_FILE = click.argument("file", type=click.Path(path_type=Path, allow_dash=True))


@click.group()
def command() -> None:
    """Print other programs' hosts as lines to paste into config.xml.

    What cannot be carried over is said on stderr, by line. Nothing is changed.

    \b
    Examples:
      poller import ansible /etc/ansible/hosts
      poller import ssh-config ~/.ssh/config
    """


@command.command(short_help="Read an Ansible inventory, INI or YAML.")
@_FILE
def ansible(file: Path) -> None:
    """Read an Ansible inventory, INI or YAML (*.yml, *.yaml); "-" is stdin.

    A host goes into the first group that lists it; its other groups become tags.

    \b
    Examples:
      poller import ansible /etc/ansible/hosts
      poller import ansible inventory.yml >> hosts.xml
    """
    text = _read(file)
    if file.suffix in (".yml", ".yaml") or text.lstrip().startswith(("---", "all:")):
        from poller.config.imports.ansible_yaml import read
    else:
        from poller.config.imports.ansible_ini import read
    _show(file, read(text))


@command.command("ssh-config", short_help="Read an OpenSSH client configuration.")
@_FILE
def ssh_config(file: Path) -> None:
    """Read the hosts of an OpenSSH client configuration; "-" is stdin.

    \b
    Examples:
      poller import ssh-config ~/.ssh/config
    """
    from poller.config.imports.ssh_config import read

    _show(file, read(_read(file)))


def _read(file: Path) -> str:
    try:
        with click.open_file(str(file), "rb") as stream:
            data: bytes = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{file} is larger than {_MOST_BYTES // 2**20} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8 text") from None


def _show(file: Path, inventory: Inventory) -> None:
    from poller.config.imports.render import render

    for note in inventory.notes:
        click.echo(inert(f"{file}:{note.line}: {note.sentence}"), err=True)
    if not inventory.hosts:
        raise UsageError(f"{file} names no host that can be polled")
    for line in render(inventory):
        click.echo(inert(line))
