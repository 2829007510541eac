"""The demo's folder: keys, known_hosts and config.xml, written as an administrator would have them."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final
from xml.sax.saxutils import quoteattr

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from poller.demo.command import interpreter
from poller.errors import UsageError

USER: Final = "demo"
_CONFIG: Final = Template("""\
<?xml version="1.0" encoding="UTF-8"?>
<!-- Written by `poller demo`. Three names, one machine: this one, through an SSH server that the demo started. -->
<poller>
  <journal path="poller.db"/>
  <ssh user="$user" port="$ssh_port" identity-file="id_ed25519" known-hosts="known_hosts" ssh-config="ssh_config"/>
  <poll interval="60s" deadline="30s"/>

  <mail server="127.0.0.1" port="$mail_port" security="none" from="poller@example.org"/>
  <contact name="ops" mail="ops@example.org"/>

  <thresholds name="demo">
    <threshold metric="host.down" above="0" polls="3" severity="high"/>
  </thresholds>
  <group name="demo" thresholds="demo" notify="ops"$python>
    <host name="web1" address="127.0.0.1">
      <!-- Crossed on purpose: every machine that runs uses more memory than this. A real limit would be 90. -->
      <threshold metric="memory.percent" above="0.01" severity="high"/>
    </host>
    <host name="db1" address="127.0.0.1"/>
    <host name="lab1" address="127.0.0.1"/>
  </group>
</poller>
""")


@dataclass(frozen=True, slots=True)
class Kit:
    """Where things are, and the keys the SSH server needs."""

    folder: Path
    config: Path
    host_key: paramiko.PKey
    login_key: paramiko.PKey


def prepare(folder: Path) -> Kit:
    """Makes the folder and the keys. UsageError when the folder is there and not empty."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty", "name a folder that does not exist yet")
    except OSError as error:
        raise UsageError(f"{folder} cannot be used: {error.strerror}", "name another folder") from None
    host_key, _ = new_key()
    login_key, text = new_key()
    _write(folder / "id_ed25519", text)
    return Kit(folder.resolve(), folder.resolve() / "config.xml", host_key, login_key)


def complete(kit: Kit, ssh_port: int, mail_port: int) -> None:
    """Writes known_hosts and config.xml, now that the servers have their ports."""
    key = f"{kit.host_key.get_name()} {kit.host_key.get_base64()}"
    _write(kit.folder / "known_hosts", f"[127.0.0.1]:{ssh_port} {key}\n")
    _write(kit.folder / "ssh_config", "# Empty on purpose: the demo does not look into yours.\n")
    python = interpreter()
    other = "" if python == "python3" else f" python={quoteattr(python)}"
    _write(
        kit.config,
        _CONFIG.substitute(user=USER, ssh_port=ssh_port, mail_port=mail_port, python=other),
    )


def new_key() -> tuple[paramiko.PKey, str]:
    """A fresh ed25519 key, and its text as ssh-keygen writes it."""
    private = Ed25519PrivateKey.generate()
    text = private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return paramiko.Ed25519Key.from_private_key(io.StringIO(text)), text


def _write(path: Path, text: str) -> None:
    """Readable by the owner alone from its first byte."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
