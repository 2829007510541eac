"""A host that refuses the login is left alone for a while, by every poller, and is never green meanwhile."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess

import pytest

from poller.model import BACK_OFF_MS
from tests.end_to_end.site import Site

REFUSED = "Connection closed by authenticating user"


def attempts(site: Site) -> int:
    """Logins that sshd saw refused."""
    return site.sshd.log().count(REFUSED)


def seen(site: Site, *words: str, code: int = 1) -> tuple[str, str, str]:
    host = site.round("--host", "web1", *words, code=code)["web1"]
    return host["outcome"], host["stage"], host["code"]


def later(site: Site, seconds: float) -> None:
    """As if so much time had passed since the last refusal."""
    connection = sqlite3.connect(site.journal)
    with connection:
        connection.execute("UPDATE host_memory SET retry_at_ms = retry_at_ms - ?", (int(seconds * 1000),))
    connection.close()


@pytest.fixture
def locked_out(site: Site) -> Site:
    """The poller's key is not on the host any more, and two polls have found that out."""
    site.sshd.authorized_keys.write_text("")
    for _ in range(2):
        assert seen(site) == ("failed", "auth", "denied")
    site.sshd.wait_for_log(REFUSED, 2)
    return site


def test_after_two_refused_logins_none_is_tried_until_somebody_says_so_or_time_has_passed(locked_out: Site) -> None:
    site = locked_out
    for _ in range(3):
        assert seen(site) == ("skipped", "auth", "backoff")
    assert attempts(site) == 2
    assert seen(site, "--now") == ("failed", "auth", "denied")
    site.sshd.wait_for_log(REFUSED, 3)
    site.sshd.authorize()
    assert seen(site) == ("skipped", "auth", "backoff"), "nobody tells the poller that the key is back"
    assert seen(site, "--now", code=0) == ("ok", "", "")
    assert seen(site, code=0) == ("ok", "", ""), "one login that works makes it forget"
    assert attempts(site) == 3


def test_it_is_one_attempt_in_ten_minutes_while_the_login_stays_refused(locked_out: Site) -> None:
    site = locked_out
    for _ in range(2):
        later(site, BACK_OFF_MS / 1000)
        assert seen(site) == ("failed", "auth", "denied")
        assert seen(site) == ("skipped", "auth", "backoff")
    site.sshd.wait_for_log(REFUSED, 4)
    assert attempts(site) == 4
    later(site, BACK_OFF_MS / 1000)
    site.sshd.authorize()
    assert seen(site, code=0) == ("ok", "", "")


def test_a_full_round_leaves_the_host_alone_too_and_says_until_when(locked_out: Site) -> None:
    site = locked_out
    site.poller("run", "--now", "-q")  # the other two hosts are refused once more
    site.poller("run", "--now", "-q")
    site.sshd.wait_for_log(REFUSED, 8)
    shown = site.poller("run").stdout
    assert attempts(site) == 8
    assert "3 skipped" in shown
    assert re.search(r"none is tried until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, or with `poller run --now`", shown)


def test_a_host_that_is_left_alone_counts_as_down_and_never_looks_green(locked_out: Site) -> None:
    site = locked_out
    site.round("--host", "web1", code=1)
    host = json.loads(site.poller("status", "--json", "--host", "web1").stdout)["hosts"][0]
    assert host["outcome"] == "stale", "no report was ever there"
    assert [alert["metric"] for alert in host["alerts"]] == ["host.down"], "the third poll in a row without a report"
    assert "auth/backoff" in site.poller("status", "--host", "web1").stdout


def test_pollers_that_start_at_once_try_no_more_than_one_would(site: Site) -> None:
    site.sshd.authorized_keys.write_text("")
    assert seen(site) == ("failed", "auth", "denied")
    words = site.command("run", "-q", "--host", "web1")
    runs = [subprocess.Popen(words, cwd=site.folder, env=site.environment()) for _ in range(5)]
    assert {run.wait(60) for run in runs} == {1}
    site.sshd.wait_for_log(REFUSED, 2)
    assert attempts(site) == 2
    outcomes = site.rows("SELECT outcome, stage, code FROM poll ORDER BY at_ms")
    assert outcomes.count(("failed", "auth", "denied")) == 2
    assert set(outcomes[2:]) <= {
        ("failed", "auth", "denied"),
        ("skipped", "auth", "backoff"),
        ("skipped", "connect", "busy"),
    }


def test_another_fault_in_between_neither_counts_nor_forgets(site: Site) -> None:
    good = site.config.read_text()
    site.sshd.authorized_keys.write_text("")
    assert seen(site) == ("failed", "auth", "denied")
    site.config.write_text(good.replace(f'port="{site.sshd.port}"', 'port="1"'))
    assert seen(site) == ("failed", "connect", "refused")
    site.config.write_text(good)
    assert seen(site) == ("failed", "auth", "denied")
    assert seen(site) == ("skipped", "auth", "backoff")


def test_a_clock_that_was_set_back_does_not_make_it_longer(locked_out: Site) -> None:
    site = locked_out
    later(site, -3600)
    assert seen(site) == ("failed", "auth", "denied")


def test_a_dry_run_leaves_the_host_alone_as_well(locked_out: Site) -> None:
    assert seen(locked_out, "--dry-run") == ("skipped", "auth", "backoff")
    assert attempts(locked_out) == 2


def test_enroll_makes_the_next_poll_try_again(locked_out: Site) -> None:
    site = locked_out
    existing = site.folder / "existing"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(existing)], check=True)
    keys = site.sshd.home / ".ssh" / "authorized_keys"
    site.sshd.authorize(existing.with_suffix(".pub"))
    site.poller("enroll", "web1", "--identity", str(existing), "--yes", code=1)  # sshd reads another file than ~/.ssh
    site.sshd.authorized_keys.write_text(keys.read_text())
    site.sshd.authorize(existing.with_suffix(".pub"))
    site.poller("enroll", "web1", "--identity", str(existing), "--yes")
    assert seen(site, code=0) == ("ok", "", "")
