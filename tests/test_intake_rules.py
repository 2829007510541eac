"""Rules in a finished poll: what they look back at comes from the journal, and lines are stored with their class."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from poller.intake import Intake
from poller.model import Config, Host, LogFile, LogSource, LogText, Poll, Rule, Severity, Watch
from poller.rules.language import parse
from poller.store import Journal
from tests.store.machines import START_MS, failed
from tests.store.machines import poll as poll_of
from tests.store.watched import with_sections

GUESSING = r'count(log{name="auth", match="Failed password .* from (?P<source>\S+)"}, 10m) by source >= 3'


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "poller.db", now_ms=START_MS) as opened:
        yield opened


def rule(name: str, text: str) -> Rule:
    return Rule(name, parse(text), text, severity=Severity.HIGH)


def watching(journal: Journal, *rules: Rule) -> Intake:
    watch = Watch(logs=(LogFile("auth", "/var/log/auth.log"),))
    host = Host(name="web1", address="192.0.2.1", rules=rules, watch=watch)
    return Intake(journal, Config(path=journal.path, journal=journal.path, hosts=(host,)), "round", keep=True)


def news(work: Intake, poll: Poll) -> list[tuple[str, str, str]]:
    """(kind, rule, label values) of what a poll changed."""
    (taken,) = work.take([poll])
    return [
        (str(change.kind), change.alert.metric, ",".join(text for _, text in change.alert.labels))
        for change in taken.changes
    ]


def logged(minute: int, *texts: str) -> Poll:
    """A poll that read these new lines of the log."""
    began, cursor = str(minute - 1) if minute > 1 else "", str(minute)
    source = LogSource("auth", "/var/log/auth.log", "ok", "", began, cursor, 0, 0, "0")
    lines = (
        LogText(number, "auth", "/var/log/auth.log", f"Oct  9 08:53:20 web1 sshd[{number}]: {text}")
        for number, text in enumerate(texts)
    )
    return with_sections(poll_of("web1", minute), {"logs": (source, *lines)})


def guess(address: str) -> str:
    return f"Failed password for root from {address} port 22"


def test_lines_of_the_last_polls_are_counted_by_what_the_pattern_names(journal: Journal) -> None:
    work = watching(journal, rule("guessing", GUESSING))
    assert news(work, logged(1, guess("192.0.2.7"), guess("192.0.2.7"), guess("192.0.2.8"))) == []
    assert news(work, logged(2, guess("192.0.2.7"), "Accepted publickey for ops")) == [
        ("opened", "guessing", "192.0.2.7")
    ]
    assert news(work, failed("web1", 3)) == [], "away is neither better nor worse"
    assert news(work, logged(13)) == [("closed", "guessing", "192.0.2.7")]


def test_lines_are_stored_with_the_severity_of_the_rule_that_looks_for_them(journal: Journal) -> None:
    work = watching(journal, rule("guessing", GUESSING))
    news(work, logged(1, guess("192.0.2.7"), "Accepted publickey for ops"))
    rows = journal._connection.execute("SELECT severity FROM log_line ORDER BY message").fetchall()
    assert [severity for (severity,) in rows] == ["low", "high"]


def test_numbers_of_the_past_are_looked_at(journal: Journal) -> None:
    used = 'max(disk.used_bytes{mountpoint="/"}, 10m) > 1GiB and delta(uptime.seconds, 10m) >= 120'
    work = watching(journal, rule("lasting", used))
    assert [news(work, poll_of("web1", minute)) for minute in (1, 2)] == [[], []]
    assert news(work, poll_of("web1", 3)) == [("opened", "lasting", "/")]


def test_a_reboot_is_seen_by_the_poll_that_brings_it_and_counted_once(journal: Journal) -> None:
    work = watching(
        journal,
        rule("rebooted", 'event{kind="rebooted"}'),
        rule("unstable", 'count(event{kind="rebooted"}, 1h) >= 2'),
    )
    boots = ["0b6a4f9e-1111-4222-8333-444455556666", "1b6a4f9e-1111-4222-8333-444455556666"]
    assert news(work, poll_of("web1", 1, boot_id=boots[0])) == []
    assert news(work, poll_of("web1", 2, boot_id=boots[1])) == [("opened", "rebooted", "")]
    assert news(work, poll_of("web1", 3, boot_id=boots[1])) == [("closed", "rebooted", "")]
    assert sorted(news(work, poll_of("web1", 4, boot_id=boots[0]))) == [
        ("opened", "rebooted", ""),
        ("opened", "unstable", ""),
    ]
