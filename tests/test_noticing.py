"""What hosts say by themselves, kept: once, judged at once, and never told again by a poll."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poller.intake import Intake, Taken
from poller.model import (
    NEVER,
    Address,
    Config,
    Encounter,
    Hint,
    Host,
    KernelLog,
    KernelMessage,
    Light,
    Link,
    LinkState,
    LoginRecord,
    People,
    Poll,
    Push,
    Row,
    Rule,
    Seat,
    Section,
    SectionStatus,
    Severity,
    Sighted,
    Watch,
)
from poller.noticing import Noticing
from poller.rules.language import parse
from poller.store import Journal
from tests.live import stick
from tests.store.machines import START_MS, failed
from tests.store.machines import poll as poll_of
from tests.store.watched import with_sections

BOOT = "0b6a4f9e-1111-4222-8333-444455556666"
Rows = Mapping[str, Sequence[Row]]
NET: Rows = {"network": (Address("eth0", "inet", "10.1.0.11", 24),)}


class Poller:
    """The journal's thread: it takes what comes from pc07, at seconds of a clock of its own, 0 being the first poll."""

    def __init__(self, path: Path, *rules: Rule) -> None:
        self.journal = Journal.open(path, now_ms=START_MS)
        host = Host(name="pc07", address="192.0.2.1", rules=rules)
        config = Config(path=path, journal=path, hosts=(host,))
        self.intake = Intake(self.journal, config, "round", keep=True)
        self.config = config
        self.noticing = Noticing(self.journal, config)
        self.noticing.watch({"pc07"})
        self.sequence = 0

    def poll(self, at: float, rows: Rows, stored_at: float | None = None) -> Taken:
        """A poll that read these sections at that second, and is stored then or later."""
        return self.take(self.polled(at, rows), stored_at or at)

    def take(self, one: Poll, at: float) -> Taken:
        """That poll, stored at that second."""
        self.noticing.take((), [one], now=at)
        (taken,) = self.intake.take([one])
        self.noticing.stored([taken], now=at)
        return taken

    def polled(self, at: float, rows: Rows) -> Poll:
        one = with_sections(poll_of("pc07"), rows)
        assert one.report
        ms = START_MS + round(at * 1000)
        now = replace(one.report.now, uptime=60.0 + at, clock=ms / 1000)
        return replace(one, id=f"poll-{at}", at_ms=ms, asked_ms=ms, answered_ms=ms,
                       report=replace(one.report, readings=(now,)))  # fmt: skip

    def push(self, at: float, rows: Rows | None = None, **more: Any) -> tuple[Sighted, ...]:
        self.sequence += 1
        reading = stick.seen(rows, 60.0 + at, BOOT) if rows is not None else None
        return self.noticing.take([Push("pc07", self.sequence, START_MS + round(at * 1000), reading, **more)], now=at)

    def due(self, at: float) -> tuple[Sighted, ...]:
        return self.noticing.due(at)

    def told(self) -> list[tuple[str, str]]:
        """(kind, details) of what stands in the table of events, in the order in which it happened."""
        with sqlite3.connect(f"file:{self.journal.path}?mode=ro", uri=True) as connection:
            rows = connection.execute("SELECT kind, details FROM event WHERE kind <> 'first_seen' ORDER BY at_ms, id")
            found = [(str(kind), str(details)) for kind, details in rows]
        connection.close()
        return found

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.told()]


@pytest.fixture
def poller(tmp_path: Path) -> Iterator[Poller]:
    made = Poller(tmp_path / "poller.db")
    with made.journal:
        yield made


def to(peer: str) -> Encounter:
    return Encounter("tcp", "10.1.0.11", 40000, peer, 445, 0, "packet")


def test_an_insertion_is_shown_at_once_stored_once_and_not_told_again_by_the_next_poll(poller: Poller) -> None:
    poller.poll(0, stick.NOTHING)
    (shown,) = poller.push(10.0, stick.PLUGGED)
    assert (shown.event.kind, shown.stored) == ("usb_attached", False)
    poller.push(10.2, stick.READ)
    poller.push(10.6, stick.MOUNTED)
    assert poller.due(10.9) == () and poller.told() == []
    (stored,) = poller.due(11.0)
    assert stored.stored and stored.id == shown.id
    assert poller.told() == [("usb_attached", stick.WHOLE)]
    assert poller.poll(60, stick.MOUNTED).events == ()
    assert poller.kinds() == ["usb_attached"]


