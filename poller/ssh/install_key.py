"""Runs on a host, under the login that is there already: puts the poller's public key into authorized_keys.

Sent as text by `enroll` and run by the host's Python (3.6 or later, standard library only). In: a JSON object on one
line with `key` (type and base64), `comment` and `from` (an address, or null for the one that the host sees). Out: a
JSON object: what was found and done. Follows no link, touches no file of another owner, adds a line at most once.
"""

# It runs on Python 3.6: annotations that are newer stay quoted.
# ruff: noqa: PTH102, PTH111, PTH118

import grp
import json
import os
import platform
import stat
import sys
from typing import Any

WANTED_GROUPS = ("adm", "systemd-journal")


class RefusedError(Exception):
    """Something about the account is not as it must be; nothing was changed."""


def seen_from(asked: "str | None") -> str:
    """The address that `from=` allows: as asked, or the client's as sshd names it in SSH_CONNECTION."""
    address = asked or (os.environ.get("SSH_CONNECTION", "").split() or [""])[0]
    if address.startswith("::ffff:") and "." in address:
        address = address[len("::ffff:") :]
    return address.split("%")[0]


def wanted_line(request: "dict[str, Any]") -> str:
    """The line of authorized_keys (sshd(8))."""
    address = seen_from(request["from"])
    options = "restrict" + (f',from="{address}"' if address else "")
    return "{} {} {}".format(options, request["key"], request["comment"])


def check(path: str, status: os.stat_result, wanted: int) -> None:
    """The owner is this account, and it is what it should be: neither a link nor anybody else's."""
    if stat.S_IFMT(status.st_mode) != wanted:
        raise RefusedError(f"{path} is not what it should be (a link?)")
    if status.st_uid != os.geteuid():
        raise RefusedError(f"{path} belongs to another user")
    if status.st_mode & 0o022:
        raise RefusedError(f"{path} can be written by other users: chmod go-w")


def folder(home: str) -> str:
    """~/.ssh, made with mode 0700 when it is missing."""
    path = os.path.join(home, ".ssh")
    if not os.path.lexists(path):
        os.mkdir(path, 0o700)
    check(path, os.lstat(path), stat.S_IFDIR)
    return path


def install(home: str, line: str, key: str) -> str:
    """`added`, `present`, or `different` when the key stands there with other options, which are left alone."""
    path = os.path.join(folder(home), "authorized_keys")
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "r+b", 0) as file:
        check(path, os.fstat(descriptor), stat.S_IFREG)
        text = file.read()
        lines = [other.strip() for other in text.decode("utf-8", "surrogateescape").splitlines()]
        if line in lines:
            return "present"
        if any(key in other and not other.startswith("#") for other in lines):
            return "different"
        file.write((b"\n" if text and not text.endswith(b"\n") else b"") + line.encode() + b"\n")
        return "added"


def groups() -> "dict[str, list[str]]":
    """Of the groups that open logs to readers: which there are, and in which this account is."""
    names = {group.gr_name: group.gr_gid for group in grp.getgrall() if group.gr_name in WANTED_GROUPS}
    mine = set(os.getgroups()) | {os.getegid()}
    return {"exist": sorted(names), "member": sorted(name for name, number in names.items() if number in mine)}


def answer(request: "dict[str, Any]") -> "dict[str, Any]":
    """Everything that `enroll` tells its user."""
    found = {"python": platform.python_version(), "uid": os.geteuid(), "groups": groups()}
    line = wanted_line(request)
    try:
        result = install(os.path.expanduser("~"), line, request["key"].split()[1])
    except (OSError, RefusedError) as error:
        return dict(found, result="refused", reason=str(error), line=line)
    return dict(found, result=result, reason="", line=line)


def main(marker: str) -> None:
    """Reads the request that follows this text on stdin, writes one frame, waits for the end of stdin."""
    body = json.dumps(answer(json.loads(sys.stdin.buffer.readline().decode()))).encode()
    sys.stdout.buffer.write(b"\n#" + marker.encode() + b" report " + str(len(body)).encode() + b"\n" + body)
    sys.stdout.buffer.flush()
    sys.stdin.buffer.read()
