"""What experiments are made with: servers, poller sites and scratch space that end with the lab.

    def half_open(lab: Lab) -> str:
        server = lab.sshd()                                   # a real OpenSSH server, `lab.sshd("MaxStartups 2")`
        site = lab.site('<host name="web1" address="127.0.0.1"/>', server)
        found = site.round()                                  # `poller run --json` as a process; found["web1"]
        assert found["web1"]["outcome"] == "ok"
        return f"{found['web1']['seconds']:.2f} s"

Also: `lab.mail()`, `lab.raw(behaviour)` and `lab.speaking(trouble)` (hostile servers), `lab.folder(name)`,
`lab.enter(context manager)` (left when the experiment ends), `lab.size(short=3, full=100)`, `lab.secret(text)` (must
not show up anywhere). After the experiment `verify()` checks the invariants on every site that was made.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeVar

import paramiko

from faults import invariants
from faults.footprint import Footprint, own
from tests.end_to_end.site import Site
from tests.end_to_end.sshd import Sshd, keygen
from tests.notify.servers import Mail, mail_server
from tests.ssh import hostile

T = TypeVar("T")

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Inbox:
    """A mail server on loopback: `mail.messages` is what it accepted."""

    mail: Mail
    port: int

    @property
    def xml(self) -> str:
        """The elements of config.xml that send there, to the contact `ops`."""
        return (
            f'<mail server="127.0.0.1" port="{self.port}" security="none" from="poller@example.org"/>'
            '<contact name="ops" mail="ops@example.org"/>'
        )


class LabSite(Site):
    """A configured poller whose commands run behind `prefix` (nsenter, faketime, ...); it keeps what they said."""

    def __init__(self, folder: Path, sshd: Sshd) -> None:
        super().__init__(folder, sshd)
        self.prefix: tuple[str, ...] = ()
        self.extra_environment: dict[str, str] = {}
        self.said: list[str] = []
        self.acknowledged: list[tuple[str, str, str]] = []  # round, host, outcome
        self.inbox: Inbox | None = None

    def command(self, *words: str) -> list[str]:
        return [*self.prefix, *super().command(*words)]

    def environment(self) -> dict[str, str]:
        return {**super().environment(), **self.extra_environment}

    def poller(self, *words: str, code: int = 0, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        run = super().poller(*words, code=code, seconds=seconds)
        self.said += [run.stdout, run.stderr]
        return run

    def round(self, *words: str, code: int = 0) -> dict[str, Any]:
        found = super().round(*words, code=code)
        self._acknowledge(found)
        return found

    def measured_round(self, *words: str, code: int = 0) -> tuple[dict[str, Any], Footprint]:
        """The same, and what the process that did it had become by its end."""
        report = self.folder / "footprint.json"
        plain = self.command("run", "--json", *words)
        at = plain.index("poller")
        command = [*plain[: at - 1], "-m", "faults.footprint", str(report), *plain[at + 1 :]]
        run = subprocess.run(
            command, cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        self.said += [run.stdout, run.stderr]
        assert run.returncode == code, f"exit {run.returncode}, not {code}: {run.stderr[-500:]}"
        assert "Traceback" not in run.stderr, run.stderr[-2000:]
        document = json.loads(run.stdout)
        found = {"": document["round"], **{host["name"]: host for host in document["hosts"]}}
        self._acknowledge(found)
        return found, Footprint(**json.loads(report.read_text()))

    @contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """A command in the background; killed at the end of the block when it still runs."""
        with (self.folder / f"said{len(self.said)}.log").open("w+b") as log:
            process = subprocess.Popen(
                self.command(*words), cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log,
            )  # fmt: skip
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()
                process.wait(30)
                log.seek(0)
                self.said.append(log.read().decode("utf-8", "replace"))

    def _acknowledge(self, found: dict[str, Any]) -> None:
        round_id = found[""]["id"]
        self.acknowledged += [(round_id, name, host["outcome"]) for name, host in found.items() if name]


@dataclass
class Lab:
    """`tmp` is the experiment's own folder; `short` asks for the form that takes seconds."""

    tmp: Path
    short: bool = False
    sites: list[LabSite] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    servers: list[Sshd] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tmp.mkdir(parents=True, exist_ok=True)
        self._stack = ExitStack()
        self._before = own()

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def verify(self) -> None:
        """The invariants: of each site while its servers still run, of this process when they have ended."""
        for site in self.sites:
            invariants.check(site, self.secrets, site.inbox.mail.messages if site.inbox else None)
        self._stack.close()
        invariants.nothing_left(self._before)

    # Making things

    def size(self, *, short: T, full: T) -> T:
        """How much: of the short form or the full one."""
        return short if self.short else full

    def enter(self, manager: AbstractContextManager[T]) -> T:
        """Enters it now and leaves it when the experiment ends, after everything that was made later."""
        return self._stack.enter_context(manager)

    def ends(self, function: Callable[[], object]) -> None:
        """Calls it when the experiment ends."""
        self._stack.callback(function)

    def folder(self, name: str) -> Path:
        made = self.tmp / name
        made.mkdir(parents=True, exist_ok=True)
        return made

    def secret(self, text: str) -> str:
        """A text that no output and no log may show."""
        self.secrets.append(text)
        return text

    def identity(self) -> Path:
        """A private key that no server knows, unless it takes any."""
        path = self.tmp / "identity"
        return path if path.exists() else keygen(path)

    # Servers

    def sshd(
        self,
        *options: str,
        types: Sequence[str] = ("ed25519",),
        addresses: Sequence[str] = (),
        within: tuple[str, ...] = (),
    ) -> Sshd:
        """OpenSSH's server with lines of sshd_config(5); its client key may log in and its host keys are known.

        `within` are words before its command (`Namespace.enter`).
        """
        server = Sshd(self.tmp / f"sshd{len(self.servers)}", options, types, addresses)
        server.within = within
        self.servers.append(server)
        self.ends(server.stop)
        server.start()
        server.authorize()
        for address in addresses or ("127.0.0.1",):
            server.trust(address)
        return server

    def raw(self, behaviour: hostile.Behaviour, key: paramiko.PKey | None = None) -> hostile.Server:
        """A server that does to each connection what `behaviour` does (tests/ssh/hostile.py has a dozen)."""
        return self.enter(hostile.raw(behaviour, key))

    def speaking(self, trouble: hostile.Trouble) -> hostile.Server:
        """A server with a real handshake, and trouble afterwards."""
        return self.enter(hostile.speaking(trouble))

    def mail(self) -> Inbox:
        """A real SMTP server."""
        mail = Mail()
        return Inbox(mail, self.enter(mail_server(mail)))

    # The poller

    def site(
        self,
        hosts: str,
        sshd: Sshd | None = None,
        *,
        inbox: Inbox | None = None,
        more: str = "",
        deadline: str = "10s",
        name: str = "",
    ) -> LabSite:
        """A config.xml with these <host> or <group> elements, a journal, and the command line over it.

        `sshd` is the server whose port, user and keys are the defaults (one is made when it is left out).
        """
        site = LabSite(self.folder(name or f"site{len(self.sites)}"), sshd or self.sshd())
        site.inbox = inbox
        site.write(hosts, more=(inbox.xml if inbox else "") + more, deadline=deadline)
        self.sites.append(site)
        return site


PYTHON: Final = sys.executable
