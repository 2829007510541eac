"""A hundred host names on one real sshd on loopback, a config.xml for them, and the same list for the peers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from remote_probe.collectors import NAMES
from tests.end_to_end.sshd import Sshd, keygen

HOSTS = 100
# The sections that give numbers alone; the others are lists of what is there.
NUMBERS = ("system", "cpu", "memory", "load", "filesystem", "block", "network", "processes", "pressure")
# Hosts that are worked on at the same time, by the poller and by everybody it is compared with.
AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class Fleet:
    """`strange_hosts` is a known_hosts with another key than the server's: whoever checks host keys must refuse."""

    folder: Path
    sshd: Sshd
    strange_hosts: Path

    def config(self, count: int, *, everything: bool = False) -> Path:
        """config.xml with so many hosts and a journal of its own; it asks for numbers, or for all but logs."""
        kind = "all" if everything else "numbers"
        path = self.folder / f"config-{kind}{count}.xml"
        lists = " ".join(name for name in NAMES if name not in NUMBERS)
        asked = '<collect section="traffic" source="sock_diag"/>' if everything else ""
        path.write_text(f"""<poller>
  <journal path="poller-{kind}{count}.db"/>
  {asked or f'<collect section="{lists}" every="never"/>'}
  <ssh user="{self.sshd.user}" port="{self.sshd.port}" identity-file="{self.sshd.client_key}"
       known-hosts="{self.sshd.known_hosts}" ssh-config="{self.sshd.ssh_config}"/>
  <poll at-once="{AT_ONCE}"/>
  <host name="h[1-{count}]" address="127.0.0.1"/>
</poller>
""")
        path.chmod(0o600)
        return path

    def poller(self, count: int, *words: str, everything: bool = False) -> list[str]:
        config = self.config(count, everything=everything)
        return [sys.executable, "-m", "poller", "--config", str(config), "run", "-q", *words]

    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}

    def logins(self) -> int:
        """How many the server has let in until now."""
        return self.sshd.log().count("Accepted publickey")


@contextmanager
def fleet(folder: Path) -> Iterator[Fleet]:
    """Runs while the block runs."""
    sshd = Sshd(folder / "sshd")
    sshd.start()
    try:
        sshd.authorize()
        sshd.trust()
        stranger = keygen(folder / "stranger").with_suffix(".pub").read_text()
        strange_hosts = folder / "strange_hosts"
        strange_hosts.write_text(f"[127.0.0.1]:{sshd.port} {stranger}")
        yield Fleet(folder, sshd, strange_hosts)
    finally:
        sshd.stop()
