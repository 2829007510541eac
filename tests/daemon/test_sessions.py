"""Why sessions were lost: in the log when it happens, and as long as somebody may ask for it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence

from poller.daemon.sessions import Sessions, entries
from poller.model import Link, LinkState
from tests.daemon.daemons import StartDaemon, hosts, start
from tests.end_to_end.site import Site, site
from tests.end_to_end.sshd import make_sshd, sshd

__all__ = ["make_sshd", "site", "sshd", "start"]

WHY = "probe/closed: the connection broke"


def states(names: Sequence[str], link: Link, reason: str = WHY) -> list[LinkState]:
    return [LinkState(name, link, 1_000, reason=reason, tries=1) for name in names]


def test_a_loss_is_told_once_with_its_reason() -> None:
    sessions = Sessions()
    assert sessions.take(states(["web1"], Link.CONNECTED, "")) == ""
    assert sessions.take(states(["web1"], Link.LOST)) == f"1 session lost: web1: {WHY}"
    assert sessions.take(states(["web1"], Link.LOST, "connect/refused: nothing listens")) == "", "a try, no loss"


def test_a_host_that_never_was_there_loses_nothing() -> None:
    assert Sessions().take(states(["web1"], Link.LOST)) == ""


def test_a_host_that_is_held_no_more_by_wish_is_not_lost() -> None:
    sessions = Sessions()
    sessions.take(states(["web1"], Link.CONNECTED))
    assert sessions.take([*states(["web1"], Link.WAITING), *states(["web1"], Link.LOST)]) == ""


def test_a_host_that_leaves_the_configuration_and_comes_back_has_lost_nothing() -> None:
    sessions = Sessions()
    sessions.take(states(["web1", "web2"], Link.CONNECTED, ""))
    sessions.change({"web2"})
    sessions.change({"web1", "web2"})
    assert sessions.take([LinkState("web1", Link.CONNECTED, 2_000)]) == ""
    assert sessions.take(states(["web2"], Link.LOST)) == f"1 session lost: web2: {WHY}"


def test_one_that_broke_under_a_poll_and_was_made_anew_is_told_too() -> None:
    sessions = Sessions()
    sessions.take([LinkState("web1", Link.CONNECTED, 1_000)])
    assert sessions.take([LinkState("web1", Link.CONNECTED, 1_000, live=True)]) == ""
    assert sessions.take([LinkState("web1", Link.CONNECTED, 2_000, reason=WHY)]) == f"1 session lost: web1: {WHY}"


def test_hundreds_that_are_lost_at_once_are_one_line() -> None:
    sessions, names = Sessions(), [f"web{number}" for number in range(300)]
    sessions.take(states(names, Link.CONNECTED))
    said = sessions.take(states(names, Link.LOST))
    assert said.startswith(f"300 sessions lost: web0: {WHY}; web1: ")
    assert said.endswith("; and 297 more") and "\n" not in said


def test_whoever_is_back_still_says_why_it_was_away() -> None:
    links = {state.host: state for state in (*states(["web2"], Link.CONNECTED), *states(["web1"], Link.CONNECTED, ""))}
    assert [(one["host"], one["link"], one["reason"]) for one in entries(links)] == [("web2", "connected", WHY)]


def test_a_reload_that_leaves_a_host_out_and_one_that_has_it_again_lose_no_session(
    site: Site, start: StartDaemon
) -> None:
    site.write(hosts("web1", "db1"))
    daemon = start()
    daemon.until_polled(1, ("web1", "db1"))
    for names in (("db1",), ("web1", "db1")):
        site.write(hosts(*names))
        site.poller("daemon", "--reload")
        daemon.until_polled(2, names)
    assert daemon.end() == 0
    assert "session lost" not in daemon.said


def test_a_session_that_breaks_is_seen_in_the_log_and_in_the_status(site: Site, start: StartDaemon) -> None:
    site.write(hosts("web1"))
    daemon = start()
    daemon.until_polled(1)

    def status() -> dict[str, object]:
        found: dict[str, object] = json.loads(site.poller("daemon", "--status", "--json").stdout)
        return found

    daemon.until(lambda: status()["links"] == {"waiting": 0, "connected": 1, "lost": 0, "cold": 0}, "a session")
    port = site.sshd.port
    for pid in site.sshd.children():
        os.kill(pid, signal.SIGKILL)
    daemon.until_said("1 session lost: web1: (probe|session)/closed")
    site.sshd.stop()
    daemon.until(lambda: "web1: lost for" in site.poller("daemon", "--status").stdout, "who is away")
    daemon.until(lambda: "connect/refused: nothing listens" in site.poller("daemon", "--status").stdout, "why it is")
    site.sshd.start(port)
    daemon.until(lambda: status()["links"] == {"waiting": 0, "connected": 1, "lost": 0, "cold": 0}, "a session again")
    assert "web1" in str(status()["sessions"]), "it still says why it was away"
    assert daemon.end() == 0
