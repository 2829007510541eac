"""A hundred host names on one real sshd on loopback, a config.xml for them, and the same list for the peers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end.sshd import Sshd

HOSTS = 100


@dataclass(frozen=True, slots=True)
class Fleet:
    folder: Path
    sshd: Sshd

    def config(self, count: int) -> Path:
        """config.xml with so many hosts and a journal of its own."""
        path = self.folder / f"config{count}.xml"
        path.write_text(f"""<poller>
  <journal path="poller{count}.db"/>
  <ssh user="{self.sshd.user}" port="{self.sshd.port}" identity-file="{self.sshd.client_key}"
       known-hosts="{self.sshd.known_hosts}" ssh-config="{self.sshd.ssh_config}"/>
  <host name="h[1-{count}]" address="127.0.0.1"/>
</poller>
""")
        path.chmod(0o600)
        return path

    def poller(self, count: int, *words: str) -> list[str]:
        return [sys.executable, "-m", "poller", "--config", str(self.config(count)), "run", "-q", *words]

    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}


@contextmanager
def fleet(folder: Path) -> Iterator[Fleet]:
    """Runs while the block runs."""
    sshd = Sshd(folder / "sshd")
    sshd.start()
    try:
        sshd.authorize()
        sshd.trust()
        yield Fleet(folder, sshd)
    finally:
        sshd.stop()
