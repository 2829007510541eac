"""The demo's SSH server: OpenSSH's client and paramiko find in it what they expect of sshd, and no more."""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import paramiko
import pytest

from poller.demo.command import Command, environment, interpreter
from poller.demo.kit import new_key
from poller.demo.server import SshServer

MEGABYTE = bytes(range(256)) * 4096
PATIENCE = 20.0


@dataclass(frozen=True)
class Site:
    server: SshServer
    login_key: paramiko.PKey
    host_key: paramiko.PKey
    folder: Path

    def ssh(self, *command: str) -> list[str]:
        """The OpenSSH client's command line, with none of the machine's own configuration."""
        options = {
            "UserKnownHostsFile": str(self.folder / "known_hosts"),
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            "BatchMode": "yes",
            "LogLevel": "ERROR",
        }
        words = ["ssh", "-F", "none", "-i", str(self.folder / "key"), "-p", str(self.server.port)]
        for name, value in options.items():
            words += ["-o", f"{name}={value}"]
        return [*words, "demo@127.0.0.1", *command]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("ssh")
    host_key, _ = new_key()
    login_key, text = new_key()
    (folder / "key").touch(mode=0o600)
    (folder / "key").write_text(text)
    with SshServer(host_key, "demo", login_key) as server:
        name = f"[127.0.0.1]:{server.port}"
        (folder / "known_hosts").write_text(f"{name} {host_key.get_name()} {host_key.get_base64()}\n")
        yield Site(server, login_key, host_key, folder)


@contextmanager
def logged_in(site: Site, *, user: str = "demo", key: paramiko.PKey | None = None) -> Iterator[paramiko.Transport]:
    with closing(paramiko.Transport(("127.0.0.1", site.server.port))) as transport:
        transport.start_client(timeout=PATIENCE)
        transport.auth_publickey(user, key or site.login_key)
        yield transport


@contextmanager
def running(transport: paramiko.Transport, command: str) -> Iterator[paramiko.Channel]:
    with closing(transport.open_session(timeout=PATIENCE)) as channel:
        channel.settimeout(PATIENCE)
        channel.exec_command(command)
        yield channel


def everything(channel: paramiko.Channel) -> bytes:
    received = io.BytesIO()
    while chunk := channel.recv(65536):
        received.write(chunk)
    return received.getvalue()


def status(channel: paramiko.Channel) -> int:
    assert channel.status_event.wait(PATIENCE)
    return channel.recv_exit_status()


def await_end(pid: int) -> None:
    """Returns when the process is gone; it may still be a zombie for a moment."""
    ended = time.monotonic() + PATIENCE
    while time.monotonic() < ended:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        threading.Event().wait(0.02)
    raise AssertionError(f"process {pid} is still there")


