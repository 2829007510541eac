"""The parsers alone: formats of old and odd kernels, and bytes that are no format at all."""

from __future__ import annotations

import contextlib
import inspect
import ipaddress
from collections.abc import Callable, Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from remote_probe import inet, mountinfo
from remote_probe.collect import checked, parse_uptime
from remote_probe.collectors import (
    block,
    checks,
    cpu,
    devices,
    filesystem,
    hardware,
    kernel,
    kernel_daemons,
    load,
    memory,
    mounts,
    network,
    people,
    pressure,
    processes,
    system,
    textfiles,
    top,
    traffic,
    traffic_iftop,
    traffic_ss,
    units,
    usb,
)


def listed(rows: object) -> list[object]:
    return list(rows) if isinstance(rows, Iterable) else [rows]


PARSERS: list[Callable[[bytes], object]] = [
    system.parse_release,
    system.parse_online,
    system.count_cores,
    lambda content: cpu.parse_stat(content, 100),
    lambda content: cpu.parse_stat(b"cpu  1 2 3 4\ncpu0 " + content, 100),
    memory.parse_meminfo,
    lambda content: memory.parse_meminfo(b"MemTotal: 1 kB\nMemFree:" + content),
    lambda content: memory.parse_vmstat(content, 4096),
    lambda content: memory.parse_vmstat(b"pswpin " + content, 4096),
    load.parse_loadavg,
    mountinfo.parse_mountinfo,
    filesystem.parse_filesystems,
    mountinfo.unescaped,
    lambda content: mountinfo.parse_mountinfo(b"36 35 98:0 / /mnt" + content + b" rw - ext3 /dev/root rw"),
    block.parse_stat,
    network.parse_dev,
    lambda content: network.parse_dev(b"head\nhead\n eth0: " + content),
    network.parse_addresses,
    processes.parse_state,
    lambda content: pressure.parse_pressure(b"some total=" + content),
    pressure.parse_pressure,
    parse_uptime,
    lambda content: inet.parse_lines("tcp", content),
    lambda content: inet.parse_lines("udp", b"head\n   0: " + content + b" 0A 0:0 00:00000000 0 0 0 1\n"),
    checks.parse_output,
    devices.parse_edid,
    lambda content: devices.parse_edid(b"\x00\xff\xff\xff\xff\xff\xff\x00" + content.ljust(120, b"\xfc")),
    hardware.parse_mdstat,
    lambda content: hardware.parse_mdstat(b"md0 : active " + content),
    hardware.parse_number,
    lambda content: kernel.parse_kmsg(content, 5),
    lambda content: kernel.parse_kmsg(b"6," + content + b",9,-;usb 1-1: Product: x\n", 5),
    kernel.parse_text,
    kernel.parse_end,
    kernel_daemons.parse_journal,
    lambda content: kernel_daemons.parse_journal(
        b'{"__CURSOR": "s", "MESSAGE": "usb 1-1: Product: x", ' + content + b"}\n"
    ),
    lambda content: kernel_daemons.parse_syslog(content, 1e9),
    lambda content: kernel_daemons.parse_syslog(b"Nov 14 22:13:20 h kernel: usb 1-1: Product: " + content, 1e9),
    mounts.parse_server,
    mounts.parse_options,
    people.parse_utmp,
    lambda content: people.parse_utmp(content * 100),
    people.parse_session,
    people.parse_btime,
    textfiles.parse_samples,
    lambda content: textfiles.parse_samples(b'x{a="' + content),
    lambda content: top.parse_stat(7, content),
    top.parse_passwd,
    top.parse_uid,
    lambda content: top.parse_uid(b"Name: x\nUid:" + content),
    traffic.parse_protocols,
    lambda content: traffic.parse_protocols(content, content, six=content),
    inet.parse_resolvers,
    inet.parse_diag,
    lambda content: inet.parse_diag(content * 20),
    traffic_iftop.parse_iftop,
    lambda content: traffic_iftop.parse_iftop(b" 1 192.0.2.1:22 => " + content + b"\n 192.0.2.2:22 <= " + content),
    traffic_ss.parse_ss,
    lambda content: traffic_ss.parse_ss(b"tcp ESTAB 0 0 192.0.2.1:22 " + content + b"\n\t" + content),
    lambda content: units.parse_show(content, ["x.service"]),
    units.parse_list,
    usb.parse_speed,
    usb.parse_descriptors,
]


@pytest.mark.parametrize("parser", PARSERS)
@given(content=st.one_of(st.binary(max_size=120), st.text("0123456789 -.:/,\n\\(kB", max_size=80).map(str.encode)))
@example(content=b"")
@example(content=b"\n")
@example(content=b"-1")
@example(content=b"9" * 5000)
@example(content=b"9" * 400)
def test_any_bytes_give_rows_or_a_value_error(parser: Callable[[bytes], object], content: bytes) -> None:
    with contextlib.suppress(ValueError, OverflowError):
        listed(parser(content))


