"""A network of the test's own, where a machine may be silent, and where nobody else hears what is sent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
# A cable with nothing at its other end: 192.0.2.9 is told to be there, and never says a word.
CABLE = (
    "ip link set lo up && ip link add cable type veth peer name end && ip link set cable up && ip link set end up"
    " && ip addr add 192.0.2.2/24 dev cable && ip -6 addr add 2001:db8::2/64 dev cable nodad"
    " && ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev cable"
    " && ip neigh add 2001:db8::9 lladdr 02:00:00:00:00:09 dev cable"
    " && ip route add unreachable 198.51.100.0/24"
)


class Namespace:
    """`run` executes a command inside, `python` evaluates an expression there and gives what it prints as JSON."""

    def __init__(self, holder: int) -> None:
        self.enter = ["nsenter", f"--target={holder}", "--net", "--"]

    def run(self, *words: str) -> str:
        done = subprocess.run([*self.enter, *words], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def python(self, program: str, *before: str) -> Any:
        return json.loads(self.run(*before, sys.executable, "-c", program))


@contextmanager
def namespace() -> Iterator[Namespace]:
    """Skips the test by name where there can be none."""
    if os.geteuid() != 0:
        pytest.skip("a network namespace with a silent machine in it needs root")
    words = ["unshare", "--net", "sh", "-c", f"{CABLE} && echo ready; exec cat"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin and holder.stdout
        assert holder.stdout.readline() == b"ready\n"
        yield Namespace(holder.pid)
        holder.stdin.close()
