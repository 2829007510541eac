"""A finished poll becomes rows: wholly, once, and with everything that the next one needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from poller.errors import StoreError
from poller.model import (
    Event,
    FileSystem,
    MetricValue,
    Poll,
    PollOutcome,
    Reading,
    Row,
    Section,
    SectionStatus,
    Severity,
)
from poller.store import Journal
from tests.store.conftest import Ask
from tests.store.machines import CORES, START_MS, failed, poll, reading, values, with_section


def store(journal: Journal, *polls: Poll) -> None:
    with journal.transaction() as work:
        for one in polls:
            work.store_poll(one, values(1), None)


def test_every_value_is_found_in_the_column_that_the_catalogue_names(journal: Journal, ask: Ask) -> None:
    store(journal, poll("web1"))
    stored = {(metric, label): value for metric, label, value in ask("SELECT metric, label, value FROM metric_latest")}
    for value in values(1):
        label = value.labels[0][1] if value.labels else ""
        assert stored.pop((value.metric, label)) == pytest.approx(value.value), value
    assert stored == {("poll.seconds", ""): 0.212345, ("host.down", ""): 0}


def test_a_poll_keeps_its_stages_bytes_and_clocks(journal: Journal, ask: Ask) -> None:
    store(journal, poll("web1"))
    assert ask(
        "SELECT outcome, seconds, dns_seconds, report_seconds, collect_seconds, sent_bytes, received_bytes,"
        " host_clock_ms FROM poll"
    ) == [("ok", 0.212345, 0.0001, 0.0007, 0.0812, 21_000, 4_000, START_MS + 60_250)]


def test_a_stage_that_was_not_reached_is_null(journal: Journal, ask: Ask) -> None:
    store(journal, failed("web1"))
    assert ask("SELECT connect_seconds, auth_seconds, host_clock_ms FROM poll") == [(0.009, None, None)]


def test_the_same_poll_handed_in_twice_is_stored_once(journal: Journal, ask: Ask) -> None:
    with journal.transaction() as work:
        assert work.store_poll(poll("web1"), values(1))
        assert not work.store_poll(poll("web1"), values(2))
    with journal.transaction() as work:
        assert not work.store_poll(poll("web1"), values(3))
    assert ask("SELECT COUNT(*) FROM poll") == [(1,)]
    assert ask("SELECT COUNT(*) FROM core_sample") == [(len(CORES),)]


def test_a_poll_that_cannot_be_stored_does_not_spoil_its_batch(journal: Journal, ask: Ask) -> None:
    bad = replace(poll("web2"), sent_bytes=1 << 70)
    with journal.transaction() as work:
        with work.savepoint():
            work.store_poll(poll("web1"), values(1))
        with pytest.raises(StoreError, match="too large"), work.savepoint():
            work.store_events("web2", [Event("odd", START_MS, Severity.LOW, "goes with the poll")])
            work.store_poll(bad, values(1))
        with work.savepoint():
            work.store_poll(poll("web3"), values(1))
    assert ask("SELECT name FROM host JOIN poll ON host_id = host.id ORDER BY name") == [("web1",), ("web3",)]
    assert ask("SELECT name FROM host WHERE name = 'web2'") == []
    assert ask("SELECT COUNT(*) FROM core_sample") == [(2 * len(CORES),)]


def test_nothing_of_a_batch_is_stored_when_it_raises_or_is_not_to_be_kept(journal: Journal, ask: Ask) -> None:
    with pytest.raises(ZeroDivisionError), journal.transaction() as work:
        work.store_poll(poll("web1"), values(1))
        raise ZeroDivisionError
    with journal.transaction(keep=False) as work:
        work.store_poll(poll("web1"), values(1))
    assert ask("SELECT COUNT(*) FROM host") == [(0,)]
    store(journal, poll("web1"))
    assert ask("SELECT COUNT(*) FROM poll") == [(1,)]


def test_a_dry_run_without_a_database_works_in_memory_and_leaves_no_file() -> None:
    with Journal.open(Path(":memory:"), now_ms=START_MS) as journal:
        with journal.transaction(keep=False) as work:
            work.store_poll(poll("web1"), values(1), "a-round-that-was-not-kept")
            assert work.before("web1").reading == reading(1)
        assert journal.before(["web1"])["web1"].reading is None
    assert not Path(":memory:").exists()


def test_sections_that_could_not_be_read_are_kept_with_the_reason(journal: Journal, ask: Ask) -> None:
    store(journal, with_section(poll("web1"), "pressure", SectionStatus.ABSENT, "no /proc/pressure"))
    assert ask("SELECT host, section, status, reason FROM sections") == [
        ("web1", "pressure", "absent", "no /proc/pressure")
    ]


def test_failures_are_counted_until_a_report_comes_and_a_skipped_poll_counts_nothing(journal: Journal) -> None:
    store(journal, failed("web1", 1), failed("web1", 2), replace(failed("web1", 3), outcome=PollOutcome.SKIPPED))
    assert journal.before(["web1"])["web1"].failures == 2
    store(journal, poll("web1", 4))
    assert journal.before(["web1"])["web1"].failures == 0


def test_a_failed_poll_keeps_what_the_newest_report_said(journal: Journal, ask: Ask) -> None:
    store(journal, poll("web1", 1), failed("web1", 2))
    before = journal.before(["web1"])["web1"]
    assert before.reading == reading(1)
    assert before.address == "192.0.2.10"
    assert ask("SELECT outcome, code, report_ms, cpu_percent IS NOT NULL FROM host_latest") == [
        ("failed", "refused", START_MS + 60_000, 1)
    ]


def test_a_new_boot_id_is_a_reboot(journal: Journal, ask: Ask) -> None:
    store(journal, poll("web1", 1), poll("web1", 2), poll("web1", 3, boot_id="another"))
    assert ask("SELECT kind, severity, at_ms FROM event WHERE kind <> 'first_seen'") == [
        ("rebooted", "medium", START_MS + 180_000)
    ]
    assert ask("SELECT boot_id, booted_ms FROM host") == [("another", START_MS)]


def test_a_host_met_for_the_first_time_is_an_event_once(journal: Journal, ask: Ask) -> None:
    store(journal, failed("web1", 1), poll("web1", 2))
    assert ask("SELECT host, kind FROM events") == [("web1", "first_seen")]


def test_a_refused_answer_is_a_security_event_and_leaves_no_samples(journal: Journal, ask: Ask) -> None:
    store(journal, failed("web1", stage="envelope", code="tag", security=True))
    assert ask("SELECT severity, details LIKE 'envelope/tag: %' FROM event WHERE kind = 'security'") == [("high", 1)]
    for minute in (2, 3):
        store(journal, failed("web1", minute, stage="envelope", code="tag", security=True))
    count = "SELECT count(*) FROM event WHERE kind = 'security'"
    assert ask(count) == [(1,)], "one event while it lasts, not one a minute"
    store(journal, failed("web1", 4, stage="hostkey", code="changed", security=True))
    assert ask(count) == [(2,)]
    assert ask("SELECT COUNT(*) FROM system_sample") == [(0,)]


def without_home_and_moved(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    mounts = [row for row in rows if isinstance(row, FileSystem) and row.mountpoint != "/home"]
    return tuple(replace(row, device="/dev/md0") for row in mounts)


def test_things_are_first_and_last_seen_and_change_in_place(journal: Journal, ask: Ask) -> None:
    later = poll("web1", 2)
    assert later.report is not None
    sections = tuple(replace(one, rows=without_home_and_moved(one.rows)) for one in later.report.now.sections)
    report = replace(later.report, readings=(replace(later.report.now, sections=sections),))
    store(journal, poll("web1", 1), replace(later, report=report))
    first, second = START_MS + 60_000, START_MS + 120_000
    assert ask("SELECT mountpoint, device, first_seen_ms, last_seen_ms FROM filesystem ORDER BY mountpoint") == [
        ("/", "/dev/md0", first, second),
        ("/home", "/dev/sda2", first, first),
        ("/var", "/dev/md0", first, second),
    ]


def test_mounts_that_hang_are_remembered_until_a_report_says_otherwise(journal: Journal) -> None:
    def hung(minute: int, state: str) -> Poll:
        one = poll("web1", minute)
        assert one.report is not None
        mount = FileSystem("/mnt/nfs", "server:/x", "nfs4", state, 0, 0, 0, 0, 0, 0)
        now = Reading(1.0, 2.0, "boot", (Section("filesystem", SectionStatus.OK, "", 0.1, (mount,)),))
        return replace(one, report=replace(one.report, readings=(now,)))

    store(journal, hung(1, "stuck"))
    assert journal.before(["web1"])["web1"].stuck == ("/mnt/nfs",)
    store(journal, with_section(poll("web1", 2), "filesystem", SectionStatus.FAILED, "no"), failed("web1", 3))
    assert journal.before(["web1"])["web1"].stuck == ("/mnt/nfs",)
    store(journal, hung(4, "ok"))
    assert journal.before(["web1"])["web1"].stuck == ()


def test_a_refusal_of_sudo_is_remembered_for_an_hour(journal: Journal) -> None:
    store(journal, replace(poll("web1", 1), sudo_denied=True), poll("web1", 2))
    assert journal.before(["web1"])["web1"].sudo_denied_until_ms == START_MS + 60_000 + 3_600_000


def test_a_host_never_polled_has_no_past(journal: Journal) -> None:
    assert journal.before(["web1"])["web1"].reading is None


def test_text_that_no_database_takes_is_escaped_not_lost(journal: Journal, ask: Ask) -> None:
    store(journal, replace(failed("web1"), error="bytes \udcff here"))
    assert ask("SELECT error FROM poll") == [("bytes \\udcff here",)]


def test_a_value_that_no_table_holds_and_one_without_its_thing_are_left_out(journal: Journal, ask: Ask) -> None:
    odd = (MetricValue("host.down", 0.0), MetricValue("disk.percent", 5.0, (("mountpoint", "/nowhere"),)))
    with journal.transaction() as work:
        work.store_poll(poll("web1"), odd)
    assert ask("SELECT COUNT(*) FROM filesystem_sample") == [(0,)]


def test_a_round_says_when_how_many_and_how_it_ended(journal: Journal, ask: Ask) -> None:
    with journal.transaction() as work:
        work.begin_round("r1", "full", START_MS, 3)
    with journal.transaction() as work:
        work.end_round("r1", START_MS + 2500, {"ok": 2, "failed": 1}, signal=15)
    assert ask("SELECT kind, seconds, hosts, ok, partial, failed, skipped, stopped_by FROM rounds") == [
        ("full", 2.5, 3, 2, 0, 1, 0, 15)
    ]


def test_events_of_the_poller_itself_have_no_host(journal: Journal, ask: Ask) -> None:
    with journal.transaction() as work:
        work.store_events("", [Event("archive_away", START_MS, Severity.HIGH, "no route")])
    assert ask("SELECT host, kind, severity FROM events") == [(None, "archive_away", "high")]
