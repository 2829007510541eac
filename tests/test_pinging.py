"""Is the machine gone, or only its SSH? Hosts that are only pinged, and those whose sshd does not answer."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from poller.errors import HostError
from poller.model import Before, Deadline, Host, Poll, PollOutcome, PollSettings
from poller.pinging import for_login, second_opinion
from poller.poll import poll
from poller.probe.values import values
from poller.ssh import Gates
from tests.end_to_end.sshd import MakeSshd, Sshd, free_port
from tests.reach.namespace import ROOT, Namespace, namespace
from tests.reach.test_ping import NOBODY

UP, SILENT = "; it answers ping: the machine is up", "; it does not answer ping either"
PROGRAM = """
import json
from poller.model import Before, Host, PollSettings, Ssh
from poller.poll import poll
from poller.ssh import Gates
one = poll(Host("sw1", {address!r}, ssh=Ssh(user="root", port={port}, known_hosts=()), via={via!r},
                poll=PollSettings(deadline={deadline})), Before(), Gates())
print(json.dumps([str(one.outcome), one.stage, one.code, one.error, one.ping and one.ping.received, one.seconds,
                  sorted(one.stages), one.address]))
"""


@pytest.fixture(scope="module")
def apart() -> Iterator[Namespace]:
    with namespace() as made:
        yield made


def polled(apart: Namespace, address: str, via: str = "ping", *who: str, port: int = 22, deadline: float = 2.0) -> Any:
    """(outcome, stage, code, error, answers, seconds, stages, address)"""
    return apart.python(PROGRAM.format(address=address, via=via, port=port, deadline=deadline), *who)


def root() -> None:
    if os.geteuid() != 0:
        pytest.skip("echo requests need privileges here")


def known(server: Sshd) -> Poll:
    return poll(server.host(), Before(), Gates())


def test_a_host_without_ssh_is_up_when_it_answers_ping() -> None:
    root()
    made = poll(Host("sw1", "127.0.0.1", via="ping"), Before(), Gates())
    assert (made.outcome, made.stage, made.error, made.report) == (PollOutcome.OK, "", "", None)
    assert made.ping and made.ping.received == 3 and made.address == "127.0.0.1"
    assert {"dns", "ping"} == set(made.stages)
    numbers = {value.metric: value.value for value in values(Before(), made)}
    assert numbers["ping.loss_percent"] == 0.0 and 0 < numbers["ping.seconds"] < 3


def test_a_name_is_looked_up_as_for_a_host_with_ssh() -> None:
    root()
    assert poll(Host("sw1", "localhost", via="ping"), Before(), Gates()).outcome is PollOutcome.OK
    lost = poll(Host("sw1", "sw1.invalid", via="ping", poll=PollSettings(deadline=5.0)), Before(), Gates())
    assert (lost.outcome, lost.stage, lost.ping) == (PollOutcome.FAILED, "dns", None)


def test_a_host_without_ssh_that_does_not_answer_is_down(apart: Namespace) -> None:
    outcome, stage, code, error, answers, seconds, _, address = polled(apart, "192.0.2.9")
    assert (outcome, stage, code, answers, address) == ("failed", "ping", "timeout", 0, "192.0.2.9")
    assert error == "the host does not answer ping: 192.0.2.9"
    assert seconds < 3


def test_no_way_to_a_host_is_said_as_the_kernel_says_it(apart: Namespace) -> None:
    outcome, stage, code, error, *_ = polled(apart, "198.51.100.1")
    assert (outcome, stage, code) == ("failed", "ping", "unreachable")
    assert error == "no ping comes as far as the host: 198.51.100.1: No route to host"


def test_a_poller_that_may_not_ping_says_nothing_about_the_host(apart: Namespace) -> None:
    outcome, stage, code, *_ = polled(apart, "127.0.0.1", "ping", *NOBODY)
    assert (outcome, stage, code) == ("skipped", "ping", "denied")


def test_a_machine_that_is_gone_is_told_from_one_whose_sshd_is_gone(apart: Namespace) -> None:
    outcome, stage, code, error, answers, seconds, stages, _ = polled(apart, "192.0.2.9", "ssh")
    assert (outcome, stage, code, answers) == ("failed", "connect", "timeout", 0)
    assert error.endswith(SILENT) and seconds < 3 and "ping" not in stages
    outcome, stage, code, error, answers, *_ = polled(apart, "127.0.0.1", "ssh", port=free_port())
    assert (outcome, stage, code, answers) == ("failed", "connect", "refused", 2)
    assert error.endswith(UP)


def test_who_may_not_ping_polls_over_ssh_as_ever(apart: Namespace) -> None:
    outcome, stage, code, error, answers, *_ = polled(apart, "127.0.0.1", "ssh", *NOBODY, port=free_port())
    assert (outcome, stage, code, answers) == ("failed", "connect", "refused", None)
    assert "ping" not in error


def test_an_ssh_server_that_does_not_speak_leaves_time_for_a_ping() -> None:
    root()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        host = Host("web1", "127.0.0.1", poll=PollSettings(deadline=2.0))
        host = replace(host, ssh=replace(host.ssh, user="root", port=mute.getsockname()[1]))
        made = poll(host, Before(), Gates())
    assert (made.stage, made.code) == ("handshake", "timeout")
    assert made.error.endswith(UP) and made.ping is not None
    assert made.seconds <= 2.5


def test_what_a_living_machine_says_needs_no_ping(make_sshd: MakeSshd) -> None:
    server = make_sshd()
    well = known(server)
    assert (well.stage, well.error, well.ping) == ("", "", None), server.log()
    server.authorized_keys.write_text("")
    denied = known(server)
    assert (denied.stage, denied.ping) == ("auth", None)
    server.known_hosts.write_text("")
    unknown = known(server)
    assert (unknown.stage, unknown.ping) == ("hostkey", None)


def test_a_host_behind_a_jump_host_is_not_pinged_from_here(sshd: Sshd) -> None:
    sshd.trust("127.0.0.2")
    host = sshd.host(deadline=5.0, proxy_jump=f"{sshd.user}@127.0.0.2:{sshd.port}", port=free_port())
    made = poll(host, Before(), Gates())
    assert (made.stage, made.code, made.ping) == ("connect", "unreachable", None), made.error


def test_a_ping_never_takes_more_than_what_is_left_and_a_second(apart: Namespace) -> None:
    program = """
