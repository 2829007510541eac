"""What config.xml says about time, over polls at given moments, with the journal closed between them as under cron."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from poller.config import load
from poller.intake import Intake
from poller.itself import Round
from poller.model import Config, Poll, PollOutcome
from poller.round import finish
from poller.store import Journal
from tests.store.machines import START_MS, failed, with_memory_in_use
from tests.store.machines import poll as poll_of

HOST = '<host name="web1" address="192.0.2.1" notify="ops">{limit}</host>'
MEMORY = '<threshold metric="memory.percent" above="80" clear="75" {hold} severity="low"/>'
DOWN = '<threshold metric="memory.percent" off="yes"/>'
DONE = Round(full=True, started_ms=START_MS, seconds=1.0, polls=())


def configuration(folder: Path, hosts: str, *, more: str = "", attributes: str = "") -> Config:
    file = folder / "config.xml"
    file.write_text(
        f'<poller {attributes}><journal path="poller.db"/><mail server="127.0.0.1" port="1" security="none" '
        f'from="poller@example.org"/><contact name="ops" mail="ops@example.org"/>'
        f'<contact name="net" mail="net@example.org" severities="medium high"/>{more}'
        f'<thresholds name="none"/>{hosts}</poller>'
    )
    file.chmod(0o600)
    return load(file, {"HOME": str(folder)})


def at(minute: float, what: float | str) -> Poll:
    """A poll at that minute: a share of memory in use, "failed", "skipped" or "refused" (skipped, as logins are)."""
    found = with_memory_in_use(poll_of("web1"), what) if isinstance(what, float) else failed("web1")
    if what == "skipped":
        found = replace(found, outcome=PollOutcome.SKIPPED, stage="connect", code="busy")
    if what == "refused":
        found = replace(found, outcome=PollOutcome.SKIPPED, stage="auth", code="backoff")
    return replace(found, id=f"poll-{minute}", at_ms=int(START_MS + minute * 60_000))


def live(config: Config, history: Sequence[tuple[float, float | str]]) -> list[tuple[float, str]]:
    """(minute, what changed) over these polls."""
    changes = []
    for minute, what in history:
        with Journal.open(config.journal, now_ms=START_MS) as journal:
            (taken,) = Intake(journal, config, "round", keep=True).take([at(minute, what)])
        changes += [(minute, f"{change.kind} {change.alert.metric}") for change in taken.changes]
    return changes


OPENED, CLOSED = "opened memory.percent", "closed memory.percent"


@pytest.mark.parametrize(
    ("hold", "history", "expected"),
    [
        ('for="3m"', [(0, 90.0), (1, 90.0), (2, 90.0), (3, 90.0), (4, 90.0), (5, 70.0)], [(3, OPENED), (5, CLOSED)]),
        ('for="3m"', [(0, 90.0), (1, 90.0), (2, 70.0), (3, 90.0), (5, 90.0), (6, 90.0)], [(6, OPENED)]),
        ('for="3m"', [(0, 90.0), (1, "skipped"), (2, 90.0), (3, 90.0)], [(3, OPENED)]),
        # Nothing was known for longer than two rounds take: what was counted before does not count on.
        (
            'for="3m"',
            [(0, 90.0), (1, "skipped"), (2, "failed"), *((minute, 90.0) for minute in range(3, 8))],
            [(6, OPENED)],
        ),
        ('polls="3"', [(0, 90.0), (1, "failed"), (2, 90.0), (3, "skipped"), (4, 90.0)], [(4, OPENED)]),
        ("", [(0, 85.0), (1, 78.0), (2, 85.0), (3, 75.5), (4, 75.0), (5, 78.0)], [(0, OPENED), (4, CLOSED)]),
        ("", [(0, 85.0), (1, "failed"), (2, "failed"), (3, 85.0), (4, 10.0)], [(0, OPENED), (4, CLOSED)]),
        ("", [(0, 80.0), (1, 80.1)], [(1, OPENED)]),
    ],
)
def test_a_limit_over_time(
    tmp_path: Path, hold: str, history: list[tuple[float, float | str]], expected: list[tuple[float, str]]
) -> None:
    config = configuration(tmp_path, HOST.format(limit=MEMORY.format(hold=hold)), attributes='thresholds="none"')
    assert live(config, history) == expected


@pytest.mark.parametrize(
    ("after", "history", "expected"),
    [
        ("3 polls", ["failed", "failed", "failed", "failed", 10.0], [(2, "opened"), (4, "closed")]),
        ("3 polls", ["failed", "skipped", "failed", "skipped", "failed", "skipped"], [(4, "opened")]),
        ("3 polls", ["failed", "failed", 10.0, "failed", "failed", "skipped"], []),
        ("1 polls", ["failed", "skipped", 10.0], [(0, "opened"), (2, "closed")]),
        ("4m", ["failed", "failed", "failed", "failed", "failed"], [(4, "opened")]),
        ("3 polls", ["failed", "failed", "refused", "refused", 10.0], [(2, "opened"), (4, "closed")]),
    ],
)
def test_a_host_is_down_after_so_many_failed_polls_and_skipped_ones_say_nothing(
    tmp_path: Path, after: str, history: list[float | str], expected: list[tuple[float, str]]
) -> None:
    config = configuration(tmp_path, HOST.format(limit=DOWN), more=f'<poll down-after="{after}"/>')
    assert live(config, list(enumerate(history))) == [(minute, f"{what} host.down") for minute, what in expected]


def owed(config: Config) -> list[tuple[str, str]]:
    with Journal.open(config.journal, now_ms=START_MS) as journal:
        return [(one.notification.recipient, str(one.notification.kind)) for one in journal.outbox().pending()]


def test_who_is_told_follows_severities_and_added_contacts(tmp_path: Path) -> None:
    both = MEMORY.format(hold="") + '<threshold metric="memory.percent" above="95" severity="high" notify="+net"/>'
    config = configuration(tmp_path, HOST.format(limit=both), attributes='thresholds="none"')
    live(config, [(0, 85.0)])
    assert owed(config) == [("ops", "opened")]
    live(config, [(1, 97.0), (2, 10.0)])
    told = owed(config)
    assert told[:3] == [("ops", "opened"), ("ops", "rose"), ("net", "rose")]
    assert sorted(told[3:]) == [("net", "closed"), ("ops", "closed")]


def test_a_host_that_leaves_the_configuration_closes_what_it_had_open(tmp_path: Path) -> None:
    config = configuration(tmp_path, HOST.format(limit=MEMORY.format(hold="")), attributes='thresholds="none"')
    live(config, [(0, 90.0), (1, "failed")])
    without = configuration(tmp_path, '<host name="other" address="192.0.2.2"/>')
    for closed in (["unconfigured"], []):
        with Journal.open(config.journal, now_ms=START_MS) as journal:
            aftermath = finish(journal, without, DONE, threading.Event())
        assert [str(change.kind) for change in aftermath.closed] == closed
    assert owed(config) == [("ops", "opened"), ("ops", "unconfigured")]


@pytest.mark.parametrize(
    ("retention", "left"),
    [
        ("", {"system_sample": 0, "poll": 0, "event": 1}),
        ('<retention samples="9000d"/>', {"system_sample": 1, "poll": 0, "event": 1}),
        ('<retention polls="9000d" events="1d"/>', {"system_sample": 0, "poll": 1, "event": 0}),
    ],
)
def test_a_round_forgets_what_retention_says(tmp_path: Path, retention: str, left: dict[str, int]) -> None:
    config = configuration(tmp_path, HOST.format(limit=""), more=retention)
    live(config, [(0, 10.0)])
    with Journal.open(config.journal, now_ms=START_MS) as journal:
        finish(journal, config, DONE, threading.Event())
        rows = journal._connection.execute
        assert {table: rows(f"SELECT count(*) FROM {table}").fetchone()[0] for table in left} == left
