"""One session for many polls: the probe is sent when it has to be, and a poll that fails ends the session."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from poller.clock import now_ms
from poller.model import NEVER, Before, Host, Poll, PollOutcome, Watch
from poller.poll import poll
from poller.resident import Resident
from poller.ssh import Gates
from remote_probe.collectors import NAMES
from tests.end_to_end.sshd import Sshd

SEEN = (PollOutcome.OK, PollOutcome.PARTIAL)


def cheap(host: Host, *more: str) -> Host:
    wanted = {"system", "memory", *more}
    return replace(host, watch=Watch(every=dict.fromkeys(set(NAMES) - wanted, NEVER)))


@contextmanager
def resident(host: Host) -> Iterator[Resident]:
    held = Resident(host, Gates())
    yield held
    held.close()


def asked(held: Resident, before: Before = Before()) -> Poll:  # noqa: B008 - frozen
    return poll(held.host, before, held.gates, resident=held)


def known(made: Poll) -> Before:
    assert made.report is not None, made.error
    times = {section.name: made.asked_ms for section in made.report.now.sections}
    return Before(made.report.now, address=made.address, asked_ms=times)


def commands(sshd: Sshd) -> int:
    return sshd.log().count("Starting session: command")


def refusing_sudo(sshd: Sshd, folder: Path) -> None:
    """The first that the account finds; it lets nobody."""
    sudo = folder / "bin" / "sudo"
    sudo.parent.mkdir()
    sudo.write_text("#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")
    sudo.chmod(0o755)
    (sshd.home / ".bashrc").write_text(f"PATH={sudo.parent}:$PATH\n")


def test_the_probe_that_runs_answers_for_sections_that_are_due_later(sshd: Sshd) -> None:
    host = cheap(sshd.host())
    host = replace(host, watch=replace(host.watch, every={**host.watch.every, "devices": 3600.0}))
    with resident(host) as held:
        first = asked(held)
        fresh = replace(known(first), asked_ms={"devices": now_ms()})
        second = asked(held, fresh)
        third = asked(held, replace(fresh, asked_ms={"devices": 1}))
    names = [
        {section.name for section in made.report.now.sections} if made.report else set() for made in (second, third)
    ]
    assert names == [{"system", "memory"}, {"system", "memory", "devices"}]
    assert commands(sshd) == 1


def test_another_probe_is_started_on_the_same_connection_when_the_first_cannot_answer(sshd: Sshd) -> None:
    with resident(cheap(sshd.host())) as held:
        assert asked(held).outcome in SEEN
        held.adopt(cheap(sshd.host(), "usb"))
        made = asked(held)
        assert made.report is not None and "usb" in {section.name for section in made.report.now.sections}
        assert asked(held).outcome in SEEN
    assert (commands(sshd), sshd.log().count("Accepted publickey")) == (2, 1)


def test_a_probe_for_any_system_goes_on_when_the_host_turns_out_to_be_a_linux(sshd: Sshd) -> None:
    with resident(cheap(sshd.host())) as held:
        before = known(asked(held))
        assert asked(held, before).outcome in SEEN
    assert commands(sshd) == 1


def test_sudo_that_refuses_is_left_out_and_tried_again_when_that_is_forgotten(sshd: Sshd, tmp_path: Path) -> None:
    refusing_sudo(sshd, tmp_path)
    with resident(replace(cheap(sshd.host()), become="sudo")) as held:
        first = asked(held)
        remembered = replace(known(first), sudo_denied_until_ms=now_ms() + 60_000)
        second, third = asked(held, remembered), asked(held, replace(remembered, sudo_denied_until_ms=1))
    assert [made.sudo_denied for made in (first, second, third)] == [True, False, True]
    assert all(made.outcome in SEEN for made in (first, second, third)), first.error
    assert sshd.log().count("Accepted publickey") == 1


def test_a_clock_that_was_ahead_when_sudo_refused_does_not_leave_it_out_for_years(sshd: Sshd, tmp_path: Path) -> None:
    refusing_sudo(sshd, tmp_path)
    with resident(replace(cheap(sshd.host()), become="sudo")) as held:
        until_ms = now_ms() + 10 * 365 * 86_400_000
        first = asked(held, Before(sudo_denied_until_ms=until_ms))
        second = asked(held, replace(known(first), sudo_denied_until_ms=until_ms))
    assert [made.sudo_denied for made in (first, second)] == [True, True], "sudo was not tried"


def test_a_session_that_broke_unnoticed_is_no_fault_of_the_host(sshd: Sshd) -> None:
    with resident(cheap(sshd.host())) as held:
        assert asked(held).outcome in SEEN
        for pid in sshd.children():
            os.kill(pid, signal.SIGKILL)
        made = asked(held)
        assert made.outcome in SEEN, made.error
        assert held.lost.startswith("probe/closed")
    assert sshd.log().count("Accepted publickey") == 2


def test_an_answer_that_is_refused_ends_the_session(sshd: Sshd) -> None:
    with resident(cheap(sshd.host())) as held:
        assert asked(held).outcome in SEEN
        assert held._running is not None
        held._running = replace(held._running, digest="0" * 64)  # asked for another probe than the one that answers
        refused = asked(held)
        assert refused.stage in ("envelope", "report"), refused.error
        assert not held.connected and held.lost.startswith(refused.stage)
        assert asked(held).outcome in SEEN


def test_a_cold_poll_keeps_nothing(sshd: Sshd) -> None:
    held = Resident(cheap(sshd.host()), Gates(), stays=False)
    assert asked(held).outcome in SEEN
    assert not held.connected
    assert held.idle == 0.0
