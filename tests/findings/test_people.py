"""Logins that began and ended while nobody looked."""

from __future__ import annotations

from poller.findings.people import people
from poller.model import Event, Login, LoginRecord, People, Reading, Severity
from tests.findings.readings import reading, section

CLOCK = 1_700_000_000.0
AT_MS = 1_700_000_002_000  # the poller's clock is two seconds ahead
ABOUT = People("utmp", 1.6e9, 0, "", "1:2:3", "1:2:4")


def record(number: int, action: str, user: str = "admin", terminal: str = "pts/0", ago: float = 60.0) -> LoginRecord:
    return LoginRecord(number, action, user, terminal, "192.0.2.7", 100, CLOCK - ago)


def login(user: str = "admin", terminal: str = "pts/0", ago: float = 60.0) -> Login:
    return Login(user, terminal, "192.0.2.7", 100, CLOCK - ago)


def seen(*logins: Login) -> Reading:
    return reading(section("people", ABOUT, *logins), uptime=900.0)


def told(before: Reading | None, *rows: Login | LoginRecord) -> list[tuple[str, str]]:
    now = reading(section("people", ABOUT, *rows), clock=CLOCK)
    return [(event.kind, event.details) for event in people(before, now, AT_MS)]


def test_a_short_login_is_told_at_its_own_time_by_the_clock_of_the_poller() -> None:
    now = reading(section("people", ABOUT, record(1, "login"), record(2, "logout", "", ago=25.0)), clock=CLOCK)
    assert people(seen(), now, AT_MS) == (
        Event("login", AT_MS - 60_000, Severity.LOW, "admin on pts/0 from 192.0.2.7"),
        Event("logout", AT_MS - 25_000, Severity.LOW, "admin on pts/0 from 192.0.2.7 after 35 s"),
    )


def test_a_login_that_is_still_there_is_told_by_its_row_alone() -> None:
    assert told(seen(), login(ago=60.02), record(1, "login")) == []


def test_a_login_of_which_logind_does_not_know_the_terminal_is_told_once() -> None:
    assert told(seen(), login(terminal="sshd", ago=61.0), record(1, "login")) == []


def test_a_login_of_the_last_poll_that_ended_is_told_by_its_row_alone() -> None:
    assert told(seen(login(ago=900.0)), record(1, "logout", "")) == []


def test_a_second_login_on_the_same_terminal_is_a_login_of_its_own() -> None:
    records = [
        record(1, "logout", "", ago=50.0),
        record(2, "login", "web", ago=40.0),
        record(3, "logout", "", ago=30.0),
    ]
    assert [kind for kind, _ in told(seen(login(ago=900.0)), *records)] == ["login", "logout"]


def test_logins_without_an_end_and_ends_without_a_login_are_no_more_than_that() -> None:
    assert [kind for kind, _ in told(seen(), record(1, "login"))] == ["login"]
    assert told(seen(), record(1, "logout", "")) == []


def test_the_last_boot_is_that_of_the_report_and_earlier_ones_are_told() -> None:
    assert told(seen(), record(1, "boot")) == []
    found = told(seen(), record(1, "boot", ago=600.0), record(2, "shutdown"), record(3, "boot"))
    assert [kind for kind, _ in found] == ["boot"]


def test_at_first_contact_nothing_is_told() -> None:
    assert told(None, record(1, "login")) == []
    assert told(reading(), record(1, "login")) == []
    assert people(seen(), reading(), AT_MS) == ()
