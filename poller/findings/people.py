"""Records of wtmp -> events of logins that began and ended between two polls, and of boots that nobody saw."""

from __future__ import annotations

from collections.abc import Iterator

from poller.findings.remembered import section_of
from poller.model import Event, Login, LoginRecord, Reading, Severity

# Seconds by which utmp, wtmp and logind differ about the beginning of one login.
_SAME_LOGIN = 5.0
# What logind knows of the terminal of a login by ssh, which it hears of before there is one.
_UNKNOWN_TERMINAL = "sshd"


def people(before: Reading | None, now: Reading, at_ms: int) -> tuple[Event, ...]:
    """Events at their own times, by the centre's clock. A login that is in one of the readings is told from there."""
    section = section_of(now, "people")
    if before is None or section is None or not any(known.name == "people" for known in before.sections):
        return ()
    records = sorted((row for row in section.rows if isinstance(row, LoginRecord)), key=lambda row: row.number)
    if not records:
        return ()
    logins = [row for reading in (before, now) for row in reading.rows(Login) if isinstance(row, Login)]
    shift_ms = at_ms - round(now.clock * 1000)
    return tuple(
        Event(kind, min(at_ms, shift_ms + round(at * 1000)), Severity.LOW, details)
        for kind, at, details in _told(records, logins)
    )


def _told(records: list[LoginRecord], logins: list[Login]) -> Iterator[tuple[str, float, str]]:
    """(kind, epoch seconds by the host's clock, details). A logout has no user: it is that of its terminal.

    The last boot is the one that the report itself comes from, which is an event of its own (`rebooted`).
    """
    last = max((record.number for record in records if record.action == "boot"), default=0)
    here: dict[str, LoginRecord] = {}
    for record in records:
        if record.action == "login":
            here.pop(record.terminal, None)
            if not any(_same(record, login) for login in logins):
                here[record.terminal] = record
                yield "login", record.at, _who(record)
        elif record.action == "logout":
            login = here.pop(record.terminal, None)
            if login is not None:
                took = max(0.0, record.at - login.at)
                yield "logout", record.at, f"{_who(login)} after {took:.0f} s"
        elif record.action == "boot" and record.number != last:
            yield "boot", record.at, f"booted and went down again, kernel {record.source}"


def _who(record: LoginRecord) -> str:
    return f"{record.user} on {record.terminal}" + (f" from {record.source}" if record.source else "")


def _same(record: LoginRecord, login: Login) -> bool:
    terminals = (record.terminal, _UNKNOWN_TERMINAL)
    return record.user == login.user and login.terminal in terminals and abs(record.at - login.since) < _SAME_LOGIN
