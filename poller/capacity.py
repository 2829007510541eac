"""How many hosts this machine can poll, from what polls cost. Arithmetic only; `store/costs.py` brings the costs.

The model. A fleet of `n` hosts is polled every `i` seconds, so n / i polls a second, and what one poll costs it costs
at any number of hosts (benchmarks/RESULTS.md: from 50 to 500 hosts within 20 %). A resource that is needed by the poll
has to give n / i times its cost, one that is needed by the host n times. A resource breaks at the number of hosts at
which the need reaches what there is of it, less a reserve where a queue would grow before (`HEADROOM`).

Python runs one thread of a process at a time: one process uses one core, workers (`<daemon processes=>`) use more, and
all polls pass the one thread that owns the journal. What cannot be measured on the user's machine is a constant below,
measured by `make bench` on the machine named in benchmarks/RESULTS.md; a `Limit` says which of both it stands on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from poller.model import MOST_HOSTS, Retention

DAY: Final = 86_400.0
YEAR: Final = 365 * DAY
# So much of a core, of the memory and of the network is planned with.
HEADROOM: Final = 0.8

# Seconds of CPU per poll of all sections: in a session that is there, and with a login.
RESIDENT_CPU: Final = 0.0055
COLD_CPU: Final = 0.0122
# Bytes: the daemon without hosts, and what one more resident host adds.
BASE_BYTES: Final = 52e6
HOST_BYTES: Final = 217e3
# Rows a second: one thread that judges and stores, the same rows by a bare executemany, and into MariaDB by shipping.
INTAKE_ROWS: Final = 23_000.0
SQLITE_ROWS: Final = 70_000.0
ARCHIVE_ROWS: Final = 20_000.0
# Bytes that a poll of all sections takes in the journal (docs/operations.md, "Sizes": a quiet host).
DISK_BYTES: Final = 5_000.0
# Bytes of what is kept longer than samples (docs/database.md, "Sizes"): a window of five minutes or of an hour of one
# thing, and the row that says that a poll took place.
WINDOW_BYTES: Final = 200.0
POLL_BYTES: Final = 340.0
FIVE_MINUTES: Final = 300.0
HOUR: Final = 3600.0
# Beside an archive the journal keeps what was sent for so long.
SENT_KEPT: Final = DAY
# Bits a second that the network is taken for.
NETWORK_BITS: Final = 1e9
# Of each host that stays connected: its socket, and the eventfd that wakes its thread. The daemon's own besides.
FILES: Final = 2
OWN_FILES: Final = 64


@dataclass(frozen=True, slots=True)
class PerPoll:
    """What one poll costs: seconds of CPU, rows, bytes on the disk and on the network."""

    cpu: float
    rows: float
    disk_bytes: float
    network_bytes: float
    cpu_measured: bool = True
    disk_measured: bool = True


@dataclass(frozen=True, slots=True)
class PerHost:
    """What a host costs between polls: bytes of memory, beside `base_bytes` for all. `held`: it stays connected."""

    bytes: float
    base_bytes: float
    measured: bool
    held: bool = True


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is. `files` and `threads` are what a process may have, `ports` local ones for one address."""

    cores: int
    memory_bytes: float
    files: int
    threads: int
    ports: int
    disk_bytes: float


@dataclass(frozen=True, slots=True)
class Plan:
    """How the fleet is polled: seconds between polls of a host, worker processes, seconds that samples are kept.

    `outliving_bytes`: what a host leaves in the journal for longer than its samples.
    """

    interval: float
    processes: int
    kept_seconds: float
    archived: bool
    outliving_bytes: float = 0.0

    def settled_bytes(self, poll: PerPoll) -> float:
        """Of one host, when as much is deleted as comes."""
        return self.kept_seconds / self.interval * poll.disk_bytes + self.outliving_bytes


@dataclass(frozen=True, slots=True)
class Limit:
    """One resource at some number of hosts. `hosts` is how many there may be; not `measured`: that is assumed."""

    name: str
    need: float
    has: float
    unit: str
    hosts: float
    measured: bool
    way_out: str

    @property
    def share(self) -> float:
        """Above 1: it breaks."""
        return self.need / self.has if self.has > 0 else float("inf")


@dataclass(frozen=True, slots=True)
class Yield:
    """In hosts, and for one host: what a core and a GB carry, what a host needs a day and a year, in bytes."""

    hosts_per_core: float
    hosts_per_gb: float
    network_bytes_per_day: float
    disk_bytes_per_year: float
    disk_bytes_settled: float


