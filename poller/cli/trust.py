"""`poller trust`: fetch host keys, show them, and write down those that somebody accepted."""

from __future__ import annotations

import sys
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from poller.cli.selecting import complete_host
from poller.cli.settings import Settings, inert, print_json
from poller.errors import HostError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from poller.model import Host
    from poller.ssh import HostKeys

_AT_ONCE = 16


@dataclass
class Candidate:
    """One host: what it showed or why it did not, and what became of that."""

    host: Host
    found: HostKeys | None = None
    error: HostError | None = None
    status: str = "failed"

    def judge(self) -> None:
        """`known`, `new`, `changed`, `certified`, `revoked` or `failed`."""
        if self.found is None:
            return
        if self.found.revoked:
            self.status = "revoked"
        elif self.found.certified:
            self.status = "certified"
        elif self.found.changed:
            self.status = "changed"
        else:
            self.status = "new" if self.found.new else "known"


@click.command("trust")
@click.argument("hosts", nargs=-1, metavar="HOST...", shell_complete=complete_host)
@click.option("--all", "everything", is_flag=True, help="Every host of config.xml.")
@click.option("--yes", is_flag=True, help="Accept without asking (compare the fingerprints some other way).")
@click.option("--replace", is_flag=True, help="Also accept keys that are not the ones on record.")
@click.option("--json", "as_json", is_flag=True, help="As JSON. Writes only with --yes.")
@click.pass_obj
def command(
    settings: Settings, hosts: tuple[str, ...], everything: bool, yes: bool, replace: bool, as_json: bool
) -> int:
    """Fetch the host keys of HOST... (globs work), show their fingerprints, and accept them into known_hosts.

    Compare what is shown with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the host itself.
    A key that is not the one on record is refused without --replace. A host that an @cert-authority line of
    known_hosts covers needs no record. Exits 1 when a host is not trusted in the end.

    \b
    Examples:
      poller trust web1              show, ask, write
      poller trust 'lab*' --yes      a whole room on a network you trust now
      poller trust --replace web1    web1 was installed anew
    """
    if everything == bool(hosts):
        raise UsageError("name the hosts, or say --all", "`poller trust 'web*'`")
    chosen = _chosen(settings, hosts)
    if not chosen and not as_json:
        click.echo('nothing to do: every host has address="local", which needs no host key')
    candidates = _scan(chosen)
    for candidate in candidates:
        if not as_json:
            _show(candidate)
        _decide(candidate, yes=yes, replace=replace, silent=as_json)
    warnings = _twins(candidates)
    if as_json:
        print_json({"hosts": [_document(candidate) for candidate in candidates], "warnings": warnings})
    for warning in () if as_json else warnings:
        click.echo(f"warning: {inert(warning)}", err=True)
    if not (as_json or yes or sys.stdin.isatty()) and any(_askable(candidate, replace) for candidate in candidates):
        raise UsageError("there is no terminal to ask on", "compare the fingerprints, then say --yes")
    return int(any(candidate.status not in ("known", "accepted", "certified") for candidate in candidates))


def _chosen(settings: Settings, patterns: tuple[str, ...]) -> list[Host]:
    from poller.app import Selection, select

    chosen = [host for host in select(settings.config, Selection(hosts=patterns)) if not host.local]
    if not chosen and patterns:
        raise UsageError('address="local" needs no host key', "name a host that is reached over SSH")
    return chosen


def _scan(hosts: Sequence[Host]) -> list[Candidate]:
    """All at once, a few at a time: a host that is away must not hold up the others."""
    from poller.model import Deadline
    from poller.ssh import scan

    candidates = [Candidate(host) for host in hosts]
    places = threading.Semaphore(_AT_ONCE)

    def one(candidate: Candidate) -> None:
        with places:
            try:
                candidate.found = scan(candidate.host, Deadline(candidate.host.poll.deadline))
            except HostError as error:
                candidate.error = error
            candidate.judge()

    threads = [threading.Thread(target=one, args=(candidate,), daemon=True) for candidate in candidates]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.2)  # a signal that comes just before an endless wait would not be seen until its end
    return candidates


def _show(candidate: Candidate) -> None:
    for line in _lines(candidate):
        click.echo(inert(line))


def _lines(candidate: Candidate) -> list[str]:
    name = candidate.host.name
    if candidate.error is not None:
        error = candidate.error
        return [f"{name}: {error.stage}/{error.code}: {error.sentence}", f"    {error.hint}"]
    assert candidate.found is not None  # noqa: S101 - no error, so it was found
    found = candidate.found
    lines = [f"{name} ({found.name}, {found.address}): {_STATUSES[candidate.status]}"]
    lines += [f"  {key.type:20} {key.fingerprint}" for key in found.keys]
    for recorded, shown in found.changed:
        lines += [
            f"  CHANGED {recorded.type}",
            f"    on record  {recorded.fingerprint}",
            f"    shown now  {shown.fingerprint}",
        ]
    return lines


_STATUSES = {
    "known": "known already",
    "new": "not known yet",
    "changed": "NOT the key on record",
    "certified": "covered by @cert-authority in known_hosts",
    "revoked": "marked as REVOKED in known_hosts",
}


def _decide(candidate: Candidate, *, yes: bool, replace: bool, silent: bool) -> None:
    """Asks where that is to be decided by a person, and writes."""
    if candidate.status == "changed" and not replace and not silent:
        name = inert(candidate.host.name)
        click.echo(f"  refused: find out why it changed, then `poller trust --replace {name}`", err=True)
    if _askable(candidate, replace) and (yes or (not silent and _agreed(candidate))):
        _write(candidate, replace=replace, silent=silent)


def _askable(candidate: Candidate, replace: bool) -> bool:
    return candidate.status == "new" or (candidate.status == "changed" and replace)


def _agreed(candidate: Candidate) -> bool:
    return sys.stdin.isatty() and click.confirm(f"  accept the keys of {inert(candidate.host.name)}?", default=False)


def _write(candidate: Candidate, *, replace: bool, silent: bool) -> None:
    from poller.ssh import record

    assert candidate.found is not None  # noqa: S101 - it has a status
    try:
        record(candidate.found, replace=replace)
    except OSError as error:
        raise UsageError(
            f"{candidate.found.path} cannot be written: {error.strerror}", "is it a link, or not yours?"
        ) from None
    candidate.status = "accepted"
    if not silent:
        click.echo(inert(f"  written to {candidate.found.path}"))


def _twins(candidates: Sequence[Candidate]) -> list[str]:
    """Two hosts with one key: a cloned machine, or somebody in between."""
    owners: dict[str, list[str]] = defaultdict(list)
    for candidate in candidates:
        for key in candidate.found.keys if candidate.found else ():
            owners[str(key)].append(candidate.host.name)
    shared = {", ".join(names): key for key, names in owners.items() if len(names) > 1}
    return [
        f"{names} show one key ({key}): clones, one machine, or somebody in between" for names, key in shared.items()
    ]


def _document(candidate: Candidate) -> dict[str, Any]:
    found = candidate.found
    return {
        "name": candidate.host.name,
        "status": candidate.status,
        "error": str(candidate.error) if candidate.error else "",
        "address": found.address if found else "",
        "known_hosts_name": found.name if found else "",
        "file": str(found.path) if found else "",
        "keys": [{"type": key.type, "fingerprint": key.fingerprint} for key in found.keys] if found else [],
        "changed": [
            {"type": old.type, "recorded": old.fingerprint, "shown": new.fingerprint} for old, new in found.changed
        ]
        if found
        else [],
    }
