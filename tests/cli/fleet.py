"""Runs the command line against real servers: a config.xml over fixtures of sshd, and click's runner."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from click.testing import CliRunner, Result

from poller.cli import cli
from poller.errors import PollerError
from tests.end_to_end.sshd import Sshd


def write_config(folder: Path, server: Sshd, hosts: Mapping[str, str], **attributes: object) -> Path:
    """config.xml for hosts (name -> address) that are all `server`. Nothing outside its folder is read."""
    ssh = {
        "user": server.user,
        "port": server.port,
        "identity-file": server.client_key,
        "known-hosts": server.known_hosts,
        "ssh-config": server.ssh_config,
        **{name.replace("_", "-"): value for name, value in attributes.items()},
    }
    shown = " ".join(f"{name}={quoteattr(str(value))}" for name, value in ssh.items())
    lines = "".join(f"<host name={quoteattr(name)} address={quoteattr(to)}/>" for name, to in hosts.items())
    path = folder / "config.xml"
    path.touch(0o600)
    path.write_text(
        f'<poller><journal path="poller.db"/><ssh {shown}/><poll deadline="5s"/>{lines}</poller>', encoding="utf-8"
    )
    return path


def run(config: Path, *words: str, typed: str = "") -> Result:
    """`poller --config CONFIG WORDS`."""
    return CliRunner().invoke(cli, ["--config", str(config), *words], input=typed, standalone_mode=False)


def run_json(config: Path, *words: str) -> tuple[Any, Any]:
    """The exit code and the document on stdout."""
    result = run(config, *words, "--json")
    assert result.exception is None, result.exception
    return result.return_value, json.loads(result.stdout)


def complaint(result: Result) -> PollerError:
    """The error for people that the command ended with."""
    assert isinstance(result.exception, PollerError), result.exception
    return result.exception


def statuses(document: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, str]:
    return {host["name"]: host["status"] for host in document["hosts"]}