def outliving_bytes(retention: Retention, interval: float, things: float, age: float = math.inf) -> float:
    """Roll-ups of a host with so many things, and rows of its polls, that are older than its samples may get.

    `age`: how many seconds ago it was polled for the first time.
    """

    def count(kept: float, every: float) -> float:
        return max(0.0, min(kept, age) - retention.samples) / every

    windows = count(retention.fives, max(FIVE_MINUTES, interval)) + count(retention.hours, max(HOUR, interval))
    return things * windows * WINDOW_BYTES + count(retention.polls, interval) * POLL_BYTES


def yields(poll: PerPoll, host: PerHost, plan: Plan) -> Yield:
    """`disk_bytes_settled`: when as much is deleted as comes; `disk_bytes_per_year`: if no sample were deleted."""
    daily = DAY / plan.interval
    return Yield(
        hosts_per_core=HEADROOM * plan.interval / poll.cpu,
        hosts_per_gb=HEADROOM * 1e9 / host.bytes,
        network_bytes_per_day=daily * poll.network_bytes,
        disk_bytes_per_year=YEAR / plan.interval * poll.disk_bytes,
        disk_bytes_settled=plan.settled_bytes(poll),
    )


def limits(hosts: int, poll: PerPoll, host: PerHost, machine: Machine, plan: Plan) -> tuple[Limit, ...]:
    """Every resource at so many hosts, the tightest first."""
    found = (*_of_polls(hosts, poll, machine, plan), *_of_hosts(hosts, poll, host, machine, plan))
    return tuple(sorted(found, key=lambda limit: -limit.share))


def _of_polls(hosts: int, poll: PerPoll, machine: Machine, plan: Plan) -> Iterator[Limit]:
    """What each poll needs."""

    def limit(name: str, each: float, has: float, unit: str, way_out: str, *, measured: bool = False) -> Limit:
        each /= plan.interval
        return Limit(name, hosts * each, has, unit, has / each if each else float("inf"), measured, way_out)

    busy = min(max(plan.processes, 1), machine.cores)
    more = f'<daemon processes="{machine.cores}"/>, ' if busy < machine.cores else ""
    yield limit(
        "CPU",
        poll.cpu,
        HEADROOM * busy,
        "cores",
        f"{more}a longer interval=, fewer sections, a second poller for half of the hosts",
        measured=poll.cpu_measured,
    )
    yield limit(
        "intake thread",
        poll.rows,
        HEADROOM * INTAKE_ROWS,
        "rows/s",
        'a longer interval=, <collect section="..." every="5m"/>, a second poller: no process can help this one thread',
    )
    yield limit("SQLite writes", poll.rows, SQLITE_ROWS, "rows/s", "a longer interval=, fewer sections")
    way = "a longer interval=, fewer sections; what does not arrive in time waits in the journal"
    yield limit(
        "archive writes", poll.rows, ARCHIVE_ROWS, "rows/s", way if plan.archived else f"none is used yet; {way}"
    )
    yield limit(
        "network",
        8 * poll.network_bytes,
        HEADROOM * NETWORK_BITS,
        "bits/s",
        "a longer interval=; sessions that stay send no probe",
    )
    yield limit(
        "disk",
        plan.settled_bytes(poll) * plan.interval,
        machine.disk_bytes,
        "bytes",
        "shorter <retention>, a longer interval=, history in an archive on another machine (<archive>)",
        measured=poll.disk_measured,
    )


def _of_hosts(hosts: int, poll: PerPoll, host: PerHost, machine: Machine, plan: Plan) -> Iterator[Limit]:
    """What each host needs."""

    def limit(name: str, each: float, own: float, has: float, way_out: str, *, measured: bool = True) -> Limit:
        return Limit(
            name, hosts * each + own, has, "bytes" if name == "memory" else "",
            max(has - own, 0.0) / each, measured, way_out,
        )  # fmt: skip

    memory = HEADROOM * machine.memory_bytes
    cold = 'cold="yes" for hosts that are asked seldom'
    yield limit("memory", host.bytes, host.base_bytes, memory, f"{cold}, more memory", measured=host.measured)
    # Each worker has a table of files of its own.
    files = machine.files * max(plan.processes, 1)
    yield limit("open files", FILES if host.held else 1, OWN_FILES, files, f"LimitNOFILE= of the unit, {cold}")
    way = "TasksMax= of the unit, kernel.threads-max and kernel.pid_max, a second poller"
    yield limit("threads", 1, 16, machine.threads, way)
    way = "net.ipv4.ip_local_port_range; counts only for hosts behind one address, as behind a NAT"
    yield limit("local ports", 1, 0, machine.ports, way)
    yield limit("config.xml", 1, 0, MOST_HOSTS, "a second poller, with the other hosts in a config.xml of its own")
