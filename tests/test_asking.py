"""One poller at a time at each host, and the next one knows what the one before it has found."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from poller.asking import Asking
from poller.intake import Intake
from poller.model import Config, Host, Poll, Rule
from poller.rules.language import parse
from poller.store import Journal
from tests.end_to_end.sshd import Sshd


class Poller:
    """What one process has: its own connection to the journal, its locks, and what it read when it began."""

    def __init__(self, journal: Path, host: Host) -> None:
        self.journal = Journal.open(journal, now_ms=0)
        self.asking = Asking(self.journal, [host], keep=True, at_any_rate=False)
        self._intake = Intake(self.journal, Config(journal, journal, hosts=(host,)), "round", keep=True)

    def store(self, poll: Poll) -> None:
        self._intake.take([poll])
        self.asking.stored([poll])

    def close(self) -> None:
        self.asking.__exit__(None, None, None)
        self.journal.close()


@pytest.fixture
def host(sshd: Sshd) -> Host:
    """Its logins are refused."""
    sshd.authorized_keys.write_text("")
    return sshd.host("web1")


@pytest.fixture
def two(tmp_path: Path, host: Host) -> Iterator[tuple[Poller, Poller]]:
    """Two pollers that begin when the host has refused one login."""
    first = Poller(tmp_path / "poller.db", host)
    first.store(first.asking.ask(host))
    pair = Poller(tmp_path / "poller.db", host), Poller(tmp_path / "poller.db", host)
    yield pair
    for poller in (first, *pair):
        poller.close()


def what(poll: Poll) -> str:
    return f"{poll.outcome} {poll.stage}/{poll.code}"


def test_a_poller_that_began_before_knows_of_a_login_that_was_refused_since(
    host: Host, two: tuple[Poller, Poller]
) -> None:
    one, other = two
    polled = one.asking.ask(host)
    assert what(polled) == "failed auth/denied"
    one.store(polled)
    assert what(other.asking.ask(host)) == "skipped auth/backoff"


def test_the_next_one_waits_until_the_poll_before_it_is_stored(host: Host, two: tuple[Poller, Poller]) -> None:
    one, other = two
    polled = one.asking.ask(host)
    seen: list[Poll] = []
    thread = threading.Thread(target=lambda: seen.append(other.asking.ask(host)), daemon=True)
    thread.start()
    thread.join(1)
    assert thread.is_alive(), "it asked while nobody knew yet what came of the poll before"
    one.store(polled)
    thread.join(10)
    assert [what(poll) for poll in seen] == ["skipped auth/backoff"]


def test_a_poll_that_was_not_stored_keeps_others_away_until_its_poller_ends(
    host: Host, two: tuple[Poller, Poller]
) -> None:
    one, other = two
    one.asking.ask(host)
    one.asking.__exit__(None, None, None)
    assert what(other.asking.ask(host)) == "failed auth/denied"


def test_a_rule_that_looks_back_brings_its_evidence_too(tmp_path: Path, sshd: Sshd) -> None:
    text = "delta(uptime.seconds, 10m) >= 0"  # unknown without an earlier poll
    host = replace(sshd.host("web1"), rules=(Rule("looks-back", parse(text), text, evidence=True),))
    found = []
    for _ in range(2):
        poller = Poller(tmp_path / "poller.db", host)
        asked = poller.asking.ask(host)
        poller.store(asked)
        poller.close()
        found.append([part.part for part in asked.evidence])
    assert found == [[], ["processes", "sockets", "kernel"]]
