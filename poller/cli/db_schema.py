"""`poller db init` and `poller db upgrade`: accounts and tables of the archive, and the schema of the journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from poller.cli.settings import Settings, inert, print_json
from poller.errors import UsageError

if TYPE_CHECKING:
    from poller.model import ArchiveSettings


@click.command("init", short_help="Make the database of the archive, or print the SQL that makes it.")
@click.option("--print", "printing", is_flag=True, help="Print SQL for the database's administrator; connect nowhere.")
@click.option("--from", "clients", default="%", metavar="ADDRESS", help="Where the accounts may connect from.")
@click.pass_obj
def init(settings: Settings, printing: bool, clients: str) -> None:
    """Make the database that <archive url=mysql://...> names, with its tables.

    That needs an account which may make databases. With --print nothing is done: the SQL goes to standard output, with
    three accounts and their rights (migrator, writer, reader), for whoever administers the server. Put a password in
    each <...-password>, run it there, then `poller db upgrade --print` gives the tables.

    \b
    Examples:
      poller db init --print > accounts.sql
      poller db init --print --from 192.0.2.5
      poller db init
    """
    from poller.store.mysql.script import init_script

    archive = _server(settings)
    if printing:
        click.echo(init_script(archive, clients), nl=False)
        return
    made = _make(archive)
    _say(f"{archive}: schema {made} is ready")


def _make(archive: ArchiveSettings) -> int:
    """Makes database and tables with the rights of the configured user; returns the version of the schema."""
    from poller.clock import now_ms
    from poller.errors import StoreError
    from poller.store.mysql import connect
    from poller.store.mysql.migrate import create_database, patient, upgrade

    try:
        with connect(patient(archive), database=False) as connection:
            create_database(connection)
        with connect(patient(archive)) as connection:
            return upgrade(connection, now_ms())[1]
    except StoreError as error:
        raise _not_allowed(error, "poller db init --print") from error


def _not_allowed(error: Exception, instead: str) -> Exception:
    """The same error, with the command that prints what somebody with more rights can run, where rights are missing."""
    from poller.errors import StoreError
    from poller.store.mysql.faults import login_refused

    if not isinstance(error, StoreError) or error.code != "denied" or login_refused(error):
        return error
    return StoreError(error.sentence, f"`{instead}` prints it for somebody who may", code="denied")


@click.command("upgrade", short_help="Bring the schema of journal and archive up to date.")
@click.option("--print", "printing", is_flag=True, help="Print the SQL that the archive needs instead of running it.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def upgrade(settings: Settings, printing: bool, as_json: bool) -> None:
    """Make the journal, or bring its schema up to date (a copy is kept beside it); then the same for the archive.

    `poller run` does the same for the journal by itself. An archive in MySQL waits for this command, because changing
    large tables takes time and rights; polls are kept in the journal meanwhile. With --print the steps that are due are
    printed, to be run by `mariadb` or `mysql`, and nothing is changed. Running it again does no harm.

    \b
    Examples:
      poller db upgrade
      poller db upgrade --print | mariadb --user=poller_migrator --password
    """
    if printing:
        if as_json:
            raise UsageError("--print and --json exclude each other", "give one of them: what is printed is SQL")
        click.echo(_script(_server(settings)), nl=False)
        return
    done = [_journal(settings.config.journal)]
    if settings.config.archive is not None:
        done.append(_archive(settings.config.archive))
    if as_json:
        print_json(done[0] | ({"archive": done[1]} if len(done) > 1 else {}))
        return
    for one in done:
        _say_upgraded(one)


def _script(archive: ArchiveSettings) -> str:
    """What is due; all of it where there is no database yet or the poller's account cannot look into it."""
    from poller.errors import StoreError
    from poller.store.mysql.script import script, whole_script

    try:
        return script(archive)
    except StoreError as error:
        if error.code not in ("absent", "denied"):
            raise
        return whole_script(archive)


def _journal(path: Path) -> dict[str, Any]:
    from poller.clock import now_ms
    from poller.store import Journal
    from poller.store.info import info
    from poller.store.sql import migrations

    before = info(path).schema if path.exists() and path.stat().st_size else 0
    Journal.open(path, now_ms=now_ms()).close()
    return {"path": str(path), "before": before, "after": len(migrations())}


def _archive(archive: ArchiveSettings) -> dict[str, Any]:
    from poller.clock import now_ms
    from poller.errors import StoreError
    from poller.store.mysql import connect
    from poller.store.mysql.migrate import patient
    from poller.store.mysql.migrate import upgrade as upgrade_there

    if archive.path is not None:
        return _journal(archive.path)
    try:
        with connect(patient(archive)) as connection:
            before, after = upgrade_there(connection, now_ms())
    except StoreError as error:
        raise _not_allowed(error, "poller db upgrade --print") from error
    return {"path": str(archive), "before": before, "after": after}


def _say_upgraded(one: dict[str, Any]) -> None:
    path, before, after = one["path"], one["before"], one["after"]
    if before == after:
        _say(f"{path}: schema {after} is up to date")
        return
    kept = f", copy in {Path(path).name}.schema-{before}" if before and not path.startswith("mysql:") else ""
    _say(f"{path}: schema {before} -> {after}{kept}")


def _server(settings: Settings) -> ArchiveSettings:
    archive = settings.config.archive
    if archive is None or archive.kind != "mysql":
        raise UsageError(
            "no archive in MySQL is configured", 'add <archive url="mysql://USER@HOST/DATABASE"/> to config.xml'
        )
    return archive


def _say(text: str) -> None:
    click.echo(inert(text))
