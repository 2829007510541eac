"""Messages of the kernel come each once, from whichever log the host lets the probe read."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from remote_probe.collect import Section
from remote_probe.collectors import kernel, kernel_daemons
from remote_probe.host import Host
from remote_probe.reach.kernel import MOST, Reach

BOOT = "9a1b6a0c-5f1d-4d7e-8f59-3d0b5c1e7a11"
FOUND = "usb 1-1.2: New USB device found, idVendor=0951, idProduct=1666, bcdDevice= 1.10"
GONE = "usb 1-1.2: USB disconnect, device number 5"


def record(number: int, text: str, prefix: int = 6, seconds: float = 10.0) -> bytes:
    """One of /dev/kmsg, with what it says of its device."""
    return f"{prefix},{number},{int(seconds * 1e6)},-;{text}\n SUBSYSTEM=usb\n DEVICE=+usb:1-1.2\n".encode()


class Machine(Host):
    """A host whose ring buffer is `records`, or who does not let anyone read it; `journal` answers journalctl."""

    def __init__(
        self, root: Path, cursor: str = "", records: bytes | None = None, journal: bytes | None = None
    ) -> None:
        super().__init__(os.fsencode(root), cursors={"kernel": cursor})
        self.records = records
        self.journal = journal
        self.asked: Sequence[str] = ()

    def now(self) -> float:
        return 1_700_000_000.0

    def text(self, path: bytes) -> bytes:
        return BOOT.encode() if path.endswith(b"boot_id") else super().text(path)

    def run(self, command: Sequence[str], seconds: float) -> bytes:
        self.asked = command
        if self.journal is None:
            raise FileNotFoundError("there is no command journalctl")
        return self.journal

    def reach(self, section: str) -> Any:
        return Ring(self) if self.records is not None else Closed(self)


class Ring(Reach):
    def kmsg(self, after: int) -> bytes:
        return b"100.0\n" + self.host.records  # type: ignore[attr-defined,no-any-return]


class Closed(Reach):
    def kmsg(self, after: int) -> bytes:
        raise PermissionError(1, "Operation not permitted")


def read(machine: Host) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    (_, head), *messages = kernel.read(machine)
    return head, [row for _, row in messages]


def test_the_first_contact_only_marks_the_place(tmp_path: Path) -> None:
    head, messages = read(Machine(tmp_path, records=record(7, FOUND) + record(8, GONE)))
    assert head == {"source": "kmsg", "began": "", "cursor": f"kmsg {BOOT} 8", "lost": 0}
    assert messages == []


def test_what_came_since_is_told_once_with_the_time_of_the_hosts_clock(tmp_path: Path) -> None:
    records = record(7, FOUND) + record(8, "audit: something else") + record(9, GONE, seconds=40.25)
    head, messages = read(Machine(tmp_path, f"kmsg {BOOT} 7", records))
    assert (head["began"], head["cursor"]) == (f"kmsg {BOOT} 7", f"kmsg {BOOT} 9")
    assert messages == [{"number": 0, "at": 1_700_000_000.0 - 100 + 40.25, "priority": 6, "text": GONE.encode()}]
    assert read(Machine(tmp_path, str(head["cursor"]), records))[1] == []


def test_after_a_reboot_all_that_the_new_boot_said_is_new(tmp_path: Path) -> None:
    head, messages = read(Machine(tmp_path, "kmsg 11111111-0000-0000-0000-000000000000 900", record(0, FOUND)))
    assert (head["cursor"], head["lost"], len(messages)) == (f"kmsg {BOOT} 0", 0, 1)


def test_messages_that_were_overwritten_unread_are_counted(tmp_path: Path) -> None:
    head, messages = read(Machine(tmp_path, f"kmsg {BOOT} 5", record(9, FOUND) + record(12, GONE)))
    assert (head["lost"], len(messages)) == (5, 2)


def test_only_the_kernel_itself_is_believed(tmp_path: Path) -> None:
    head, messages = read(Machine(tmp_path, f"kmsg {BOOT} 0", record(1, FOUND, prefix=12) + record(2, GONE, prefix=30)))
    assert (messages, head["cursor"]) == ([], f"kmsg {BOOT} 2")


def test_a_flood_of_trouble_hides_no_usb_device(tmp_path: Path) -> None:
    flood = b"".join(
        record(number, f"I/O error, dev sda, sector {number} op 0x0:(READ)", 3) for number in range(1, 600)
    )
    head, messages = read(Machine(tmp_path, f"kmsg {BOOT} 0", flood + record(600, FOUND)))
    assert (len(messages), head["lost"]) == (kernel.MOST + 1, 599 - kernel.MOST)
    assert messages[-1]["text"] == FOUND.encode()


def test_bytes_that_the_kernel_escapes_are_what_they_were(tmp_path: Path) -> None:
    records = record(1, r"usb 1-1: Product: \xc3\xa9\x0a\x5c")
    assert read(Machine(tmp_path, f"kmsg {BOOT} 0", records))[1][0]["text"] == b"usb 1-1: Product: \xc3\xa9\n\\"


@pytest.mark.parametrize(
    "text",
    [
        FOUND,
        GONE,
        "usb 2-1: SerialNumber: 60A4",
        "blk_update_request: I/O error, dev sdb, sector 2048 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0",
        "critical medium error, dev sda, sector 1953525160 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2",
        "Buffer I/O error on dev sdb1, logical block 0, async page read",
        "nvme nvme0: I/O 128 QID 3 timeout, aborting",
        "md/raid1:md0: Disk failure on sdb1, disabling device.",
        "EXT4-fs error (device sda1): ext4_lookup:1855: inode #2: comm ls: deleted inode referenced: 12",
        "EXT4-fs (sda1): Remounting filesystem read-only",
        "FAT-fs (sdb1): Filesystem has been set read-only",
        "XFS (dm-0): Corruption detected. Unmount and run xfs_repair",
        "BTRFS error (device sda2): bdev /dev/sda2 errs: wr 0, rd 1, flush 0, corrupt 0, gen 0",
        "e1000e 0000:00:1f.6 eno1: NIC Link is Down",
        "r8169 0000:03:00.0 eth0: Link is Up - 1Gbps/Full - flow control rx/tx",
        "mlx5_core 0000:01:00.0 ens1: Link down",
        "bond0: (slave eth1): link status definitely down, disabling slave",
        "mce: [Hardware Error]: Machine check events logged",
        "{1}[Hardware Error]: event severity: corrected",
        "EDAC MC0: 1 CE memory read error on CPU_SrcID#0_MC#0_Chan#0_DIMM#0",
        "Out of memory: Killed process 4711 (mysqld) total-vm:1048576kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB",
        "Memory cgroup out of memory: Killed process 4712 (java) total-vm:1kB",
    ],
)
def test_messages_of_devices_and_of_failing_hardware_are_told(text: str) -> None:
    assert re.match(kernel.TELLING, text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "usb 1-1.2: new high-speed USB device number 5 using xhci_hcd",
        "EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: errors=remount-ro",
        "ata1: SATA link down (SStatus 0 SControl 300)",
        "EDAC MC: Ver: 3.0.0",
        "a.out[77]: segfault at 0 ip 0 sp 0 error 4 in usb 1-1: USB disconnect, device number 5",
        'audit: type=1400 comm="usb 1-1: New USB device found"',
    ],
)
def test_other_messages_stay_where_they_are(text: str) -> None:
    assert not re.match(kernel.TELLING, text.encode())


def entry(cursor: str, message: object, facility: str = "0") -> bytes:
    fields = {"__CURSOR": cursor, "__REALTIME_TIMESTAMP": "1699999990500000", "PRIORITY": "3", "MESSAGE": message}
    return json.dumps({**fields, "SYSLOG_FACILITY": facility}).encode() + b"\n"


def test_the_journal_tells_when_the_ring_buffer_may_not_be_read(tmp_path: Path) -> None:
    first = Machine(tmp_path, journal=entry("s=1;i=9", FOUND))
    head, messages = read(first)
    assert (head["source"], head["cursor"], messages) == ("journal", "journal s=1;i=9", [])
    assert "--lines=1" in first.asked
    output = (
        entry("s=1;i=a", FOUND)
        + entry("s=1;i=b", GONE, "1")
        + entry("s=1;i=c", list(GONE.encode()))
        + b'{"__CURSOR": "cut'
    )
    second = Machine(tmp_path, str(head["cursor"]), journal=output)
    head, messages = read(second)
    assert "--after-cursor=s=1;i=9" in second.asked
    assert head["cursor"] == "journal s=1;i=c"
    assert [(row["at"], row["priority"], row["text"]) for row in messages] == [
        (1699999990.5, 3, FOUND.encode()), (1699999990.5, 3, GONE.encode()),
    ]  # fmt: skip
    head, messages = read(Machine(tmp_path, str(head["cursor"]), journal=b""))
    assert (head["cursor"], messages) == ("journal s=1;i=c", [])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "var/log/kern.log"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"Nov 14 22:00:00 host kernel: [1.0] " + FOUND.encode() + b"\n")
    return path


def test_the_file_of_a_syslog_daemon_is_read_on_from_where_it_was(tmp_path: Path, log: Path) -> None:
    cursor = str(read(Machine(tmp_path))[0]["cursor"])
    with log.open("ab") as file:
        file.write(b"Nov 14 22:13:19 host kernel: [99.000000] " + GONE.encode() + b"\n")
        file.write(
            b"Nov 14 22:13:19 host sshd[1]: kernel: " + GONE.encode() + b"\nNov 14 22:13:19 host kernel: [99.1] usb 1-1"
        )
    head, messages = read(Machine(tmp_path, cursor))
    assert (head["source"], [row["text"] for row in messages]) == ("file", [GONE.encode()])
    assert read(Machine(tmp_path, str(head["cursor"])))[1] == []


def test_a_rotated_file_is_read_to_its_end_and_then_the_new_one(tmp_path: Path, log: Path) -> None:
    cursor = str(read(Machine(tmp_path))[0]["cursor"])
    with log.open("ab") as file:
        file.write(b"Nov 14 22:13:18 host kernel: " + FOUND.encode() + b"\n")
    log.rename(log.with_name("kern.log.1"))
    log.write_bytes(b"2023-11-14T23:13:19.5+01:00 host kernel: " + GONE.encode() + b"\n")
    head, messages = read(Machine(tmp_path, cursor))
    assert [row["text"] for row in messages] == [FOUND.encode(), GONE.encode()]
    assert messages[1]["at"] == 1_699_999_999.0
    log.write_bytes(b"")
    assert read(Machine(tmp_path, str(head["cursor"])))[1] == []


def test_a_time_without_a_year_is_never_in_the_future() -> None:
    now = time.mktime((2024, 1, 1, 0, 0, 5, 0, 0, -1))
    line = b"Dec 31 23:59:58 host kernel: " + GONE.encode()
    ((at, _, _),) = kernel_daemons.parse_syslog(line, now)
    assert now - at == 7


@given(st.integers(86400, 4 * 10**9))
def test_a_time_with_its_zone_is_that_instant(seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, timezone(timedelta(hours=-3, minutes=-30)))
    line = moment.isoformat().encode() + b" host kernel: " + GONE.encode()
    assert [at for at, _, _ in kernel_daemons.parse_syslog(line, 0.0)] == [seconds]


def test_a_host_that_shows_no_log_of_its_kernel_is_denied_not_silent(tmp_path: Path) -> None:
    section = Section("kernel")
    section.fill(Machine(tmp_path, journal=b""))
    assert section.outcome[:2] == ("denied", "Operation not permitted")


def test_a_machine_without_any_log_has_none(tmp_path: Path) -> None:
    section = Section("kernel")
    section.fill(Host(os.fsencode(tmp_path)))
    assert section.outcome[0] in ("absent", "denied")


@given(st.binary(max_size=200), st.integers(-1, 100))
def test_any_bytes_are_messages_or_a_value_error(content: bytes, after: int) -> None:
    for parser in (
        lambda: kernel.parse_kmsg(content, after),
        lambda: kernel.parse_kmsg(b"6,5,1,-;usb 1-1: Product: " + content, after),
        lambda: kernel_daemons.parse_journal(content + b"\n"),
        lambda: list(kernel_daemons.parse_syslog(b"Nov 14 22:13:19 host kernel: usb 1-1: Product: " + content, 0.0)),
    ):
        with contextlib.suppress(ValueError):
            parser()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_entry_of_a_journal_is_a_message_or_a_value_error(value: object) -> None:
    with contextlib.suppress(ValueError):
        kernel_daemons.parse_journal(entry("s=1", value))
        kernel_daemons.parse_journal(json.dumps(value).encode() + b"\n")


def records() -> list[bytes]:
    """Those of this machine's own buffer. Raises OSError where that may not be read (kernel.dmesg_restrict)."""
    descriptor = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            with contextlib.suppress(BrokenPipeError):
                found.append(os.read(descriptor, 8192))
    os.close(descriptor)
    return found


