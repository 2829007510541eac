"""Work that could hang, or that is a program of its own: in a child process, in a group of its own, ended for sure."""

import _signal  # type: ignore[import-not-found]  # the C half of signal: see remote_probe
import os
import select
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Sequence, Set, Tuple

LARGEST = 4 << 20  # bytes of its output; more is cut off
HOUR = 3600.0  # no child lives longer

running: "Set[int]" = set()  # those that may still be there


def work(job: "Callable[[int], None]", quiet: float, until: float) -> "Tuple[bytes, bool]":
    """What `job` writes to its descriptor in a child, and whether it ended by itself:

    before it was silent for `quiet` seconds and before the moment `until`.
    """
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        _live(job, into, min(until - time.monotonic(), HOUR))
    running.add(child)
    os.close(into)
    try:
        return _listen(out, quiet, until)
    finally:
        os.close(out)
        end(child)


def program(command: "Sequence[str]", path: str, quiet: float, until: float) -> "Tuple[bytes, bool]":
    """The same of a program: its standard output. Raises FileNotFoundError when no folder of `path` has it."""
    files = [folder + "/" + command[0] for folder in path.split(":")]
    file = next((name for name in files if os.access(name, os.X_OK)), None)
    if file is None:
        raise FileNotFoundError("there is no command %s" % command[0])
    return work(lambda into: _execute(file, command, path, into), quiet, until)


def end(child: int) -> None:
    """Kills a child and its group and waits a moment for it; one that hangs in the kernel is left to init."""
    for patience in (0.0, 0.001, 0.01, 0.05):
        try:
            os.kill(child, _signal.SIGKILL)
            os.killpg(child, _signal.SIGKILL)
        except OSError:
            pass  # not leader of its group yet, or no longer there
        time.sleep(patience)
        try:
            if os.waitpid(child, os.WNOHANG)[0]:
                running.discard(child)
                return
        except OSError:
            running.discard(child)
            return


def end_all() -> None:
    """Kills every child that is still there, with whatever it started."""
    for child in list(running):
        end(child)


def _live(job: "Callable[[int], None]", into: int, seconds: float) -> None:
    """The life of a child: no descriptor of its parent's, a group of its own, and an end set by the kernel."""
    try:
        os.setpgid(0, 0)
        _signal.alarm(max(1, int(seconds) + 5))  # should the parent be killed
        for descriptor in (0, 1, 2):
            os.close(descriptor)
        job(into)
    finally:
        os._exit(0)


def _listen(out: int, quiet: float, until: float) -> "Tuple[bytes, bool]":
    poll = select.poll()
    poll.register(out, select.POLLIN | select.POLLHUP)
    output = b""
    while len(output) < LARGEST:
        if not poll.poll(max(0.0, min(quiet, until - time.monotonic())) * 1000):
            return output, False
        part = os.read(out, 1 << 16)
        if not part:
            break
        output += part
    return output, True


def _execute(file: str, command: "Sequence[str]", path: str, into: int) -> None:
    null = os.open("/dev/null", os.O_RDWR)  # becomes 0, the lowest free one
    os.dup2(into, 1)
    os.dup2(null, 2)
    os.execve(file, list(command), {"PATH": path, "LC_ALL": "C"})  # noqa: S606 -- no shell is wanted