def test_the_inventory_knows_the_stick_since_it_was_pushed(poller: Poller) -> None:
    poller.poll(0, stick.NOTHING)
    poller.push(10.0, stick.READ)
    poller.due(11.0)
    poller.push(20.0, stick.NOTHING)
    poller.due(21.0)
    connection = sqlite3.connect(poller.journal.path)
    row = connection.execute("SELECT first_seen_ms, gone_ms FROM usb_device WHERE vendor = '0951'").fetchone()
    connection.close()
    assert [round((ms - START_MS) / 1000) for ms in row] == [10, 20]


def test_in_and_out_between_two_polls_is_one_event_each_also_when_the_kernel_tells_it_too(poller: Poller) -> None:
    kernel: Rows = {"kernel": (KernelLog("kmsg", "", "9", 0),)}
    poller.poll(0, {**stick.NOTHING, **kernel})
    poller.push(10.0, stick.PLUGGED)
    gone = poller.push(10.4, stick.NOTHING)
    assert [(one.event.kind, one.stored) for one in gone] == [("usb_attached", True), ("usb_removed", False)]
    poller.due(11.5)
    assert poller.kinds() == ["usb_attached", "usb_removed"]
    texts = ("New USB device found, idVendor=0951, idProduct=1666, bcdDevice= 1.10", "Product: DataTraveler",
             "USB disconnect, device number 7")  # fmt: skip
    clock = START_MS / 1000
    log = [KernelMessage(number, clock + at, 6, f"usb 1-2: {text}")
           for number, (at, text) in enumerate(zip((9.9, 9.9, 10.3), texts, strict=True))]  # fmt: skip
    late: Rows = {"kernel": (KernelLog("kmsg", "9", "12", 0), *log)}
    assert poller.poll(60, {**stick.NOTHING, **late}).events == ()
    assert poller.kinds() == ["usb_attached", "usb_removed"]
    again = [replace(one, at=one.at + 90) for one in log]
    poller.poll(120, {**stick.NOTHING, "kernel": (KernelLog("kmsg", "12", "15", 0), *again)})
    assert poller.kinds() == ["usb_attached", "usb_removed"] * 2, "what nobody pushed is told by the poll"


def test_a_poll_that_was_read_before_and_is_stored_after_takes_nothing_back(poller: Poller) -> None:
    poller.poll(0, stick.NOTHING)
    late = poller.polled(60.0, stick.NOTHING)
    poller.push(60.2, stick.READ)
    poller.noticing.take((), [late], now=60.5)
    (taken,) = poller.intake.take([late])
    assert taken.events == () and poller.kinds() == ["usb_attached"]
    assert poller.poll(120, stick.READ).events == ()


def test_a_poll_in_the_middle_of_an_insertion_adds_what_it_saw(poller: Poller) -> None:
    poller.poll(0, stick.NOTHING)
    poller.push(59.8, stick.PLUGGED)
    assert poller.poll(60.0, stick.MOUNTED).events == ()
    assert poller.told() == [("usb_attached", stick.WHOLE)]


def test_who_dies_before_the_event_is_stored_is_told_by_the_next_poll(tmp_path: Path) -> None:
    first = Poller(tmp_path / "poller.db")
    first.poll(0, stick.NOTHING)
    assert first.push(10.0, stick.READ)
    first.journal.close()
    second = Poller(tmp_path / "poller.db")
    with second.journal:
        assert [event.kind for event in second.poll(60, stick.READ).events] == ["usb_attached", "device_attached"]


def test_what_comes_before_the_first_poll_is_stored_is_held_against_that_poll(poller: Poller) -> None:
    assert poller.push(0.2, stick.READ) == ()
    poller.poll(0, stick.NOTHING, stored_at=0.5)
    poller.due(1.6)
    assert poller.kinds() == ["usb_attached"]


def test_a_rule_that_looks_at_events_is_judged_at_once_and_others_are_left_as_they_are(tmp_path: Path) -> None:
    rules = tuple(
        Rule(name, parse(text), text, severity=Severity.HIGH)
        for name, text in (
            ("stick", 'count(event{kind="usb_attached"}, 10m) > 0'),
            ("busy", "load.1m > 1"),
            ("quiet", 'count(event{kind="login"}, 10m) > 0'),
        )
    )
    poller = Poller(tmp_path / "poller.db", *rules)
    with poller.journal:
        assert [change.alert.metric for change in poller.poll(0, stick.NOTHING).changes] == ["busy"]
        poller.push(10.0, stick.READ)
        poller.due(11.0)
        with poller.journal.transaction(keep=False) as work:
            assert sorted(alert.metric for alert in work.open_alerts()) == ["busy", "stick"]
        assert poller.poll(60, stick.READ).changes == (), "the poll sees the same event, once"
        (closed,) = poller.poll(700, stick.READ).changes
        assert (closed.alert.metric, str(closed.kind)) == ("stick", "closed")


