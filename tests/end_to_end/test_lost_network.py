"""The poller's own network goes down under a fleet that is well: one alert, and afterwards only what is still true."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.end_to_end.site import Site
from tests.end_to_end.sshd import SSHD
from tests.notify.servers import dead_port

NAMES = [f"h{number}" for number in range(5)]


class Inside:
    """A network of its own with nothing but a loopback, the site's sshd on it, and the poller."""

    def __init__(self, site: Site, holder: int) -> None:
        self.site = site
        self._enter = ["nsenter", f"--target={holder}", "--net", "--"]

    def run(self, *words: str) -> str:
        run = subprocess.run([*self._enter, *words], capture_output=True, text=True, timeout=60, check=False,
                             cwd=self.site.folder, env=self.site.environment())  # fmt: skip
        assert run.returncode == 0, run.stderr
        return run.stdout

    def sshd(self) -> subprocess.Popen[bytes]:
        log, config = self.site.folder / "inside.log", self.site.sshd.folder / "sshd_config"
        command = [*self._enter, SSHD, "-D", "-e", "-f", str(config), "-o", f"PidFile {self.site.folder}/inside.pid"]
        with log.open("wb") as file:
            server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=file)
        while b"Server listening" not in log.read_bytes():
            assert server.poll() is None, log.read_text()
        return server

    def round(self) -> list[str]:
        """The changes of the poller's own alerts."""
        document = json.loads(self.run(*self.site.command("run", "--json")))
        return [f"{change['kind']} {change['metric']}" for change in document["poller"]]


@pytest.fixture
def inside(site: Site) -> Iterator[Inside]:
    if os.geteuid() != 0:
        pytest.skip("a network namespace with an sshd in it needs root")
    words = ["unshare", "--net", "sh", "-c", "ip link set lo up && echo ready; exec cat"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin and holder.stdout and holder.stdout.readline() == b"ready\n"
        made = Inside(site, holder.pid)
        server = made.sshd()
        yield made
        server.terminate()
        server.wait(10)
        holder.stdin.close()


def states(site: Site) -> dict[str, int]:
    sql = "SELECT host || ' ' || kind || ' ' || state, count(*) FROM notifications GROUP BY 1"
    return {what: int(count) for what, count in site.rows(sql)}


def test_a_network_that_goes_and_comes_back_is_told_as_one_thing(inside: Inside) -> None:
    site = inside.site
    site.write(
        "".join(f'<host name="{name}" address="127.0.0.1" notify="ops"/>' for name in NAMES),
        more=f'<mail server="127.0.0.1" port="{dead_port()}" security="none" from="poller@example.org" timeout="1s"/>'
        '<contact name="ops" mail="ops@example.org"/>',
        deadline="3s",
    )
    config = site.config.read_text()
    site.config.write_text(config.replace("<poll ", '<poll down-after="1 polls" '))
    assert inside.round() == []
    inside.run("ip", "link", "set", "lo", "down")
    assert inside.round() == ["opened poller.unreachable_percent"]
    assert site.rows("SELECT DISTINCT stage FROM host_latest") == [("connect",)]
    assert inside.round() == []
    assert states(site) == {"poller opened owed": 1} | {f"{name} opened held": 1 for name in NAMES}
    status = site.poller("status")
    assert "[high] poller: 5 of 5 hosts became unreachable in one round: the poller lost its network" in status.stdout
    inside.run("ip", "link", "set", "lo", "up")
    site.config.write_text(
        site.config.read_text().replace('"h4" address', '"h4" port="1" address')
    )  # it is really gone
    assert inside.round() == ["closed poller.unreachable_percent"]
    assert states(site) == {"poller opened owed": 1, "poller closed owed": 1, "h4 opened owed": 1} | {
        f"{name} opened suppressed": 1 for name in NAMES[:4]
    }
    kinds = site.rows("SELECT severity FROM event WHERE kind = 'network' ORDER BY at_ms")
    assert kinds == [("high",), ("low",)]
