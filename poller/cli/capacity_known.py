"""What `poller capacity` stands on: the last day in the journal, the daemon that runs, this machine, config.xml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from poller.capacity import Machine, PerHost, PerPoll, Plan
    from poller.model import Config
    from poller.store.costs import Costs

# A daemon's own figures count once it made so many polls, its memory once it holds so many hosts.
_ENOUGH_POLLS: Final = 200
_ENOUGH_HOSTS: Final = 50
# Before so many polls of each host a journal holds more inventories than samples.
_ENOUGH_TO_WEIGH: Final = 100


@dataclass(frozen=True, slots=True)
class Known:
    """All that is asked for: what was read, and what is assumed where nothing was."""

    costs: Costs
    poll: PerPoll
    host: PerHost
    machine: Machine
    plan: Plan
    daemon: bool


def known(config: Config) -> Known:
    from poller.capacity import DISK_BYTES, SENT_KEPT, PerPoll, Plan, outliving_bytes
    from poller.cli.machine import machine
    from poller.store.costs import costs

    found = costs(config.journal, config.retention.samples)
    cpu, host, daemon = _of_daemon(config, found)
    grown = found.polls >= _ENOUGH_TO_WEIGH * found.hosts
    rate = sum(1 / host.poll.interval for host in config.hosts)
    interval = len(config.hosts) / rate if rate else 60.0
    archived = config.archive is not None
    return Known(
        costs=found,
        poll=PerPoll(
            cpu=cpu or _assumed_cpu(found),
            cpu_measured=cpu is not None,
            rows=found.rows,
            disk_bytes=_weight(config, found, interval) if grown else DISK_BYTES,
            disk_measured=grown,
            network_bytes=found.sent_bytes + found.received_bytes,
        ),
        host=host,
        machine=machine(config.journal),
        plan=Plan(
            interval=interval,
            processes=config.processes,
            kept_seconds=min(SENT_KEPT, config.retention.samples) if archived else config.retention.samples,
            archived=archived,
            outliving_bytes=0.0 if archived else outliving_bytes(config.retention, interval, found.rolled),
        ),
        daemon=daemon,
    )


def _weight(config: Config, found: Costs, interval: float) -> float:
    """Bytes of a poll in the journal, without what is there of polls whose samples are gone."""
    from poller.capacity import outliving_bytes

    older = found.hosts * outliving_bytes(config.retention, interval, found.rolled, found.rolled_seconds)
    # Not all of these may have been polled all the time: never less than if all that is there were alike.
    least = found.kept_seconds / max(found.kept_seconds, found.rolled_seconds, 1.0)
    return found.disk_bytes * max(least, 1 - older / found.journal_bytes)


def _assumed_cpu(found: Costs) -> float:
    """By how many of the polls came over a session that was there."""
    from poller.capacity import COLD_CPU, RESIDENT_CPU

    held = found.held / found.good
    return held * RESIDENT_CPU + (1 - held) * COLD_CPU


def _of_daemon(config: Config, found: Costs) -> tuple[float | None, PerHost, bool]:
    """Seconds of CPU per poll (None: not known) and memory per host of the daemon that runs, and whether one does."""
    from poller.capacity import BASE_BYTES, HOST_BYTES, PerHost
    from poller.cli.machine import used
    from poller.control import Client, socket_path
    from poller.errors import PollerError

    assumed = PerHost(HOST_BYTES, BASE_BYTES, measured=False, held=found.held > 0)
    try:
        status = Client(socket_path(config)).ask("status")
        taken = used(int(status["pid"]))
        polls, held = sum(status["polls"].values()), int(status["links"].get("connected", 0))
    except (PollerError, KeyError, TypeError, ValueError, AttributeError):
        return None, assumed, False
    cpu = taken.seconds / polls if taken.seconds and polls >= max(_ENOUGH_POLLS, 2 * len(config.hosts)) else None
    base = BASE_BYTES * max(taken.processes, 1)
    if held < _ENOUGH_HOSTS or taken.bytes <= base:
        return cpu, assumed, True
    return cpu, PerHost((taken.bytes - base) / held, base, measured=True), True
