"""Many host names on one real sshd on loopback, each with an address of its own (127.x), and a config.xml for them.

The sshd serves a plain account whose shell is /bin/sh. Where root runs this, each session sees an ordinary machine
(tests/ordinary.py).
"""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from remote_probe.collectors import NAMES
from tests.end_to_end.sshd import Sshd, keygen
from tests.ordinary import ordinary_machine

HOSTS: Final = 100
MOST_HOSTS: Final = 600
# The sections that give numbers alone; the others are lists of what is there.
NUMBERS: Final = ("system", "cpu", "memory", "load", "filesystem", "block", "network", "processes", "pressure")
# Hosts that are worked on at the same time, by the poller and by everybody it is compared with.
AT_ONCE: Final = 5
SLEEPERS: Final = 12


def address(number: int) -> str:
    """Of the host of that number, from 0: 127.1.0.1, 127.1.0.2, …"""
    return f"127.1.{number // 250}.{number % 250 + 1}"


@dataclass(frozen=True, slots=True)
class Fleet:
    """`strange_hosts` is a known_hosts with other keys than the server's: whoever checks host keys must refuse.

    `ordinary`: sessions see an ordinary machine, not this one with all its sessions.
    """

    folder: Path
    sshd: Sshd
    strange_hosts: Path
    ordinary: bool

    def config(
        self,
        count: int,
        *,
        everything: bool = False,
        at_once: int = AT_ONCE,
        interval: float = 60.0,
        name: str = "",
        attributes: str = "",
    ) -> Path:
        """config.xml with so many hosts and a journal of its own; it asks for numbers, or for all but logs.

        `name` tells files of the same kind apart, `attributes` are those of <poller>.
        """
        kind = f"{name}{'all' if everything else 'numbers'}{count}"
        path = self.folder / f"config-{kind}.xml"
        lists = " ".join(section for section in NAMES if section not in NUMBERS)
        asked = '<collect section="traffic" source="sock_diag"/>' if everything else ""
        asked = asked or f'<collect section="{lists}" every="never"/>'
        hosts = "".join(f'  <host name="h{number}" address="{address(number)}"/>\n' for number in range(count))
        path.write_text(f"""<poller{attributes}>
  <journal path="poller-{kind}.db"/>
  {asked}
  <ssh user="{self.sshd.user}" port="{self.sshd.port}" identity-file="{self.sshd.client_key}"
       known-hosts="{self.sshd.known_hosts}" ssh-config="{self.sshd.ssh_config}"/>
  <poll at-once="{at_once}" interval="{interval:g}s"/>
{hosts}</poller>
""")
        path.chmod(0o600)
        return path

    def poller(self, count: int, *words: str, everything: bool = False, at_once: int = AT_ONCE) -> list[str]:
        """The command of one cold round."""
        config = self.config(count, everything=everything, at_once=at_once, name=f"{at_once}-")
        return [sys.executable, "-m", "poller", "--config", str(config), "run", "-q", *words]

    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}

    def logins(self) -> int:
        """How many the server has let in until now."""
        return self.sshd.log().count("Accepted publickey")


@contextmanager
def fleet(folder: Path, *, ordinary: bool = True) -> Iterator[Fleet]:
    """Runs while the block runs. Without `ordinary` sessions begin at once, and see this machine as it is."""
    no_lines: tuple[str, ...] = ()
    with ordinary_machine(folder, SLEEPERS) if ordinary else nullcontext(no_lines) as machine:
        options = ["MaxStartups 2000", "MaxSessions 2000", "UseDNS no", *machine]
        sshd = Sshd(folder / "sshd", options, addresses=("0.0.0.0",))  # noqa: S104 - all of 127.0.0.0/8
        sshd.within = _plain_shell(folder)
        sshd.start()
        try:
            sshd.authorize()
            stranger = keygen(folder / "stranger").with_suffix(".pub").read_text()
            addresses = [f"[{address(number)}]:{sshd.port}" for number in range(MOST_HOSTS)]
            sshd.known_hosts.write_text("".join(sshd.known_line(name=name) for name in addresses))
            strange_hosts = folder / "strange_hosts"
            strange_hosts.write_text("".join(f"{name} {stranger}" for name in addresses))
            yield Fleet(folder, sshd, strange_hosts, bool(machine))
        finally:
            sshd.stop()


def _plain_shell(folder: Path) -> tuple[str, ...]:
    """Words before the sshd: it sees our account with /bin/sh as its shell, nobody else does. Needs root."""
    if os.geteuid():
        return ()
    mine = pwd.getpwuid(os.geteuid()).pw_name
    lines = [line.split(":") for line in Path("/etc/passwd").read_text().splitlines()]
    accounts = folder / "passwd"
    accounts.write_text("".join(":".join([*one[:6], "/bin/sh" if one[0] == mine else one[6]]) + "\n" for one in lines))
    accounts.chmod(0o644)
    bound = f'mount --bind {accounts} /etc/passwd && exec "$@"'
    return ("unshare", "--mount", "--propagation", "private", "sh", "-c", bound, "sh")
