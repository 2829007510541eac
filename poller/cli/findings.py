"""What `poller doctor` finds: of the poller's own set-up, and of one poll, stage by stage and section by section."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from poller import __version__
from poller.cli import sight
from poller.cli.settings import counted
from poller.errors import STAGES, DeliveryError, PollerError, StoreError

if TYPE_CHECKING:
    from poller.model import ArchiveSettings, ChannelSettings, Config, MailServer, Poll, Reading, Section


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: how it stands with `subject`, and the way out."""

    mark: Literal["OK", "WARN", "FAIL"]
    subject: str
    text: str
    fix: str = ""


def own(config: Config) -> Iterator[Finding]:
    """The poller's own set-up: versions, configuration, journal, archive, mail."""
    yield Finding("OK", "version", f"poller {__version__}, Python {platform.python_version()}")
    yield Finding("OK", "systems", sight.SYSTEMS)
    yield Finding("OK", "config", f"{config.path}: {counted(len(config.hosts), 'host')}")
    yield _file("journal", config.journal)
    if config.archive is not None:
        yield _archive(config.archive)
    if config.mail is not None or not config.channels:
        yield _mail(config)
    yield from map(_channel, config.channels)


def _archive(archive: ArchiveSettings) -> Finding:
    """Does it answer, and is its schema ours? Nothing is written there."""
    if archive.path is not None:
        return _file("archive", archive.path)
    try:
        return Finding("OK", "archive", f"{archive}: {_server(archive)}")
    except PollerError as error:
        return Finding("FAIL", "archive", f"{error.code}: {error.sentence}", error.hint)


def _server(archive: ArchiveSettings) -> str:
    """Which server it is, and how the way to it is protected."""
    from poller.store.mysql import connect
    from poller.store.mysql.about import about
    from poller.store.mysql.migrate import check

    with connect(archive) as connection:
        check(connection)
        return f"version {about(connection)}, schema up to date"


def _file(subject: str, path: Path) -> Finding:
    """An SQLite file. Can it be read, is its schema ours, and may we write it?"""
    from poller.store.database import reading
    from poller.store.migrate import check, recorded
    from poller.store.sql import migrations

    try:
        with reading(path) as connection:
            check(recorded(connection, path), migrations(), path)
    except StoreError as error:
        if error.code == "absent":
            return _future(subject, path)
        return Finding("FAIL", subject, error.sentence, error.hint)
    if not os.access(path, os.W_OK):
        return Finding("FAIL", subject, f"{path} is not writable", "run the poller as its owner")
    if not os.access(path.parent, os.W_OK):
        return _closed_folder(subject, path)
    return Finding("OK", subject, str(path))


def _closed_folder(subject: str, path: Path) -> Finding:
    """Nothing can be made beside the database. That does no harm where all that SQLite and the locks need is there."""
    beside = [path.with_name(path.name + ending) for ending in ("-wal", "-shm", ".lock")]
    missing = [file for file in beside if not os.access(file, os.W_OK)]
    fix = f"let the poller write the folder {path.parent}"
    if missing:
        return Finding("FAIL", subject, f"{missing[0]} cannot be made: its folder is not writable", fix)
    return Finding("WARN", subject, f"{path.parent} is not writable: works while nobody removes {beside[0]}", fix)


