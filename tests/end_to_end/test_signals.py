"""Asked to end, the poller ends within two seconds, wherever it is; what is owed stays owed."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.site import Site
from tests.end_to_end.test_mails import configure
from tests.notify.servers import Mail, mail_server

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Accepts connections and never speaks."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        server.settimeout(30)
        yield server


def start(site: Site, *words: str) -> subprocess.Popen[str]:
    # What a shell runs in the background inherits an ignored SIGINT, and hands it on; what is handled is reset by exec.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            site.command(*words),
            cwd=site.folder,
            env=site.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)


def wait_until_it_waits(run: subprocess.Popen[str]) -> None:
    """The connection is there a moment before the main thread has nothing left to do."""
    calm = 0
    while calm < 3:
        time.sleep(0.02)
        state = Path(f"/proc/{run.pid}/stat").read_text().rpartition(")")[2].split()[0]
        calm = calm + 1 if state == "S" else 0


def end(run: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    """Exit code and stderr; fails when it takes long: two seconds where the processor is not busy with other tests."""
    started = time.monotonic()
    run.send_signal(number)
    _, errors = run.communicate(timeout=30)
    assert time.monotonic() - started < 5
    assert "Traceback" not in errors, errors
    return run.returncode, errors


@pytest.mark.parametrize("number", CODES)
def test_a_signal_ends_a_round_of_fifty_hosts_that_all_hang(site: Site, number: signal.Signals) -> None:
    with socket.create_server(("0.0.0.0", 0), backlog=100) as everywhere:  # noqa: S104 - all of 127.0.0.0/8
        everywhere.settimeout(30)
        site.write(
            f'<host name="h[1-50]" address="127.0.0.[1-50]" port="{everywhere.getsockname()[1]}" deadline="60s"/>'
        )
        run = start(site, "run", "-q")
        held = [everywhere.accept()[0] for _ in range(50)]
        code, _ = end(run, number)
        for connection in held:
            connection.close()
    assert code == CODES[number]
    assert site.rows("SELECT stopped_by FROM round") == [(int(number),)]


@pytest.mark.parametrize("number", CODES)
def test_a_signal_ends_a_delivery_that_hangs_and_the_next_run_delivers(
    site: Site, silent: socket.socket, number: signal.Signals
) -> None:
    configure(site, silent.getsockname()[1], names=("web1",))
    run = start(site, "run", "-q")
    connection, _ = silent.accept()
    with connection:
        code, _ = end(run, number)
    assert code == CODES[number]
    assert site.rows("SELECT state FROM notification") == [("owed",)]
    mail = Mail()
    with mail_server(mail) as port:
        configure(site, port, names=("web1",))
        site.poller("run", "-q")
    assert len(mail.messages) == 1


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("words", [("doctor",), ("trust", "--yes", "web1"), ("enroll", "--yes", "web1")])
def test_a_signal_ends_the_commands_that_talk_to_hosts(
    site: Site, silent: socket.socket, words: tuple[str, ...], number: signal.Signals
) -> None:
    site.write(f'<host name="web1" address="127.0.0.1" port="{silent.getsockname()[1]}" deadline="60s"/>')
    run = start(site, *words)
    connection, _ = silent.accept()
    with connection:
        wait_until_it_waits(run)
        code, _ = end(run, number)
    assert code in (CODES[number], -number)
