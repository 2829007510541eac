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

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, TypeVar

import paramiko

from faults import invariants
from faults.footprint import own
from faults.site import Inbox, LabSite
from tests.end_to_end.sshd import Sshd, keygen
from tests.notify.servers import Mail, mail_server
from tests.ssh import hostile

T = TypeVar("T")

MIB: Final = 1024 * 1024


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
