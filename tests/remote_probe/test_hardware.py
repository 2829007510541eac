"""Temperatures, arrays and error counters, on trees as the kernel lays them out; mdstat as the kernel prints it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_probe.collectors import hardware
from remote_probe.host import Host
from tests.remote_probe.filled import filled, machine, rows_of

HEAD = "Personalities : [raid1] [raid6] [raid5] [raid4] [raid0]\n"
TAIL = "unused devices: <none>\n"
# the lines of an array, and what is to be told of it: array, level, state, disks, working, percent
ARRAYS: dict[tuple[str, ...], tuple[str, str, str, int, int, float]] = {
    (
        "md0 : active raid1 sdb1[1] sda1[0]",
        "      1048512 blocks super 1.2 [2/2] [UU]",
        "      bitmap: 0/8 pages [0KB], 65536KB chunk",
    ): ("md0", "raid1", "active", 2, 2, 0.0),
    (
        "md1 : active raid5 sdd1[4] sdc1[2](F) sdb1[1] sda1[0]",
        "      3144192 blocks super 1.2 level 5, 512k chunk, algorithm 2 [4/3] [UU_U]",
    ): ("md1", "raid5", "degraded", 4, 3, 0.0),
    (
        "md2 : active raid1 sdb2[2] sda2[0]",
        "      1048064 blocks super 1.2 [2/1] [U_]",
        "      [=====>...............]  recovery = 28.1% (295168/1048064) finish=0.3min speed=32796K/sec",
    ): ("md2", "raid1", "recovering", 2, 1, 28.1),
    (
        "md3 : active raid1 sdb3[1] sda3[0]",
        "      1048064 blocks super 1.2 [2/2] [UU]",
        "      [=>...................]  check =  7.5% (78720/1048064) finish=0.2min speed=78720K/sec",
    ): ("md3", "raid1", "active", 2, 2, 0.0),
    (
        "md4 : active raid0 sdb4[1] sda4[0]",
        "      2096128 blocks super 1.2 512k chunks",
    ): ("md4", "raid0", "active", 2, 2, 0.0),
    (
        "md5 : active (auto-read-only) raid1 sdb5[1] sda5[0]",
        "      1048064 blocks super 1.2 [2/2] [UU]",
        "      \tresync=PENDING",
    ): ("md5", "raid1", "active", 2, 2, 0.0),
    (
        "md127 : inactive sdb[0](S) sdc[1](S)",
        "      2096128 blocks super 1.2",
    ): ("md127", "", "inactive", 2, 0, 0.0),
    (
        "md6 : active raid1 sdc6[2](S) sdb6[1] sda6[0]",
        "      1048064 blocks [2/2] [UU]",
    ): ("md6", "raid1", "active", 2, 2, 0.0),
}
CONTAINER = "md126 : inactive sda[1](S) sdb[0](S)\n      5288 blocks super external:imsm\n"


def values(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in rows]


def sys(root: Path, **files: str) -> Host:
    """A machine with these files below /sys, `__` for a slash."""
    return machine(
        root, {"/sys/class/": "", **{"/sys/" + name.replace("__", "/"): text for name, text in files.items()}}
    )


@pytest.mark.parametrize("lines", ARRAYS, ids=lambda lines: lines[0].split()[0])
def test_an_array_says_what_it_lacks(lines: tuple[str, ...]) -> None:
    array, level, state, disks, working, percent = ARRAYS[lines]
    (row,) = hardware.parse_mdstat((HEAD + "\n".join(lines) + "\n\n" + TAIL).encode())
    assert row == {
        "array": array.encode(), "level": level.encode(), "state": state,
        "disks": disks, "working": working, "recovering": percent,
    }  # fmt: skip


def test_all_arrays_are_told_and_what_only_holds_arrays_is_not(tmp_path: Path) -> None:
    host = sys(tmp_path)
    machine(tmp_path, {"/proc/mdstat": HEAD + "\n\n".join(["\n".join(lines) for lines in ARRAYS] + [CONTAINER]) + TAIL})
    names = [row["array"].decode() for row in rows_of(host, "hardware", "raid")]
    assert names == [array for array, *_ in ARRAYS.values()]


def test_temperatures_have_a_name_and_a_limit_that_makes_sense(tmp_path: Path) -> None:
    host = sys(
        tmp_path,
        class__hwmon__hwmon0__name="coretemp\n",
        class__hwmon__hwmon0__temp1_input="45500\n",
        class__hwmon__hwmon0__temp1_label="Package id 0\n",
        class__hwmon__hwmon0__temp1_crit="100000\n",
        class__hwmon__hwmon0__temp2_input="-5000\n",
        class__hwmon__hwmon0__temp3_input="\n",
        class__hwmon__hwmon0__fan1_input="900\n",
        class__hwmon__hwmon1__name="nvme\n",
        class__hwmon__hwmon1__temp1_input="38850\n",
        class__hwmon__hwmon1__temp1_label="Composite\n",
        class__hwmon__hwmon1__temp1_crit="65261850\n",
        class__hwmon__hwmon2__name="nvme\n",
        class__hwmon__hwmon2__temp1_input="40850\n",
        class__hwmon__hwmon2__temp1_label="Composite\n",
        class__hwmon__hwmon3__device__name="w83627\n",
        class__hwmon__hwmon3__device__temp1_input="30000\n",
        class__thermal__thermal_zone0__type="acpitz\n",
        class__thermal__thermal_zone0__temp="27800\n",
    )
    assert values(rows_of(host, "hardware", "sensor")) == [
        (b"coretemp/Package id 0", 45.5, 100.0),
        (b"coretemp/temp2", -5.0, 0.0),
        (b"nvme/Composite", 38.85, 0.0),
        (b"nvme/Composite 2", 40.85, 0.0),
        (b"w83627/temp1", 30.0, 0.0),
    ]


def test_thermal_zones_stand_in_where_no_chip_has_a_temperature(tmp_path: Path) -> None:
    host = sys(
        tmp_path,
        class__hwmon__hwmon0__name="BAT0\n",
        class__thermal__thermal_zone0__type="cpu-thermal\n",
        class__thermal__thermal_zone0__temp="48312\n",
        class__thermal__cooling_device0__type="Processor\n",
    )
    assert values(rows_of(host, "hardware", "sensor")) == [(b"thermal/cpu-thermal", 48.312, 0.0)]


def test_errors_are_counted_by_what_they_happened_to(tmp_path: Path) -> None:
    host = sys(
        tmp_path,
        devices__system__edac__mc__mc0__ce_count="12\n",
        devices__system__edac__mc__mc0__ue_count="1\n",
        devices__system__edac__mc__power__control="auto\n",
        block__sda__device__ioerr_cnt="0x1f\n",
        block__loop0__size="0\n",
        fs__ext4__sda1__errors_count="3\n",
        fs__ext4__features__lazy_itable_init="supported\n",
        fs__btrfs__0123__devinfo__1__error_stats="write_errs 1\nread_errs 2\nflush_errs 0\ncorruption_errs 4\n",
        fs__btrfs__features__raid56="0\n",
        class__net__eth0__device__vendor="0x1af4\n",
        class__net__eth0__carrier_changes="2\n",
        class__net__eth0__statistics__rx_errors="5\n",
        class__net__eth0__statistics__tx_errors="7\n",
        class__net__br0__carrier_changes="9\n",
    )
    assert values(rows_of(host, "hardware", "fault")) == [
        ("memory_corrected", b"mc0", 12),
        ("memory_uncorrected", b"mc0", 1),
        ("disk", b"sda", 31),
        ("filesystem", b"sda1", 3),
        ("filesystem", b"0123/1", 7),
        ("link", b"eth0", 14),
    ]


def test_a_machine_that_counts_nothing_has_no_rows_and_one_without_sys_is_absent(tmp_path: Path) -> None:
    assert filled(sys(tmp_path / "a"), "hardware") == ("ok", "", [])
    assert filled(machine(tmp_path / "b", {}), "hardware")[:2] == ("absent", "/sys/class: No such file or directory")


def test_this_machine_can_be_read() -> None:
    status, reason, rows = filled(Host(), "hardware")
    assert (status, reason) == ("ok", "")
    cards = {name for name in os.listdir("/sys/class/net") if Path("/sys/class/net", name, "device").exists()}  # noqa: PTH208
    assert {row["device"].decode() for kind, row in rows if kind == "fault" and row["kind"] == "link"} == cards


@given(st.lists(st.sampled_from([b"a", b"a 2", b"a 3", b"b"]), max_size=9))
def test_no_two_sensors_have_one_name(names: list[bytes]) -> None:
    found = [name for name, _, _ in hardware.unique([(name, 1.0, 0.0) for name in names])]
    assert len(set(found)) == len(found) == len(names)


@given(st.one_of(st.binary(max_size=200), st.text("md0 :active[2/1]()SFU_%=\nresync.", max_size=90).map(str.encode)))
def test_any_bytes_are_arrays_or_none(content: bytes) -> None:
    for text in (content, b"md0 : active raid1 " + content, b"md0 : active raid1\n " + content):
        for row in hardware.parse_mdstat(text):
            assert 0 <= int(row["working"]) <= int(row["disks"])
    hardware.parse_number(content)
