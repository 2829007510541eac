"""A crossing reaches people by every kind of channel, in their order; and a watcher hears how each round went."""

from __future__ import annotations

import hashlib
import hmac
import json
import signal
import subprocess
from collections.abc import Iterator

import pytest

from poller.store.lock import RoundLock
from tests.end_to_end.site import Site
from tests.notify.servers import Mail, dead_port, hostile_server, mail_server
from tests.notify.web import Site as Web
from tests.notify.web import answering, web_server

TOKEN = "t0ken-in-an-address"
OVER = '<thresholds name="test"><threshold metric="uptime.seconds" above="{limit}" severity="high"/></thresholds>'
HOST = '<host name="web1" address="local" thresholds="test" notify="ops"/>'


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server(Web()) as site:
        yield site


def configure(site: Site, channels: str, *, names: str, limit: str = "0", more: str = "") -> None:
    """One host that is over its limit on purpose, and a contact with these channels."""
    contact = f'<contact name="ops" mail="ops@example.org" channels="{names}"/>'
    site.write(HOST, more=f"{more}{channels}{contact}{OVER.format(limit=limit)}", deadline="5s")


def secret(site: Site, name: str, text: str) -> str:
    path = site.folder / name
    path.touch(mode=0o600)
    path.write_text(text)
    return name


def mail(port: int) -> str:
    return f'<mail server="127.0.0.1" port="{port}" security="none" from="poller@example.org" timeout="5s"/>'


def test_a_webhook_gets_the_problem_and_its_end_signed_and_once(site: Site, web: Web) -> None:
    key = secret(site, "hook.key", "k3y")
    hook = f'<channel name="hook" webhook="{web.url(f"/{TOKEN}")}" secret-file="{key}"/>'
    configure(site, hook, names="hook")
    for limit in ("0", "0", "9999d"):
        configure(site, hook, names="hook", limit=limit)
        run = site.poller("run", "-vv")
        assert TOKEN not in run.stdout + run.stderr and "k3y" not in run.stdout + run.stderr
    told = [json.loads(request.body) for request in web.requests]
    assert [one["notifications"][0]["kind"] for one in told] == ["opened", "closed"]
    assert [one["subject"].partition("]")[0] for one in told] == ["[HIGH", "[OK"]
    for request in web.requests:
        fields = dict(part.split("=") for part in request.headers["Poller-Signature"].split(","))
        expected = hmac.new(b"k3y", fields["t"].encode() + b"." + request.body, hashlib.sha256).hexdigest()
        assert fields["v1"] == expected


def test_apprise_and_a_command_are_told_too(site: Site, web: Web) -> None:
    url = secret(site, "sms.url", f"json://{TOKEN}@127.0.0.1:{web.port}/sms")
    tell = site.folder / "tell"
    tell.write_text(f"#!/bin/sh\ncat > {site.folder}/told\n")
    tell.chmod(0o755)
    channels = f'<channel name="sms" url-file="{url}"/><channel name="wall" command="{tell}"/>'
    more = '<contact name="net" channels="wall"/>'
    configure(site, channels, names="sms", more=more)
    site.config.write_text(site.config.read_text().replace('notify="ops"', 'notify="ops net"'))
    run = site.poller("run", "-vv")
    assert TOKEN not in run.stdout + run.stderr
    assert json.loads(web.requests[0].body)["title"].startswith("[HIGH] web1: uptime.seconds ")
    assert json.loads((site.folder / "told").read_text())["contact"] == "net"


def test_what_one_channel_refuses_for_good_the_next_one_tells(site: Site) -> None:
    inbox = Mail()
    with web_server(answering(404)) as refusing, mail_server(inbox) as port:
        hook = f'<channel name="hook" webhook="{refusing.url(f"/{TOKEN}")}"/>'
        configure(site, mail(port) + hook, names="hook mail")
        run = site.poller("run", "-q")
    assert len(inbox.messages) == 1 and len(refusing.requests) == 1
    assert TOKEN not in run.stderr
    assert site.rows("SELECT DISTINCT state FROM notification") == [("delivered",)]


def test_what_one_channel_cannot_take_now_waits_for_it(site: Site, web: Web) -> None:
    configure(site, f'<channel name="hook" webhook="http://127.0.0.1:{dead_port()}/{TOKEN}"/>', names="hook")
    run = site.poller("run", "-q")
    assert "webhook hook does not listen there" in run.stderr and TOKEN not in run.stderr
    configure(site, f'<channel name="hook" webhook="{web.url()}"/>', names="hook", limit="9999d")
    site.poller("run", "-q")
    (told,) = [json.loads(request.body) for request in web.requests]
    assert [one["kind"] for one in told["notifications"]] == ["opened", "closed"]


def test_ctrl_c_does_not_wait_for_a_channel_that_is_slow(site: Site) -> None:
    with hostile_server(lambda connection: None) as (port, received):
        hook = f'<channel name="hook" webhook="http://127.0.0.1:{port}/" timeout="60s"/>'
        configure(site, hook, names="hook")
        run = subprocess.Popen(site.command("run", "-q"), cwd=site.folder, env=site.environment())
        try:
            while not received:
                assert run.poll() is None, "it did not even try"
            run.send_signal(signal.SIGINT)
            assert run.wait(10) == 130
        finally:
            run.kill()
            run.wait()
    assert site.rows("SELECT DISTINCT state FROM notification") == [("owed",)]


def beats(web: Web) -> list[str]:
    return [request.path.partition("?")[0] for request in web.requests]


def heartbeat(site: Site, web: Web, hosts: str = '<host name="web1" address="local"/>') -> None:
    site.write(hosts, more=f'<heartbeat url="{web.url("/ping/1")}" timeout="5s"/>', deadline="5s")


def test_a_watcher_hears_of_each_round_however_its_hosts_are(site: Site, web: Web) -> None:
    gone = f'<host name="web1" address="local"/><host name="db1" address="127.0.0.1" port="{dead_port()}"/>'
    heartbeat(site, web, gone)
    site.poller("run", "-q")
    assert beats(web) == ["/ping/1/start", "/ping/1/0"]
    assert web.requests[1].body == b"2 hosts, 1 failed, 1 ok"
    rids = {request.path.partition("?rid=")[2] for request in web.requests}
    assert rids == {identity for (identity,) in site.rows("SELECT id FROM round")}


def test_of_chosen_hosts_and_of_dry_runs_no_watcher_hears(site: Site, web: Web) -> None:
    heartbeat(site, web)
    site.poller("run", "-q", "--host", "web1")
    site.poller("run", "-q", "--dry-run")
    assert beats(web) == []


def test_a_round_that_finds_another_at_work_is_no_beat(site: Site, web: Web) -> None:
    heartbeat(site, web)
    with RoundLock(site.journal):
        site.poller("run", "-q", code=75)
    assert beats(web) == []


def test_a_round_that_cannot_be_stored_has_failed(site: Site, web: Web) -> None:
    heartbeat(site, web)
    site.poller("run", "-q")
    site.journal.write_bytes(b"this is no database" * 1000)
    site.poller("run", "-q", code=74)
    assert beats(web)[2:] == ["/ping/1/start", "/ping/1/74"]


def test_a_dead_watcher_changes_nothing_but_is_told_with_v(site: Site) -> None:
    site.write(
        '<host name="web1" address="local"/>',
        more=f'<heartbeat url="http://127.0.0.1:{dead_port()}/{TOKEN}" timeout="2s"/>',
    )
    assert site.poller("run", "-q").stderr == ""
    run = site.poller("run", "-v")
    assert "heartbeat does not listen there" in run.stderr and TOKEN not in run.stderr
