"""Lines of logs are understood: when, who, how bad, how often; and what must not be stored is not."""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.findings.lines import lines
from poller.findings.redact import Redactor
from poller.findings.syslog import Lines, Parsed
from poller.findings.zone import Zone
from poller.model import (
    JournalEntry,
    LogLine,
    LogSource,
    LogText,
    Reading,
    Redaction,
    Row,
    Section,
    SectionStatus,
    Severity,
    System,
    Watch,
)

NOON = calendar.timegm((2026, 11, 21, 12, 0, 0))
UPTIME = 1000.0
POLL_MS = 1_795_000_000_000
BERLIN = "3600 1774746000 7200 1792890000 3600"  # summer time in 2026, from 29 March to 25 October, 01:00 UTC


def parse(text: str, zone: str = "0", clock: float = NOON) -> Parsed:
    return Lines(Zone(zone, clock), clock - UPTIME).parse(text)


def at(text: str, zone: str = "0", clock: float = NOON) -> str:
    moment = parse(text, zone, clock).at
    return "" if moment is None else datetime.fromtimestamp(moment, timezone.utc).isoformat()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nov 21 10:00:00 web1 sshd[12]: hello", Parsed(NOON - 7200, "web1", "sshd", 12, None, "hello")),
        ("Nov  1 12:00:00 web1 CRON: (root) x", Parsed(NOON - 20 * 86400, "web1", "CRON", None, None, "(root) x")),
        ("<34>Nov 21 10:00:00 web1 su: bad", Parsed(NOON - 7200, "web1", "su", None, 2, "bad")),
        ("Nov 21 10:00:00 web1 postfix/smtpd[7]: x", Parsed(NOON - 7200, "web1", "postfix/smtpd", 7, None, "x")),
        ("Nov 21 10:00:00 web1 no tag here: it is", Parsed(NOON - 7200, "web1", "", None, None, "no tag here: it is")),
        (
            "2026-11-21T10:00:00.5+00:00 web1 sshd[123]: Accepted",
            Parsed(NOON - 7199.5, "web1", "sshd", 123, None, "Accepted"),
        ),
        (
            "<165>1 2026-11-21T10:00:00.003Z web1 app 77 ID47 [a@1 b=\"\\\\]\"][c] \ufeffIt's on",
            Parsed(NOON - 7199.997, "web1", "app", 77, 5, "It's on"),
        ),
        ("<13>1 - - - - - -", Parsed(None, "", "", None, 5, "")),
        ("[  123.500000] usb 1-1: new", Parsed(NOON - UPTIME + 123.5, "", "kernel", None, None, "usb 1-1: new")),
        ("<14>plain", Parsed(None, "", "", None, 6, "plain")),
        ("no format at all", Parsed(None, "", "", None, None, "no format at all")),
        ("", Parsed(None, "", "", None, None, "")),
    ],
)  # fmt: skip
def test_the_header_of_syslog_is_read_and_not_kept(text: str, expected: Parsed) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "moment", "program", "pid", "priority"),
    [
        ('{"time":"2026-11-21T10:00:00Z","level":"error","msg":"x","logger":"db","pid":3}', -7200, "db", 3, 3),
        ('{"ts":1795255200.25,"level":"warn"}', -7199.75, "", None, 4),
        ('{"timestamp":1795255200250,"severity":"INFO"}', -7199.75, "", None, 6),
        ('{"time":1795255200250,"level":50,"pid":true}', -7199.75, "", None, 3),
        ('{"@timestamp":"2026-11-21 10:00:00","log.level":"Critical","msg":"a\\\\"b"}', -7200, "", None, 2),
        ('{"cut":"', None, "", None, None),
        ('127.0.0.1 - frank [21/Nov/2026:11:00:00 +0100] "GET / HTTP/1.0" 200 2326', -7200, "", None, None),
        ("2001:db8::1 - - [21/Nov/2026:10:00:00 +0000] \"GET /", -7200, "", None, None),
        ("2026/11/21 10:00:00 [error] 31#31: *5 open() failed", -7200, "nginx", 31, 3),
        ("[Sat Nov 21 10:00:00.500000 2026] [core:warn] [pid 9:tid 1] [client 192.0.2.1] x", -7199.5, "", 9, 4),
        ("2026-11-21 10:00:00,500 - app.module - ERROR - it broke", -7199.5, "", None, 3),
        ("2026-11-21 10:00:00.5 UTC [77] LOG: database system is ready", -7199.5, "", None, None),
        ("2026-11-21T10:00:00Z WARN module: x", -7200, "", None, 4),
    ],
)  # fmt: skip
def test_lines_of_programs_are_kept_whole(
    text: str, moment: float | None, program: str, pid: int | None, priority: int | None
) -> None:
    assert parse(text) == Parsed(None if moment is None else NOON + moment, "", program, pid, priority, text)


