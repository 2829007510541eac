"""Devices that come and go, as the kernel says it the moment it happens: NETLINK_KOBJECT_UEVENT.

Anybody may listen (lib/kobject_uevent.c); messages of other programs are not taken for the kernel's.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Tuple

    from remote_probe.host import Host, Value

NETLINK, KOBJECT_UEVENT, KERNEL = 16, 15, 1  # family, protocol, the group that the kernel itself sends to
ROOM = 1 << 20  # bytes of messages that may wait; the kernel may grant less
LONGEST = 16384  # bytes; the kernel's own limit is 2048 for the variables
MOST = 500  # messages taken at once
# After these, devices are read anew: USB interfaces, monitors and adapters, too.
SUBSYSTEMS = (b"usb", b"block", b"net", b"drm", b"bluetooth", b"mmc")
VIRTUAL = b"/devices/virtual/"
TOLD = (b"usb_device", b"disk", b"partition")
ACTIONS = (b"add", b"remove", b"change")
WHOLE = b"4294967295"  # /proc/self/uid_map of who stands in no user namespace (user_namespaces(7))


class Uevents:
    """The kernel's messages from now on. Raises OSError where they cannot be had."""

    def __init__(self, host: "Host") -> None:
        import _socket

        if host.text(b"/proc/self/uid_map").split()[2:] not in ([], [WHOLE]):
            raise PermissionError(1, "in a user namespace the kernel tells nothing of devices")
        if host.root or not host.names(b"/sys/class"):
            raise FileNotFoundError(2, "there is no /sys of this machine")
        kind = _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC | _socket.SOCK_NONBLOCK
        self._socket = _socket.socket(NETLINK, kind, KOBJECT_UEVENT)
        try:
            self._socket.setsockopt(_socket.SOL_SOCKET, _socket.SO_RCVBUF, ROOM)
            self._socket.bind((0, KERNEL))
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def take(self) -> "Tuple[bool, List[Dict[str, Value]], int]":
        """(whether devices should be read anew, hints, how often messages were lost). Raises OSError."""
        touched, hints, lost = False, [], 0
        for _ in range(MOST):
            try:
                message, (sender, _groups) = self._socket.recvfrom(LONGEST)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != 105:  # ENOBUFS: more came than could wait
                    raise
                touched, lost = True, lost + 1
                continue
            if sender == 0:  # the kernel; a program has the number of its port
                variables = parse_uevent(message)
                touched = touched or variables.get(b"SUBSYSTEM") in SUBSYSTEMS
                hints += hinted(variables)
        return touched, hints, lost


def parse_uevent(message: bytes) -> "Dict[bytes, bytes]":
    """`add@/devices/...` NUL ACTION=add NUL DEVPATH=... NUL SUBSYSTEM=... NUL; {} for what does not look so."""
    head, *rest = message.split(b"\0")
    if b"@" not in head:
        return {}
    return {name: value for name, equals, value in (part.partition(b"=") for part in rest) if equals}


def hinted(variables: "Dict[bytes, bytes]") -> "List[Dict[str, Value]]":
    """What is told at once, before anything is read: of USB whole devices, disks and partitions, interfaces.

    No disks without hardware of their own: images, snapshots, arrays, memory.
    """
    subsystem, action, path = (variables.get(name, b"") for name in (b"SUBSYSTEM", b"ACTION", b"DEVPATH"))
    whole = subsystem == b"net" or (subsystem in (b"usb", b"block") and variables.get(b"DEVTYPE") in TOLD)
    if subsystem == b"block" and path.startswith(VIRTUAL):
        return []
    if not (whole and path and action in ACTIONS):
        return []
    name = variables.get(b"INTERFACE") or path.rpartition(b"/")[2]
    return [{"subsystem": subsystem, "action": action, "path": path, "name": name}]
