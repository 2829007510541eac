"""Why did no frame come? Exit status, stderr and the first noise say what went wrong on the host."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Final

from poller.errors import HostError

_EXCERPT: Final = 200
_OWN: Final = re.compile(r"^poller-probe: ([a-z]+): (.*)$", re.MULTILINE)
# sshd's own remark when an account has no home folder. It is no reason for anything.
_SSHD_SAYS: Final = re.compile(r"^Could not chdir to home directory .*$", re.MULTILINE)
_OWN_CODES: Final = {
    "version": ("python", "version"),
    "library": ("python", "broken"),  # a standard library with holes, as of an image that was slimmed down
    "bundle": ("probe", "crash"),
    "crash": ("probe", "crash"),
}

# What shells and interpreters say, over stdout and stderr, first match wins.
_SAYINGS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE | re.MULTILINE), stage, code)
    for pattern, stage, code in (
        # cmd.exe, then PowerShell 5 and 7
        (r"'exec' is not recognized as|the term 'exec' is not recognized", "session", "windows"),
        (r"account is (currently )?not available|\bnologin\b", "session", "shell"),
        (r"\brbash\b|\brksh\b|exec: restricted|restricted: cannot", "session", "shell"),
        (r"^sudo(-rs)?:", "python", "sudo"),
        (r"exec: sudo: not found|command not found: sudo|unknown command:? .?sudo\b", "python", "sudo"),
        (r"unknown option: -I|unrecognized option .*-I", "python", "version"),
        (r"Could not find platform|Fatal Python error|No module named 'encodings'", "python", "broken"),
        (r"error while loading shared libraries|Exec format error|cannot execute", "python", "broken"),
        (r"^Traceback \(most recent call last\)|MemoryError", "probe", "crash"),
        (r"syntax error|unmatched|missing end to|unexpected EOF|unexpected end of string", "session", "shell"),
    )
)

# In another language they say something else. A shell of WSL behind the same SSH server is a Linux: it says what others
# do.
_WINDOWS: Final = "for_Windows"

_STATUSES: Final = {127: ("python", "missing"), 126: ("python", "broken")}


@dataclass(frozen=True, slots=True)
class End:
    """How the command ended. `status` is None when none came: killed by a signal, or the connection broke.

    `software` is what the SSH server calls itself.
    """

    status: int | None
    stderr: bytes
    noise: bytes
    broken: bool = False
    software: str = ""


def interpreter(command: str) -> str:
    """The Python that the frozen command runs."""
    words = shlex.split(command)
    return next((word for word in words if word not in ("exec", "sudo", "-n")), command)


def diagnose(end: End, command: str) -> HostError:
    """The outcome for a command that ended without an answer."""
    errors = _SSHD_SAYS.sub("", end.stderr.decode("utf-8", "replace"))
    own = _OWN.search(errors)
    if own and own[1] in _OWN_CODES:
        return HostError(*_OWN_CODES[own[1]], _excerpt(own[2]))
    if end.broken:
        return HostError("probe", "closed", _excerpt(errors))
    said = errors + "\n" + end.noise.decode("utf-8", "replace")
    stage, code = _verdict(end, errors, said, interpreter(command))
    return HostError(stage, code, _detail(stage, code, end, said, command))


def _verdict(end: End, errors: str, said: str, python: str) -> tuple[str, str]:
    for pattern, stage, code in _SAYINGS:
        # Noise on stdout may say anything; only for a command that failed it is a reason.
        if pattern.search(said if end.status else errors):
            return stage, code
    if _missing(python, errors):
        return "python", "missing"
    if _WINDOWS in end.software:
        return "session", "windows"
    if end.status in _STATUSES:
        return _STATUSES[end.status]
    if end.status == 0 and not errors.strip():
        # The probe ends by itself only when stdin does: something before it ended, such as `exit` in a start-up file.
        return "session", "shell"
    return ("probe", "silent") if end.status is not None and not errors.strip() else ("probe", "crash")


def _missing(python: str, errors: str) -> bool:
    """A shell says so in a line with its name: start-up files may miss other things."""
    pattern = rf"{re.escape(python)}.*(not found|no such file)|unknown command.*{re.escape(python)}"
    return re.search(pattern, errors, re.IGNORECASE) is not None


def _detail(stage: str, code: str, end: End, said: str, command: str) -> str:
    what = {"python": interpreter(command), "session": "the command ended before Python answered"}.get(stage, "")
    if code == "windows":
        return _excerpt(end.software) or _excerpt(said)
    status = "ended by a signal" if end.status is None else f"exit status {end.status}"
    return ", ".join(part for part in (what, status, _excerpt(said)) if part)


def _excerpt(text: str) -> str:
    """The last words, where shells and Python put the reason; printable ASCII."""
    line = " ".join(text.split())
    return ascii(line[-_EXCERPT:])[1:-1] if line else ""
