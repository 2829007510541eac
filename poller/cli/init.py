"""`poller init`: a commented config.xml to start from."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from xml.sax.saxutils import quoteattr

import click

from poller.cli.settings import Settings, inert
from poller.errors import ConfigError, UsageError

_NEXT = (
    ("", "put your hosts into it (`poller import` turns an Ansible inventory or an ssh_config into lines for it)"),
    ("check-config", "every mistake at once"),
    ("trust --all", "fetch the hosts' keys, compare, accept"),
    ("enroll --all", "install the poller's key, through a login you already have"),
    ("run", "one round; then `poller daemon`, or put it into cron"),
)
_SSH_EXAMPLE = '<!-- <ssh user="monitor" identity-file="~/.ssh/id_ed25519"/> -->'


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--new-key",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also make a key pair of the poller's own there (unless it exists), and name it in the configuration.",
)
@click.pass_obj
def command(settings: Settings, file: Path | None, new_key: Path | None) -> None:
    """Write a commented configuration to FILE (default: --config, else ./config.xml).

    It works as it stands: it polls this machine, without SSH. A file that is there already is left alone (exit 2).

    \b
    Examples:
      poller init                               the poller logs in with your own keys
      poller init --new-key ~/.ssh/poller       with a key of its own: `poller enroll` installs it
      poller init ~/.config/poller/config.xml
    """
    from poller.config import template

    target = file or settings.config_path or Path("config.xml")
    text = template()
    if new_key is not None:
        _refuse_existing(target)
        text = text.replace(_SSH_EXAMPLE, f"<ssh identity-file={quoteattr(_make_key(new_key.expanduser()))}/>")
    _write(target, text)
    option = "" if _is_found(target, settings) else f" --config {shlex.quote(str(target))}"
    _tell(inert(str(target)), inert(option), enroll=new_key is not None)


def _tell(target: str, option: str, *, enroll: bool) -> None:
    click.echo(f"wrote {target}\nnext:")
    steps = [step for step in _NEXT if enroll or not step[0].startswith("enroll")]
    width = max(len(words) for words, _ in steps)
    for number, (words, what) in enumerate(steps, 1):
        click.echo(f"  {number}. poller{option} {words:{width}}   {what}" if words else f"  {number}. {what}")


def _make_key(path: Path) -> str:
    """The key's place as config.xml says it: under ~ where it is."""
    from poller.ssh.enroll import make_key

    path = path.absolute()
    if any(sign.isspace() for sign in str(path)):
        raise UsageError(f"{path}: identity-file= separates paths by spaces", "choose a --new-key without one")
    try:
        made = make_key(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be made: {error.strerror}", "choose another --new-key") from None
    click.echo(f"{inert(str(path))}: {'made, without a passphrase' if made else 'exists already'}")
    home = Path("~").expanduser()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def _is_found(target: Path, settings: Settings) -> bool:
    """Whether the next command finds the file without being told."""
    from poller.config import find

    try:
        return settings.config_path is None and find(None, os.environ).absolute() == target.absolute()
    except ConfigError:
        return False


def _exists(target: Path) -> UsageError:
    return UsageError(f"{target} is there already; it was left as it is", "name another file")


def _refuse_existing(target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise _exists(target)


def _write(target: Path, text: str) -> None:
    """Creates the file for its owner only. O_EXCL: nothing is overwritten, no symbolic link is followed."""
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise _exists(target) from None
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
