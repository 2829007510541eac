"""The poller's own trouble: found after a round, told once under the name `poller`, over when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from poller.clock import booted, now_ms
from poller.config.defaults import OWN_LIMITS
from poller.itself import Assessed, Round, look
from poller.model import ArchiveSettings, Config, Contact, Host, PollSettings
from poller.store import Journal
from poller.store.views import own_alerts

HOST = Host(name="web1", address="192.0.2.1", poll=PollSettings(interval=60))
SOME_MS = 3_600_000


class Own:
    """A journal and what the poller finds wrong with itself."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "poller.db"
        limits = tuple(replace(limit.threshold, notify=("ops",)) for limit in OWN_LIMITS)
        self.config = Config(
            path=self.path,
            journal=self.path,
            hosts=(HOST,),
            thresholds=limits,
            contacts=(Contact("ops", "ops@example.org"),),
        )
        self.journal = Journal.open(self.path, now_ms=now_ms())

    def look(self, *, seconds: float = 1.0, full: bool = True) -> Assessed:
        return look(self.journal, self.config, Round(full, now_ms(), seconds, ()))

    def news(self, *, seconds: float = 1.0, full: bool = True) -> list[tuple[str, str, str]]:
        """(kind, metric, severity) of what changed; all of it is owed to somebody."""
        found = self.look(seconds=seconds, full=full)
        assert found.owed == len(found.changes)
        return [
            (str(change.kind), change.alert.metric.removeprefix("poller."), str(change.alert.severity))
            for change in found.changes
        ]

    def sql(self, text: str, *values: object) -> None:
        self.journal._connection.execute(text, values)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Own]:
    made = Own(tmp_path)
    yield made
    made.journal.close()


def test_a_poller_that_is_well_says_nothing(own: Own) -> None:
    assert [own.news() for _ in range(3)] == [[], [], []]
    assert own_alerts(own.path) == ()


def test_two_rounds_longer_than_the_interval_are_told_with_their_time(own: Own) -> None:
    assert own.news(seconds=70) == []
    found = own.look(seconds=75)
    (alert,) = own_alerts(own.path)
    assert alert.reason == "a round over all hosts takes 75.0 s, the shortest interval= is 60 s"
    assert found.owed == 1
    assert own.news(full=False) == [], "a round over some hosts says nothing about that"
    assert own.news(seconds=5) == [("closed", "round_percent", "medium")]


def test_a_clock_that_was_set_is_told_once_whichever_way(own: Own) -> None:
    boot = booted()
    assert boot is not None
    for step in (SOME_MS, -SOME_MS):
        assert own.news() == []
        own.sql("UPDATE housekeeping SET done_ms = done_ms + ? WHERE task = ?", step, f"booted {boot[0]}")
        assert own.news() == [("opened", "clock_step_seconds", "medium")]
        assert "set by 1h" in own_alerts(own.path)[0].reason
        assert own.news() == [("closed", "clock_step_seconds", "medium")]


def test_after_a_reboot_a_clock_behind_the_last_round_is_told(own: Own) -> None:
    own.look()
    own.sql("DELETE FROM housekeeping WHERE task LIKE 'booted %'")
    own.sql("UPDATE housekeeping SET done_ms = done_ms + ? WHERE task = 'looked'", SOME_MS)
    assert own.news() == [("opened", "clock_step_seconds", "medium")]
    assert own.news() == [("closed", "clock_step_seconds", "medium")]


def test_a_reboot_is_no_step_and_leaves_one_note(own: Own) -> None:
    own.sql("INSERT INTO housekeeping VALUES ('booted another', 1)")
    assert own.news() == []
    notes = own.journal._connection.execute("SELECT task FROM housekeeping WHERE task LIKE 'booted %'").fetchall()
    assert len(notes) == 1 and notes != [("booted another",)]


def test_what_could_not_be_delivered_is_told_for_a_day(own: Own) -> None:
    own.news(seconds=70)
    assert own.news(seconds=70) == [("opened", "round_percent", "medium")]
    own.sql("UPDATE notification SET state = 'failed', done_ms = ?", now_ms())
    assert own.news(seconds=70) == [("opened", "undelivered", "low")]
    (alert,) = [alert for alert in own_alerts(own.path) if alert.metric == "poller.undelivered"]
    assert alert.reason.startswith("1 notification could not be delivered in the last day")
    own.sql("UPDATE notification SET done_ms = ? WHERE state = 'failed'", now_ms() - 86_400_001)
    assert own.news(seconds=70) == [("closed", "undelivered", "low")]


class TestWithAnArchive:
    @pytest.fixture
    def own(self, tmp_path: Path) -> Iterator[Own]:
        made = Own(tmp_path)
        made.config = replace(made.config, archive=ArchiveSettings("sqlite", path=tmp_path / "archive.db"))
        yield made
        made.journal.close()

    def away(self, own: Own, since_ms: int) -> None:
        own.sql("UPDATE archive_state SET enabled = 1, away_since_ms = ?, code = 'away'", since_ms)
        own.sql("UPDATE archive_state SET error = 'connection refused'")

    def test_an_archive_that_is_away_in_two_rounds_is_one_alert_until_it_is_back(self, own: Own) -> None:
        self.away(own, now_ms() - 720_000)
        assert own.news() == [], "a restart of the database is not worth a mail"
        assert own.news() == [("opened", "archive_away_seconds", "medium")]
        assert own.news() == []
        (alert,) = own_alerts(own.path)
        assert alert.reason == "archive away for 12m (connection refused): 0 polls wait in the journal"
        own.sql("UPDATE archive_state SET away_since_ms = NULL, code = '', error = ''")
        assert own.news() == [("closed", "archive_away_seconds", "medium")]

    def test_an_archive_that_leaves_the_configuration_takes_its_alerts_with_it(self, own: Own) -> None:
        self.away(own, now_ms() - 720_000)
        own.look()
        own.look()
        own.config = replace(own.config, archive=None)
        assert own.news() == [("closed", "archive_away_seconds", "medium")]

    def test_a_journal_that_fills_up_while_the_archive_is_away_is_told_and_at_the_bound_it_is_worse(
        self, own: Own
    ) -> None:
        def news(percent: int) -> list[tuple[str, str]]:
            done = Round(True, now_ms(), 1.0, ())
            changes = look(own.journal, own.config, done, own.config.journal_bound * percent // 100).changes
            return [(str(change.kind), change.reason) for change in changes if "journal" in change.alert.metric]

        assert news(200) == [], "an archive that answers frees it soon"
        self.away(own, now_ms())
        assert news(79) == []
        ((kind, why),) = news(81)
        assert kind == "opened"
        assert why.startswith("the journal takes 829.4 MiB of 1.0 GiB (bound=); beyond it the oldest samples")
        ((kind, _),) = news(101)
        assert kind == "rose"
        ((kind, why),) = news(90)
        assert kind == "fell"
        assert why.startswith("the journal takes 921.6 MiB of 1.0 GiB")
        own.sql("UPDATE archive_state SET away_since_ms = NULL")
        assert [kind for kind, _ in news(81)] == ["closed"]

    def test_what_the_archive_refused_for_good_is_told_until_it_is_dealt_with(self, own: Own) -> None:
        own.sql("INSERT INTO rejected VALUES (1, 'poll', 'p', 1, 1, 'out of range')")
        assert own.news() == [("opened", "rejected_polls", "medium")]
        assert own.news() == []
        own.sql("DELETE FROM rejected")
        assert own.news() == [("closed", "rejected_polls", "medium")]