import json, time
from poller.errors import HostError
from poller.model import Deadline
from poller.pinging import second_opinion
error = HostError("connect", "timeout")
error.addresses = ("192.0.2.9", "2001:db8::9")
took = []
for left in (30.0, 0.4, 0.0):
    begin = time.monotonic()
    second_opinion(error, Deadline(left))
    took.append(time.monotonic() - begin)
print(json.dumps(took))
"""
    long, short, none = apart.python(program)
    assert 0.7 <= long < 2 and short < 1.2 and none < 0.2


def test_what_was_not_tried_is_not_pinged() -> None:
    assert second_opinion(HostError("connect", "timeout"), Deadline(5.0)) is None
    assert second_opinion(HostError("dns", "unknown"), Deadline(5.0)) is None


def test_the_login_leaves_a_second_of_the_deadline_or_a_tenth() -> None:
    assert 28.9 < for_login(Deadline(30.0)).remaining <= 29.0
    assert 1.7 < for_login(Deadline(2.0)).remaining <= 1.8
    assert for_login(Deadline(0.0)).remaining == 0.0


def test_a_poller_without_a_file_to_spare_says_that_of_itself() -> None:
    program = """
import json, os, resource
from poller.model import Before, Host
from poller.poll import poll
from poller.ssh import Gates
import icmplib
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
held = []
try:
    while True:
        held.append(os.dup(0))
except OSError:
    pass
one = poll(Host("sw1", "127.0.0.1", via="ping"), Before(), Gates())
print(json.dumps([str(one.outcome), one.stage, one.code]))
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )
    assert json.loads(run.stdout) == ["skipped", "connect", "resources"], run.stderr