def test_contacts_are_stored_once_and_those_that_nobody_is_told_of_not_at_all(poller: Poller) -> None:
    poller.poll(0, {**stick.NOTHING, **NET})
    for at in (5.0, 5.3, 5.6):
        poller.push(at, encounters=(to("10.1.0.7"), to("203.0.113.7")))
    poller.due(6.0)
    poller.push(30.0, encounters=(to("10.1.0.7"),))
    poller.due(40.0)
    assert poller.told() == [("encounter", "tcp to 10.1.0.7:445 (local network) (3 times)")]


def test_a_host_that_was_away_is_back_with_the_cause_the_gap_and_what_its_logs_tell(poller: Poller) -> None:
    logs: Rows = {"kernel": (KernelLog("kmsg", "", "9", 0),), "people": (People("utmp", 0.0, 0, "", "", "7"),)}
    poller.noticing.take((), (), [LinkState("pc07", Link.CONNECTED, START_MS)], now=0.0)
    poller.poll(0, {**stick.NOTHING, **logs})
    poller.push(9.0, coverage=("uevent", "mountinfo", "none"))
    assert [seat.light for seat in poller.noticing.seats(9.0)] == [Light.CONNECTED]
    assert poller.noticing.seats(9.1) == ()
    assert [seat.words for seat in poller.noticing.seats(12.0)] == ["silent for 3 s"]
    lost = LinkState("pc07", Link.LOST, START_MS + 14_000, reason="probe/timeout: nothing was heard for 5 s")
    poller.noticing.take((), [failed("pc07")], [lost], now=14.0)
    assert [seat.light for seat in poller.noticing.seats(14.1)] == [Light.DARK]
    poller.noticing.take((), (), [LinkState("pc07", Link.CONNECTED, START_MS + 21_000)], now=21.0)
    wtmp = LoginRecord(1, "login", "op", "pts/3", "198.51.100.4", 4711, START_MS / 1000 + 11)
    taken = poller.poll(21, {**stick.NOTHING, **logs, "people": (People("utmp", 0.0, 0, "", "7", "8"), wtmp)})
    assert [event.kind for event in taken.events] == ["login"]
    (seat,) = poller.noticing.seats(21.0)
    assert isinstance(seat, Seat) and seat.light is Light.CONNECTED
    assert seat.words == "back after 12s: silence: the network, or the host stood still (same boot)"
    ((_, details),) = [one for one in poller.told() if one[0] == "gap"]
    assert details == (
        "not watched from 2025-10-09 08:53:29 to 2025-10-09 08:53:41 UTC; back after 12s: silence: the "
        "network, or the host stood still (same boot); recovered from kernel log and wtmp: 1 login"
    )


def gap(poller: Poller) -> str:
    ((_, details),) = [one for one in poller.told() if one[0] == "gap"]
    return details


def test_a_session_that_breaks_under_a_poll_is_lost_too_though_that_poll_goes_on_in_another_one(poller: Poller) -> None:
    """The engine never says that it is lost: only that it is connected, since then, and why the one before ended."""
    poller.noticing.take((), (), [LinkState("pc07", Link.CONNECTED, START_MS)], now=0.0)
    poller.poll(0, stick.NOTHING)
    poller.push(9.0)
    poller.noticing.seats(9.0)
    assert [seat.light for seat in poller.noticing.seats(15.0)] == [Light.DARK]
    reason = "probe/closed: the connection broke"
    poller.noticing.take((), (), [LinkState("pc07", Link.CONNECTED, START_MS + 18_000, reason=reason)], now=18.0)
    assert [seat.words for seat in poller.noticing.seats(18.0)] == ["connected"], "why, the poll tells"
    polled = poller.polled(18, stick.NOTHING)
    poller.take(replace(polled, at_ms=START_MS + 10_000), 18.1)
    assert [seat.words for seat in poller.noticing.seats(18.1)] == ["back after 9s: its session was ended (same boot)"]
    assert gap(poller).startswith("not watched from 2025-10-09 08:53:29 to 2025-10-09 08:53:38 UTC; back after 9s: ")


