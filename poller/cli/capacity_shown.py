"""What `poller capacity` prints: the last day, what a host costs, and what breaks at how many; or all of it as JSON."""

from __future__ import annotations

import math
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from poller.cli.settings import Settings

if TYPE_CHECKING:
    from poller.capacity import Limit, Yield
    from poller.cli.capacity_known import Known

_BAR: Final = 16


def show_day(settings: Settings, known: Known) -> None:
    from poller.cli.instant import shown
    from poller.cli.table import plain_table, quantity

    found, plan = known.costs, known.plan
    facts = plain_table("LAST DAY", f"{shown(found.since_ms)} to {shown(found.until_ms)}")
    due = found.hosts * found.span_seconds / plan.interval
    share = f", {min(100.0, 100 * found.polls / due):.0f}% of those due" if due > 2 * found.hosts else ""
    held = f", {found.held:,} without a new login" if found.held else ""
    facts.add_row("hosts", f"{found.hosts:,}, each due every {quantity(plan.interval, 'seconds')}")
    facts.add_row("polls", f"{found.polls:,}{share}: {found.good:,} gave a report{held}")
    lacking = ((found.failed, "failed"), (found.skipped, "were skipped"))
    if any(count for count, _ in lacking):
        facts.add_row("", ", ".join(f"{count:,} {what}" for count, what in lacking if count))
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


def show_host(settings: Settings, known: Known, per_host: Yield) -> None:
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


def show_limits(settings: Settings, count: int, found: tuple[Limit, ...]) -> None:
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
    at = f"{_sign(worst.measured)}{_count(worst.hosts)}"
    words = f"breaks first: {worst.name}, at {at} hosts" if worst.share > 1 else "nothing breaks"
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


def as_document(known: Known, per_host: Yield, at: dict[int, tuple[Limit, ...]]) -> dict[str, Any]:
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
