"""What people are shown as evidence: tables of text that hold no secret, no control character, and no end of lines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from poller.findings.evidence import LONGEST, evidence, printable
from poller.model import (
    KernelMessage,
    Process,
    Reading,
    Redaction,
    Section,
    SectionStatus,
    Socket,
    SocketCount,
    Watch,
)
from tests.findings.readings import reading, section

BUSY = Process(4242, "php", 33, "www-data", "R", 4, 100.0, 57.0, 300 << 20, "")
IDLE = Process(1, "init", 0, "", "S", 1, 0.0, 2.0, 12 << 20, "")


def shown(now: Reading, watch: Watch = Watch(), before: Reading | None = None) -> dict[str, str]:  # noqa: B008
    parts = evidence(before, now, watch, 7)
    assert all(part.at_ms == 7 for part in parts)
    return {part.part: part.text for part in parts}


def connection(number: int = 0, **changes: Any) -> Socket:
    usual = Socket("tcp", "192.0.2.1", 443, "198.51.100.7", 40000 + number, "ESTABLISHED", 10, 5, 33, "nginx")
    return replace(usual, **changes)


def test_processes_stand_with_what_they_used_since_the_report_before_the_busiest_first() -> None:
    before = reading(section("top", replace(BUSY, cpu=0.0), IDLE), uptime=940.0)
    text = shown(reading(section("top", BUSY, IDLE)), before=before)["processes"]
    assert text == (
        "CPU %    MiB   PID  USER      COMMAND\n 95.0  300.0  4242  www-data  php\n  0.0   12.0     1  0         init\n"
    )


def test_without_a_report_before_the_largest_come_first() -> None:
    text = shown(reading(section("top", IDLE, replace(BUSY, command="php-fpm: pool www"))))["processes"]
    assert [line.split()[:3] for line in text.splitlines()[1:]] == [["-", "300.0", "4242"], ["-", "12.0", "1"]]
    assert "php-fpm: pool www" in text


def test_sockets_are_counted_by_state_and_by_whom_they_go_to() -> None:
    rows = [*(connection(number) for number in range(3)), connection(9, remote_address="2001:db8::7", local_port=50000,
            remote_port=3306, process="", local_address="2001:db8::1")]  # fmt: skip
    counts = (SocketCount("tcp", "LISTEN", 2), SocketCount("tcp", "ESTABLISHED", 4))
    text = shown(reading(section("sockets", *rows, *counts)))["sockets"]
    assert text == (
        "tcp ESTABLISHED 4, tcp LISTEN 2\n"
        "\n"
        "COUNT  QUEUED  PROTOCOL  HERE           THERE               PROGRAM\n"
        "    3      45  tcp       192.0.2.1:443  198.51.100.7        nginx\n"
        "    1      15  tcp       2001:db8::1    [2001:db8::7]:3306  -\n"
    )


def test_many_peers_are_the_twenty_with_most_connections() -> None:
    rows = [connection(number, remote_address=f"198.51.100.{number % 30}") for number in range(60)]
    text = shown(reading(section("sockets", *rows)))["sockets"]
    assert text.endswith("and 10 more\n") and text.count("nginx") == 20


def test_lines_of_the_kernel_have_their_time_and_what_is_bad_is_marked() -> None:
    messages = (
        KernelMessage(0, 1_700_000_000.5, 6, "eth0: link up"),
        KernelMessage(1, 1_700_000_001.0, 3, "EXT4-fs error"),
    )
    text = shown(reading(section("kernel", *messages)))["kernel"]
    assert text == "2023-11-14 22:13:20   eth0: link up\n2023-11-14 22:13:21 ! EXT4-fs error\n"


def test_what_the_login_may_not_read_is_said() -> None:
    denied = Section("kernel", SectionStatus.DENIED, "/dev/kmsg: Operation not permitted", 0.0)
    assert shown(reading(denied)) == {"kernel": "denied: /dev/kmsg: Operation not permitted\n"}
    assert shown(reading(section("kernel"))) == {"kernel": "nothing\n"}
    assert shown(reading()) == {}


def test_secrets_are_taken_out_and_what_cannot_be_printed_is_escaped() -> None:
    watch = Watch(redactions=(Redaction(r"token=\w+", "token=***"),))
    sly = "\x1b[2J\x9b\u202eevil\u200b token=abc123"
    rows = (section("top", replace(BUSY, command=sly)), section("kernel", KernelMessage(0, 1e9, 6, sly)),
            section("sockets", connection(process=sly)))  # fmt: skip
    for text in shown(reading(*rows), watch).values():
        assert "token=***" in text and "abc123" not in text
        assert r"\x1b[2J\x9b\u202eevil\u200b" in text
        assert all(char == "\n" or char.isprintable() for char in text)


def test_each_part_has_an_end() -> None:
    messages = tuple(KernelMessage(number, 1e9, 6, "é" * 1000) for number in range(40))
    text = shown(reading(section("kernel", *messages)))["kernel"]
    assert len(text.encode()) <= LONGEST and text.endswith("\n...\n")
    assert len(text.splitlines()) == 9, "whole lines"


@given(st.text())
def test_printable_text_stays_and_nothing_else_does(text: str) -> None:
    shown_as = printable(text)
    assert shown_as.isprintable()
    assert shown_as == text or not text.isprintable()