def test_a_reboot_in_the_middle_of_a_poll_is_the_cause(poller: Poller) -> None:
    poller.noticing.take((), (), [LinkState("pc07", Link.CONNECTED, START_MS)], now=0.0)
    poller.poll(0, stick.NOTHING)
    poller.push(9.0)
    reason = "probe/timeout: the probe did not finish in time"
    poller.noticing.take((), (), [LinkState("pc07", Link.CONNECTED, START_MS + 23_000, reason=reason)], now=23.0)
    polled = poller.polled(23, stick.NOTHING)
    assert polled.report
    reading = replace(polled.report.now, boot_id="another", uptime=4.0)
    taken = poller.take(replace(polled, report=replace(polled.report, readings=(reading,))), 23.0)
    assert "back after 14s: rebooted (boot id changed); " in gap(poller)
    (rebooted,) = taken.events
    assert (rebooted.kind, rebooted.details) in poller.told(), "shown in the words in which it is kept"
    assert rebooted.details == f"up for 4 s, boot id another, before {BOOT}"


def test_to_be_watched_no_more_is_no_gap(poller: Poller) -> None:
    connected = LinkState("pc07", Link.CONNECTED, START_MS)
    poller.noticing.take((), (), [connected], now=0.0)
    poller.poll(0, stick.NOTHING)
    poller.push(9.0)
    poller.noticing.take((), (), [replace(connected, live=True), connected], now=9.5)
    poller.poll(60, stick.NOTHING)
    assert "gap" not in poller.kinds()


def test_a_gap_ends_when_the_host_answered_and_counts_only_what_happened_in_it(poller: Poller) -> None:
    """The try that succeeds may begin long before: to dial takes as long as the host needs to boot."""
    logs: Rows = {"people": (People("utmp", 0.0, 0, "", "", "7"),)}
    poller.noticing.take((), (), [LinkState("pc07", Link.CONNECTED, START_MS)], now=0.0)
    poller.poll(0, {**stick.NOTHING, **logs})
    poller.push(9.0)
    poller.noticing.take((), (), [LinkState("pc07", Link.LOST, START_MS + 14_000, reason="probe/timeout: x")], now=14.0)
    poller.noticing.take((), (), [LinkState("pc07", Link.CONNECTED, START_MS + 34_000)], now=34.0)
    logins = [
        LoginRecord(number, "login", "op", f"pts/{number}", "198.51.100.4", 4711, START_MS / 1000 + at)
        for number, at in enumerate((-28_800.0, 5.0, 12.0, 30.0))
    ]
    rows: Rows = {**stick.NOTHING, "people": (People("utmp", 0.0, 0, "", "7", "8"), *logins)}
    polled = poller.polled(34, rows)
    assert len(poller.take(replace(polled, at_ms=START_MS + 16_000), 34.0).events) == len(logins)
    assert gap(poller).startswith("not watched from 2025-10-09 08:53:29 to 2025-10-09 08:53:54 UTC; back after 25s: ")
    assert "recovered from wtmp: 2 login" in gap(poller)


def test_a_poll_that_was_answered_before_the_loss_and_is_stored_after_it_does_not_end_it(poller: Poller) -> None:
    """Whatever the clock on the wall says."""
    poller.noticing.take((), (), [LinkState("pc07", Link.CONNECTED, START_MS)], now=0.0)
    poller.poll(0, stick.NOTHING)
    poller.push(9.0)
    before = START_MS - 3_600_000
    poller.noticing.take((), (), [LinkState("pc07", Link.LOST, before, reason="probe/closed: x")], now=14.0)
    poller.poll(15, stick.NOTHING)
    assert "gap" not in poller.kinds()
    poller.noticing.take((), (), [LinkState("pc07", Link.CONNECTED, START_MS + 20_000)], now=20.0)
    poller.poll(20, stick.NOTHING)
    assert "gap" in poller.kinds()


def test_a_gap_and_the_polls_that_failed_in_it_are_one_absence(poller: Poller) -> None:
    poller.noticing.take((), (), [LinkState("pc07", Link.CONNECTED, START_MS)], now=0.0)
    poller.poll(0, stick.NOTHING)
    poller.push(50.0)
    poller.noticing.take((), (), [LinkState("pc07", Link.LOST, START_MS + 55_000, reason="probe/timeout: x")], now=55.0)
    poller.take(replace(failed("pc07"), at_ms=START_MS + 60_000), 60.0)
    poller.noticing.take((), (), [LinkState("pc07", Link.CONNECTED, START_MS + 73_000)], now=73.0)
    poller.take(replace(poller.polled(73, stick.NOTHING), heard_ms=START_MS + 50_000), 73.0)
    told = dict(poller.told())
    assert told["back"].startswith("back after 23s: ") and told["back"] in told["gap"]


