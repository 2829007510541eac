"""Host keys that are not the known ones, and a probe that hangs on the host."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from faults.experiment import Experiment
from faults.hosts import outcome
from faults.lab import Lab
from poller.errors import HostError
from poller.model import Before, Deadline, Stopwatch
from poller.probe.payload import SECTIONS, command, pack, sources
from poller.probe.request import Request
from poller.ssh import connect
from tests.end_to_end.sshd import keygen

GOOD: Final = ("ok", "partial")
_HANGS: Final = """
import os, time
def read(host):
    with open({path!r}, "w") as file:
        file.write("%d" % os.getpid())
    while True:
        time.sleep(3600)
    yield
"""


def changed(lab: Lab) -> str:
    """The host gets a new key; nothing of a login is sent until an operator accepts it."""
    server, inbox = lab.sshd(), lab.mail()
    host = '<host name="web" address="127.0.0.1" notify="ops"/>'
    site = lab.site(host, server, inbox=inbox)
    assert site.round()["web"]["outcome"] in GOOD
    server.stop()
    for path in (server.host_keys["ed25519"], server.host_keys["ed25519"].with_suffix(".pub"), server.log_file):
        path.unlink()
    keygen(server.host_keys["ed25519"])
    server.start(server.port)
    rounds = lab.size(short=4, full=10)
    found = [outcome(site.round()["web"]) for _ in range(rounds)]
    assert found == ["hostkey/changed"] * rounds, found
    server.wait_for_log("Connection closed by", rounds)
    assert "user" not in server.log(), "a user name was sent to a host with another key"
    ((security,),) = site.rows("SELECT count(*) FROM poll WHERE security = 1")
    alerts = dict(site.rows("SELECT metric, count(*) FROM alert WHERE severity = 'high' GROUP BY metric"))
    about = [mail for mail in inbox.mail.messages if "hostkey/changed" in mail["Subject"]]
    assert (security, alerts.get("host.security"), len(about)) == (rounds, 1, 1), (
        f"{security} marked, {alerts}, {[mail['Subject'] for mail in inbox.mail.messages]}"
    )
    assert set(alerts) == {"host.security", "host.down"}, alerts
    server.known_hosts.write_text(server.known_line())
    assert site.round()["web"]["outcome"] in GOOD, "it does not go on when the key is accepted"
    return (
        f"{rounds} of {rounds} refused before a user name was sent; 1 high alert and 1 mail tell of it, "
        "1 that the host is down; then ok"
    )


def unknown(lab: Lab) -> str:
    server = lab.sshd()
    server.known_hosts.write_text("")
    site = lab.site('<host name="web" address="127.0.0.1"/>', server)
    assert outcome(site.round()["web"]) == "hostkey/unknown"
    server.wait_for_log("Connection closed by")
    assert "user" not in server.log(), "a user name was sent to an unknown host"
    assert server.known_hosts.read_text() == "", "a key was written down unasked"
    site.config.write_text(site.config.read_text().replace("<ssh ", '<ssh host-key-policy="accept-new" '))
    run = site.poller("run")
    assert server.fingerprint() in run.stderr + run.stdout, "the first key is taken without a word"
    assert server.known_hosts.read_text() == server.known_line(), server.known_hosts.read_text()
    return "refused by default; with accept-new 1 key written down, its fingerprint logged"


def silent_probe(lab: Lab) -> str:
    """The real probe, hanging in a collector. sshd does not end a silent command: the probe must do so itself."""
    written, seconds = lab.tmp / "pid", lab.size(short=1.0, full=5.0)
    hanging = {**sources(), "remote_probe/collectors/load.py": _HANGS.format(path=str(written))}
    payload = pack(hanging, SECTIONS)
    request = Request.fresh("web1", "SHA256:any", Before(), payload, deadline=60)
    began = time.monotonic()
    deadline = Deadline(seconds)
    host = lab.sshd().host()
    try:
        with connect(host, command=command(), deadline=deadline, stopwatch=Stopwatch()) as session:
            session.ask(payload.data + request.frame, request.marker, deadline=deadline)
        raise AssertionError("a probe that hangs answered")
    except HostError as error:
        assert (error.stage, error.code) == ("probe", "timeout"), str(error)
    took = time.monotonic() - began
    assert took <= seconds + 1, f"{took:.2f} s of {seconds}"
    gone = time.monotonic()
    while _running(int(written.read_text())):
        assert time.monotonic() < gone + 10, "the probe still runs 10 s after the poller has gone"
        time.sleep(0.02)
    return f"probe/timeout after {took:.2f} s of {seconds:g}; the probe had gone {time.monotonic() - gone:.2f} s later"


def _running(pid: int) -> bool:
    """A zombie has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


EXPERIMENTS: Final = (
    Experiment("H6", "a collector hangs on the host, silently", "fails by its deadline; the probe is gone within 10 s",
               silent_probe),
    Experiment("H23", "a host has another key than before", "refused before anything is sent; one high alert; goes on "
               "when an operator accepts it", changed),
    Experiment("H24", "a host whose key nobody knows", "refused; accepted only where config.xml says so, and logged",
               unknown),
)  # fmt: skip
