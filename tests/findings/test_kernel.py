"""The log of the kernel tells of devices that no poll saw, and of hardware that fails, and repeats no inventory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.findings.kernel import classified, kernel
from poller.model import Brief, Event, KernelMessage, Reading, Severity, UsbAllow, UsbDevice, Watch
from tests.probe.reports import reading, section

AT = 1_700_000_600_000  # the centre's clock is ten minutes ahead
CLOCK = 1_700_000_000.0
STICK = UsbDevice("1-1.2", "0951", "1666", "Kingston", "DataTraveler", "60A4", "00", "08/06/50", "storage", 480, "sdb")
COMES = (
    "usb 1-1.2: New USB device found, idVendor=0951, idProduct=1666, bcdDevice= 1.10",
    "usb 1-1.2: Product: DataTraveler",
    "usb 1-1.2: Manufacturer: Kingston",
    "usb 1-1.2: SerialNumber: 60A4",
)
GOES = "usb 1-1.2: USB disconnect, device number 5"


def now(*texts: str, devices: tuple[UsbDevice, ...] = ()) -> Reading:
    """A reading whose messages came one second after the other, the first 50 s before."""
    rows = (KernelMessage(number, CLOCK - 50 + number, 6, text) for number, text in enumerate(texts))
    return reading(section("usb", *devices), section("kernel", *rows), clock=CLOCK)


def told(*texts: str, watch: Watch | None = None) -> list[Event]:
    return list(kernel(reading(section("usb")), now(*texts), AT, watch or Watch())[1])


def test_a_stick_that_came_and_went_between_two_polls_is_told_with_its_own_times() -> None:
    briefs, events = kernel(reading(section("usb")), now(*COMES, GOES), AT, Watch())
    brief = Brief("1-1.2", "0951", "1666", "Kingston", "DataTraveler", "60A4", AT - 50_000, AT - 46_000)
    assert briefs == (brief,)
    details = "0951:1666 Kingston DataTraveler serial 60A4 at port 1-1.2"
    assert events == (
        Event("usb_attached", AT - 50_000, Severity.MEDIUM, f"{details}, for 4.0 s"),
        Event("usb_removed", AT - 46_000, Severity.LOW, f"{details}, after 4.0 s"),
    )


def test_a_device_that_is_listed_is_low() -> None:
    events = told(*COMES, GOES, watch=Watch(usb_allow=(UsbAllow(serial="60A4"),)))
    assert [event.severity for event in events] == [Severity.LOW, Severity.LOW]


@pytest.mark.parametrize(
    ("before", "after", "texts"),
    [((STICK,), (), (GOES,)), ((), (STICK,), COMES), ((STICK,), (STICK,), ()), ((), (STICK,), (*COMES, GOES))],
)
def test_a_device_of_the_inventories_makes_no_second_event(
    before: tuple[UsbDevice, ...], after: tuple[UsbDevice, ...], texts: tuple[str, ...]
) -> None:
    found = kernel(reading(section("usb", *before)), now("usb 9-9: x", *texts, devices=after), AT, Watch())
    assert found == ((), ())


def test_a_stick_that_was_pulled_out_and_put_back_is_told_although_both_readings_have_it() -> None:
    briefs, events = kernel(reading(section("usb", STICK)), now(GOES, *COMES, devices=(STICK,)), AT, Watch())
    details = "storage 0951:1666 Kingston DataTraveler serial 60A4 at port 1-1.2 (sdb)"
    assert briefs == ()
    assert events == (
        Event("usb_removed", AT - 50_000, Severity.LOW, f"{details}, for 1.0 s"),
        Event("usb_attached", AT - 49_000, Severity.MEDIUM, f"{details}, back after 1.0 s"),
    )


@pytest.mark.parametrize(
    ("before", "after", "texts", "times"),
    [
        ((STICK,), (STICK,), (GOES, *COMES, GOES, *COMES), [-50, -49, -45, -44]),
        ((STICK,), (), (GOES, *COMES, GOES), [-50, -49]),  # that it went at last the readings tell
        ((STICK,), (), (GOES, *COMES), []),  # put back since USB was read: the next poll tells
        ((STICK,), (STICK,), (GOES,), []),  # pulled out since USB was read
        ((), (STICK,), (*COMES, GOES, *COMES), [-46, -45]),
    ],
)
def test_each_time_a_device_was_away_is_told_once(
    before: tuple[UsbDevice, ...], after: tuple[UsbDevice, ...], texts: tuple[str, ...], times: list[int]
) -> None:
    _, events = kernel(reading(section("usb", *before)), now(*texts, devices=after), AT, Watch())
    assert [(event.at_ms - AT) // 1000 for event in events] == times
    assert [event.kind for event in events] == ["usb_removed", "usb_attached"] * (len(times) // 2)


def test_a_stick_that_was_away_is_told_where_usb_itself_was_not_read_this_time() -> None:
    messages = now(GOES, *COMES)
    without = reading(*(one for one in messages.sections if one.name != "usb"), clock=CLOCK)
    _, events = kernel(reading(section("usb", STICK)), without, AT, Watch())
    assert [event.kind for event in events] == ["usb_removed", "usb_attached"]


def test_another_device_at_the_port_of_one_that_is_known_is_told() -> None:
    texts = (GOES, *COMES[:3], "usb 1-1.2: SerialNumber: ELSE", GOES, *COMES)
    briefs, events = kernel(reading(section("usb", STICK)), now(*texts, devices=(STICK,)), AT, Watch())
    assert [(brief.serial, brief.removed_ms - brief.attached_ms) for brief in briefs] == [("ELSE", 4000)]
    assert [(event.kind, event.at_ms - AT) for event in events] == [
        ("usb_attached", -49_000), ("usb_removed", -45_000),
        ("usb_removed", -50_000), ("usb_attached", -44_000),  # the one that is known, meanwhile
    ]  # fmt: skip


def test_a_device_that_is_still_there_is_left_to_the_inventory_of_the_next_poll() -> None:
    assert told(*COMES) == []


def test_a_device_that_came_just_after_the_inventory_was_read_is_told_when_it_goes() -> None:
    (event,) = told(GOES)
    assert (event.kind, event.at_ms, event.severity) == ("usb_removed", AT - 50_000, Severity.LOW)
    assert "port 1-1.2" in event.details


def test_the_same_stick_twice_is_two_visits() -> None:
    assert [event.kind for event in told(*COMES, GOES, *COMES, GOES)] == ["usb_attached", "usb_removed"] * 2


def test_the_first_look_tells_nothing() -> None:
    assert kernel(None, now(*COMES, GOES), AT, Watch()) == ((), ())
    assert kernel(reading(), reading(), AT, Watch()) == ((), ())


@pytest.mark.parametrize(
    ("text", "kind", "of"),
    [
        ("blk_update_request: I/O error, dev sdb, sector 2048 op 0x0:(READ)", "io_error", "sdb"),
        ("I/O error, dev nvme0n1, sector 0 op 0x1:(WRITE) flags 0x800", "io_error", "nvme0n1"),
        ("critical medium error, dev sda, sector 1953525160 op 0x0:(READ)", "io_error", "sda"),
        ("Buffer I/O error on dev sdb1, logical block 0, async page read", "io_error", "sdb1"),
        ("Buffer I/O error on device sdb1, logical block 0", "io_error", "sdb1"),
        ("nvme nvme0: I/O 128 QID 3 timeout, aborting", "io_error", "nvme0"),
        ("md/raid1:md0: Disk failure on sdb1, disabling device.", "io_error", "sdb1"),
        ("EXT4-fs error (device sda1): ext4_lookup:1855: inode #2: comm ls", "filesystem_error", "sda1"),
        ("EXT4-fs (sda1): Remounting filesystem read-only", "filesystem_error", "sda1"),
        ("Aborting journal on device sda1-8.", "filesystem_error", "sda1"),
        ("FAT-fs (sdb1): Filesystem has been set read-only", "filesystem_error", "sdb1"),
        ("XFS (dm-0): Corruption detected. Unmount and run xfs_repair", "filesystem_error", "dm-0"),
        ("BTRFS error (device sda2): bdev /dev/sda2 errs: wr 0, rd 1", "filesystem_error", "sda2"),
        ("BTRFS: error (device sda2) in btrfs_commit: errno=-5 IO failure", "filesystem_error", "sda2"),
        ("BTRFS info (device sda2): forced readonly", "filesystem_error", "sda2"),
        ("EDAC MC0: 1 CE memory read error on DIMM_A1 (channel:0 slot:0)", "memory_error", "MC0"),
        ("mce: [Hardware Error]: Machine check events logged", "memory_error", ""),
        ("{1}[Hardware Error]: event severity: corrected", "memory_error", ""),
        ("Out of memory: Killed process 4711 (mysqld) total-vm:1kB", "oom_kill", "mysqld"),
        ("Memory cgroup out of memory: Killed process 4712 (java) total-vm:1kB", "oom_kill", "java"),
        ("e1000e 0000:00:1f.6 eno1: NIC Link is Down", "link_down", "eno1"),
        ("e1000e: eth0 NIC Link is Down", "link_down", "eth0"),
        ("r8169 0000:03:00.0 eth0: Link is Up - 1Gbps/Full - flow control rx/tx", "link_up", "eth0"),
        ("igb 0000:01:00.0 eth2: igb: eth2 NIC Link is Up 1000 Mbps Full Duplex", "link_up", "eth2"),
        ("tg3 0000:02:00.0 eth0: Link is up at 1000 Mbps, full duplex", "link_up", "eth0"),
        ("bond0: link status definitely down for interface eth1, disabling it", "link_down", "eth1"),
        ("bond0: (slave eth1): link status definitely up, 1000 Mbps full duplex", "link_up", "eth1"),
    ],
)
def test_failing_hardware_is_told_with_what_it_happened_to(text: str, kind: str, of: str) -> None:
    found = classified(text)
    assert found is not None
    assert (found[0], found[2]) == (kind, of)
    assert [event.kind for event in told(text)] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "ata1: SATA link down (SStatus 0 SControl 300)",
        "pcieport 0000:00:1c.0: pciehp: Slot(0): Link Down",
        "eth0: link down[77]: segfault at 0 ip 0 sp 0 error 4",
        "eth0: link down (77): attempted to duplicate a private mapping with mremap",
        "I/O error, dev [77]: segfault at 0",
        "a.out[77]: segfault in I/O error, dev sda, sector 1",
        "usb 1-1: Product: I/O error, dev sda, sector 1",
        "usb 1-1: SerialNumber: eth0: link is down",
        "x" * 1024,
    ],
)
def test_other_messages_and_names_that_look_like_them_are_nothing(text: str) -> None:
    assert told(text) == []


def test_many_messages_about_one_thing_are_one_event_that_counts_them() -> None:
    texts = [f"I/O error, dev sdb, sector {number} op 0x0:(READ)" for number in range(40)]
    events = told(*texts, "I/O error, dev sdc, sector 1 op 0x0:(READ)")
    assert [(event.kind, event.severity, event.at_ms, event.details) for event in events] == [
        ("io_error", Severity.HIGH, AT - 50_000, "I/O error, dev sdb, sector 0 op 0x0:(READ) (40 messages)"),
        ("io_error", Severity.HIGH, AT - 10_000, "I/O error, dev sdc, sector 1 op 0x0:(READ)"),
    ]


@given(
    st.lists(
        st.one_of(
            st.text(max_size=80),
            st.sampled_from([*COMES, GOES]),
            st.text(max_size=30).map("usb 1-1: Product: ".__add__),
        )
    )
)
def test_any_messages_give_events_of_one_line(texts: list[str]) -> None:
    briefs, events = kernel(reading(section("usb")), now(*texts), AT, Watch())
    assert all(brief.attached_ms <= brief.removed_ms for brief in briefs)
    assert all(event.details for event in events)
