"""Section `checks`: runs the commands of config.xml, one at a time."""

import _signal  # type: ignore[import-not-found]  # the C half of signal: see remote_probe
import os
import select
import time

from remote_probe import child as children
from remote_probe import host as machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Sequence, Tuple

PATH = machine.PATH + ":/usr/lib/nagios/plugins:/usr/lib64/nagios/plugins:/usr/lib/monitoring-plugins"
KEPT = 4096  # bytes of its output that are kept
MOST = 1 << 16  # bytes of its output that are read; who writes more gets SIGPIPE
TICK = 0.1  # seconds between two looks whether it has ended, while it writes nothing


class Reach:
    def __init__(self, host: "machine.Host") -> None:
        self.host = host

    def run(self, command: "Sequence[str]", seconds: float) -> "Tuple[int, bytes, bytes, float]":
        """(exit status or minus the signal, standard output, standard error, seconds) of a program and its arguments.

        No shell, nothing of this process's environment, a process group of its own, in which nothing is left
        afterwards. Raises FileNotFoundError, and TimeoutError for one that was killed because it took longer.
        """
        begin = time.monotonic()
        program = _found(command[0])
        (out, out_into), (err, err_into) = os.pipe(), os.pipe()
        child = os.fork()
        if child == 0:
            _become(program, command, out_into, err_into, seconds)
        children.running.add(child)
        os.close(out_into)
        os.close(err_into)
        texts, still_open = {out: b"", err: b""}, [out, err]
        try:
            status = _watch(child, texts, still_open, begin + seconds)
        finally:
            _end_group(child)
            for descriptor in still_open:
                os.close(descriptor)
        if status is None:
            raise TimeoutError("killed after %.3g s" % seconds)
        return status, texts[out][:KEPT], texts[err][:KEPT], time.monotonic() - begin


def _found(name: str) -> str:
    paths = [name] if "/" in name else [folder + "/" + name for folder in PATH.split(":")]
    for path in paths:
        if os.access(path, os.X_OK):
            return path
    raise FileNotFoundError("there is no command %s" % name)


def _watch(child: int, texts: "Dict[int, bytes]", still_open: "List[int]", until: float) -> "int | None":
    """Fills `texts` until the process has ended, whoever else holds its output; None when it does not by `until`."""
    poll = select.poll()
    for descriptor in still_open:
        poll.register(descriptor, select.POLLIN)
    patience = 0.0005
    status = None
    while True:
        if status is None:
            ended, code = os.waitpid(child, os.WNOHANG)
            status = None if not ended else -os.WTERMSIG(code) if os.WIFSIGNALED(code) else os.WEXITSTATUS(code)
        left = until - time.monotonic()
        patience *= 1 if still_open else 2  # without output it ends any moment
        wait = 0.0 if status is not None else max(0.0, min(TICK if still_open else patience, TICK, left))
        ready = poll.poll(wait * 1000)
        for descriptor, _ in ready:
            part = os.read(descriptor, MOST)
            texts[descriptor] += part
            if not part or len(texts[descriptor]) > MOST:
                poll.unregister(descriptor)
                still_open.remove(descriptor)
                os.close(descriptor)
        if not ready and (status is not None or left <= 0):
            return status


def _end_group(child: int) -> None:
    """Whoever is left of the group, then its leader, unless that was waited for already."""
    try:
        os.killpg(child, _signal.SIGKILL)
    except OSError:
        pass  # nobody, or it is not leader of its group yet
    children.end(child)


def _become(program: str, command: "Sequence[str]", out: int, err: int, seconds: float) -> None:
    """The child, until it is the program."""
    try:
        os.setpgid(0, 0)
        _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)  # Python ignores it, and that would be inherited
        _signal.alarm(int(seconds) + 5)  # should the parent be killed
        os.dup2(os.open("/dev/null", os.O_RDWR), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.chdir("/")
        words = [word.encode("utf-8", "surrogateescape") for word in command]
        os.execve(program.encode("utf-8", "surrogateescape"), words, {"PATH": PATH, "LC_ALL": "C"})  # noqa: S606
    except Exception as error:
        os.write(2, (getattr(error, "strerror", None) or str(error)).encode("utf-8", "replace"))
    finally:
        os._exit(126)
