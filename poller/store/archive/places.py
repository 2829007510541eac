"""Where history may live, opened: an archive that can be written, or a database that is only read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from poller.errors import StoreError
from poller.model import ArchiveSettings
from poller.model.contracts import Archive
from poller.store.archive.sqlite import SqliteArchive


def open_archive(settings: ArchiveSettings, now_ms: int) -> Archive:
    """Connected, and with the schema of this program. A file is made and upgraded by itself, a server never.

    StoreError with a code of `Archive`.
    """
    if settings.kind == "sqlite":
        return SqliteArchive.open(_path(settings), now_ms)
    # Here, because who keeps history in a file need not wait for the connector.
    from poller.store.archive.mysql import MysqlArchive

    return MysqlArchive.open(settings)


@contextmanager
def reading_archive(settings: ArchiveSettings) -> Iterator[Archive]:
    """For reading only; an SQLite file is not made and not upgraded."""
    if settings.kind == "sqlite":
        with SqliteArchive.reading(_path(settings)) as archive:
            yield archive
        return
    with closing(open_archive(settings, 0)) as archive:
        yield archive


def _path(settings: ArchiveSettings) -> Path:
    if settings.path is None:
        raise StoreError("this archive has no path", "write sqlite:FILE", code="absent")
    return settings.path
