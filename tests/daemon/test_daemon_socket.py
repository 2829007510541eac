"""The daemon's socket as people use it, and as nobody should."""

from __future__ import annotations

import json
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from poller.daemon.beside import holder
from tests.daemon.daemons import PATIENCE, StartDaemon, hosts, start
from tests.end_to_end.site import Site, site
from tests.end_to_end.sshd import make_sshd, sshd

__all__ = ["make_sshd", "site", "sshd", "start"]


def rest(sock: socket.socket) -> bytes:
    """All that comes until the daemon hangs up."""
    found = b""
    with suppress(ConnectionResetError):  # it has not read all that it was sent
        while data := sock.recv(1 << 16):
            found += data
    return found


def test_it_is_asked_over_its_socket_how_it_is_and_to_end(site: Site, start: StartDaemon) -> None:
    site.write(hosts("web1"))
    daemon = start()
    daemon.until_polled(1)

    def asked() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(site.poller("daemon", "--status", "--json").stdout)
        return found

    daemon.until(lambda: asked()["links"]["connected"] == 1 and asked()["polls"]["ok"], "a poll that went well")
    status = asked()
    assert (status["pid"], status["hosts"], status["trouble"]) == (daemon.process.pid, 1, "")
    assert [duty["trouble"] for duty in status["duties"]] == ["", "", ""]
    assert f"process {daemon.process.pid}, {site.config}" in site.poller("daemon", "--status").stdout
    assert f"the daemon's (process {daemon.process.pid}), going on" in site.poller("status").stdout
    assert "has ended" in site.poller("daemon", "--stop").stdout
    assert daemon.wait() == 0
    assert "no daemon listens" in site.poller("daemon", "--status", code=2).stderr


def test_who_asked_it_to_end_is_told_when_another_may_begin(site: Site, start: StartDaemon) -> None:
    """An archive that accepts and says nothing holds the duty that ships for longer than the socket is there."""
    with socket.create_server(("127.0.0.1", 0)) as archive:
        port = archive.getsockname()[1]
        url = f"mysql://poller@127.0.0.1:{port}/poller?tls=off"
        site.write(hosts("web1"), more=f'<archive url="{url}" timeout="30s"/>')
        daemon = start()
        archive.settimeout(PATIENCE)
        with archive.accept()[0]:
            daemon.until_said("ready")
            assert "has ended" in site.poller("daemon", "--stop").stdout
            assert holder(site.journal) == 0
    assert daemon.wait() == 0


def test_what_takes_a_new_start_is_said_and_the_old_socket_still_answers(site: Site, start: StartDaemon) -> None:
    site.write(hosts("web1"))
    daemon = start()
    daemon.until_said("ready")
    old, new = f"{site.journal}.socket", site.folder / "other"
    site.write(hosts("web1"), more=f'<daemon processes="2" socket="{new}"/>')
    daemon.signal(signal.SIGHUP)
    daemon.until_said(f"<daemon socket=> is {new} in config.xml, and stays {old} until the daemon is started again")
    lost = site.poller("daemon", "--status", code=75).stderr
    assert f"a daemon (process {daemon.process.pid}) is at work" in lost and "--status --socket PATH" in lost
    told = site.poller("daemon", "--status", "--socket", old).stdout
    assert "<daemon processes=> is 2 in config.xml, and stays 1 until" in told and "<daemon socket=> is" in told
    status = json.loads(site.poller("daemon", "--status", "--json", "--socket", old).stdout)
    assert status["socket"] == old and len(status["reload"]["restart"]) == 2
    assert "has ended" in site.poller("daemon", "--stop", "--socket", old).stdout
    assert daemon.wait() == 0


def test_so_many_processes_as_the_command_line_says_also_after_a_reload(site: Site, start: StartDaemon) -> None:
    site.write(hosts("web1", "db1"))
    daemon = start("--processes", "2")
    daemon.until_polled(1, ("web1", "db1"))
    children = Path(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children").read_text().split()
    workers = [one for one in children if b"poller.fleet.worker" in Path(f"/proc/{one}/cmdline").read_bytes()]
    assert len(workers) == 2
    assert "until the daemon is started again" not in site.poller("daemon", "--reload").stdout
    assert daemon.end() == 0
    assert "is started" in site.poller("daemon", "--processes", "2", "--status", code=2).stderr


def test_nothing_that_comes_over_its_socket_disturbs_it(site: Site, start: StartDaemon) -> None:
    asked = (b'{"ask":"poll","hosts":5}', b'{"ask":"watch","hosts":{}}', b"[" * 900_000, b"\xff", b"x" * 2_000_000)
    lines = [line + b"\n" for line in asked]
    site.write(hosts("web1"))
    daemon = start()
    daemon.until_polled(1)
    socks = [socket.socket(socket.AF_UNIX) for _ in range(30)]
    for sock in socks:
        sock.settimeout(PATIENCE)
        sock.connect(f"{site.journal}.socket")
    for number, sock in enumerate(socks):
        with suppress(OSError):  # it hangs up before it has all of it
            sock.sendall(lines[number % len(lines)])
    daemon.until_polled(2)
    for sock in socks:
        assert b'"error"' in rest(sock)
        sock.close()
    assert json.loads(site.poller("daemon", "--status", "--json").stdout)["pid"] == daemon.process.pid
    assert daemon.end() == 0