class TestWithOpenSsh:
    """Where there is no client of OpenSSH, the same is promised by the tests with paramiko below."""

    def test_a_megabyte_goes_up_and_comes_back(self, site: Site) -> None:
        if shutil.which("ssh"):
            done = subprocess.run(site.ssh("cat"), input=MEGABYTE, capture_output=True, timeout=PATIENCE)
            assert (done.returncode, done.stderr, done.stdout == MEGABYTE) == (0, b"", True)

    def test_streams_and_status_are_kept_apart(self, site: Site) -> None:
        if shutil.which("ssh"):
            order = "echo out; echo err >&2; exit 7"
            done = subprocess.run(site.ssh(order), stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
            assert (done.returncode, done.stdout, done.stderr) == (7, b"out\n", b"err\n")


class TestStreams:
    def test_a_megabyte_goes_both_ways_at_once(self, site: Site) -> None:
        with logged_in(site) as transport, running(transport, "cat") as channel:

            def feed() -> None:
                channel.sendall(MEGABYTE)
                channel.shutdown_write()

            thread = threading.Thread(target=feed)
            thread.start()
            received = everything(channel)
            thread.join()
            assert received == MEGABYTE
            assert status(channel) == 0

    def test_a_megabyte_on_stderr_while_stdout_is_silent(self, site: Site) -> None:
        with logged_in(site) as transport, running(transport, "head -c 1048576 /dev/zero >&2") as channel:
            received = 0
            while chunk := channel.recv_stderr(65536):
                received += len(chunk)
            assert (received, status(channel)) == (1024 * 1024, 0)

    def test_output_waits_for_a_slow_reader(self, site: Site) -> None:
        with logged_in(site) as transport, running(transport, "head -c 8388608 /dev/zero") as channel:
            assert not channel.status_event.wait(0.3), "eight megabytes do not fit into the window"
            assert len(everything(channel)) == 8 * 1024 * 1024
            assert status(channel) == 0

    def test_the_end_of_the_input_is_passed_on(self, site: Site) -> None:
        with logged_in(site) as transport, running(transport, "wc -c") as channel:
            channel.sendall(b"12345")
            channel.shutdown_write()
            assert everything(channel).strip() == b"5"

    @pytest.mark.parametrize(
        ("command", "expected"), [("exit 0", 0), ("exit 3", 3), ("nonsense-x", 127), ("kill -9 $$", 137)]
    )
    def test_the_exit_status_arrives(self, site: Site, command: str, expected: int) -> None:
        with logged_in(site) as transport, running(transport, command) as channel:
            assert status(channel) == expected

    def test_several_commands_run_side_by_side_on_one_connection(self, site: Site) -> None:
        with logged_in(site) as transport, running(transport, "cat") as first, running(transport, "echo two") as second:
            assert everything(second) == b"two\n"
            first.sendall(b"one")
            first.shutdown_write()
            assert everything(first) == b"one"

    def test_several_connections_at_once(self, site: Site) -> None:
        with (
            logged_in(site) as one,
            logged_in(site) as two,
            running(one, "cat") as slow,
            running(two, "echo hi") as quick,
        ):
            assert everything(quick) == b"hi\n"
            slow.shutdown_write()
            assert status(slow) == 0

    def test_a_command_that_cannot_be_one_is_refused(self, site: Site) -> None:
        with logged_in(site) as transport, pytest.raises(paramiko.SSHException), running(transport, "echo a\0b"):
            pass


class TestProcesses:
    def test_a_command_dies_with_its_channel(self, site: Site) -> None:
        with logged_in(site) as transport:
            with running(transport, "echo $$; exec sleep 1000") as channel:
                pid = int(channel.recv(100))
            await_end(pid)

    def test_a_command_dies_with_its_connection(self, site: Site) -> None:
        with logged_in(site) as transport, running(transport, "echo $$; exec sleep 1000") as channel:
            pid = int(channel.recv(100))
            transport.close()
            await_end(pid)

    def test_so_does_what_it_left_in_the_background(self, site: Site) -> None:
        with logged_in(site) as transport:
            with running(transport, "sleep 1000 >/dev/null 2>&1 & echo $!; cat") as channel:
                pid = int(channel.recv(100))
            await_end(pid)

    def test_nothing_is_left_when_the_server_stops(self) -> None:
        host_key, _ = new_key()
        login_key, _ = new_key()
        with SshServer(host_key, "demo", login_key) as server:
            site = Site(server, login_key, host_key, Path("/nowhere"))
            with logged_in(site) as transport, running(transport, "echo $$; exec sleep 1000") as channel:
                pid = int(channel.recv(100))
                server.stop()
        await_end(pid)
        assert not [thread for thread in threading.enumerate() if isinstance(thread, Command) and thread.is_alive()]

    def test_a_command_is_no_child_of_our_group_and_has_a_small_environment(self, site: Site) -> None:
        with logged_in(site) as transport, running(transport, "ps -o pgid= -p $$; env | cut -d= -f1") as channel:
            group, *names = everything(channel).decode().split()
        assert int(group) != os.getpgrp()
        assert set(environment()) <= set(names) <= {*environment(), "PWD", "OLDPWD", "SHLVL", "_"}

    def test_the_probes_interpreter_is_found(self, site: Site) -> None:
        with logged_in(site) as transport, running(transport, f"{interpreter()} -c 'print(6 * 7)'") as channel:
            assert everything(channel) == b"42\n"


class TestDoors:
    def test_the_host_key_is_the_one_it_was_given(self, site: Site) -> None:
        with logged_in(site) as transport:
            assert transport.get_remote_server_key() == site.host_key

    def test_another_key_is_refused(self, site: Site) -> None:
        with pytest.raises(paramiko.AuthenticationException), logged_in(site, key=new_key()[0]):
            pass

    def test_another_user_is_refused(self, site: Site) -> None:
        with pytest.raises(paramiko.AuthenticationException), logged_in(site, user="root"):
            pass

    def test_a_password_is_refused(self, site: Site) -> None:
        with closing(paramiko.Transport(("127.0.0.1", site.server.port))) as transport:
            transport.start_client(timeout=PATIENCE)
            with pytest.raises(paramiko.BadAuthenticationType):
                transport.auth_password("demo", "demo")

    @pytest.mark.parametrize("ask", ["get_pty", "invoke_shell"])
    def test_there_is_no_terminal_and_no_shell(self, site: Site, ask: str) -> None:
        with logged_in(site) as transport, pytest.raises(paramiko.SSHException):
            getattr(transport.open_session(timeout=PATIENCE), ask)()

    def test_there_is_no_file_transfer(self, site: Site) -> None:
        with logged_in(site) as transport, pytest.raises(paramiko.SSHException):
            transport.open_session(timeout=PATIENCE).invoke_subsystem("sftp")

    def test_nothing_is_forwarded(self, site: Site) -> None:
        with logged_in(site) as transport:
            with pytest.raises(paramiko.ChannelException):
                transport.open_channel("direct-tcpip", ("127.0.0.1", 1), ("127.0.0.1", 2), timeout=PATIENCE)
            with pytest.raises(paramiko.SSHException):
                transport.request_port_forward("127.0.0.1", 0)

    def test_the_number_of_commands_per_connection_is_bounded(self, site: Site) -> None:
        with logged_in(site) as transport:
            channels = [transport.open_session(timeout=PATIENCE) for _ in range(10)]
            for channel in channels:
                channel.exec_command("cat")
            with pytest.raises(paramiko.ChannelException):
                transport.open_session(timeout=PATIENCE)

    def test_a_client_that_talks_nonsense_disturbs_nobody(self, site: Site) -> None:
        with socket.create_connection(("127.0.0.1", site.server.port), PATIENCE) as sock:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n" * 100)
            with logged_in(site) as transport, running(transport, "echo fine") as channel:
                assert everything(channel) == b"fine\n"

    def test_after_stop_nothing_listens(self) -> None:
        server = SshServer(new_key()[0], "demo", new_key()[0])
        server.start()
        server.stop()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), PATIENCE)
        server.stop()
