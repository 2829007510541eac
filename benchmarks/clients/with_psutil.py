"""What the probe's sections of numbers hold, read with psutil: one line of JSON for each line of input."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections import Counter
from pathlib import Path

import psutil


def gathered() -> dict[str, object]:
    return {
        "system": [platform.node(), platform.release(), psutil.boot_time(), psutil.cpu_count()],
        "cpu": [tuple(core) for core in (psutil.cpu_times(), *psutil.cpu_times(percpu=True))],
        "memory": [tuple(psutil.virtual_memory()), tuple(psutil.swap_memory())],
        "load": psutil.getloadavg(),
        "filesystem": [
            (*part, *psutil.disk_usage(part.mountpoint), os.statvfs(part.mountpoint).f_favail)
            for part in psutil.disk_partitions(all=False)
        ],
        "block": {name: tuple(one) for name, one in psutil.disk_io_counters(perdisk=True).items()},
        "network": [
            {name: tuple(one) for name, one in psutil.net_io_counters(pernic=True).items()},
            {name: tuple(one) for name, one in psutil.net_if_stats().items()},
            {name: [tuple(address) for address in some] for name, some in psutil.net_if_addrs().items()},
        ],
        "processes": Counter(one.info["status"] for one in psutil.process_iter(["status"])),
        # Not known to psutil.
        "pressure": [path.read_text() for path in Path("/proc/pressure").iterdir()],
    }


for _ in sys.stdin:
    print(json.dumps(gathered()), flush=True)
