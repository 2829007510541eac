"""One module for each section: `read(host)` yields rows, `parse_*` are pure functions of bytes.

A row is (element, {attribute: value}); attribute names are those of the report. To say that something is not
there, not allowed or broken, a collector lets the exception go: FileNotFoundError, PermissionError, ValueError.
"""

NAMES = (
    "system", "cpu", "memory", "load", "filesystem", "block", "network", "processes", "pressure",
    "usb", "devices", "mounts", "kernel", "sockets", "traffic", "top", "units", "checks", "textfiles", "people",
    "hardware", "logs",
)  # fmt: skip

# Sections whose rows count since boot, of which two readings make a rate.
COUNTERS = ("cpu", "memory", "block", "network", "pressure")

# Sections that may wait for something outside this machine, or take their time; in this order, after all others.
LAST = ("units", "logs", "filesystem", "traffic", "checks")

# Sections that can be had where there is no /proc, from psutil.
ELSEWHERE = (
    "system", "cpu", "memory", "load", "filesystem", "block", "network", "processes", "mounts", "sockets", "people",
)  # fmt: skip
