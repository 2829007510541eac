"""Who watches the poller hears of each round of a daemon that it began and how it ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.daemon.daemons import StartDaemon, hosts, start
from tests.end_to_end.site import Site, site
from tests.end_to_end.sshd import make_sshd, sshd

__all__ = ["make_sshd", "site", "sshd", "start"]


class Watcher(ThreadingHTTPServer):
    """Keeps the path and body of each request."""

    def __init__(self) -> None:
        self.beats: list[tuple[str, str]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        assert isinstance(self.server, Watcher)
        self.server.beats.append((self.path.partition("?")[0], body))
        self.send_response(200)
        self.end_headers()

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    server = Watcher()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join(20)
    server.server_close()


def test_a_round_begins_and_ends_for_who_watches(site: Site, start: StartDaemon, watcher: Watcher) -> None:
    url = f"http://127.0.0.1:{watcher.server_address[1]}/ping"
    site.write(hosts("web1"), more=f'<heartbeat url="{url}"/>')
    daemon = start()
    daemon.until(lambda: len(watcher.beats) >= 3, "three beats")
    assert daemon.end() == 0
    assert [path for path, _ in watcher.beats[:3]] == ["/ping/start", "/ping/0", "/ping/start"]
    assert watcher.beats[1][1].startswith("1 host")