@pytest.mark.parametrize(
    ("text", "clock", "year"),
    [
        ("Dec 31 23:59:59 h p: x", (2027, 1, 1, 0, 0, 10), 2026),
        ("Jan  1 00:00:01 h p: x", (2026, 12, 31, 23, 59, 50), 2027),
        ("Nov 22 11:00:00 h p: x", (2026, 11, 21, 12, 0, 0), 2026),
        ("Nov 23 11:00:00 h p: x", (2026, 11, 21, 12, 0, 0), 2025),
        ("Feb 29 00:00:00 h p: x", (2026, 11, 21, 12, 0, 0), 2024),
    ],
)
def test_the_year_that_is_not_there_is_the_last_one_that_can_be(text: str, clock: tuple[int, ...], year: int) -> None:
    assert at(text, clock=calendar.timegm(clock)).startswith(str(year))


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("Nov 21 10:00:00 h p: x", "2026-11-21T09:00:00+00:00"),
        ("Jul  1 10:00:00 h p: x", "2026-07-01T08:00:00+00:00"),
        ("Mar 29 03:00:00 h p: x", "2026-03-29T01:00:00+00:00"),
        ("Mar 29 01:59:59 h p: x", "2026-03-29T00:59:59+00:00"),
        ("Oct 25 03:00:00 h p: x", "2026-10-25T02:00:00+00:00"),
        ("2026-07-01 10:00:00 x", "2026-07-01T08:00:00+00:00"),
        ("2026-07-01T10:00:00-05:00 h p: x", "2026-07-01T15:00:00+00:00"),
    ],
)
def test_local_times_are_those_of_the_host_also_when_summer_time_began_since(text: str, utc: str) -> None:
    assert at(text, BERLIN) == utc


def test_a_zone_that_makes_no_sense_is_utc() -> None:
    for zone in ("", "x", "999999999", "0 1"):
        assert at("Nov 21 10:00:00 h p: x", zone) == "2026-11-21T10:00:00+00:00"


@pytest.mark.parametrize(
    "text", ["Foo 21 10:00:00 h p: x", "Nov 31 10:00:00 h p: x", "Nov 21 25:00:00 h p: x", "2026-13-01 10:00:00 x"]
)
def test_a_time_that_cannot_be_is_none(text: str) -> None:
    assert parse(text).at is None


@given(st.text(max_size=200) | st.from_regex(r"\A(<\d{1,4}>)?(1 )?[A-Z][a-z][a-z] +\d+ \d\d:\d\d:\d\d.*\Z")
       | st.from_regex(r"\A\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d.*\Z") | st.from_regex(r"\A\{\"(time|level|pid)\":.*\}\Z")
       | st.from_regex(r"\A\[[ \d.]*\] .*\Z"))  # fmt: skip
def test_nothing_a_line_holds_makes_trouble(text: str) -> None:
    parsed = parse(text, BERLIN)
    assert parsed.at is None or -1e12 < parsed.at < 1e12
    assert parsed.priority is None or 0 <= parsed.priority <= 7
    assert parsed.text in text