def test_every_parser_of_bytes_is_among_them() -> None:
    """Those that take nothing else; the others have tests of their own."""
    modules = [
        block,
        checks,
        cpu,
        devices,
        filesystem,
        hardware,
        kernel,
        kernel_daemons,
        load,
        memory,
        mounts,
        network,
        people,
        pressure,
    ]
    modules += [processes, system, textfiles, top, traffic, traffic_iftop, traffic_ss, units, usb, inet, mountinfo]
    found = {
        function
        for module in modules
        for name, function in vars(module).items()
        if name.startswith("parse_") and function.__module__ == module.__name__
        and [str(one.annotation) for one in inspect.signature(function).parameters.values()] == ["bytes"]
    }  # fmt: skip
    untried = {function.__name__ for function in found if function not in PARSERS}
    assert untried <= {"parse_pressure"}


def test_columns_an_old_kernel_does_not_have_are_zero() -> None:
    ((_, row),) = cpu.parse_stat(b"cpu  100 200 300 400\nintr 1\n", 100)
    assert row["idle"] == 4.0
    assert row["steal"] == row["guest_nice"] == 0


def test_columns_of_a_newer_kernel_are_left_out() -> None:
    ((_, row),) = cpu.parse_stat(b"cpu  1 2 3 4 5 6 7 8 9 10 11 12\n", 1)
    assert row["guest_nice"] == 10.0
    assert len(row) == 11


def test_memory_available_is_estimated_where_the_kernel_does_not_say() -> None:
    row = memory.parse_meminfo(b"MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 5 kB\nCached: 20 kB\nShmem: 3 kB\n")
    assert row["available"] == 32 * 1024


@pytest.mark.parametrize(("text", "count"), [(b"0\n", 1), (b"0-3\n", 4), (b"0-1,3,8-11\n", 7)])
def test_cpus_online_are_counted(text: bytes, count: int) -> None:
    assert system.parse_online(text) == count


@pytest.mark.parametrize(
    ("line", "value"),
    [(b'A="x \\"y\\" \\$z"', b'x "y" $z'), (b"A='x\\y'", b"x\\y"), (b"A=x", b"x"), (b'A="', b'"'), (b"A=", b"")],
)
def test_os_release_is_quoted_as_the_shell_quotes(line: bytes, value: bytes) -> None:
    assert system.parse_release(b"# comment\n" + line + b"\n") == {"A": value}


@pytest.mark.parametrize(
    ("escaped", "name"),
    [(rb"/a\040b\011c\012d\134e", b"/a b\tc\nd\\e"), (rb"/a\134040", rb"/a\040"), (rb"/a\9\04", rb"/a\9\04"),
     (rb"/a\777", rb"/a\777"), (b"/plain\xff", b"/plain\xff"), (b"\\", b"\\")],
)  # fmt: skip
def test_octal_escapes_of_mountinfo_are_undone(escaped: bytes, name: bytes) -> None:
    assert mountinfo.unescaped(escaped) == name


def test_a_process_may_call_itself_anything() -> None:
    assert processes.parse_state(b"7 (a) R (b)\n\x01) Z 1 7") == b"Z"


def test_a_disk_statistic_is_in_bytes_and_seconds() -> None:
    row = block.parse_stat(b"  1 0 8 1500 2 0 16 2500 0 3500 4000 0 0 0 0 5 6\n")
    assert (row["read_bytes"], row["write_bytes"]) == (4096, 8192)
    assert (row["read_seconds"], row["write_seconds"], row["busy_seconds"]) == (1.5, 2.5, 3.5)


@given(st.ip_addresses())
@example(ipaddress.ip_address("::"))
@example(ipaddress.ip_address("1::"))
@example(ipaddress.ip_address("::1"))
@example(ipaddress.ip_address("1:0:0:2:0:0:0:3"))
@example(ipaddress.ip_address("10:0:1:0:20:0:0:2"))
def test_addresses_are_spelled_as_everybody_does(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert network.spelled(address.packed) == str(address)


def test_counters_beyond_the_largest_number_of_a_report_wrap() -> None:
    assert checked("n", 2**64 - 1) == 2**63 - 1
    assert checked("n", 2**63 + 5) == 5


@pytest.mark.parametrize("value", [-273.15, -0.0, 0.0, 99.5])
def test_temperatures_may_be_negative_and_nothing_else_may(value: float) -> None:
    assert checked("celsius", value) == checked("critical", value) == value
    with pytest.raises(ValueError, match="seconds"):
        checked("seconds", -abs(value) - 1)
    with pytest.raises(ValueError, match="celsius"):
        checked("celsius", value - 1.1e15)


@pytest.mark.parametrize("value", [-1, -0.5, float("nan"), float("inf"), 1e15])
def test_numbers_that_make_no_sense_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="uptime"):
        checked("uptime", value)
