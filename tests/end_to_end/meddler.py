"""Stands in for `python3` on a host that has been taken over: reads the real request and answers as `MEDDLE` says.

A test writes a small script that sets MEDDLE and runs this file; config.xml names that script as `python=`.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO
from xml.sax import saxutils

from remote_probe.seal import frame, seal


def read_request(stream: BinaryIO) -> tuple[bytes, bytes]:
    """Everything up to the end of the first request, and the request's body."""
    line = stream.readline()
    loader = stream.read(int(line))
    found = re.search(rb"start\(f, (\d+), '[0-9a-f]+'\)\s*$", loader)
    assert found
    bundle = stream.read(int(found[1]))
    size = stream.readline()
    body = stream.read(int(size))
    return line + loader + bundle + size + body, body


def honest(sent: bytes) -> bytes:
    """What the real probe answers to these bytes: the payload of its frame."""
    bootstrap = "import sys;f=sys.stdin.buffer;exec(f.read(int(f.readline())))"
    command = [sys.executable, "-IS", "-c", bootstrap]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as probe:
        assert probe.stdin and probe.stdout
        probe.stdin.write(sent)
        probe.stdin.flush()
        probe.stdout.readline()
        return probe.stdout.read(int(probe.stdout.readline().split()[2]))  # leaving the block ends its input: it exits


def reseal(body: bytes, text: bytes, probe: str | None = None) -> bytes:
    """A valid envelope with any content."""
    request: dict[str, Any] = json.loads(body)
    digest = bytes.fromhex(probe or request["probe"])
    return seal(text, body, bytes.fromhex(request["nonce"]), bytes.fromhex(request["public"]), digest)


# Everything that XML lets through and that a terminal, a page or a mail might obey.
NAUGHTY = "\\x1b]0;owned\x9b31m\u202egnp\u200b[bold]</b>'\"; DROP TABLE host; --\r\n.\r\nBcc: x@example.org\u0085=1+1"


def naughty(body: bytes) -> bytes:
    """A report of this machine, valid in every way, whose texts are as bad as they may be."""
    request: dict[str, Any] = json.loads(body)
    plain = subprocess.run([sys.executable, "-m", "remote_probe"], stdout=subprocess.PIPE, check=True).stdout.decode()
    bad = saxutils.escape(NAUGHTY, {'"': "&quot;", "\r": "&#13;", "\n": "&#10;"})
    plain = plain.replace(' host="local"', f' host="{request["host"]}"').replace("0" * 64, request["probe"])
    for name in ("hostname", "distribution_name", "mountpoint", "kernel"):
        plain = re.sub(rf' {name}="[^"]*"', lambda found: f'{found[0][:-1]}{bad}"', plain)
    return plain.encode()


BOMB = b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><report>&b;</report>'

# What is answered without asking the real probe, from the request's body.
INVENTED: dict[str, Callable[[bytes], bytes]] = {
    "schema": lambda body: reseal(body, b"<report version='1'><surprise/></report>"),
    "entities": lambda body: reseal(body, BOMB),
    "bomb": lambda body: reseal(body, bytes(64 * 1024 * 1024)),
    "other-probe": lambda body: reseal(body, b"<report/>", probe="00" * 32),
    "other-host": lambda body: reseal(body.replace(b'"host":"', b'"host":"not-'), b"<report/>"),
    "reflected": lambda body: body,
}


def flipped(sealed: bytes) -> bytes:
    """Any one bit."""
    place, bit = divmod(secrets.randbelow(8 * len(sealed)), 8)
    return sealed[:place] + bytes([sealed[place] ^ 1 << bit]) + sealed[place + 1 :]


# What is done to the real probe's answer.
CHANGED: dict[str, Callable[[bytes], bytes]] = {
    "tampered": lambda sealed: sealed[:100] + bytes([sealed[100] ^ 1]) + sealed[101:],
    "truncated": lambda sealed: sealed[:60],
    "flipped": flipped,
    "cut": lambda sealed: sealed[: secrets.randbelow(len(sealed))],
    "low-order": lambda sealed: sealed[:26] + bytes(32) + sealed[58:],
    "downgraded": lambda sealed: b"\x00" + sealed[1:],
}


def answer(mode: str, sent: bytes, body: bytes, kept: Path) -> bytes:
    """The payload of the frame to send."""
    if mode in INVENTED:
        return INVENTED[mode](body)
    sealed = honest(sent)
    if mode == "replayed":
        if kept.exists():
            return kept.read_bytes()
        kept.write_bytes(sealed)
    return CHANGED[mode](sealed) if mode in CHANGED else sealed


def main() -> None:
    mode = os.environ["MEDDLE"]
    sent, body = read_request(sys.stdin.buffer)
    marker = json.loads(body)["marker"]
    if mode == "oversized":
        sys.stdout.buffer.write(b"\n#%s report %d\n" % (marker.encode(), 1 << 30) + bytes(1024))
    elif mode == "noise":
        noise = b"motd \x1b[31m\n" * 20_000
        sys.stdout.buffer.write(noise + frame(marker, "report", honest(sent)) + noise)
    elif mode == "naughty":
        sys.stdout.buffer.write(frame(marker, "report", reseal(body, naughty(body))))
    else:
        payload = answer(mode, sent, body, Path(os.environ["KEPT"]))
        sys.stdout.buffer.write(frame(marker, "report", payload))
    sys.stdout.buffer.flush()
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
