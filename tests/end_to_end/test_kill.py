"""Killed at any step, the poller loses nothing and doubles nothing."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from remote_probe.collectors import NAMES
from tests.end_to_end.site import Site
from tests.end_to_end.test_mails import configure
from tests.notify.servers import Mail, mail_server
from tests.notify.web import Site as Web
from tests.notify.web import web_server

# The samples of a poll that brought a report: exactly one row of the machine, and as many cores as the machine has.
HALVES = """
SELECT poll.id FROM poll
 WHERE outcome IN ('ok', 'partial')
   AND (SELECT count(*) FROM system_sample s WHERE s.host_id = poll.host_id AND s.at_ms = poll.at_ms) <> 1
"""


@pytest.fixture
def inbox() -> Iterator[tuple[Mail, int]]:
    mail = Mail()
    with mail_server(mail) as port:
        yield mail, port


def die_at(site: Site, number: int) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "tests.end_to_end.die_at", str(number), "--config", str(site.config), "run", "-q"]
    return subprocess.run(
        words, cwd=site.folder, env=site.environment(), capture_output=True, text=True, timeout=60, check=False
    )


def check(site: Site) -> None:
    assert site.rows("PRAGMA integrity_check") == [("ok",)]
    assert site.rows("SELECT count(*) - count(DISTINCT id) FROM poll") == [(0,)]
    assert site.rows(HALVES) == []


def steps(site: Site) -> int:
    found = re.search(r"reached (\d+)", die_at(site, 0).stderr)
    assert found
    return int(found[1])


def test_killed_at_the_nth_statement_or_send_nothing_is_lost_or_half_stored(
    site: Site, inbox: tuple[Mail, int]
) -> None:
    """The real command at some steps of a round that opens an alert and mails it; faults/killed.py takes all."""
    mail, port = inbox
    configure(site, port, names=("web1",))
    total = steps(site)
    assert total > 20
    told = len(mail.messages)
    assert told == 1
    for number in sorted(random.Random(7).sample(range(1, total), 3)):
        for path in site.folder.glob("poller.db*"):
            path.unlink()
        mail.messages.clear()
        assert die_at(site, number).returncode == 9
        site.poller("run", "-q")
        check(site)
        assert site.rows("SELECT count(*) FROM alert WHERE closed_ms IS NULL") == [(1,)]
        assert mail.messages, f"killed at step {number} of {total}: the mail was lost"
        assert len({message["Message-ID"] for message in mail.messages}) == 1, "a repeated mail carries the same id"


def test_killed_at_a_request_or_right_after_it_a_webhook_hears_of_it_with_one_id(site: Site) -> None:
    with web_server(Web()) as web:
        limit = '<thresholds name="test"><threshold metric="uptime.seconds" above="0" severity="low"/></thresholds>'
        # Of what this machine has listened to or mounted since, each change would be a statement more.
        limit += f'<collect section="{" ".join(name for name in NAMES if name != "system")}" every="never"/>'
        hook = f'<channel name="hook" webhook="{web.url()}"/><contact name="ops" channels="hook"/>'
        site.write('<host name="web1" address="local" thresholds="test" notify="ops"/>', more=hook + limit)
        found = re.search(r"told at \[.*?(\d+)\]", die_at(site, 0).stderr)
        assert found and len(web.requests) == 1
        request = int(found[1])  # its last part
        for number, times in ((request, 1), (request + 1, 2)):
            for path in site.folder.glob("poller.db*"):
                path.unlink()
            web.requests.clear()
            assert die_at(site, number).returncode == 9
            site.poller("run", "-q")
            check(site)
            told = [json.loads(one.body) for one in web.requests if len(one.body) == int(one.headers["Content-Length"])]
            assert len(told) == times, f"killed at step {number}: told {len(told)} times"
            assert len({(one["id"], one["notifications"][0]["id"]) for one in told}) == 1


def test_killed_at_random_times_each_poll_is_stored_once(site: Site) -> None:
    site.write("".join(f'<host name="h{number}" address="127.0.0.1"/>' for number in range(8)))
    site.poller("run", "-q")
    chance = random.Random(11)
    for _ in range(5):
        run = subprocess.Popen(site.command("run", "-q"), cwd=site.folder, env=site.environment())
        time.sleep(chance.uniform(0.3, 1.2))
        run.kill()
        run.wait(10)
        check(site)
    site.poller("run", "-q")
    check(site)
    assert site.rows("SELECT count(*) FROM host") == [(8,)]
