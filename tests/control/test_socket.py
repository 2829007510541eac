"""The socket of a daemon: where it is, who may use it, and that it outlives neither its daemon nor a dead one."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from poller.control import Caller, Client, NotRunningError, Server, socket_path
from poller.errors import BusyError, PollerError
from poller.model import Config


def answer(caller: Caller) -> Mapping[str, Any]:
    return {"asked": caller.request}


def test_it_stands_beside_the_journal_unless_config_xml_names_another_place(tmp_path: Path) -> None:
    config = Config(path=tmp_path / "config.xml", journal=tmp_path / "poller.db")
    assert socket_path(config) == tmp_path / "poller.db.socket"
    named = Config(path=config.path, journal=config.journal, socket=Path("/run/poller/poller.socket"))
    assert socket_path(named) == Path("/run/poller/poller.socket")


def test_only_its_owner_may_use_it(tmp_path: Path) -> None:
    path = tmp_path / "run" / "poller.socket"
    previous = os.umask(0)
    try:
        with Server(path, {}):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(previous)


def test_another_account_is_refused_whatever_the_mode_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "poller.socket"
    with Server(path, {"status": answer}) as server:
        if os.geteuid() == 0:
            tmp_path.chmod(0o755)
            path.chmod(0o666)
            program = (
                "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX);"
                "s.connect('poller.socket'); print(s.makefile().read())"
            )
            said = subprocess.run(
                [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
            ).stdout
            assert '"denied"' in said and "asked" not in said
        else:  # then it is the server that is another's
            monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
            with pytest.raises(PollerError) as refused:
                Client(path).ask("status")
            assert refused.value.code in ("denied", "peer")
        assert server is not None


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError):
        Client(tmp_path / "absent").ask("status")
    with pytest.raises(NotRunningError):
        Client(tmp_path / ("long" * 40)).ask("status")


def test_what_a_dead_daemon_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "poller.socket"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        dead.listen()
    assert path.is_socket()
    with pytest.raises(NotRunningError):
        Client(path).ask("status")
    with Server(path, {"status": answer}):
        assert Client(path).ask("status")["asked"] == {"ask": "status"}
    assert not path.exists()


def test_a_daemon_that_lives_keeps_its_socket(tmp_path: Path) -> None:
    path = tmp_path / "poller.socket"
    with Server(path, {"status": answer}):
        with pytest.raises(BusyError, match="listens at"):
            Server(path, {})
        assert Client(path).ask("status")


def test_a_socket_that_another_took_over_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "poller.socket"
    first = Server(path, {"status": answer})
    path.unlink()
    with Server(path, {"status": answer}):
        first.close()
        assert Client(path).ask("status")


def test_what_is_no_socket_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "poller.socket"
    path.write_text("mine")
    with pytest.raises(PollerError, match="no socket") as refused:
        Server(path, {})
    assert refused.value.code == "path" and refused.value.hint and path.read_text() == "mine"


def test_a_path_that_the_kernel_does_not_take_is_a_mistake_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(PollerError, match="107") as refused:
        Server(tmp_path / ("long" * 40), {})
    assert refused.value.code == "path" and "<daemon socket=" in refused.value.hint


def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(PollerError, match="others may write") as refused:
        Server(folder / "poller.socket", {})
    assert refused.value.code == "path"


def test_nothing_is_left_when_it_is_closed(tmp_path: Path) -> None:
    threads = threading.active_count()
    files = len(list(Path("/proc/self/fd").iterdir()))
    path = tmp_path / "poller.socket"
    with Server(path, {"status": answer}), contextlib.ExitStack() as open_still:
        for _ in range(5):
            Client(path).ask("status")
        silent = open_still.enter_context(socket.socket(socket.AF_UNIX))
        silent.connect(str(path))
    assert not path.exists()
    assert threading.active_count() == threads
    assert len(list(Path("/proc/self/fd").iterdir())) == files


def test_one_that_too_many_want_to_talk_to_is_waited_for_and_then_said_to_be_busy(tmp_path: Path) -> None:
    path = tmp_path / "full"
    with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as others:
        listener.bind(str(path))
        listener.listen(0)
        for _ in range(3):
            other = others.enter_context(socket.socket(socket.AF_UNIX))
            other.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                other.connect(str(path))
        with pytest.raises(BusyError, match="takes no connection"):
            Client(path, silence=0.2).ask("status")
