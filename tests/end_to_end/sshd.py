"""OpenSSH's sshd for tests: on a free loopback port, with keys and account files of its own.

    def test_something(sshd):            # one server, started and stopped
        sshd.authorize(public_key)       # that key may log in as sshd.user
        host = sshd.host("web1")         # a poller.model.Host that reaches it, with its key known

    def test_more(make_sshd):            # as many as needed, with options of sshd_config(5)
        server = make_sshd("MaxStartups 2:100:2")

It runs as whoever runs the tests. Root's sshd could take any account; an ordinary user's only his own: so the account
is always the one that runs the tests. Nothing of its home is used: the keys come from `authorized_keys` beside the
server's files, and a command of a login runs under `SetEnv HOME=…` of the fixture (no start-up files there, unless a
test writes some into `sshd.home`). The server listens on 127.0.0.1, 127.0.0.2 and, where there is one, ::1.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from poller.model import Host, PollSettings, Ssh

TYPES = ("ed25519", "ecdsa", "rsa")
# sshd must be started by its absolute path (it starts itself again for each connection).
SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin:" + os.environ.get("PATH", "")) or "/usr/sbin/sshd"


def require_sshd() -> None:
    """Skips a test by name where OpenSSH is not installed."""
    if not (Path(SSHD).exists() and shutil.which("ssh-keygen")):
        pytest.skip("OpenSSH's sshd and ssh-keygen are not installed: `make system-packages`")


@functools.cache
def has_ipv6() -> bool:
    """Is there a ::1 to listen on?"""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.bind(("::1", 0))
        return True
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def keygen(path: Path, type_: str = "ed25519", *, passphrase: str = "") -> Path:
    """Makes a key pair at `path` and `path`.pub with ssh-keygen; returns `path`."""
    bits = ["-b", "2048"] if type_ == "rsa" else []
    command = ["ssh-keygen", "-q", "-t", type_, *bits, "-N", passphrase, "-C", "test", "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def fingerprint(public: Path) -> str:
    """As `ssh-keygen -l` prints it."""
    blob = base64.b64decode(public.read_text().split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


class Sshd:
    """One server. `folder` is its own; `options` are lines of sshd_config(5), which win over those here.

    `addresses` are listened on; `within` are words before the command, such as an nsenter(1) into a namespace.
    """

    def __init__(
        self,
        folder: Path,
        options: Sequence[str] = (),
        types: Sequence[str] = ("ed25519",),
        addresses: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.options = list(options)
        self.addresses = addresses or ("127.0.0.1", "127.0.0.2", *(["[::1]"] if has_ipv6() else []))
        self.within: tuple[str, ...] = ()
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self.host_keys = {type_: keygen(folder / f"host_{type_}", type_) for type_ in types}
        self.authorized_keys = folder / "authorized_keys"
        self.authorized_keys.touch()
        self.known_hosts = folder / "known_hosts"
        self.known_hosts.touch(mode=0o600)
        self.ssh_config = folder / "ssh_config"
        self.ssh_config.touch()
        self.log_file = folder / "sshd.log"
        self.client_key = keygen(folder / "client")
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    # The server

    def start(self, port: int = 0) -> None:
        """Returns when it accepts connections. A port that somebody took meanwhile is exchanged for another.

        `port` is for a server that starts again where it was.
        """
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # root's sshd insists on it
        for _ in range(5):
            self.port = port or free_port()
            (self.folder / "sshd_config").write_text("\n".join(self._config()) + "\n")
            command = [*self.within, SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")]
            before = len(self.log())
            with self.log_file.open("ab") as log:
                self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log, cwd=self.folder)
            if self._answers(before):
                return
            self.stop()
        raise RuntimeError(f"sshd does not start: {self.log()}")

    def stop(self) -> None:
        """Ends the server and the connections it serves."""
        if self._process is None:
            return
        children = self.children()
        self._process.terminate()
        self._process.wait(10)
        self._process = None
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def children(self) -> list[int]:
        """The processes that serve connections."""
        if self._process is None:
            return []
        task = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(pid) for pid in task.read_text().split()] if task.exists() else []

    def log(self) -> str:
        return self.log_file.read_text("utf-8", "replace") if self.log_file.exists() else ""

    def wait_for_log(self, text: str, count: int = 1, seconds: float = 20.0) -> None:
        """sshd writes its log a little after what it tells of."""
        until = time.monotonic() + seconds
        while self.log().count(text) < count:
            if time.monotonic() > until:
                raise AssertionError(f"not {count} times {text!r} in:\n{self.log()}")
            time.sleep(0.02)

    def _answers(self, before: int) -> bool:
        """On every address: it begins on one after the other. `before`: how long the log of earlier starts is."""
        until = time.monotonic() + 10
        while time.monotonic() < until and self._process and self._process.poll() is None:
            said = self.log()[before:]
            if said.count("Server listening on") >= len(self.addresses):
                return True
            if "Bind to port" in said:
                return False
            time.sleep(0.01)
        return False

    def _config(self) -> list[str]:
        """For some keywords sshd takes the first of two lines, for others (MaxStartups) the last: each stands once."""
        chosen = {option.split()[0].lower() for option in self.options}
        defaults = (line for line in self._defaults() if line.split()[0].lower() not in chosen)
        return [*self.options, *defaults]

    def _defaults(self) -> list[str]:
        return [
            *(f"ListenAddress {address}:{self.port}" for address in self.addresses),
            *(f"HostKey {path}" for path in self.host_keys.values()),
            f"AuthorizedKeysFile {self.authorized_keys}",
            f"SetEnv HOME={self.home}",
            f"PidFile {self.folder / 'sshd.pid'}",
            "StrictModes no",
            "UsePAM no",
            "UseDNS no",
            "PermitRootLogin prohibit-password",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PrintMotd no",
            "PrintLastLog no",
            "LogLevel VERBOSE",
            "MaxStartups 100",
            "MaxSessions 100",
        ]

    # Keys

    def authorize(self, public: Path | str | None = None, options: str = "") -> None:
        """That public key (a file or a line; default: `client_key`) may log in as `user`."""
        public = self.client_key.with_suffix(".pub") if public is None else public
        line = public.read_text().strip() if isinstance(public, Path) else public.strip()
        with self.authorized_keys.open("a") as file:
            file.write(f"{options} {line}\n".lstrip())

    def fingerprint(self, type_: str = "ed25519") -> str:
        return fingerprint(self.host_keys[type_].with_suffix(".pub"))

    def known_line(self, address: str = "127.0.0.1", type_: str = "ed25519", name: str | None = None) -> str:
        """A line of known_hosts for this server; `name` replaces `[address]:port`."""
        public = self.host_keys[type_].with_suffix(".pub").read_text().split()
        return f"{name or f'[{address}]:{self.port}'} {public[0]} {public[1]}\n"

    def trust(self, address: str = "127.0.0.1", *types: str) -> None:
        """Writes the server's keys into `known_hosts`."""
        with self.known_hosts.open("a") as file:
            for type_ in types or self.host_keys:
                file.write(self.known_line(address, type_))

    # The poller's side

    def ssh(self, **changes: object) -> Ssh:
        """Settings that reach this server and read no file outside its folder."""
        settings: dict[str, object] = {
            "user": self.user,
            "port": self.port,
            "identity_files": (self.client_key,),
            "known_hosts": (self.known_hosts,),
            "ssh_config": self.ssh_config,
        }
        return Ssh(**{**settings, **changes})  # type: ignore[arg-type]

    def host(
        self, name: str = "web1", address: str = "127.0.0.1", *, deadline: float = 10.0, **changes: object
    ) -> Host:
        """A host of the model at this server; `changes` are fields of Ssh."""
        return Host(name=name, address=address, ssh=self.ssh(**changes), poll=PollSettings(deadline=deadline))


MakeSshd = Callable[..., Sshd]


@pytest.fixture
def make_sshd(tmp_path: Path) -> Iterator[MakeSshd]:
    """A function that starts servers: make_sshd("Option value", ..., types=("ed25519", "rsa")).

    Each has its client key authorized and its host keys known for 127.0.0.1.
    """
    require_sshd()
    servers: list[Sshd] = []

    def make(*options: str, types: Sequence[str] = ("ed25519",)) -> Sshd:
        server = Sshd(tmp_path / f"sshd{len(servers)}", options, types)
        servers.append(server)
        server.start()
        server.authorize()
        server.trust()
        return server

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def sshd(make_sshd: MakeSshd) -> Sshd:
    """One server with default options."""
    return make_sshd()
