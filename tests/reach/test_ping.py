"""Echo requests to real addresses: this machine's own, and those of a network in which nobody answers."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from poller.model import Deadline, Ping
from poller.reach.ping import ping
from tests.end_to_end.sshd import has_ipv6
from tests.reach.namespace import Namespace, namespace

ADDRESSES = ["127.0.0.1", *(["::1"] if has_ipv6() else [])]
# As whom: one for whom only raw sockets are open, one who may without privileges, one who may neither.
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
ASK = "import json, time; from poller.reach.ping import ping; from poller.model import Deadline; t = time.monotonic(); "
SHOW = "print(json.dumps([p and [p.sent, p.received, p.error], time.monotonic() - t]))"


@pytest.fixture(scope="module")
def apart() -> Iterator[Namespace]:
    with namespace() as made:
        yield made


def inside(apart: Namespace, call: str, *who: str) -> tuple[Any, float]:
    found, seconds = apart.python(f"{ASK}p = {call}; {SHOW}", *who)
    return found, seconds


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_machine_that_answers_is_there_with_the_time_it_took(address: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("echo requests need privileges here")
    found = ping(address)
    assert found is not None and found.seconds is not None
    assert (found.sent, found.received, found.loss_percent, found.error) == (3, 3, 0.0, "")
    assert 0 < found.seconds < 3


def test_a_hundred_threads_at_once_each_hear_their_own_answers() -> None:
    if os.geteuid() != 0:
        pytest.skip("echo requests need privileges here")
    addresses = [f"127.0.0.{number % 50 + 1}" for number in range(200)]
    with ThreadPoolExecutor(100) as pool:
        found = list(pool.map(lambda address: ping(address, count=2, timeout=5.0), addresses))
    assert [one and (one.address, one.received) for one in found] == [(address, 2) for address in addresses]


def test_a_raw_socket_takes_no_answer_of_another_machine_for_its_own(apart: Namespace) -> None:
    program = """
import json, threading
from poller.reach import ping as module
module._identifiers = iter([7] * 100)  # as if every poller of the world had the same number
found = {}
def ask(address):
    found[address] = module.ping(address, count=2, timeout=0.5).received
threads = [threading.Thread(target=ask, args=(address,)) for address in ("127.0.0.1", "127.0.0.2", "192.0.2.9")]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps(found))
"""
    assert apart.python(program) == {"127.0.0.1": 2, "127.0.0.2": 2, "192.0.2.9": 0}


@pytest.mark.parametrize(("kind", "other", "silent"), [(4, "127.0.0.1", "192.0.2.9"), (6, "::1", "2001:db8::9")])
def test_what_a_raw_socket_heard_before_it_was_connected_does_not_count(
    apart: Namespace, kind: int, other: str, silent: str
) -> None:
    program = f"""
import icmplib, json
from poller.reach import ping as module
module._identifiers = iter([7] * 100)
class Slow(icmplib.ICMPv{kind}Socket):
    def __init__(self, **options):
        super().__init__(**options)
        icmplib.ICMPv{kind}Socket = Slow.__base__
        assert module.ping("{other}", count=2, timeout=5.0).received == 2
icmplib.ICMPv{kind}Socket = Slow
print(json.dumps(module.ping("{silent}", count=2, timeout=0.3).received))
"""
    assert apart.python(program) == 0


@pytest.mark.parametrize("address", ["192.0.2.9", "2001:db8::9"])
def test_a_silent_address_costs_its_time_and_no_more(apart: Namespace, address: str) -> None:
    found, seconds = inside(apart, f"ping({address!r}, count=2, timeout=0.3)")
    assert found == [2, 0, ""]
    assert 0.6 <= seconds < 3


def test_the_deadline_comes_first(apart: Namespace) -> None:
    found, seconds = inside(apart, "ping('192.0.2.9', count=3, timeout=20.0, deadline=Deadline(0.4))")
    assert found == [1, 0, ""]
    assert seconds < 3
    begin = time.monotonic()
    none_left = ping("127.0.0.1", deadline=Deadline(0.0))
    assert none_left is None or none_left.sent == 0
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("address", ["198.51.100.1", "203.0.113.1", "2001:db8:ffff::1"])
def test_where_there_is_no_way_the_kernel_is_quoted_at_once(apart: Namespace, address: str) -> None:
    found, seconds = inside(apart, f"ping({address!r})")
    assert found[1] == 0 and found[2] in ("No route to host", "Network is unreachable", "Permission denied")
    assert seconds < 2


def test_a_name_is_never_looked_up(apart: Namespace) -> None:
    found, _ = inside(apart, "ping('localhost')")
    assert found[1] == 0 and found[2]


def test_who_may_send_none_is_told_apart_from_who_got_no_answer(apart: Namespace) -> None:
    found, _ = inside(apart, "ping('127.0.0.1')", *NOBODY)
    assert found is None


def test_without_privileges_the_kernel_s_own_sockets_are_used() -> None:
    with namespace() as made:
        made.run("sysctl", "-q", "-w", "net.ipv4.ping_group_range=65534 65534")
        for address in ADDRESSES:
            found, _ = inside(made, f"ping({address!r}, count=2)", *NOBODY)
            assert found == [2, 2, ""]


def test_all_lost_is_all_lost_even_if_none_could_be_sent() -> None:
    assert Ping("192.0.2.9", 0, 0, error="Network is unreachable").loss_percent == 100.0
    assert Ping("192.0.2.9", 4, 3, 0.1).loss_percent == 25.0
