"""Hosts that the open files were not enough for are held as soon as there is room, without a new start."""

from __future__ import annotations

import logging
import resource
from dataclasses import replace
from pathlib import Path

import pytest

from poller.fleet import room
from poller.fleet.room import Room
from poller.model import Link
from tests.end_to_end.sshd import Sshd
from tests.fleet.running import Running, running, seldom


class Limits:
    """What the kernel lets a process have. With two polls at once `held` hosts of `hosts` fit."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.files = 1000
        monkeypatch.setattr(resource, "getrlimit", lambda which: (self.files, self.files))

    def fit(self, held: int, hosts: int) -> None:
        self.files = 28 + min(2, hosts) * 6 + 4 + hosts + held


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    return Limits(monkeypatch)


def stand(run: Running, link: Link) -> list[str]:
    return [state.host for state in run.engine.links().values() if state.link is link]


def test_a_reload_that_leaves_room_has_the_others_held(tmp_path: Path, sshd: Sshd, limits: Limits) -> None:
    hosts = [seldom(sshd.host(f"web{number}")) for number in range(3)]
    limits.fit(1, 3)
    with running(tmp_path, *hosts, at_once=2) as run:
        run.until(lambda: len(run.polls) == 3, "all are polled")
        assert (stand(run, Link.CONNECTED), stand(run, Link.COLD)) == (["web0"], ["web1", "web2"])
        assert "too few open files" in run.link("web1").reason
        run.engine.change(hosts[:2], {})
        run.ask("web1")
        run.until(lambda: stand(run, Link.CONNECTED) == ["web0", "web1"], "both are held")
        assert run.link("web1").reason == ""
        run.engine.change(hosts, {})
        run.until(lambda: stand(run, Link.CONNECTED) == ["web0"], "too many again")
        assert run.ask("web1").report is not None


def test_a_limit_that_was_raised_is_noticed(
    tmp_path: Path, sshd: Sshd, limits: Limits, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "poller")
    monkeypatch.setattr(room, "_LOOK", 0.1)
    limits.fit(0, 1)
    with running(tmp_path, seldom(sshd.host()), at_once=2) as run:
        run.polled(1)
        assert run.link().link is Link.COLD
        limits.files = 1000
        run.until(lambda: run.link().link is Link.WAITING, "it is held from its next poll on")
        run.ask()
        assert run.link().link is Link.CONNECTED
    said = [record.getMessage() for record in caplog.records if "open files" in record.getMessage()]
    assert [line.split(" ")[0] for line in said] == ["of", "there"], said


def test_who_is_held_stays_held_when_others_come_first(sshd: Sshd, limits: Limits) -> None:
    old, new = sshd.host("old"), sshd.host("new")
    reckoned = Room(2)
    limits.fit(1, 1)
    reckoned.reckon([old])
    limits.fit(1, 2)
    assert reckoned.reckon([new, old]) == {"new"}
    assert (reckoned.has(old), reckoned.has(new)) == (True, False)
    assert reckoned.has(replace(new, name="cold", cold=True))


def test_nobody_looks_while_all_are_held(sshd: Sshd, limits: Limits) -> None:
    reckoned = Room(2)
    assert reckoned.reckon([sshd.host()]) == frozenset() and not reckoned.due
