"""Namespaces of an experiment's own: mounts and networks that nobody else sees, gone with their last process."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Namespace:
    """`enter` stands before a command that shall run inside; `root` is the inside's / seen from outside."""

    pid: int
    enter: tuple[str, ...]

    @property
    def root(self) -> str:
        return f"/proc/{self.pid}/root"

    def run(self, *command: str) -> str:
        """What it prints. AssertionError with what it complains about."""
        run = subprocess.run([*self.enter, *command], capture_output=True, text=True, timeout=60, check=False)
        assert run.returncode == 0, f"{' '.join(command)}: {run.stderr.strip()}"
        return run.stdout

    def sh(self, script: str) -> str:
        return self.run("sh", "-ec", script)


@contextmanager
def namespace(*kinds: str) -> Iterator[Namespace]:
    """`kinds` are of mount, net, pid (unshare(1)). They live as long as the block."""
    assert os.geteuid() == 0, "needs root: namespaces of mounts and networks"
    flags = [f"--{kind}" for kind in kinds]
    words = ["unshare", *flags, "sh", "-c", "echo ready; exec cat"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as holder:
        assert holder.stdin and holder.stdout and holder.stderr
        try:
            assert holder.stdout.readline() == b"ready\n", f"no namespace: {holder.stderr.read().decode()}"
            yield Namespace(holder.pid, ("nsenter", f"--target={holder.pid}", *flags, "--"))
        finally:
            holder.stdin.close()


def started(command: Sequence[str], says: bytes = b"ready\n") -> subprocess.Popen[bytes]:
    """A program in the background that has said so. The caller ends it."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    if process.stdout.readline() != says:
        process.kill()
        process.wait(10)
        raise AssertionError(f"{command} did not start")
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """Kills it and waits for it."""
    process.kill()
    process.communicate()
