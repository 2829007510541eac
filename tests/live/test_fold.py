"""One insertion is one event: device, disk and mount within a second; what does not belong together stays apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count

from poller.findings.changes import changes
from poller.findings.told import MOST
from poller.live.difference import difference
from poller.live.fold import Fold
from poller.model import Hint, Mount, Reading, Row, Severity, Sighted, UsbAllow, Watch
from tests.live import stick

AT = 1_700_000_000_000
PORT = Hint("usb", "add", "/devices/pci0000:00/0000:00:14.0/usb1/1-2", "1-2")


class Told:
    """What a fold says, frame by frame."""

    def __init__(self, watch: Watch | None = None) -> None:
        self.fold = Fold("pc07", map(str, count(1)).__next__)
        self.known = stick.seen(stick.NOTHING, 100.0)
        self.watch = watch or Watch()

    def push(self, rows: Mapping[str, Sequence[Row]], after: float) -> tuple[Sighted, ...]:
        pushed: Reading = stick.seen(rows, 100.0 + after)
        found = difference(self.known, pushed, self.watch)
        self.known = found.reading
        return self.fold.take(found, AT + round(after * 1000), after)


def test_an_insertion_is_one_event_whose_text_grows() -> None:
    told = Told()
    (first,) = told.push(stick.PLUGGED, 0.1)
    assert (first.event.kind, first.stored) == ("usb_attached", False)
    assert first.event.details == "storage 0951:1666 Kingston DataTraveler serial 60A4 at port 1-2"
    (second,) = told.push(stick.READ, 0.3)
    (third,) = told.push(stick.MOUNTED, 0.9)
    assert {one.id for one in (first, second, third)} == {first.id}
    assert told.fold.whole(1.0) == ()
    (whole,) = told.fold.whole(1.1)
    assert (whole.event.details, whole.event.severity, whole.event.at_ms) == (stick.WHOLE, Severity.MEDIUM, AT + 100)
    assert whole.stored and whole.id == first.id
    told.fold.drop({whole.id})
    assert not told.fold


def test_an_adapter_whose_driver_shows_what_it_is_is_told_as_a_poll_would() -> None:
    told = Told()
    (first,) = told.push({**stick.NOTHING, "usb": (stick.ADAPTER,)}, 0.1)
    assert first.event.severity is Severity.LOW and first.event.details.startswith("other 0bda:8153 ")
    driven = {**stick.NOTHING, "usb": (stick.DRIVEN,)}
    (second,) = told.push(driven, 0.4)
    before, now = stick.seen(stick.NOTHING, 100.0), stick.seen(driven, 100.4)
    assert second.id == first.id and second.event == changes(before, now, AT + 100, told.watch)[0]
    assert second.event.severity is Severity.MEDIUM
    (whole,) = told.fold.whole(1.1)
    assert whole.event == second.event


def test_a_device_that_turns_out_to_be_a_phone_is_told_as_one_also_without_a_disk() -> None:
    told = Told()
    told.push({**stick.NOTHING, "usb": (stick.ADAPTER,)}, 0.1)
    (phone,) = told.push({**stick.NOTHING, "usb": (replace(stick.ADAPTER, kind="phone"),)}, 0.4)
    assert phone.event.details.startswith("phone 0bda:8153 ") and phone.event.severity is Severity.MEDIUM


def test_one_that_grows_is_told_as_no_less_than_before_and_a_listed_one_as_no_more() -> None:
    for watch, severity in ((Watch(), Severity.MEDIUM), (Watch(usb_allow=(UsbAllow(vendor="0bda"),)), Severity.LOW)):
        told = Told(watch)
        told.push({**stick.NOTHING, "usb": (stick.DRIVEN,)}, 0.1)
        (one,) = told.push({**stick.NOTHING, "usb": (stick.ADAPTER,)}, 0.4)
        assert one.event.details.startswith("other ") and one.event.severity is severity


def test_a_removal_is_one_event_too() -> None:
    told = Told()
    told.known = stick.seen(stick.MOUNTED, 100.0)
    (gone,) = told.push(stick.NOTHING, 5.0)
    assert (gone.event.kind, gone.event.details, gone.event.severity) == ("usb_removed", stick.WHOLE, Severity.LOW)


def test_the_words_are_those_of_a_poll() -> None:
    told = Told(Watch(usb_allow=(UsbAllow(vendor="0951"),)))
    (one,) = told.push(stick.PLUGGED, 0.1)
    before, now = stick.seen(stick.NOTHING, 100.0), stick.seen(stick.PLUGGED, 100.1)
    assert one.event == changes(before, now, AT + 100, told.watch)[0]
    assert one.event.severity is Severity.LOW, "it is listed"


def test_what_happens_at_the_same_time_and_belongs_to_something_else_is_an_event_of_its_own() -> None:
    told = Told()
    both = {**stick.MOUNTED, "mounts": (stick.ROOT, stick.MOUNT, stick.LOOP)}
    kinds = {one.event.kind: one.event.details for one in told.push(both, 0.1)}
    assert kinds == {
        "usb_attached": stick.WHOLE,
        "mounted": "/dev/loop0 on /mnt/image type ext4 (rw) from loop /srv/image",
    }


def test_what_goes_after_it_came_contradicts_it() -> None:
    told = Told()
    told.push(stick.READ, 0.1)
    found = difference(told.known, stick.seen(stick.NOTHING, 100.4), told.watch)
    assert told.fold.contradicts(found.told)
    assert not told.fold.contradicts(difference(told.known, stick.seen(stick.MOUNTED, 100.4), told.watch).told)


def test_the_kernel_is_believed_at_once_and_the_line_becomes_the_event() -> None:
    told = Told()
    hint = told.fold.hint(PORT, AT, 0.0)
    assert hint is not None and hint.event.details == "USB device at port 1-2: being read"
    disk = Hint("block", "add", PORT.path + "/1-2:1.0/host6/target6:0:0/6:0:0:0/block/sdb", "sdb")
    assert told.fold.hint(disk, AT, 0.1) is None, "it is the same device"
    (read,) = told.push(stick.READ, 0.2)
    assert read.id == hint.id
    assert told.fold.unread(10.0) == ()


def test_what_is_announced_and_never_seen_is_said_and_not_stored() -> None:
    told = Told()
    assert told.fold.hint(PORT, AT, 0.0)
    assert told.fold.whole() == ()
    (unread,) = told.fold.unread(1.0)
    assert unread.event.details == "USB device at port 1-2, nothing to read" and not unread.stored
    assert not told.fold


def test_partitions_interfaces_and_other_actions_are_no_lines() -> None:
    fold = Told().fold
    disk = "/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sdc"
    for hint in (
        Hint("usb", "add", PORT.path + "/1-2:1.0", "1-2:1.0"),
        Hint("usb", "bind", PORT.path, "1-2"),
        Hint("block", "add", disk + "/sdc1", "sdc1"),
        Hint("usb", "add", "", "../../etc"),
    ):
        assert fold.hint(hint, AT, 0.0) is None
    line = fold.hint(Hint("block", "remove", disk, "sdc"), AT, 0.0)
    assert line is not None and (line.event.kind, line.event.details) == ("usb_removed", "disk sdc is gone: being read")


def test_a_disk_that_is_none_is_no_line() -> None:
    """A snapshot, an image, an array, memory: nobody plugged it in."""
    fold = Told().fold
    for name in ("dm-3", "loop7", "md0", "zram0"):
        for action in ("add", "remove"):
            assert fold.hint(Hint("block", action, f"/devices/virtual/block/{name}", name), AT, 0.0) is None
    assert not fold


def test_a_host_that_mounts_without_end_makes_a_bounded_number_of_events() -> None:
    told = Told()
    for number in range(1, 4 * MOST):
        mounts = tuple(Mount(f"/mnt/{i}", "tmpfs", "tmpfs", "/", "rw", 0, 0, 0, 0, "") for i in range(number))
        told.push({"mounts": (stick.ROOT, *mounts)}, number / 1000)
    whole = told.fold.whole()
    assert len(whole) == MOST + 1
    assert whole[-1].event.details == f"and {4 * MOST - 1 - MOST} more at the same time"


def test_of_another_boot_or_older_than_what_is_known_nothing_is_told() -> None:
    known = stick.seen(stick.NOTHING, 100.0)
    for late in (stick.seen(stick.READ, 99.0), stick.seen(stick.READ, 200.0, boot="boot-2")):
        found = difference(known, late, Watch())
        assert found.reading is known and found.told == ()
