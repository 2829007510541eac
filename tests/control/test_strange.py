"""Whatever comes over the socket is answered by an error or hung up on, never misunderstood, and disturbs nobody."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from poller.control import Client, Server
from poller.control.message import LONGEST_REQUEST
from poller.daemon.asked import Asked
from poller.daemon.watchers import Watchers
from poller.errors import BusyError
from poller.model import Config, Host

BOUND = 60.0
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NO_NAMES = VALUES.filter(lambda one: not isinstance(one, list) or any(not isinstance(name, str) for name in one))
STRANGE_NAMES = st.lists(st.text(max_size=2_000), min_size=1, max_size=4).filter(lambda names: {*names} != {"web1"})


class Daemon:
    """One that has the handlers of the real one, over hosts that nobody polls. `wanted`: what it was to poll."""

    def __init__(self, folder: Path) -> None:
        self.config = Config(folder / "config.xml", folder / "poller.db", hosts=(Host("web1", "::1"),))
        self.wanted: list[Collection[str]] = []
        self.asked = Asked(lambda: self.config, lambda hosts, now: self.wanted.append(hosts))
        self.watchers = Watchers(lambda: {"web1"}, lambda: None, tuple)
        self.path = folder / "s"
        handlers = {"poll": self.asked.poll, "watch": self.watchers.watch, "status": lambda caller: {"well": True}}
        self.server = Server(self.path, handlers)

    def is_well(self) -> bool:
        return Client(self.path).ask("status") == {"well": True} and not self.wanted and not self.watchers.hosts


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path_factory.mktemp("run"))
    with daemon.server:
        yield daemon


def connected(daemon: Daemon) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(daemon.path))  # without a time limit, which would have it fail where the queue is full
    sock.settimeout(BOUND)
    return sock


def said(daemon: Daemon, line: bytes) -> list[dict[str, Any]]:
    """All that the daemon says to these bytes until it hangs up, without its greeting."""
    with connected(daemon) as sock:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it hangs up before it has all of it
            sock.sendall(line)
        found = b""
        with contextlib.suppress(ConnectionResetError):
            while data := sock.recv(1 << 16):
                found += data
    greeting, *lines = [json.loads(line) for line in found.splitlines() if line]
    assert greeting["protocol"] == 1
    return lines


def refused(daemon: Daemon, line: bytes) -> dict[str, str]:
    """The error that it is answered by, and nothing else."""
    (answer,) = said(daemon, line)
    assert answer.keys() == {"error"}, answer
    error: dict[str, str] = answer["error"]
    assert error["sentence"] and error["hint"] and len(json.dumps(error)) < 4_000, "a sentence, and no more"
    return error


def request(name: object, **fields: Any) -> bytes:
    return json.dumps({"ask": name, **fields}).encode() + b"\n"


each = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", ["poll", "watch"])
@pytest.mark.parametrize("hosts", [5, "web1", {"web1": 1}, None, True, [5], [["web1"]], ["web1", None]])
def test_what_is_no_list_of_names_is_no_empty_list(daemon: Daemon, name: str, hosts: object) -> None:
    assert refused(daemon, request(name, hosts=hosts))["code"] == "protocol"
    assert refused(daemon, request(name))["code"] == "protocol", "nor is nothing"
    assert daemon.is_well()


@pytest.mark.parametrize("now", [1, "yes", None, []])
def test_what_is_neither_yes_nor_no_is_refused(daemon: Daemon, now: object) -> None:
    assert refused(daemon, request("poll", hosts=["web1"], now=now))["code"] == "protocol"
    assert daemon.is_well()


@each
@given(name=st.sampled_from(["poll", "watch"]), hosts=NO_NAMES)
def test_no_value_of_json_is_taken_for_hosts(daemon: Daemon, name: str, hosts: object) -> None:
    assert refused(daemon, request(name, hosts=hosts))["code"] == "protocol"
    assert daemon.is_well()


@each
@given(name=st.sampled_from(["poll", "watch"]), hosts=STRANGE_NAMES)
def test_names_that_nobody_has_are_a_mistake(daemon: Daemon, name: str, hosts: list[str]) -> None:
    assert refused(daemon, request(name, hosts=hosts))["code"] == "usage"
    assert daemon.is_well()


@each
@given(name=VALUES.filter(lambda name: name not in ("poll", "watch", "status")), fields=VALUES)
def test_no_other_request_is_known(daemon: Daemon, name: object, fields: object) -> None:
    assert refused(daemon, request(name, hosts=fields))["code"] == "protocol"
    assert daemon.is_well()


@each
@given(line=st.binary(min_size=1, max_size=300).map(lambda some: some.replace(b"\n", b" ")))
def test_no_bytes_are_a_request_unless_they_are_one(daemon: Daemon, line: bytes) -> None:
    assert refused(daemon, line + b"\n")["code"] == "protocol"
    assert daemon.is_well()


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 900_000,
        b'{"ask":' * 100_000,
        b'{"ask":"status","x":' + b"[" * 500_000 + b"]" * 500_000 + b"}",
        b'{"ask":"poll","hosts":["' + b"x" * (LONGEST_REQUEST - 100) + b'"]}',
        b'{"ask":"poll","hosts":[' + b"0," * 500_000 + b"0]}",
        b'{"ask":"poll","hosts":' + b"9" * 900_000 + b"}",
        b'{"ask":"' + b"\\ud800" * 100_000 + b'"}',
        b'{"ask":"\xff\xfe"}',
        b"x" * (3 * LONGEST_REQUEST),
    ],
    ids=["lists", "objects", "deep-field", "long-name", "many-numbers", "long-number", "surrogates", "no-utf8", "long"],
)
def test_long_and_deep_lines_are_refused(daemon: Daemon, line: bytes) -> None:
    assert refused(daemon, line + b"\n")["code"] in ("protocol", "usage")
    assert daemon.is_well()


def test_half_a_line_and_silence_is_hung_up_on(daemon: Daemon) -> None:
    with connected(daemon) as sock:
        sock.sendall(b'{"ask":"poll","hos')
        began = time.monotonic()
        while sock.recv(1 << 16):
            assert daemon.is_well()
        assert time.monotonic() - began < BOUND


def until(true: Callable[[], object]) -> None:
    ends = time.monotonic() + BOUND
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_a_second_request_is_none_and_the_first_ends(daemon: Daemon) -> None:
    with connected(daemon) as sock:
        sock.sendall(request("watch", hosts=["web1"]))
        until(lambda: daemon.watchers.hosts)
        sock.sendall(request("watch", hosts=[]))
        with contextlib.suppress(ConnectionResetError):
            while sock.recv(1 << 16):
                pass
    until(lambda: not daemon.watchers.hosts)
    assert daemon.is_well()


def test_a_thousand_connections_are_hung_up_on_and_nobody_is_forgotten(daemon: Daemon) -> None:
    threads = threading.active_count()
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(connected(daemon)) for _ in range(1_000)]
        heard = [json.loads(sock.makefile("rb").readline()) for sock in socks]
        greeted = sum("protocol" in one for one in heard)
        assert 0 < greeted < 1_000 and all(one["error"]["code"] == "busy" for one in heard if "error" in one)
        assert threading.active_count() <= threads, "nobody has asked for anything"
    until(lambda: makes_room(daemon))


def makes_room(daemon: Daemon) -> bool:
    """Whether those who have gone are no longer counted."""
    try:
        return daemon.is_well()
    except BusyError:
        return False
