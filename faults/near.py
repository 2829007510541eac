"""Poller sites without SSH: every host is this machine (address="local"), or a stand-in that config.xml names.

What is polled is real (the probe as a child process, sealed and opened); what is saved is the handshake.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from faults.lab import PYTHON, Lab
from faults.site import LabSite
from poller.app import RoundResult, Selection, run_round
from poller.config import load
from poller.schedule import Stop
from tests.end_to_end.site import ROOT
from tests.end_to_end.sshd import Sshd


def near(lab: Lab, hosts: str, **options: Any) -> LabSite:
    """A site whose sshd is never started. `options` as for `Lab.site`."""
    server = Sshd(lab.tmp / f"unused{len(lab.sites)}")
    server.port = 22
    return lab.site(hosts, server, **options)


def local(*names: str, more: str = "") -> str:
    """<host> elements for this machine under these names."""
    return "".join(f'<host name="{name}" address="local" {more}/>' for name in names)


def meddled(folder: Path, mode: str, *words: str) -> Path:
    """An executable for `python=` that answers as tests/end_to_end/meddler.py does in this mode."""
    script = folder / f"python-{mode}"
    told = " ".join(words)
    script.write_text(
        f"#!/bin/sh\nMEDDLE={mode} KEPT='{folder}/kept' PYTHONPATH='{ROOT}' {told} "
        f"exec {PYTHON} -m tests.end_to_end.meddler\n"
    )
    script.chmod(0o755)
    return script


def round_inside(site: LabSite) -> RoundResult:
    """A round in this process; what it took is acknowledged."""
    result = run_round(load(site.config, {"HOME": str(site.folder)}), Selection(), stop=Stop())
    site.acknowledged += [(result.id, one.poll.host, str(one.poll.outcome)) for one in result.taken]
    return result


def with_mail(port: int, **attributes: object) -> str:
    """<mail> and the contacts `ops` and `net`. `attributes` win, with `_` for `-`."""
    chosen = {"server": "127.0.0.1", "port": port, "security": "none", "from": "poller@example.org", "timeout": "5s",
              **{name.replace("_", "-"): value for name, value in attributes.items()}}  # fmt: skip
    shown = " ".join(f'{name}="{value}"' for name, value in chosen.items())
    return f"<mail {shown}/>{contact('ops')}{contact('net')}"


def contact(name: str) -> str:
    return f'<contact name="{name}" mail="{name}@example.org"/>'