def read(*rows: Row, watch: Watch = Watch()) -> list[LogLine]:  # noqa: B008 -- frozen
    found, _ = lines(reading(*rows), watch, POLL_MS)
    return list(found)


def reading(*rows: Row) -> Reading:
    source = LogSource("app", "/log", "ok", "", "", "c", 0, 0, "0")
    sources = rows if any(isinstance(row, LogSource) for row in rows) else (source, *rows)
    system = System("web1.example.org", "Linux", "6", "x86_64", "debian", "12", "Debian", 2)
    sections = [
        Section("system", SectionStatus.OK, "", 0.0, (system,)),
        Section("logs", SectionStatus.OK, "", 0.0, tuple(sources)),
    ]
    return Reading(float(NOON), UPTIME, "boot", tuple(sections))


def text(content: str, number: int = 1, path: str = "/log") -> LogText:
    return LogText(number, "app", path, content)


def test_a_line_without_a_time_has_that_of_the_poll() -> None:
    assert read(text("plain")) == [LogLine("app", "/log", POLL_MS, "", None, None, Severity.LOW, 1, False, "plain")]


@pytest.mark.parametrize(
    ("priority", "severity"),
    [(0, Severity.HIGH), (3, Severity.HIGH), (4, Severity.MEDIUM), (5, Severity.LOW), (7, Severity.LOW)],
)
def test_the_severity_is_that_of_the_priority(priority: int, severity: Severity) -> None:
    [line] = read(text(f"<{8 + priority}>Nov 21 10:00:00 web1 app: x"))
    assert (line.priority, line.severity) == (priority, severity)


def test_a_repeated_message_counts_as_often_as_it_says() -> None:
    found = read(
        text("Nov 21 10:00:00 web1 sshd[1]: Failed password for root", 1),
        text("Nov 21 10:00:01 web1 sshd[1]: message repeated 4 times: [ Failed password for root]", 2),
        text("other file", 3, "/other"),
        text("Nov 21 10:00:09 web1 last message repeated 3 times", 4),
    )
    assert [(line.text, line.count) for line in found if line.path == "/log"] == [
        ("Failed password for root", 1),
        ("Failed password for root", 4),
        ("Failed password for root", 3),
    ]
    assert found[3].program == "sshd"
    assert found[3].at_ms == (NOON - 7191) * 1000


def test_a_repetition_of_what_nobody_saw_keeps_its_words_and_counts() -> None:
    [line] = read(text("Nov 21 10:00:09 web1 last message repeated 3 times"))
    assert (line.text, line.count) == ("last message repeated 3 times", 3)


def test_lines_of_other_hosts_say_so() -> None:
    found = read(*(text(f"Nov 21 10:00:00 {host} sshd: x") for host in ("web1", "WEB1.example.org", "db7")))
    assert [line.program for line in found] == ["sshd", "sshd", "db7/sshd"]


def entry(
    program: str = "sshd", uid: int = 0, unit: str = "ssh.service", trusted: int = 1, content: str = "x"
) -> LogLine:
    [line] = read(JournalEntry(1, "app", 1795255200.5, program, 7, uid, unit, 4, trusted, content))
    return line


def test_an_entry_of_the_journal_has_its_own_time_and_priority() -> None:
    assert entry() == LogLine("app", "journal", 1795255200500, "sshd", 7, 4, Severity.MEDIUM, 1, True, "x")


@pytest.mark.parametrize(
    ("uid", "unit", "program"),
    [
        (1000, "session-3.scope", "sshd (uid 1000, session-3.scope)"),
        (1000, "user@1000.service", "sshd (uid 1000, user@1000.service)"),
        (33, "apache2.service", "sshd (uid 33, apache2.service)"),
        (1000, "", "sshd (uid 1000, no unit)"),
        (0, "cron.service", "sshd"),
        (101, "sshd.service", "sshd"),
    ],
)
def test_who_calls_himself_sshd_in_the_journal_without_being_root_is_shown(uid: int, unit: str, program: str) -> None:
    line = entry(uid=uid, unit=unit)
    assert (line.program, line.trusted) == (program, True)


