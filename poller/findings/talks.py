"""Two readings of the flows of a host -> who talked to whom, and how much."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Final, NamedTuple

from poller.findings.protocols import protocols
from poller.findings.remembered import earlier, section_of
from poller.findings.scope import Scope
from poller.model import (
    NOBODY_KNOWN,
    Connection,
    Flow,
    MetricValue,
    Protocols,
    Reading,
    Section,
    Socket,
    Talk,
    Traffic,
    Watch,
)

Ends = tuple[str, str, int, str, int]
# Of a flow or a socket; some hosts have thousands.
_ends: Final[Callable[[Flow | Socket], Ends]] = attrgetter(
    "protocol", "local_address", "local_port", "remote_address", "remote_port"
)
Told = tuple[tuple[Talk, ...], tuple[Connection, ...], tuple[MetricValue, ...]]


@dataclass(frozen=True, slots=True)
class _Past:
    """What was seen before, of this boot. `known`: there was a reading, or there could not be any yet after a boot."""

    flows: Mapping[tuple[Ends, str], Flow]
    ends: Mapping[Ends, Flow]
    source: str
    counted: bool
    own: str
    known: bool
    seconds: float


class _Step(NamedTuple):
    """What became of one flow in so many seconds: bytes (None unknown), whether it is new, whether it is open.

    A named tuple because it is made sooner than a frozen dataclass, and there is one for each flow.
    """

    ends: Ends
    flow: Flow
    sent: int | None
    received: int | None
    seconds: float
    new: bool
    open: bool


def talks(before: Reading | None, now: Reading, watch: Watch) -> Told:
    """Talks since the reading before, the connections there are, and the numbers that come with section `traffic`.

    At the first contact nobody knows when the bytes were moved: connections are told then, and no bytes.
    """
    section = section_of(now, "traffic")
    rates = tuple(protocols(before, now, watch))
    traffic = next((row for row in now.rows(Traffic) if isinstance(row, Traffic)), None)
    if section is None or traffic is None:
        return (), (), rates
    past = _past(before, now)
    steps = tuple(_steps(past, section, traffic))
    scope = Scope.of(before, now, watch)
    talked = tuple(_talks(steps, scope))
    numbers = (*rates, *_peers(talked, scope), *_coverage(before, now, past, steps, traffic), *_dns(traffic))
    return talked, tuple(_connections(steps, traffic, now)), numbers


def _past(before: Reading | None, now: Reading) -> _Past:
    """After a boot everything is new; at a first contact nothing is."""
    found = earlier(before, now, "traffic")
    if found is None:
        rebooted = before is not None and before.boot_id != now.boot_id
        return _Past({}, {}, "", True, "", rebooted, now.uptime if rebooted else 0.0)
    section, elapsed = found
    flows = [row for row in section.rows if isinstance(row, Flow)]
    traffic = next((row for row in section.rows if isinstance(row, Traffic)), None)
    ends = list(map(_ends, flows))
    return _Past(
        {(end, flow.cookie): flow for end, flow in zip(ends, flows, strict=True)},
        dict(zip(ends, flows, strict=True)),
        traffic.source if traffic is not None else "",
        traffic is not None and bool(traffic.counted),
        traffic.own if traffic is not None else "",
        True,
        elapsed,
    )


def _steps(past: _Past, section: Section, traffic: Traffic) -> Iterator[_Step]:
    for flow in section.rows:
        if isinstance(flow, Flow):
            step = _step(past, flow, traffic)
            if step is not None:
                yield step


def _step(past: _Past, flow: Flow, traffic: Traffic) -> _Step | None:
    """None for a connection that was seen open and is over: what it moved at last nobody knows.

    A flow without a cookie is over, but for the time the kernel still keeps its ends (TIME_WAIT). One that was left out
    before, on a host with very many, counts as new.
    """
    ends = _ends(flow)
    was = past.flows.get((ends, flow.cookie)) if flow.cookie else past.ends.get(ends)
    if was is None and traffic.source != past.source:
        was = past.ends.get(ends)  # not every source knows the same cookie
    if was is not None and flow.uid == NOBODY_KNOWN:
        flow = replace(flow, uid=was.uid)  # closed here, and only the kernel still holds it
    counted = _counted(flow, traffic)
    new = past.known and was is None
    if traffic.seconds and not counted and (flow.cookie or was is None or flow.sent + flow.received):
        return _Step(ends, flow, flow.sent, flow.received, traffic.seconds, new, bool(flow.cookie))
    if not flow.cookie and was is not None:
        return None
    if not counted or not past.known or (was is not None and not past.counted):
        return _Step(ends, flow, None, None, past.seconds, new, bool(flow.cookie))
    sent, received = (flow.sent - was.sent, flow.received - was.received) if was else (flow.sent, flow.received)
    return _Step(ends, flow, max(0, sent), max(0, received), past.seconds, new, True)


def _counted(flow: Flow, traffic: Traffic) -> bool:
    """Whether its bytes are those since it began."""
    return bool(traffic.counted) and flow.protocol == "tcp" and bool(flow.cookie)


def _talks(steps: tuple[_Step, ...], scope: Scope) -> Iterator[Talk]:
    """Steps of one peer, port and user together, in the order of peers."""
    groups: dict[tuple[str, bool, str, int, int], list[_Step]] = {}
    for step in steps:
        flow = step.flow
        port = flow.local_port if flow.inbound else flow.remote_port
        key = flow.protocol, bool(flow.inbound), flow.remote_address, port, flow.uid
        groups.setdefault(key, []).append(step)
    for (protocol, inbound, peer, port, uid), group in sorted(groups.items()):
        sent = [step.sent for step in group if step.sent is not None]
        received = [step.received for step in group if step.received is not None]
        yield Talk(
            protocol,
            inbound,
            peer,
            port,
            uid,
            scope.place(peer),
            scope.lists(peer, port, protocol),
            sum(sent) if sent else None,
            sum(received) if received else None,
            max([step.seconds for step in group]),
            sum([step.open for step in group]),
            sum([step.new for step in group]),
        )


def _connections(steps: tuple[_Step, ...], traffic: Traffic, now: Reading) -> Iterator[Connection]:
    """Each once. What ended before it was ever seen open is told with the state the kernel keeps it in."""
    sockets = {_ends(row): row for row in now.rows(Socket) if isinstance(row, Socket)} if steps else {}
    told: set[Ends] = set()
    for step in steps:
        flow, ends = step.flow, step.ends
        socket = sockets.get(ends)
        if ends in told or not (step.open or socket):
            continue
        told.add(ends)
        counted = _counted(flow, traffic)
        yield Connection(
            *ends,
            bool(flow.inbound),
            flow.uid if flow.uid != NOBODY_KNOWN or socket is None else socket.uid,
            socket.process if socket else "",
            socket.state if socket else "",
            flow.sent if counted else None,
            flow.received if counted else None,
        )


def _peers(talked: tuple[Talk, ...], scope: Scope) -> Iterator[MetricValue]:
    """Unlisted peers: with a new connection, with bytes, or with one of which nobody knows whether it moved any."""
    for place in ("local", "internet"):
        peers = {
            talk.peer
            for talk in talked
            if talk.scope == place and not talk.listed and not scope.is_group(talk.peer) and _lively(talk)
        }
        yield MetricValue(f"network.{place}_peers", float(len(peers)))


def _lively(talk: Talk) -> bool:
    return talk.opened > 0 or talk.sent is None or talk.received is None or talk.sent + talk.received > 0


def _coverage(
    before: Reading | None, now: Reading, past: _Past, steps: tuple[_Step, ...], traffic: Traffic
) -> Iterator[MetricValue]:
    """TCP connections that are new here / those the kernel opened; the poller's own is one of both."""
    found = earlier(before, now, "traffic")
    row, was = _protocols(section_of(now, "traffic")), _protocols(found[0] if found else None)
    if row is None or was is None:
        return
    opened = row.active_opens + row.passive_opens - was.active_opens - was.passive_opens
    if opened < 0:
        return
    seen = sum(step.new and step.flow.protocol == "tcp" for step in steps)
    seen += bool(traffic.own) and traffic.own != past.own
    yield MetricValue("network.coverage_percent", min(100.0, 100.0 * seen / opened) if opened else 100.0)


def _dns(traffic: Traffic) -> Iterator[MetricValue]:
    """DNS is mostly UDP, of which nobody knows the bytes unless somebody looks."""
    if traffic.seconds:
        moved = traffic.dns_sent + traffic.dns_received
        yield MetricValue("network.dns_bytes_per_second", moved / traffic.seconds)


def _protocols(section: Section | None) -> Protocols | None:
    rows = section.rows if section is not None else ()
    return next((row for row in rows if isinstance(row, Protocols)), None)
