"""What is mounted and taken away, the moment it happens: the kernel marks /proc/self/mountinfo (proc_pid_mounts(5))."""

import os
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from remote_probe.host import Host


class Mounts:
    """The file, kept open: POLLPRI says that something changed since it was last said. Raises OSError."""

    events = select.POLLPRI  # POLLERR comes with it in any case

    def __init__(self, host: "Host") -> None:
        if host.root:
            raise FileNotFoundError(2, "these are files of another machine")
        self._descriptor = os.open(b"/proc/self/mountinfo", os.O_RDONLY | os.O_CLOEXEC)
        poll = select.poll()
        poll.register(self._descriptor, self.events)
        if all(poll.poll(0) for _ in range(3)):  # as other kernels' files do, which only look like it
            self.close()
            raise OSError(95, "mountinfo does not say when it changes")

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        os.close(self._descriptor)
