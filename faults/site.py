"""A poller of the campaign: configured, run as users run it, what it said and acknowledged kept for the invariants."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults.footprint import Footprint
from tests.end_to_end.site import Site
from tests.end_to_end.sshd import Sshd
from tests.notify.servers import Mail


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
