"""Who talks to whom, over real SSH between two machines on a wire: bytes in the database, and nothing of the poller."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.site import Site
from tests.end_to_end.sshd import Sshd, require_sshd
from tests.remote_probe.wire import FAR, NEAR, Wire, iftop, move, pair, talking, wire

__all__ = ["iftop", "wire"]

MORE = '<collect section="traffic" source="sock_diag"/>'


class Watched:
    """The near machine has an sshd; the poller is on the far one."""

    def __init__(self, folder: Path, wire: Wire) -> None:
        self.wire = wire
        sshd = Sshd(folder / "sshd", addresses=(NEAR,))
        sshd.within = tuple(wire.words("near"))
        sshd.start()
        sshd.authorize()
        sshd.trust(NEAR)
        (folder / "site").mkdir()
        self.site = Site(folder / "site", sshd)

    def round(self) -> dict[str, Any]:
        words = [*self.wire.words("far"), *self.site.command("run", "--json")]
        run = subprocess.run(
            words,
            cwd=self.site.folder,
            env=self.site.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        (host,) = json.loads(run.stdout)["hosts"]
        assert host["outcome"] == "ok", host
        return dict(host)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.site.rows(sql)


@contextlib.contextmanager
def chatting(wire: Wire) -> Iterator[None]:
    """Datagrams from the near machine, which nobody hears."""
    with wire.near():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.connect((FAR, 4000))
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.05):
            with contextlib.suppress(ConnectionRefusedError):
                sender.send(b"x" * 1000)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        sender.close()


@pytest.fixture
def watched(tmp_path: Path, wire: Wire) -> Iterator[Watched]:
    require_sshd()
    made = Watched(tmp_path, wire)
    yield made
    made.site.sshd.stop()


@pytest.mark.parametrize("become", ["no", "sudo"])
def test_nothing_of_the_pollers_own_session_is_seen(watched: Watched, become: str) -> None:
    if become == "sudo" and not (shutil.which("sudo") and os.geteuid() == 0):
        pytest.skip("sudo is not installed: `make system-packages`")
    watched.site.write(f'<host name="web1" address="{NEAR}" become="{become}"/>', more=MORE)
    for _ in range(3):
        watched.round()
    assert watched.rows("SELECT protocol, address, port FROM listener") == [("tcp", NEAR, watched.site.sshd.port)]
    assert watched.rows("SELECT * FROM peer") == []
    assert watched.rows("SELECT * FROM connection") == []
    samples = watched.rows(
        "SELECT tcp_established, network_local_peers, network_internet_peers, network_coverage_percent"
        "  FROM activity_sample ORDER BY at_ms"
    )
    assert [(established or 0, *others) for established, *others in samples] == [
        (0, 0, 0, None), (0, 0, 0, 100.0), (0, 0, 0, 100.0),
    ]  # fmt: skip


def test_bytes_of_others_stand_in_the_database_and_an_ssh_session_is_one_of_them(watched: Watched) -> None:
    watched.site.write(f'<host name="web1" address="{NEAR}"/>', more=MORE)
    client, server = pair(watched.wire, FAR)
    with watched.wire.far():
        session = socket.create_connection((NEAR, watched.site.sshd.port))
    with contextlib.closing(client), server, session:
        assert session.recv(100).startswith(b"SSH-")
        move(client, server, 100_000)
        watched.round()
        port = server.getsockname()[1]
        move(client, server, 400_000)
        move(server, client, 200_000)
        watched.round()
    peers = dict(watched.rows("SELECT port, inbound FROM peer"))
    assert peers == {port: 0, watched.site.sshd.port: 1}
    sent, received = watched.rows(
        "SELECT sent_bytes, received_bytes FROM peer_sample JOIN peer ON peer.id = peer_id"
        f" WHERE port = {port} ORDER BY at_ms"
    )[-1]
    assert abs(sent - 400_000) <= 4000
    assert abs(received - 200_000) <= 2000
    ((total, process),) = watched.rows(f"SELECT sent_bytes, process FROM connection WHERE remote_port = {port}")
    assert abs(total - 500_000) <= 5000
    assert process == Path("/proc/self/comm").read_text().strip()
    assert watched.rows("SELECT DISTINCT scope, listed FROM peer") == [("local", 0)]


@pytest.mark.usefixtures("iftop")
def test_iftop_is_the_source_where_it_is_there_and_permitted(watched: Watched) -> None:
    watched.site.write(f'<host name="web1" address="{NEAR}"/>')
    watched.round()
    with chatting(watched.wire), talking(watched.wire, FAR, 5000):
        watched.round()
        watched.round()
    moved = watched.rows(
        "SELECT protocol, SUM(sent_bytes), SUM(received_bytes), MAX(seconds) = 2.0 FROM peer"
        "  JOIN peer_sample ON peer.id = peer_id GROUP BY protocol ORDER BY protocol"
    )
    (_, sent, received, all_of_it), (_, datagrams, _, of_the_look) = moved
    assert (all_of_it, of_the_look) == (0, 1)
    assert sent > received > 5000
    assert datagrams > 1000  # with headers, as iftop counts
    known = "SELECT protocol, sent_bytes, received_bytes FROM connection ORDER BY protocol"
    assert watched.rows(known) == [("tcp", sent, received), ("udp", None, None)]
    assert watched.rows("SELECT SUM(sent_bytes) FROM peer_day") == [(sent + datagrams,)]


def test_whoever_is_logged_in_where_the_poller_runs_is_not_the_poller(wire: Wire, site: Site) -> None:
    """The poller asks its own machine without SSH; SSH_CONNECTION there is that of the person who started it."""
    site.write('<host name="me" address="local"/>', more=MORE)
    client, server = pair(wire, NEAR, here="far")
    came = " ".join(map(str, (*client.getsockname(), *client.getpeername())))
    with client, server:
        words = [*wire.words("near"), *site.command("run")]
        environment = {**site.environment(), "SSH_CONNECTION": came}
        subprocess.run(words, cwd=site.folder, env=environment, capture_output=True, timeout=60, check=True)
    assert site.rows("SELECT address FROM peer") == [(FAR,)]
