"""Whose sockets they are: the links in /proc/PID/fd (proc_pid_fd(5)), as far as they may be read."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Set

    from remote_probe.host import Host

MOST = 10000  # links that are read, some 50 ms; root may read all there are, and a busy machine has many


class Reach:
    def __init__(self, host: "Host") -> None:
        self.host = host

    def processes(self, inodes: "Set[bytes]") -> "Dict[bytes, bytes]":
        """inode of a socket -> name of the process that has it; of several that with the smallest number."""
        found: "Dict[bytes, bytes]" = {}
        left = MOST
        for number in sorted(int(name) for name in self.host.names(b"/proc") if name.isdigit()):
            if left <= 0 or len(found) == len(inodes):
                break
            links = self._links(b"/proc/%d/fd" % number, left)
            left -= len(links)
            held = links & inodes
            if held - found.keys():
                name = self._name(b"/proc/%d/comm" % number)
                found.update((inode, name) for inode in held - found.keys())
        return found

    def _name(self, path: bytes) -> bytes:
        """All of it: it may hold newlines."""
        try:
            return self.host.read(path)[:-1]
        except OSError:
            return b""

    def _links(self, path: bytes, most: int) -> "Set[bytes]":
        """`socket:[5755367]` -> 5755367; what is no socket is cut as well and fits none."""
        folder = self.host.root + path
        links = set()
        try:
            for name in os.listdir(folder)[:most]:
                links.add(os.readlink(folder + b"/" + name)[8:-1])
        except OSError:
            pass  # not ours to read, or gone in the middle
        return links
