"""What a round did, told in steps for people who see it for the first time. Pure: results in, sentences out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final

from poller.app import RoundResult
from poller.intake import Taken
from poller.metrics import CATALOGUE
from poller.model import Config, MetricValue
from poller.notify.wording import quantity, size
from poller.probe.payload import SECTIONS, build, command

_SHOWN: Final = ("cpu.percent", "memory.percent", "disk.percent", "load.1m")


@dataclass(frozen=True, slots=True)
class Step:
    """A title and what came of it. Lines may hold foreign text: escape them for the place where they are shown."""

    title: str
    lines: tuple[str, ...]


PAUSE: Final = Step("A moment passes", ("the second round will see what happened between the two",))


def configuration(settings: Config) -> Step:
    names = ", ".join(host.name for host in settings.hosts)
    limits = sum(len(host.thresholds) for host in settings.hosts)
    return Step(
        "config.xml is read and checked",
        (
            f"{len(settings.hosts)} hosts ({names}): all this machine, through an SSH server of the demo's own",
            f"{limits} limits, one of them so low that it will be crossed; {len(settings.contacts)} contact",
        ),
    )


def first_round(result: RoundResult, settings: Config) -> Iterator[Step]:
    """The talk with one host in detail, then what was made of all of them."""
    one = min(result.taken, key=lambda taken: taken.poll.host != settings.hosts[0].name)
    yield _login(one, settings)
    if one.poll.report is not None:
        yield _upwards(one)
        yield _downwards(one)
    yield Step("Counters become numbers", tuple(_numbers(taken) for taken in _by_name(result)))
    yield _stored(result, settings)
    yield _judged(result)
    yield _told(result, settings)


def mail(message: EmailMessage) -> Step:
    headers = tuple(f"{name}: {message[name]}" for name in ("From", "To", "Subject", "Date", "Message-ID"))
    text = message.get_body(("plain",)) or message  # the same stands beside it as HTML
    return Step("The mail that arrived", (*headers, "", *str(text.get_content()).splitlines()))


def second_round(result: RoundResult) -> Step:
    changes = sum(len(taken.changes) for taken in result.taken)
    news = f"{changes} changes" if changes else "the alert is still open, which is no news: no second mail"
    return Step(
        f"Second round: {len(result.taken)} hosts in {_seconds(result):.1f} s",
        (
            *(_numbers(taken) for taken in _by_name(result)),
            "cpu.percent and the like now cover the whole time since the first round, not a moment of it",
            news,
        ),
    )


def _by_name(result: RoundResult) -> Sequence[Taken]:
    return sorted(result.taken, key=lambda taken: taken.poll.host)


def _seconds(result: RoundResult) -> float:
    return (result.finished_ms - result.started_ms) / 1000


def _login(one: Taken, settings: Config) -> Step:
    poll = one.poll
    host = next(host for host in settings.hosts if host.name == poll.host)
    title = f"SSH to {poll.host}, {host.address}:{host.ssh.port}"
    if poll.report is None:
        return Step(title, (f"{poll.stage}/{poll.code}: {poll.error}", poll.hint))
    times = ", ".join(f"{stage} {seconds * 1000:.0f} ms" for stage, seconds in poll.stages.items() if seconds >= 0.001)
    return Step(
        title,
        (
            f"host key {poll.host_key}",
            "is the one in known_hosts: verified before anything was sent",
            f"logged in as {host.ssh.user} by key; one channel, one command, no terminal, no file:",
            f"  {command(host.python, host.become)}",
            times,
        ),
    )


def _upwards(one: Taken) -> Step:
    report = one.poll.report
    payload = build([section.name for section in report.now.sections] if report else SECTIONS)
    return Step(
        "The probe goes up",
        (
            f"{size(one.poll.sent_bytes)}: {len(payload.modules)} modules of plain Python and the request in one write",
            f"runs from memory, writes nothing there; sha256 {payload.digest[:16]}...",
            f"`poller payload {one.poll.host} --source` shows every line of it",
        ),
    )


def _downwards(one: Taken) -> Step:
    report = one.poll.report
    sections = report.now.sections if report else ()
    missing = [f"{section.name} ({section.status})" for section in sections if section.status != "ok"]
    return Step(
        "The sealed report comes back",
        (
            f"{size(one.poll.received_bytes)}, sealed for this one request: X25519, AES-256-CTR, HMAC-SHA256",
            f"authentic, opened, valid by report.xsd: {len(sections)} sections",
            ", ".join(section.name for section in sections),
            *((f"not readable here, and said so: {', '.join(missing)}",) if missing else ()),
        ),
    )


def _numbers(taken: Taken) -> str:
    best: dict[str, MetricValue] = {}
    for value in taken.values:
        if value.metric not in best or value.value > best[value.metric].value:
            best[value.metric] = value
    shown = [f"{best[name]} {_quantity(best[name])}" for name in _SHOWN if name in best]
    return f"{taken.poll.host:5} {taken.poll.outcome}  {'  '.join(shown)}"


def _quantity(value: MetricValue) -> str:
    unit = CATALOGUE[value.metric].unit
    return quantity(value.value, unit) + ("%" if unit == "percent" else "")


def _stored(result: RoundResult, settings: Config) -> Step:
    numbers = sum(len(taken.values) for taken in result.taken)
    return Step(
        "Stored",
        (
            f"{len(result.taken)} polls with {numbers} numbers in {settings.journal.name}; each wholly or not at all,",
            "in one transaction with the alerts it changed and the mail it owes",
        ),
    )


def _judged(result: RoundResult) -> Step:
    lines = [
        f"{change.kind} [{str(change.alert.severity).upper()}] {taken.poll.host}: {change.alert.metric} {change.reason}"
        for taken in _by_name(result)
        for change in taken.changes
    ]
    return Step("Judged", tuple(lines) or ("no limit was crossed",))


def _told(result: RoundResult, settings: Config) -> Step:
    delivery = result.aftermath.delivery if result.aftermath else None
    if delivery is None or settings.mail is None:
        return Step("Nobody is told", ("there is no mail server",))
    place = f"the mail server at {settings.mail.server}:{settings.mail.port}"
    return Step(
        "Told",
        (
            f"{delivery.sent} mail accepted by {place}" if delivery.sent else f"nothing accepted by {place}",
            *delivery.errors,
        ),
    )