def _future(subject: str, path: Path) -> Finding:
    """There is none yet: can it be made? The folder of an archive is never made: its disk may just not be mounted."""
    if subject == "archive" and not path.parent.is_dir():
        return Finding("FAIL", subject, f"{path.parent}: there is no such folder", "make it, or mount its disk")
    folder = next(parent for parent in path.parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        fix = f"run the poller as the owner of {folder}, or name another file in <{subject}>"
        return Finding("FAIL", subject, f"{path} cannot be made: {folder} is not writable", fix)
    return Finding("OK", subject, f"{path} will be made by the first round")


def _mail(config: Config) -> Finding:
    if config.mail is None:
        fix = "add <mail> and <contact>: docs/configuration.md"
        return Finding("WARN", "mail", "no <mail>: alerts are stored, nobody is told", fix)
    named = any(judged.notify for host in config.hosts for judged in host.judged)
    if not config.contacts and not named:
        return Finding("WARN", "mail", "no <contact>: alerts are stored, nobody is told", "add <contact>")
    return _mail_server(config.mail)


def _channel(settings: ChannelSettings) -> Finding:
    from poller.notify.check import check_channel

    subject = f"channel {settings.name}"
    try:
        check_channel(settings)
    except DeliveryError as error:
        return Finding("FAIL", subject, error.sentence, error.hint)
    return Finding(
        "OK", subject, f"{settings.kind}: `poller notify test --to NAME --channel {settings.name}` says more"
    )


def _mail_server(mail: MailServer) -> Finding:
    from poller.notify.check import check

    try:
        check(mail)
    except DeliveryError as error:
        return Finding("FAIL", "mail", error.sentence, error.hint)
    login = f", login as {mail.user}" if mail.user else ""
    return Finding("OK", "mail", f"{mail.server}:{mail.port} ({mail.security}{login}) takes mail")


def examine(poll: Poll) -> Iterator[Finding]:
    """Every stage that was passed, the one that failed, then every section of the report, and what it could not see."""
    if poll.outcome == "skipped":
        yield Finding("FAIL", "poll", f"skipped: {poll.error}", poll.hint)
        return
    end = STAGES.index(poll.stage) if poll.stage in STAGES else len(STAGES)
    for stage in STAGES[:end]:
        if stage == "python" and poll.report is not None:
            yield Finding("OK", stage, poll.report.python)
        elif stage in poll.stages:
            yield Finding("OK", stage, f"{_detail(poll, stage)}{poll.stages[stage]:.3f} s")
    if poll.stage:
        yield Finding("FAIL", poll.stage, f"{poll.code}: {poll.error}", hint(poll))
    if poll.report is None:
        return
    for section in poll.report.now.sections:
        yield _section(section)
    yield from _sight(poll.report.now)


def _sight(now: Reading) -> Iterator[Finding]:
    """Which system it is, and what of it the login may not see."""
    name, fix = sight.system(now)
    yield Finding("WARN" if fix else "OK", "system", name, fix)
    denials = list(sight.denials(now))
    for denial in denials:
        # The names of programs are nice to have: no warning to see for ever.
        mark: Literal["OK", "WARN"] = "OK" if denial.what == sight.NAMES else "WARN"
        yield Finding(mark, "rights", f"{denial.what} denied: {denial.reason}", denial.fix)
    if not denials:
        yield Finding("OK", "rights", "nothing was denied")
    for what, why, remedy in sight.trouble(now):
        yield Finding("WARN", "watched", f"{what}: {why}", remedy)


def hint(poll: Poll) -> str:
    """The way out with this host's name in it, ready to be pasted."""
    return ready(poll.hint, poll.host)


def ready(hint: str, host: str) -> str:
    """A hint of an outcome with that host's name in it."""
    return hint.replace(" HOST`", f" {host}`")


def _detail(poll: Poll, stage: str) -> str:
    details = {
        "connect": poll.address,
        "hostkey": poll.host_key,
        "probe": f"{poll.sent_bytes / 1000:.1f} KB up, {poll.received_bytes / 1000:.1f} KB down",
    }
    detail = details.get(stage, "")
    return f"{detail}, " if detail else ""


_SECTION_FIXES: Final = {
    "denied": "the login may not read this: see `rights` below",
    "failed": "report it with the output of `python3 -m remote_probe` on that host",
    "timeout": "the host was too slow for this section: look at its load, or raise deadline=",
}


def _section(section: Section) -> Finding:
    subject, status = f"section {section.name}", str(section.status)
    if status == "absent":
        return Finding("OK", subject, f"not on this host: {section.reason}")
    if status == "ok" and not section.reason:
        source = sight.traffic_source(section)
        return Finding("OK", subject, f"{counted(len(section.rows), 'row')}, {section.seconds:.3f} s{source}")
    fix = _SECTION_FIXES.get(status, "look at the host: the rest of this section was read")
    return Finding("WARN", subject, f"{status}: {section.reason}", fix)
