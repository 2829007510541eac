"""What rules may look back at: before a poll is judged, and again at any time later."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from poller.metrics import CATALOGUE
from poller.model import Event, Findings, History, LogLine, MetricValue, Needs, Poll, SectionStatus, Severity
from poller.store import Journal, past
from poller.store.series import POINTS, _everything, _samples
from poller.store.sql import statements
from tests.store.machines import MOUNTS, START_MS, failed, poll, values, with_section

MINUTE = 60_000
ALL = Needs(dict.fromkeys(CATALOGUE, 3600.0), {"*": 3600.0}, {"usb_attached": 3600.0})


def at(minute: float) -> int:
    return START_MS + round(minute * MINUTE)


def line(minute: float, text: str = "Failed password", log: str = "auth") -> LogLine:
    return LogLine(log, "/var/log/auth.log", at(minute), "sshd", 7, 6, Severity.LOW, 1, False, text)


def take(journal: Journal, one: Poll, found: Sequence[MetricValue] = (), **findings: object) -> None:
    with journal.transaction() as work:
        work.store_poll(one, found, findings=Findings(**findings))  # type: ignore[arg-type]


def looked_back(journal: Journal, needs: Needs, minute: float, host: str = "web1") -> History:
    with journal.transaction() as work:
        return work.history(host, needs, at(minute))


def test_a_series_goes_back_as_far_as_it_is_needed_and_stops_before_now(journal: Journal) -> None:
    for minute in range(1, 6):
        take(journal, poll("web1", minute), [MetricValue("cpu.percent", minute), MetricValue("load.1m", 9.0)])
    take(journal, poll("web2", 3), [MetricValue("cpu.percent", 77.0)])
    found = looked_back(journal, Needs({"cpu.percent": 120.0, "load.1m": 60.0}), 5)
    assert found.series == {
        ("cpu.percent", ()): [(at(3), 3.0), (at(4), 4.0)],
        ("load.1m", ()): [(at(4), 9.0)],
    }
    assert found.polls_ms == (at(3), at(4))
    assert (found.lines, found.events) == ((), ())


def test_each_label_has_a_series_of_its_own(journal: Journal) -> None:
    for minute in (1, 2):
        take(journal, poll("web1", minute), values(minute))
    found = looked_back(journal, Needs({"disk.percent": 600.0, "hardware.celsius": 600.0}), 3).series
    assert {labels for metric, labels in found if metric == "disk.percent"} == {
        (("mountpoint", mount),) for mount in MOUNTS
    }
    assert [at_ms for at_ms, _ in found["hardware.celsius", (("sensor", "one"),)]] == [at(1), at(2)]


def test_every_metric_that_was_stored_comes_back_with_its_labels(journal: Journal) -> None:
    given = values(1)
    take(journal, poll("web1", 1), given)
    found = looked_back(journal, ALL, 2).series
    brought = {(value.metric, value.labels): [(at(1), value.value)] for value in given}
    of_poll = {("poll.seconds", ()): [(at(1), 0.212345)], ("host.down", ()): [(at(1), 0.0)]}
    assert found == brought | of_poll | {("host.security", ()): [(at(1), 0.0)]}


def test_what_a_poll_could_not_know_leaves_a_gap_in_the_series_but_not_in_the_polls(journal: Journal) -> None:
    take(journal, poll("web1", 1), [MetricValue("cpu.percent", 1.0)])
    take(journal, poll("web1", 2))
    take(journal, failed("web1", 3))
    take(journal, poll("web1", 4), [MetricValue("cpu.percent", 4.0)])
    found = looked_back(journal, Needs({"cpu.percent": 600.0, "host.down": 600.0}), 5)
    assert found.series["cpu.percent", ()] == [(at(1), 1.0), (at(4), 4.0)]
    assert found.series["host.down", ()] == [(at(1), 0.0), (at(2), 0.0), (at(3), 1.0), (at(4), 0.0)]
    assert found.polls_ms == (at(1), at(2), at(4))


def test_lines_of_each_log_go_back_as_far_as_is_needed(journal: Journal) -> None:
    for minute in (1, 2, 3):
        take(journal, poll("web1", minute), lines=(line(minute, f"a{minute}"), line(minute, f"k{minute}", "kernel")))
    only = looked_back(journal, Needs(logs={"auth": 60.0, "kernel": 120.0}), 4).lines
    assert [(seen.seen_ms, seen.line.text) for seen in only] == [(at(2), "k2"), (at(3), "a3"), (at(3), "k3")]
    every = looked_back(journal, Needs(logs={"*": 60.0, "auth": 600.0}), 4).lines
    assert [seen.line.text for seen in every] == ["a1", "a2", "a3", "k3"]
    assert every[-2].line == line(3, "a3")
    assert looked_back(journal, Needs(logs={"none": 600.0}), 4).lines == ()


def test_only_the_events_asked_for_come_each_as_far_back_as_it_is_needed(journal: Journal) -> None:
    events = [Event("usb_attached", at(1), Severity.HIGH, "stick"), Event("mounted", at(2), Severity.LOW, "/mnt")]
    take(journal, poll("web1", 2), events=tuple(events))
    assert looked_back(journal, Needs(events={"usb_attached": 600.0}), 3).events == (events[0],)
    both = Needs(events={"usb_attached": 60.0, "mounted": 600.0})
    assert looked_back(journal, both, 3).events == (events[1],)


def test_nothing_is_read_when_nothing_is_needed_or_known(journal: Journal) -> None:
    take(journal, poll("web1", 1), values(1))
    assert looked_back(journal, Needs(), 2) == History()
    assert looked_back(journal, ALL, 2, "never met") == History()


def test_of_very_many_points_and_lines_the_newest_are_taken(journal: Journal) -> None:
    take(journal, poll("web1", 1), [MetricValue("cpu.percent", 1.0)])
    connection = journal._connection
    with journal.transaction():
        connection.execute(
            "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 20100)"
            " INSERT INTO system_sample (host_id, at_ms, cpu_percent) SELECT 1, ? + i, i FROM n",
            (at(1),),
        )
    take(journal, poll("web1", 2), lines=tuple(line(2, str(number)) for number in range(20_050)))
    found = looked_back(journal, Needs({"cpu.percent": 7200.0}, {"auth": 7200.0}), 3)
    points = found.series["cpu.percent", ()]
    assert (len(points), points[-1]) == (POINTS, (at(1) + 20100, 20100.0))
    assert (len(found.lines), found.lines[-1].line.text) == (20_000, "20049")


def test_looking_back_goes_by_indexes(journal: Journal) -> None:
    texts = {
        name: statements()[name]
        for name in ("polls_between", "answered_between", "poll_at", "lines_between", "events_between")
    }
    texts["samples"] = _samples("filesystem_sample", ("percent",))
    texts |= {table: _everything(table) for table in ("system_sample", "filesystem_sample", "series_sample")}
    for name, text in texts.items():
        given = dict.fromkeys(re.findall(r":(\w+)", text), 0) or (1, 2, 3, 4)[: 4 if name == "samples" else 2]
        plan = [row[3] for row in journal._connection.execute(f"EXPLAIN QUERY PLAN {text}", given)]
        assert not [step for step in plan if step.startswith("SCAN") and "json_each" not in step], (name, plan)


# Again, later


def story(journal: Journal, path: Path) -> None:
    take(journal, poll("web1", 1), values(1), lines=(line(1, "first"),))
    attached = Event("usb_attached", at(1.5), Severity.HIGH, "stick")
    take(journal, poll("web1", 2), values(2), lines=(line(2, "second"),), events=(attached,))
    take(journal, failed("web1", 3), [MetricValue("host.down", 1.0)])


def test_the_world_of_a_poll_is_what_it_brought_and_what_was_before(journal: Journal, path: Path) -> None:
    story(journal, path)
    seen = past.world(path, "web1", at(2.5), ALL)
    assert seen.now_ms == at(2)
    assert set(values(2)) <= set(seen.values)
    assert {MetricValue("host.down", 0.0), MetricValue("poll.seconds", 0.212345)} <= set(seen.values)
    assert [one.text for one in seen.lines] == ["second"]
    assert [one.kind for one in seen.events] == ["usb_attached"]
    assert [one.line.text for one in seen.history.lines] == ["first"]
    assert seen.history.events == ()
    assert seen.history.polls_ms == (at(1),)
    with journal.transaction() as work:
        then = work.history("web1", ALL, at(2))
    assert seen.history == replace(then, events=())


def test_the_world_knows_what_the_poll_could_see(journal: Journal, path: Path) -> None:
    blind = with_section(poll("web1", 1), "filesystem", SectionStatus.FAILED, "it hung")
    take(journal, blind, [MetricValue("cpu.percent", 1.0)])
    sight = past.world(path, "web1", at(1), ALL).sight
    assert "cpu" in sight.sections
    assert "filesystem" not in sight.sections
    assert ("device", "sda") in sight.labels
    assert ("mountpoint", "/") not in sight.labels


def test_the_world_of_a_poll_that_failed_is_that_it_failed(journal: Journal, path: Path) -> None:
    story(journal, path)
    seen = past.world(path, "web1", at(9), ALL)
    assert seen.now_ms == at(3)
    assert {value.metric: value.value for value in seen.values} == {"host.down": 1.0, "poll.seconds": 0.01}
    assert (seen.sight.sections, seen.lines, seen.events) == (frozenset(), (), ())
    assert seen.history.polls_ms == (at(1), at(2))


def test_before_the_first_poll_and_of_unknown_hosts_there_is_nothing(journal: Journal, path: Path) -> None:
    story(journal, path)
    for host, minute in (("web1", 0.5), ("nobody", 5)):
        seen = past.world(path, host, at(minute), ALL)
        assert (seen.now_ms, seen.values, seen.history) == (at(minute), (), History())


def test_polls_of_a_time_are_listed_with_both_of_its_ends(journal: Journal, path: Path) -> None:
    story(journal, path)
    assert past.instants(path, "web1", at(1), at(3)) == [at(1), at(2), at(3)]
    assert past.instants(path, "web1", at(1) + 1, at(3) - 1) == [at(2)]
    assert past.instants(path, "nobody", 0, at(9)) == []


def test_looking_changes_nothing(journal: Journal, path: Path) -> None:
    story(journal, path)
    before = dump(path)
    past.world(path, "web1", at(2), ALL)
    assert dump(path) == before


def dump(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump())