def test_who_calls_himself_sshd_in_a_file_cannot_be_told_and_is_not_trusted() -> None:
    [line] = read(text("Nov 21 10:00:00 web1 sshd[1]: Failed password for root from 192.0.2.1 port 1 ssh2"))
    assert (line.program, line.trusted) == ("sshd", False)
    assert entry(trusted=0, uid=1000).trusted is False


def test_a_log_is_readable_when_one_of_its_files_is() -> None:
    sources = [
        LogSource("a", "/a/1", "denied", "", "", "", 0, 0, "0"),
        LogSource("a", "/a/2", "behind", "", "", "c", 70, 0, "0"),
        LogSource("b", "/b", "absent", "", "", "", 0, 0, "0"),
        LogSource("c", "journal", "failed", "", "", "", 0, 0, "0"),
    ]
    found, values = lines(reading(*sources), Watch(), POLL_MS)
    assert found == ()
    assert {str(value): value.value for value in values} == {
        'log.readable{log="a"}': 1.0, 'log.behind_bytes{log="a"}': 70.0,
        'log.readable{log="b"}': 0.0, 'log.behind_bytes{log="b"}': 0.0,
        'log.readable{log="c"}': 0.0, 'log.behind_bytes{log="c"}': 0.0,
    }  # fmt: skip


def test_a_report_without_logs_has_no_numbers_of_them() -> None:
    assert lines(Reading(0.0, 0.0, "boot", ()), Watch(), POLL_MS) == ((), ())


def test_what_must_not_be_stored_is_taken_out() -> None:
    watch = Watch(redactions=(Redaction(r"password=\S+"), Redaction(r"\b\d{16}\b", "[card]")))
    found = read(
        text("Nov 21 10:00:00 web1 app: user=a password=secret card 4111111111111111 end"),
        text("message repeated 2 times: [ password=secret]"),
        text("last message repeated 2 times"),
        watch=watch,
    )
    assert [line.text for line in found] == ["user=a *** card [card] end", "***", "***"]


def redacted(pattern: str, content: str, *, clock: Callable[[], float] = time.monotonic) -> str:
    return Redactor([Redaction(pattern)], clock)(content)


@pytest.mark.parametrize(
    ("pattern", "content", "kept"),
    [
        (r"(?i)token=\w+", "TOKEN=abc x", "*** x"),
        (r"(?i:token)=\w+", "TOKEN=abc x", "*** x"),
        (r"(a)(b)", "xaby", "x***y"),
        (r"secret", "nothing here", "nothing here"),
        (r"user \S+ .* from [0-9.]+", "user u some words from 192.0.2.1 port", "*** port"),
        (r"\Bx|y", "axy", "a******"),
    ],
)
def test_redactions_are_regular_expressions(pattern: str, content: str, kept: str) -> None:
    assert redacted(pattern, content) == kept


@pytest.mark.parametrize("pattern", [r"\w+\w+\w+\w+=", r"[a-z]+[a-z]+[a-z]+\d", r".*.*.*x", r"(?:\w+)(\s*)(.*)\w+\d"])
def test_a_pattern_that_goes_back_and_forth_does_not_hold_up_the_poll(pattern: str) -> None:
    begin = time.process_time()
    redact = Redactor([Redaction(pattern)])
    for _ in range(1000):
        redact("a" * 1024)
        redact("a" * 64)
    assert time.process_time() - begin < 5


def test_a_line_that_is_not_searched_is_not_kept() -> None:
    assert redacted(r"\w+\w+\w+1=", "a" * 1000 + "1=") == "***"
    hours = iter(range(0, 100_000, 3600))
    slow = Redactor([Redaction(r"b+=")], lambda: float(next(hours)))
    assert slow("ab=c") == "a***c"
    assert slow("ab=c") == "***"
    assert slow("without") == "without"
