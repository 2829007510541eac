"""`poller capacity`: what polls cost on the user's own last day, how many hosts that allows, and what breaks first."""

from __future__ import annotations

import math
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from poller.cli.settings import Settings, print_json

if TYPE_CHECKING:
    from poller.capacity import Limit, Machine, PerHost, PerPoll, Plan, Yield
    from poller.model import Config
    from poller.store.costs import Costs

_USUAL: Final = (10_000, 100_000)
_BAR: Final = 16
# A daemon's own figures count once it made so many polls, its memory once it holds so many hosts.
_ENOUGH_POLLS: Final = 200
_ENOUGH_HOSTS: Final = 50
# Before so many polls of each host a journal holds more inventories than samples.
_ENOUGH_TO_WEIGH: Final = 100


@dataclass(frozen=True, slots=True)
class _Known:
    """All that is asked for: what was read, and what is assumed where nothing was."""

    costs: Costs
    poll: PerPoll
    host: PerHost
    machine: Machine
    plan: Plan
    daemon: bool


@click.command("capacity")
@click.option(
    "--hosts", "counts", type=click.IntRange(min=1), multiple=True, metavar="N",
    help="Ask about so many hosts, several times too. Default: 10,000 and 100,000.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(settings: Settings, counts: tuple[int, ...], as_json: bool) -> None:
    """Show how many hosts this machine can poll, from what polls cost on the last day.

    What was measured here comes from the journal and from the daemon, if one runs. What stands behind
    a ~ is assumed, from benchmarks/RESULTS.md: another machine's figures.

    \b
    Examples:
      poller capacity
      poller capacity --hosts 500 --hosts 2000
      poller capacity --json | jq .per_host
    """
    from poller.capacity import limits, yields

    known = _known(settings.config)
    per_host = yields(known.poll, known.host, known.plan)
    at = {count: limits(count, known.poll, known.host, known.machine, known.plan) for count in counts or _USUAL}
    if as_json:
        print_json(_document(known, per_host, at))
        return
    _show_day(settings, known)
    _show_host(settings, known, per_host)
    for count, found in at.items():
        _show_limits(settings, count, found)


def _known(config: Config) -> _Known:
    from poller.capacity import DISK_BYTES, SENT_KEPT, PerPoll, Plan, outliving_bytes
    from poller.cli.machine import machine
    from poller.store.costs import costs

    found = costs(config.journal, config.retention.samples)
    cpu, host, daemon = _of_daemon(config, found)
    grown = found.polls >= _ENOUGH_TO_WEIGH * found.hosts
    rate = sum(1 / host.poll.interval for host in config.hosts)
    interval = len(config.hosts) / rate if rate else 60.0
    archived = config.archive is not None
    return _Known(
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
        seconds, size = used(int(status["pid"]))
        polls, held = sum(status["polls"].values()), int(status["links"].get("connected", 0))
    except (PollerError, KeyError, TypeError, ValueError, AttributeError):
        return None, assumed, False
    cpu = seconds / polls if seconds and polls >= max(_ENOUGH_POLLS, 2 * len(config.hosts)) else None
    if held < _ENOUGH_HOSTS or size <= BASE_BYTES:
        return cpu, assumed, True
    return cpu, PerHost((size - BASE_BYTES) / held, BASE_BYTES, measured=True), True


# What is shown


def _show_day(settings: Settings, known: _Known) -> None:
    from poller.cli.instant import shown
    from poller.cli.table import plain_table, quantity

    found, plan = known.costs, known.plan
    facts = plain_table("LAST DAY", f"{shown(found.since_ms)} to {shown(found.until_ms)}")
    due = found.hosts * found.span_seconds / plan.interval
    share = f", {min(100.0, 100 * found.polls / due):.0f}% of those due" if due > 2 * found.hosts else ""
    held = f", {found.held:,} without a new login" if found.held else ""
    facts.add_row("hosts", f"{found.hosts:,}, each due every {quantity(plan.interval, 'seconds')}")
    facts.add_row("polls", f"{found.polls:,}{share}: {found.good:,} gave a report{held}")
    if found.failed or found.skipped:
        facts.add_row("", f"{found.failed:,} failed, {found.skipped:,} were skipped")
    facts.add_row(
        "a poll",
        f"{quantity(found.seconds, 'seconds')}, {_bytes(found.sent_bytes)} up, {_bytes(found.received_bytes)} down, "
        f"{found.rows:.0f} rows, {_sign(known.poll.disk_measured)}{_bytes(known.poll.disk_bytes)} on the disk",
    )
    slowest = sorted(found.stages.items(), key=lambda stage: -stage[1])[:4]
    facts.add_row("most of it", ", ".join(f"{name} {1000 * seconds:.1f} ms" for name, seconds in slowest))
    source = "the daemon's, over all its polls" if known.poll.cpu_measured else "assumed: see benchmarks/RESULTS.md"
    facts.add_row("CPU of a poll", f"{_sign(known.poll.cpu_measured)}{1000 * known.poll.cpu:.1f} ms ({source})")
    settings.out.print(facts)
    settings.out.print()


def _show_host(settings: Settings, known: _Known, per_host: Yield) -> None:
    from poller.cli.table import plain_table, quantity

    cpu, memory, disk = map(_sign, (known.poll.cpu_measured, known.host.measured, known.poll.disk_measured))
    facts = plain_table("HOSTS", f"each polled every {quantity(known.plan.interval, 'seconds')}")
    facts.add_row("per core", f"{cpu}{_count(per_host.hosts_per_core)}")
    facts.add_row("per GB of memory", f"{memory}{_count(per_host.hosts_per_gb)}, their sessions held")
    facts.add_row("disk of one", f"{disk}{_bytes(per_host.disk_bytes_per_year)} a year, if no sample were deleted")
    kept = f"with samples kept for {quantity(known.plan.kept_seconds, 'seconds')}"
    kept += ", the rest in the archive" if known.plan.archived else " and roll-ups as <retention> has it"
    # What outlives samples is arithmetic on figures of another machine.
    settled = _sign(known.poll.disk_measured and not known.plan.outliving_bytes)
    facts.add_row("", f"{settled}{_bytes(per_host.disk_bytes_settled)} {kept}")
    facts.add_row("network of one", f"{_bytes(per_host.network_bytes_per_day)} a day")
    settings.out.print(facts)


def _show_limits(settings: Settings, count: int, found: tuple[Limit, ...]) -> None:
    from poller.cli.sparkline import bar, can_draw
    from poller.cli.table import plain_table

    blocks = can_draw(sys.stdout)
    table = plain_table(f"{count:,} HOSTS", "", ">NEED", ">OF", ">UP TO", "WAY OUT")
    for one in found:
        percent = 100 * one.share
        needed = f"{percent:,.0f}%" if percent >= 1 else "<1%"
        sign = _sign(one.measured)
        way = one.way_out if one.share > 1 else ""
        drawn = bar(percent, _BAR, blocks=blocks)
        table.add_row(one.name, drawn, needed, f"{sign}{_amount(one)}", f"{sign}{_count(one.hosts)}", way)
    settings.out.print()
    settings.out.print(table)
    worst = found[0]
    words = f"breaks first: {worst.name}, at {_count(worst.hosts)} hosts" if worst.share > 1 else "nothing breaks"
    settings.out.print(f"{words}", markup=False)


def _sign(measured: bool) -> str:
    """Before a figure that is not this machine's."""
    return "" if measured else "~"


def _amount(one: Limit) -> str:
    if one.unit == "bytes":
        return _bytes(one.has)
    if one.unit == "bits/s":
        return f"{one.has / 1e6:,.0f} Mbit/s"
    return f"{one.has:,.3g} {one.unit}".strip() if one.has < 100 else f"{one.has:,.0f} {one.unit}".strip()


def _bytes(value: float) -> str:
    from poller.cli.table import quantity

    return quantity(value, "bytes")


def _count(value: float) -> str:
    """Hosts, in as many digits as an estimate has."""
    if not math.isfinite(value):
        return "any"
    digits = max(0, len(str(int(value))) - 2)
    return f"{int(value // 10**digits * 10**digits):,}"


# The stable JSON form


def _document(known: _Known, per_host: Yield, at: dict[int, tuple[Limit, ...]]) -> dict[str, Any]:
    """Sizes in bytes, times in seconds, instants in UTC epoch milliseconds; null: no number of hosts breaks it."""
    return {
        "last_day": asdict(known.costs) | {"stages": dict(known.costs.stages)},
        "daemon": known.daemon,
        "per_poll": asdict(known.poll),
        "memory": asdict(known.host),
        "machine": asdict(known.machine),
        "plan": asdict(known.plan),
        "per_host": asdict(per_host),
        "at": [
            {"hosts": count, "breaks_first": found[0].name if found[0].share > 1 else None,
             "limits": [_limit(one) for one in found]}
            for count, found in at.items()
        ],
    }  # fmt: skip


def _limit(one: Limit) -> dict[str, Any]:
    hosts = math.floor(one.hosts) if math.isfinite(one.hosts) else None
    share = one.share if math.isfinite(one.share) else None
    return {**asdict(one), "hosts": hosts, "share": share}