def test_the_buffer_of_this_machine_is_read_on_behind_a_record() -> None:
    try:
        ring = records()
    except OSError as error:
        with pytest.raises(type(error)):
            Host().reach("kernel").kmsg(-1)
        return
    numbers = [int(one.split(b",")[1]) for one in ring]
    middle = numbers[len(numbers) // 2]
    clock, _, content = Host().reach("kernel").kmsg(middle).partition(b"\n")
    last, lost, _ = kernel.parse_kmsg(content, middle)
    assert 0 < float(clock) <= time.monotonic()
    assert content.startswith(ring[len(numbers) // 2 + 1])
    assert (last >= numbers[-1], lost) == (True, 0)
    assert len(ring) < MOST


def test_a_line_that_a_program_writes_to_the_buffer_is_not_the_kernels() -> None:
    section = Section("kernel")
    section.fill(Host())
    with contextlib.suppress(PermissionError):
        Path("/dev/kmsg").write_bytes(b"<12>usb 9-9.9: USB disconnect, device number 5")
    for _, row in section.outcome[3][:1]:
        texts = [row["text"] for row in read(Host(cursors={"kernel": row["cursor"]}))[1]]
        assert not [text for text in texts if text.startswith(b"usb 9-9.9: ")]


def test_this_machine_gives_its_cursor_or_says_why_not() -> None:
    printed = subprocess.run([sys.executable, "-m", "remote_probe", "kernel"], capture_output=True, check=True).stdout
    (section,) = etree.fromstring(printed).iter("section")
    if section.get("status") == "ok":
        assert str(section[0].get("cursor")).split()[0] in ("kmsg", "journal", "file")
    else:
        assert section.get("status") in ("absent", "denied")
        assert section.get("reason")


def last(machine: Machine, count: int) -> tuple[dict[str, Any], list[bytes]]:
    """What the option of that name gives."""
    machine.options = {"kernel": {"last": count}}
    head, messages = read(machine)
    return head, [row["text"] for row in messages]


def test_the_last_messages_can_be_had_whatever_they_tell_of(tmp_path: Path) -> None:
    records = b"".join(record(number, f"message {number}") for number in range(100)) + record(100, "forged", prefix=14)
    machine = Machine(tmp_path, f"kmsg {BOOT} 98", records=records)
    head, texts = last(machine, 3)
    assert texts == [b"message 97", b"message 98", b"message 99"], "the cursor does not matter, nor what programs write"
    assert (head["source"], head["began"], head["lost"]) == ("kmsg", "", 0)
    assert len(last(machine, 1000)[1]) == 100


def test_they_come_from_the_journal_where_the_ring_buffer_is_closed(tmp_path: Path) -> None:
    entries = [
        {"__CURSOR": f"s={number}", "__REALTIME_TIMESTAMP": "1699999990500000", "SYSLOG_FACILITY": "0", "MESSAGE": text}
        for number, text in enumerate(("one", "two"))
    ]
    machine = Machine(
        tmp_path, "journal s=1", journal=b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)
    )
    assert last(machine, 40)[1] == [b"one", b"two"]
    assert "--lines=40" in machine.asked


def test_else_from_the_end_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "var/log").mkdir(parents=True)
    lines = "".join(f"Nov 14 22:13:{number % 60:02d} host kernel: line {number}\n" for number in range(5000))
    (tmp_path / "var/log/kern.log").write_text(lines)
    assert last(Machine(tmp_path), 2)[1] == [b"line 4998", b"line 4999"]


def test_who_may_read_none_of_them_is_told_so(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.options = {"kernel": {"last": 40}}
    with pytest.raises(PermissionError):
        read(machine)