def test_a_hint_is_a_line_at_once(poller: Poller) -> None:
    poller.poll(0, stick.NOTHING)
    hint = Hint("usb", "add", "/devices/pci0000:00/0000:00:14.0/usb1/1-2", "1-2")
    (line,) = poller.push(5.0, hints=(hint,))
    assert line.event.details == "USB device at port 1-2: being read"
    assert poller.due(6.5)[0].event.details == "USB device at port 1-2, nothing to read"
    assert poller.told() == []


def test_a_journal_that_cannot_be_written_delays_and_loses_nothing(poller: Poller) -> None:
    poller.poll(0, stick.NOTHING)
    poller.push(10.0, stick.READ)
    other = sqlite3.connect(poller.journal.path, isolation_level=None)
    other.execute("PRAGMA user_version = 1000000")
    other.execute("ALTER TABLE event RENAME TO event_away")
    assert poller.due(11.0) == () and poller.noticing.trouble
    other.execute("ALTER TABLE event_away RENAME TO event")
    other.close()
    assert [one.stored for one in poller.due(1e9)] == [True]
    assert poller.noticing.trouble == "" and poller.kinds() == ["usb_attached"]


def test_next_says_when_something_is_due(poller: Poller) -> None:
    assert poller.noticing.next(0.0) == float("inf")
    poller.poll(0, stick.NOTHING)
    poller.push(10.0, stick.READ)
    assert poller.noticing.next(10.25) == 0.75


def returned(poller: Poller, rows: Rows, watch: Watch) -> str:
    """What the gap of a host says that was away and was polled with these sections on its return."""
    host = replace(poller.config.hosts[0], watch=watch)
    poller.noticing.change(replace(poller.config, hosts=(host,)))
    poller.noticing.take((), (), [LinkState("pc07", Link.CONNECTED, START_MS)], now=0.0)
    poller.poll(0, stick.NOTHING)
    poller.push(9.0)
    poller.noticing.take((), (), [LinkState("pc07", Link.LOST, START_MS + 14_000, reason="probe/timeout: x")], now=14.0)
    poller.noticing.take((), (), [LinkState("pc07", Link.CONNECTED, START_MS + 21_000)], now=21.0)
    poller.take(poller.polled(21, {**stick.NOTHING, **rows}), 21.0)
    return gap(poller).partition("(same boot)")[2]


KERNEL: Rows = {"kernel": (KernelLog("kmsg", "", "9", 0),)}


@pytest.mark.parametrize(
    ("rows", "every", "words"),
    [
        (KERNEL, {"people": 600.0}, "; recovered from kernel log: nothing, wtmp not read yet"),
        (KERNEL, {"people": NEVER}, "; recovered from kernel log: nothing"),
        ({}, {"people": NEVER, "kernel": 600.0}, "; kernel log not read yet"),
        ({}, {"people": NEVER, "kernel": NEVER}, ""),
    ],
)
def test_a_gap_blames_no_log_that_was_not_asked_for(
    poller: Poller, rows: Rows, every: Mapping[str, float], words: str
) -> None:
    assert returned(poller, rows, Watch(every=every)) == words


def test_a_gap_names_the_log_that_was_asked_for_and_could_not_be_read(poller: Poller) -> None:
    poller.noticing.take((), (), [LinkState("pc07", Link.CONNECTED, START_MS)], now=0.0)
    poller.poll(0, stick.NOTHING)
    poller.push(9.0)
    poller.noticing.take((), (), [LinkState("pc07", Link.LOST, START_MS + 14_000, reason="probe/timeout: x")], now=14.0)
    poller.noticing.take((), (), [LinkState("pc07", Link.CONNECTED, START_MS + 21_000)], now=21.0)
    polled = poller.polled(21, {**stick.NOTHING, **KERNEL})
    assert polled.report
    now = polled.report.now
    denied = Section("people", SectionStatus.DENIED, "EACCES", 0.0)
    reading = replace(now, sections=(*now.sections, denied))
    poller.take(replace(polled, report=replace(polled.report, readings=(reading,))), 21.0)
    assert gap(poller).endswith("recovered from kernel log: nothing, wtmp could not be read")
