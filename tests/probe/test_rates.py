"""Numbers are what the catalogue says they are; what cannot be known is left out, and nothing is ever made up."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poller.alerts import compare
from poller.metrics import CATALOGUE, OWN, columns
from poller.model import (
    AlertMemory,
    Before,
    ChangeKind,
    Fault,
    LoadAverage,
    MetricValue,
    Ping,
    Poll,
    PollOutcome,
    Pressure,
    RaidArray,
    Reading,
    Row,
    Section,
    SectionStatus,
    Sensor,
    Sight,
    System,
    TextFile,
    Threshold,
    World,
)
from poller.probe.sight import sight
from poller.probe.values import values
from poller.probe.window import elapsed, usable
from poller.rules import judge
from tests.probe.reports import GIB, cpu, disk, filesystem, full, interface, memory, poll, reading, section


def numbers(before: Reading | None, *now: Reading) -> dict[str, float]:
    return {str(value): value.value for value in values(Before(reading=before), poll(*now))}


def counted(older: Row, newer: Row, name: str = "cpu", elapsed: float = 60.0) -> dict[str, float]:
    """Numbers from one row that changed."""
    return numbers(reading(section(name, older)), reading(section(name, newer), uptime=1000.0 + elapsed))


def test_a_whole_report_gives_every_metric_of_the_catalogue() -> None:
    found = {value.metric for value in values(Before(reading=full(1000)), poll(full(1060), asked_ms=1, answered_ms=2))}
    without = {"host.down", "host.security"} | {name for name in CATALOGUE if name.startswith(OWN)}
    # Numbers that a report tells beside gauges and rates are found elsewhere.
    without |= {metric.name for table in ("activity_sample", "series_sample") for metric in columns(table)}
    assert found == set(CATALOGUE) - without


def test_every_value_has_exactly_the_label_of_its_metric() -> None:
    for value in values(Before(reading=full(1000)), poll(full(1060))):
        metric = CATALOGUE[value.metric]
        assert [name for name, _ in value.labels] == ([metric.label] if metric.label else [])


def test_no_value_is_given_twice() -> None:
    found = [str(value) for value in values(Before(reading=full(1000)), poll(full(1060)))]
    assert len(found) == len(set(found))


def test_a_poll_without_a_report_tells_only_how_long_it_took() -> None:
    assert {str(value): value.value for value in values(Before(reading=full()), poll())} == {"poll.seconds": 0.25}


# --- from which readings ---


@pytest.mark.parametrize(
    ("boot", "gap", "expected"),
    [
        ("boot-1", 60.0, True),
        ("boot-1", 2.0, True),
        ("boot-1", 1.9, False),
        ("boot-1", 900.0, True),
        ("boot-1", 900.5, False),
        ("boot-1", 0.0, False),
        ("boot-1", -60.0, False),
        ("boot-2", 60.0, False),
    ],
)
def test_a_reading_is_usable_on_the_same_boot_two_seconds_to_a_quarter_of_an_hour_later(
    boot: str, gap: float, expected: bool
) -> None:
    assert usable(reading(uptime=1000.0), reading(uptime=1000.0 + gap, boot_id=boot)) is expected


def test_with_nothing_usable_from_before_the_two_readings_of_the_poll_are_compared() -> None:
    window = (full(1000.0), full(1000.5))
    for before in (None, full(10.0), replace(full(950.0), boot_id="boot-0")):
        assert numbers(before, *window)["cpu.percent"] == pytest.approx(37.5)


def test_the_remembered_reading_wins_over_the_short_window() -> None:
    before = reading(section("network", interface(receive_bytes=0)), uptime=940.0)
    first = reading(section("network", interface(receive_bytes=6000)))
    now = reading(section("network", interface(receive_bytes=6000)), uptime=1000.5)
    assert numbers(before, first, now)['network.receive_bytes_per_second{interface="eth0"}'] == 6000 / 60.5


@pytest.mark.parametrize("gap", [0.0, 0.1, -1.0])
def test_a_window_that_is_too_short_gives_no_rates(gap: float) -> None:
    found = numbers(None, full(1000.0), full(1000.0 + gap))
    assert "cpu.percent" not in found
    assert "memory.percent" in found


def test_one_reading_alone_gives_gauges_and_no_rates() -> None:
    found = numbers(None, full(1000.0))
    assert 'disk.percent{mountpoint="/"}' in found
    assert not any("per_second" in name or name.startswith(("cpu.p", "pressure", "block")) for name in found)


# --- sections that are not read each time ---


def remembered(since: float | None, *, uptime: float = 1000.0, boot_id: str = "boot-1") -> Reading:
    """A reading whose network is of an older report than the rest."""
    network = replace(section("network", interface(receive_bytes=0)), uptime=since)
    return reading(section("memory", memory(swapped_in=0)), network, uptime=uptime, boot_id=boot_id)


def test_each_section_counts_from_the_report_that_it_was_in_last() -> None:
    now = reading(
        section("memory", memory(swapped_in=6000)), section("network", interface(receive_bytes=6000)), uptime=1060.0
    )
    found = numbers(remembered(400.0), now)
    assert found["swap.in_bytes_per_second"] == 6000 / 60
    assert found['network.receive_bytes_per_second{interface="eth0"}'] == 6000 / 660
    assert numbers(remembered(None), now)['network.receive_bytes_per_second{interface="eth0"}'] == 6000 / 60


@pytest.mark.parametrize("since", [100.0, math.inf, 1059.0])
def test_a_section_of_long_ago_or_of_another_boot_gives_no_rates_and_the_others_do(since: float) -> None:
    now = reading(
        section("memory", memory(swapped_in=6000)), section("network", interface(receive_bytes=6000)), uptime=1060.0
    )
    found = numbers(remembered(since), now)
    assert "swap.in_bytes_per_second" in found
    assert 'network.receive_bytes_per_second{interface="eth0"}' not in found
    assert usable(remembered(since), now)
    assert not usable(remembered(since), now, "network")


def test_a_section_that_is_too_old_is_counted_from_the_first_of_two_readings() -> None:
    first = reading(section("network", interface(receive_bytes=5000)), uptime=1059.0)
    now = reading(section("network", interface(receive_bytes=6000)), uptime=1060.0)
    found = numbers(remembered(100.0), first, now)
    assert found['network.receive_bytes_per_second{interface="eth0"}'] == 1000.0


def test_the_age_of_a_section_that_was_read_before_a_reboot_is_no_time() -> None:
    older = remembered(math.inf)
    assert elapsed(older, reading(uptime=1060.0)) == 60.0
    assert elapsed(older, reading(uptime=1060.0), older.sections[1]) == -math.inf


# --- counters that do not go on ---


def test_a_reboot_gives_no_rates_at_first_and_right_ones_afterwards() -> None:
    rebooted = replace(full(30.0), boot_id="boot-2")
    again = replace(full(90.0), boot_id="boot-2")
    assert "cpu.percent" not in numbers(full(100_000.0), rebooted)
    assert all(value >= 0 for value in numbers(full(100_000.0), rebooted).values())
    assert numbers(rebooted, again)["cpu.percent"] == pytest.approx(37.5)


@pytest.mark.parametrize("wrap", [2**32, 2**63])
def test_a_counter_that_wrapped_gives_no_value_once_and_the_others_go_on(wrap: int) -> None:
    found = counted(
        interface(receive_bytes=wrap - 100, transmit_bytes=100),
        interface(receive_bytes=50, transmit_bytes=700),
        "network",
    )
    assert 'network.receive_bytes_per_second{interface="eth0"}' not in found
    assert found['network.transmit_bytes_per_second{interface="eth0"}'] == 10.0


def test_a_card_disk_or_core_in_one_reading_only_gives_no_rate() -> None:
    one, two = cpu("0", user=1.0), cpu("1", user=1.0)
    older = reading(section("cpu", one), section("block", disk("sdb")), section("network", interface("eth0")))
    newer = reading(
        section("cpu", two), section("block", disk("sda")), section("network", interface("eth1")), uptime=1060.0
    )
    assert set(numbers(older, newer)) == {"poll.seconds", "uptime.seconds", 'network.up{interface="eth1"}'}


@pytest.mark.parametrize("mode", ["user", "nice", "system", "irq", "softirq", "steal"])
def test_a_cpu_mode_that_went_back_gives_no_cpu_values(mode: str) -> None:
    older = cpu(user=10.0, nice=10.0, system=10.0, idle=10.0, irq=10.0, softirq=10.0, steal=10.0)
    times = {"idle": 70.0, mode: 9.0}
    newer = replace(older, **times)  # type: ignore[arg-type]  # none of them is the name
    assert not any(name.startswith("cpu.") for name in counted(older, newer))


def test_idle_and_iowait_may_go_back_and_count_as_nothing() -> None:
    found = counted(cpu(user=0.0, idle=50.0, iowait=20.0), cpu(user=30.0, idle=80.0, iowait=19.0))
    assert (found["cpu.percent"], found["cpu.iowait_percent"], found["cpu.idle_percent"]) == (50.0, 0.0, 50.0)


def test_a_cpu_without_any_time_in_between_gives_no_value() -> None:
    assert "cpu.percent" not in counted(cpu(user=5.0), cpu(user=5.0))


# --- what each number means ---


def test_cpu_shares_are_of_all_modes_and_guests_are_inside_user_and_nice() -> None:
    older = cpu()
    spent = {"user": 20, "nice": 10, "system": 5, "idle": 40, "iowait": 10, "irq": 1, "softirq": 4, "steal": 10}
    newer = replace(cpu(guest=8.0, guest_nice=2.0), **spent)  # type: ignore[arg-type]  # none of them is the name
    found = counted(older, newer)
    assert found["cpu.percent"] == pytest.approx(50.0)
    shares = {
        name.removeprefix("cpu.").removesuffix("_percent"): value for name, value in found.items() if "_p" in name
    }
    assert shares == pytest.approx({**spent, "guest": 10})


def test_a_core_has_its_own_numbers() -> None:
    found = counted(cpu("3"), cpu("3", user=15.0, idle=45.0))
    assert found['cpu.core_percent{core="3"}'] == 25.0
    assert found['cpu.core_idle_percent{core="3"}'] == 75.0
    assert "cpu.percent" not in found


def test_memory_in_use_is_what_is_not_available() -> None:
    found = numbers(None, reading(section("memory", memory(total=8 * GIB, available=6 * GIB))))
    assert found["memory.percent"] == 25.0
    assert found["swap.percent"] == 50.0
    assert found["swap.used_bytes"] == GIB


def test_a_machine_without_swap_uses_none_of_it() -> None:
    found = numbers(None, reading(section("memory", memory(swap_total=0, swap_free=0))))
    assert (found["swap.percent"], found["swap.used_bytes"]) == (0.0, 0.0)


def test_a_file_system_is_as_full_as_df_says() -> None:
    found = numbers(None, reading(section("filesystem", filesystem("/", used=60, available=20, total=100))))
    assert found['disk.percent{mountpoint="/"}'] == 75.0
    assert found['disk.inodes_percent{mountpoint="/"}'] == 25.0
    assert found['disk.stuck{mountpoint="/"}'] == 0.0


def test_a_stuck_file_system_tells_only_that() -> None:
    found = numbers(
        None, reading(section("filesystem", filesystem("/mnt", state="stuck", total=0, used=0, available=0)))
    )
    assert {name: value for name, value in found.items() if "disk" in name} == {'disk.stuck{mountpoint="/mnt"}': 1.0}


@pytest.mark.parametrize("state", ["skipped", "denied"])
def test_a_file_system_that_was_not_asked_tells_nothing(state: str) -> None:
    found = numbers(None, reading(section("filesystem", filesystem("/mnt", state=state))))
    assert not any("disk" in name for name in found)


def test_a_file_system_that_counts_no_inodes_does_not_run_out_of_them() -> None:
    found = numbers(None, reading(section("filesystem", filesystem("/", inodes=0, inodes_free=0))))
    assert not any("inodes" in name for name in found)


def test_disk_rates_and_average_times() -> None:
    older = disk(reads=0, read_bytes=0, read_seconds=0.0, writes=7, write_bytes=0, write_seconds=3.0, busy_seconds=0.0)
    newer = replace(older, reads=120, read_bytes=6000, read_seconds=3.0, busy_seconds=15.0)
    found = {name.split("{")[0]: value for name, value in counted(older, newer, "block").items()}
    assert found["block.reads_per_second"] == 2.0
    assert found["block.read_bytes_per_second"] == 100.0
    assert found["block.read_seconds"] == 0.025
    assert found["block.busy_percent"] == 25.0
    assert found["block.writes_per_second"] == 0.0
    assert "block.write_seconds" not in found, "the average of no requests is no number"


def test_a_link_is_up_or_down_and_nothing_when_unknown() -> None:
    cards = section("network", interface("a"), interface("b", link="down"), interface("c", link="unknown"))
    found = numbers(None, reading(cards))
    assert (found['network.up{interface="a"}'], found['network.up{interface="b"}']) == (1.0, 0.0)
    assert 'network.up{interface="c"}' not in found


def test_pressure_is_a_share_of_the_elapsed_time_and_never_above_all_of_it() -> None:
    some, full_ = Pressure("io", "some", 10.0), Pressure("cpu", "full", 10.0)
    assert counted(some, replace(some, stalled=25.0), "pressure")["pressure.io_some_percent"] == 25.0
    assert counted(some, replace(some, stalled=80.0), "pressure")["pressure.io_some_percent"] == 100.0
    assert "pressure.cpu_full_percent" not in counted(full_, replace(full_, stalled=20.0), "pressure")


def test_load_per_cpu_needs_to_know_the_cpus() -> None:
    load = section("load", LoadAverage(3.0, 2.0, 1.0))
    system = section("system", System("h", "Linux", "6", "x86_64", "debian", "12", "Debian", 4))
    assert numbers(None, reading(system, load))["load.1m_per_cpu"] == 0.75
    assert "load.1m_per_cpu" not in numbers(None, reading(load))


def test_the_clock_is_compared_with_the_middle_of_the_talk() -> None:
    talk = poll(reading(clock=1_700_000_005.5), asked_ms=1_700_000_000_000, answered_ms=1_700_000_001_000)
    found = {str(value): value.value for value in values(Before(), talk)}
    assert found["clock.offset_seconds"] == 5.0


def test_sight_says_what_was_read_and_what_was_there() -> None:
    seen = sight(
        poll(
            reading(
                section("cpu", cpu(), cpu("0")),
                Section("filesystem", SectionStatus.OK, "one mount could not be read", 0.0, (filesystem("/"),)),
                section("block", status=SectionStatus.DENIED, reason="x"),
                section("network", interface("eth0")),
            )
        )
    )
    assert seen == Sight(
        frozenset({"cpu", "network"}), frozenset({("core", "0"), ("mountpoint", "/"), ("interface", "eth0")})
    )
    assert sight(poll()) == Sight()


# --- whatever the counters do ---

counter = st.integers(0, 2**63 - 1) | st.integers(0, 10_000)
moment = st.integers(0, 10**9).map(lambda ticks: ticks / 100)


def rows(of: Row) -> st.SearchStrategy[Row]:
    """Rows like `of` with any numbers."""
    changes: dict[str, st.SearchStrategy[Any]] = {
        field.name: counter if field.type == "int" else moment for field in fields(of) if field.type != "str"
    }
    return st.fixed_dictionaries(changes).map(lambda changed: replace(of, **changed))


anything = st.tuples(rows(cpu()), rows(cpu("0")), rows(memory()), rows(disk()), rows(interface()), rows(filesystem()))


def of_rows(found: tuple[Row, ...], uptime: float) -> Reading:
    names = ("cpu", "memory", "block", "network", "filesystem")
    grouped = (found[:2], found[2:3], found[3:4], found[4:5], found[5:])
    return reading(*(section(name, *each) for name, each in zip(names, grouped, strict=True)), uptime=uptime)


@settings(max_examples=80, deadline=None)
@given(anything, anything, moment, moment)
def test_whatever_the_counters_are_no_rate_is_negative_and_no_percentage_above_100(
    older: tuple[Row, ...], newer: tuple[Row, ...], then: float, now: float
) -> None:
    for name, value in numbers(of_rows(older, then), of_rows(newer, now)).items():
        assert value >= 0, name
        if CATALOGUE[name.split("{")[0]].unit == "percent":
            assert value <= 100, name


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10**12), st.floats(2.0, 900.0)), min_size=1, max_size=8), st.integers(0, 2**62)
)
def test_rates_of_a_counter_that_only_grows_add_up_to_what_was_counted(
    steps: list[tuple[int, float]], start: int
) -> None:
    card, uptime, total = interface(receive_bytes=start), 100.0, 0.0
    for grown, gap in steps:
        later = replace(card, receive_bytes=card.receive_bytes + grown)
        older, newer = (
            reading(section("network", row), uptime=at) for row, at in ((card, uptime), (later, uptime + gap))
        )
        elapsed = newer.uptime - older.uptime
        if not usable(older, newer):
            continue
        rate = numbers(older, newer)['network.receive_bytes_per_second{interface="eth0"}']
        assert rate * elapsed == pytest.approx(grown)
        total += rate * elapsed
        card, uptime = later, uptime + gap
    assert total <= sum(grown for grown, _gap in steps) * 1.000001


def test_what_a_series_is_about_is_seen_with_and_without_a_number() -> None:
    rows = (Sensor("cpu", 41.0, 0.0), RaidArray("md0", "raid1", "clean", 2, 2, 0.0), Fault("disk", "sda", 0))
    seen = sight(poll(reading(section("hardware", *rows))), (MetricValue("port.listening", 0.0, (("port", "22"),)),))
    assert seen.labels == {("sensor", "cpu"), ("array", "md0"), ("fault", "disk/sda"), ("port", "22")}


def test_alerts_on_a_section_that_was_not_asked_wait_and_on_one_that_was_read_end() -> None:
    limit = Threshold("raid.missing_disks", above=0.0)
    hot = MetricValue("raid.missing_disks", 1.0, (("array", "md0"),))
    array = RaidArray("md0", "raid1", "degraded", 2, 1, 0.0)
    polls = [
        (poll(reading(section("hardware", array))), (hot,)),
        (poll(reading(section("load", LoadAverage(1, 1, 1)))), ()),
        (poll(reading(section("hardware"))), ()),
    ]
    memory, told = AlertMemory(), []
    for number, (one, found) in enumerate(polls):
        comparison = compare(
            "web1", judge([limit], World(number, found, sight(one, found))), memory, [limit], number, lambda: "a"
        )
        memory = AlertMemory(comparison.states, comparison.open)
        told.append([change.kind for change in comparison.changes])
    assert told == [[ChangeKind.OPENED], [], [ChangeKind.CLOSED]]


def test_a_ping_gives_its_numbers_with_a_report_or_without() -> None:
    failed = Poll("1", "web1", 0, PollOutcome.FAILED, ping=Ping("192.0.2.9", 4, 3, 0.25))
    found = {value.metric: value.value for value in values(Before(), failed)}
    assert (found["ping.loss_percent"], found["ping.seconds"]) == (25.0, 0.25)
    silent = {value.metric: value.value for value in values(Before(), replace(failed, ping=Ping("192.0.2.9", 2, 0)))}
    assert silent["ping.loss_percent"] == 100.0 and "ping.seconds" not in silent
    assert not any(name.startswith("ping.") for name in numbers(None, full()))


def test_alerts_on_numbers_of_a_file_wait_while_it_cannot_be_read_and_end_when_they_left_it() -> None:
    limit = Threshold("textfile.value", above=0.0)
    backup = MetricValue("textfile.value", 1.0, (("series", "failed_backups"),))
    polls = [
        (poll(reading(section("textfiles", TextFile("/prom/a.prom", 1.7e9, "")))), (backup,)),
        (poll(reading(section("textfiles", TextFile("/prom", 0.0, "Stale file handle")))), ()),
        (poll(reading(section("textfiles", TextFile("/prom/a.prom", 1.7e9, "line 7 is no sample")))), ()),
    ]
    memory, told = AlertMemory(), []
    for number, (one, found) in enumerate(polls):
        comparison = compare(
            "web1", judge([limit], World(number, found, sight(one, found))), memory, [limit], number, lambda: "a"
        )
        memory = AlertMemory(comparison.states, comparison.open)
        told.append([change.kind for change in comparison.changes])
    assert told == [[ChangeKind.OPENED], [], [ChangeKind.CLOSED]]
