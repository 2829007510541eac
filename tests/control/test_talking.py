"""Commands and a daemon: answers, streams, errors that keep their meaning, and clients that behave badly."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from poller.control import Caller, Client, ProtocolError, Server
from poller.control.message import LONGEST_REQUEST, PROTOCOL
from poller.errors import BusyError, PollerError, StoreError, UsageError

BOUND = 30.0


class Daemon:
    """Handlers that do what the tests need."""

    def __init__(self) -> None:
        self.watchers: list[Caller] = []
        self.gone = threading.Event()

    def echo(self, caller: Caller) -> Mapping[str, Any]:
        return {"heard": caller.request.get("words")}

    def count(self, caller: Caller) -> Mapping[str, Any]:
        for number in range(int(caller.request["to"])):
            caller.deliver({"number": number})
        return {"done": True}

    def watch(self, caller: Caller) -> Mapping[str, Any]:
        self.watchers.append(caller)
        caller.send({"ready": True})
        caller.wait()
        self.gone.set()
        return {"stopping": caller.stopping}

    def fail(self, caller: Caller) -> Mapping[str, Any]:
        errors: dict[str, Exception] = {
            "busy": BusyError("no", "later"),
            "store": StoreError("full", code="full"),
            "usage": UsageError("what?", "this"),
            "own": PollerError("so", "thus", code="own"),
            "fault": ZeroDivisionError("secret"),
        }
        raise errors[caller.request["as"]]


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


@pytest.fixture
def server(tmp_path: Path, daemon: Daemon) -> Iterator[Server]:
    names = ("echo", "count", "watch", "fail")
    with Server(tmp_path / "s", {name: getattr(daemon, name) for name in names}) as server:
        yield server


@pytest.fixture
def path(tmp_path: Path, server: Server) -> Path:
    return tmp_path / "s"


def raw(path: Path) -> socket.socket:
    """A client that has read the greeting."""
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(BOUND)
    sock.connect(str(path))
    greeting = b""
    while not greeting.endswith(b"\n"):
        greeting += sock.recv(1)
    assert json.loads(greeting)["protocol"] == PROTOCOL
    return sock


def rest(sock: socket.socket) -> bytes:
    """Everything until the daemon hangs up."""
    found = b""
    with contextlib.suppress(ConnectionResetError):  # it has not read all that it was sent
        while data := sock.recv(1 << 16):
            found += data
    return found


def test_any_text_comes_back_as_it_was(path: Path) -> None:
    words = "line\nbreak \x1b[31m \u202e \ud800 \N{SNOWMAN}"
    assert Client(path).ask("echo", words=words) == {"heard": words}


def test_a_stream_is_told_item_by_item_in_order(path: Path) -> None:
    with Client(path).stream("count", to=1000) as told:
        assert [item["number"] for item in told] == list(range(1000))
    assert told.answer == {"done": True}


def test_many_clients_are_answered_at_once(path: Path) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda number: Client(path).ask("echo", words=number), range(60)))
    assert [one["heard"] for one in answers] == list(range(60))


@pytest.mark.parametrize(
    ("which", "kind", "code"),
    [
        ("busy", BusyError, "busy"),
        ("store", StoreError, "full"),
        ("usage", UsageError, "usage"),
        ("own", PollerError, "own"),
    ],
)
def test_an_error_is_the_same_on_the_other_side(path: Path, which: str, kind: type[PollerError], code: str) -> None:
    with pytest.raises(PollerError) as refused:
        Client(path).ask("fail", **{"as": which})
    assert type(refused.value) is kind and refused.value.code == code


def test_a_fault_of_the_daemon_is_told_without_its_details_and_ends_nothing(path: Path) -> None:
    with pytest.raises(PollerError, match="ZeroDivisionError") as refused:
        Client(path).ask("fail", **{"as": "fault"})
    assert "secret" not in str(refused.value)
    assert Client(path).ask("echo", words="on") == {"heard": "on"}


def test_an_unknown_request_is_refused(path: Path) -> None:
    with pytest.raises(PollerError, match="does not know") as refused:
        Client(path).ask("dance")
    assert refused.value.code == "protocol"


@pytest.mark.parametrize("line", [b"\x00\xff\n", b"[]\n", b"{\n", b"[" * 100_000 + b"\n", b"null\n"])
def test_garbage_is_refused_and_ends_nothing(path: Path, line: bytes) -> None:
    with raw(path) as sock:
        sock.sendall(line)
        assert json.loads(rest(sock))["error"]["code"] == "protocol"
    assert Client(path).ask("echo", words=1) == {"heard": 1}


def test_a_line_without_end_is_cut_off(path: Path) -> None:
    with raw(path) as sock:
        with contextlib.suppress(OSError):  # it may hang up meanwhile
            sock.sendall(b"a" * (2 * LONGEST_REQUEST))
        assert b"too long" in rest(sock)
    assert Client(path).ask("echo", words=1) == {"heard": 1}


def test_who_leaves_ends_its_stream(path: Path, daemon: Daemon) -> None:
    with Client(path).stream("watch") as told:
        assert next(told) == {"ready": True}
    assert daemon.gone.wait(BOUND)


def test_a_client_that_does_not_read_is_dropped_and_delays_nobody(path: Path, daemon: Daemon) -> None:
    with Client(path).stream("watch") as lazy, Client(path).stream("watch") as keen:
        assert next(lazy) and next(keen)
        kept: list[int] = []

        def read() -> None:
            with contextlib.suppress(PollerError):
                kept.extend(item["n"] for item in keen)

        reader = threading.Thread(target=read)
        reader.start()
        sent, longest, ends = 0, 0.0, time.monotonic() + BOUND
        alive = [True, True]
        while all(alive) and time.monotonic() < ends:
            begun = time.monotonic()
            alive = [caller.send({"n": sent, "pad": "x" * 10_000}) for caller in daemon.watchers]
            longest = max(longest, time.monotonic() - begun)
            sent += 1
            while len(kept) < sent and time.monotonic() < ends:
                time.sleep(0)  # so that the other one keeps up
        assert alive.count(False) == 1, "the one that does not read, and only that"
        assert longest < 5.0, "nobody waits for it"
        assert daemon.gone.wait(BOUND)
        assert Client(path).ask("echo", words=1) == {"heard": 1}
        with pytest.raises(PollerError):
            list(lazy)
    reader.join(BOUND)
    assert not reader.is_alive()


def test_a_daemon_that_stops_tells_those_who_wait(path: Path, server: Server) -> None:
    with Client(path).stream("watch") as told:
        next(told)
        server.close()
        assert list(told) == []
    assert told.answer == {"stopping": True}


def test_a_daemon_that_dies_in_the_middle_is_told_to_the_user(tmp_path: Path) -> None:
    path = tmp_path / "dead"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def die() -> None:
            sock, _ = listener.accept()
            sock.sendall(b'{"poller":"0","protocol":1,"pid":1}\n')
            sock.recv(100)
            sock.close()

        thread = threading.Thread(target=die)
        thread.start()
        with pytest.raises(BusyError, match="went away"):
            Client(path).ask("status")
        thread.join(BOUND)


def test_one_that_hangs_is_not_waited_for_without_end(tmp_path: Path) -> None:
    path = tmp_path / "hangs"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with pytest.raises(BusyError, match="said nothing"):
            Client(path, silence=0.2).ask("status")


def test_a_daemon_of_another_version_is_not_misunderstood(tmp_path: Path) -> None:
    path = tmp_path / "other"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def greet() -> None:
            sock, _ = listener.accept()
            sock.sendall(b'{"poller":"9.9","protocol":9,"pid":1}\n')
            sock.close()

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(ProtocolError, match=r"9\.9"):
            Client(path).ask("status")
        thread.join(BOUND)
