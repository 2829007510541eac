"""What FROM and TO of `poller db copy` and `db verify` name: a database of history, opened to read or to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from poller.cli.settings import Settings
from poller.errors import UsageError

if TYPE_CHECKING:
    from poller.model import ArchiveSettings, Secret
    from poller.model.contracts import Archive

Function = TypeVar("Function", bound=Callable[..., Any])


def password_options(function: Function) -> Function:
    """--password-file and --password-env."""
    file = click.option("--password-file", type=click.Path(path_type=Path), help="File with the server's password.")
    variable = click.option("--password-env", metavar="NAME", help="Environment variable with the server's password.")
    decorated: Function = file(variable(function))
    return decorated


@dataclass(frozen=True, slots=True)
class Places:
    """Opens what the words of the command line name."""

    settings: Settings
    password_file: Path | None
    password_env: str | None

    @contextmanager
    def reading(self, word: str) -> Iterator[Archive]:
        """For reading. StoreError when it is not there."""
        from poller.store.archive.places import reading_archive

        with reading_archive(self._named(word)) as archive:
            yield archive

    @contextmanager
    def writing(self, word: str) -> Iterator[Archive]:
        """For writing; a file is made when it is missing, tables on a server are not."""
        from poller.clock import now_ms
        from poller.store.archive.places import open_archive

        with closing(open_archive(self._named(word), now_ms())) as archive:
            yield archive

    def differ(self, one: str, other: str) -> None:
        """UsageError when both are the same database."""
        here, there = self._named(one), self._named(other)
        same_file = here.path is not None and there.path is not None and here.path.resolve() == there.path.resolve()
        if same_file or str(here) == str(there):
            raise UsageError(f"{one} and {other} are the same database", "name two different ones")

    def _named(self, word: str) -> ArchiveSettings:
        from poller.model import ArchiveSettings

        if word == "journal":
            return ArchiveSettings("sqlite", path=self.settings.config.journal)
        if word == "archive":
            return self._configured()
        if "://" in word or word.startswith("sqlite:"):
            return self._parsed(word)
        return ArchiveSettings("sqlite", path=Path(word).absolute())

    def _configured(self) -> ArchiveSettings:
        archive = self.settings.config.archive
        if archive is None:
            raise UsageError("config.xml has no <archive>", "name the database itself: mysql://... or sqlite:FILE")
        secret = self._secret()
        return archive if secret is None else replace(archive, password=secret)

    def _parsed(self, word: str) -> ArchiveSettings:
        import os

        from poller.config.archive_url import parse
        from poller.config.mistakes import WrongError
        from poller.config.place import Place, home

        try:
            archive = parse(word, Place(Path.cwd(), home(os.environ), os.environ))
        except WrongError as wrong:
            raise UsageError(f"this url {wrong.predicate}", wrong.hint) from None
        return (
            archive if archive.kind == "sqlite" else replace(archive, password=self._secret() or self._known(archive))
        )

    def _secret(self) -> Secret | None:
        from poller.model import Secret

        if self.password_file is not None:
            return Secret("file", str(self.password_file.absolute()))
        return Secret("env", self.password_env) if self.password_env else None

    def _known(self, archive: ArchiveSettings) -> Secret | None:
        """The password of config.xml, when there is one and it is for the same account."""
        from poller.errors import ConfigError

        try:
            configured = self.settings.config.archive
        except ConfigError:
            return None  # copying between two databases needs no configuration
        return configured.password if configured is not None and str(configured) == str(archive) else None
