"""`poller enroll`: put the poller's key on hosts through a login that exists, and prove that it works."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from poller.cli.selecting import complete_host
from poller.cli.settings import Settings, inert, print_json
from poller.errors import HostError, UsageError

if TYPE_CHECKING:
    from poller.model import Host
    from poller.ssh.enroll import ExistingLogin


@click.command("enroll")
@click.argument("hosts", nargs=-1, metavar="HOST...", shell_complete=complete_host)
@click.option("--all", "everything", is_flag=True, help="Every host of config.xml.")
@click.option(
    "--identity",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Private key of the existing login. Default: what ssh would use (agent, ~/.ssh).",
)
@click.option(
    "--new-key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="First make the poller's key there (ed25519, 0600), unless it exists: where identity-file= points.\n"
    "Without hosts that is all.",
)
@click.option("--ask-password", is_flag=True, help="Ask for the password of the existing login.")
@click.option("--from", "address", metavar="ADDR", help="What from= allows. Default: our address as the host sees it.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--json", "as_json", is_flag=True, help="As JSON. Needs --yes.")
@click.pass_obj
def command(
    settings: Settings,
    hosts: tuple[str, ...],
    everything: bool,
    identity: Path | None,
    new_key: Path | None,
    ask_password: bool,
    address: str | None,
    yes: bool,
    as_json: bool,
) -> int:
    """Install the poller's key on HOST... (globs work) through a login to the same account that exists already.

    Adds the key (identity-file= of config.xml) to ~/.ssh/authorized_keys on the host with restrict,from="our address",
    looks at python3 and groups, and logs in with it. Doing it again does no harm.
    The host's key must be known: `poller trust` first. Exits 1 when a host could not be enrolled.

    \b
    Examples:
      poller enroll web1                            with your own keys
      poller enroll 'lab*' --ask-password --yes     one password for the room
      poller enroll web1 --identity ~/.ssh/admin    with that key
      poller enroll --new-key ~/.ssh/poller         only make the poller's own key
    """
    if everything == bool(hosts) and not (new_key and not everything):
        raise UsageError("name the hosts, or say --all", "`poller enroll 'web*'`")
    if new_key is not None:
        # Before config.xml is read: it may name no key that does not exist.
        _make_key(new_key.expanduser(), silent=as_json)
        if not (hosts or everything):
            return 0
    chosen = _chosen(settings, hosts)
    _check_address(address)
    if as_json and not yes:
        raise UsageError("--json asks nothing", "add --yes")
    _confirm(chosen, yes or not chosen)
    login = _login(identity, ask_password)
    results = [_enroll(host, login, address, silent=as_json) for host in chosen]
    _try_again(settings, [result["name"] for result in results if not result["error"]])
    if as_json:
        print_json({"hosts": results})
    return int(any(result["error"] for result in results))


def _chosen(settings: Settings, patterns: tuple[str, ...]) -> list[Host]:
    from poller.app import Selection, select

    chosen = [host for host in select(settings.config, Selection(hosts=patterns)) if not host.local]
    if not chosen and not patterns:
        click.echo('nothing to do: every host has address="local", which needs no login', err=True)
    elif not chosen:
        raise UsageError('address="local" needs no login', "name a host that is reached over SSH")
    return chosen


def _check_address(address: str | None) -> None:
    """It goes into a quoted option of authorized_keys: patterns, addresses, CIDR, commas (sshd(8), from=)."""
    if address is not None and not all(character.isalnum() or character in ".:*?,/!-_" for character in address):
        raise UsageError(f"--from {address!r} is not a list of addresses or patterns", "such as 10.0.0.5,10.1.0.0/16")


def _confirm(chosen: list[Host], yes: bool) -> None:
    if yes:
        return
    names = ", ".join(host.name for host in chosen)
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on", "say --yes")
    click.confirm(f"add the poller's key to authorized_keys on {inert(names)}?", default=True, abort=True)


def _login(identity: Path | None, ask_password: bool) -> ExistingLogin:
    from poller.ssh.enroll import ExistingLogin

    password = click.prompt("password of the existing login", hide_input=True, err=True) if ask_password else None
    return ExistingLogin(identity=identity, password=password)


def _enroll(host: Host, login: ExistingLogin, address: str | None, *, silent: bool) -> dict[str, Any]:
    """All steps at one host; what was done before a failure is told too."""
    from poller.model import Deadline
    from poller.probe.payload import command as order
    from poller.ssh.enroll import enroll

    result: dict[str, Any] = {"name": host.name, "steps": [], "error": "", "hint": ""}

    def tell(mark: str, text: str) -> None:
        result["steps"].append({"mark": mark, "text": text})
        if not silent:
            click.echo(f"{inert(host.name)}: [{mark}] {inert(text)}")

    try:
        for step in enroll(
            host, login, command=order(host.python), address=address, deadline=Deadline(host.poll.deadline)
        ):
            tell(step.mark, step.text)
    except HostError as error:
        result.update(error=f"{error.stage}/{error.code}: {error.sentence}", hint=error.hint)
        tell("FAIL", result["error"])
        if not silent:
            click.echo(inert("    " + error.hint.replace(" HOST`", f" {host.name}`")))
    return result


def _try_again(settings: Settings, hosts: list[str]) -> None:
    """The poller stops leaving these alone, if it did: their logins work now."""
    if not hosts or not settings.config.journal.exists():
        return
    from poller.clock import now_ms
    from poller.store import Journal

    with Journal.open(settings.config.journal, now_ms=now_ms()) as journal, journal.transaction() as work:
        for host in hosts:
            work.try_logins(host)


def _make_key(path: Path, *, silent: bool) -> None:
    from poller.ssh.enroll import make_key

    try:
        made = make_key(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be made: {error.strerror}", "choose another --new-key") from None
    if not silent:
        click.echo(inert(f"{path}: {'made, without a passphrase' if made else 'exists already'}"))
