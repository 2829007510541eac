"""`poller rules test`: what the rules of a host saw at some time, and why they did or did not fire."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from poller.cli.instant import instant, shown
from poller.cli.selecting import complete_host, one_host
from poller.cli.settings import Settings, counted, print_json
from poller.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from poller.cli.rehearsal import Turn
    from poller.cli.why import Answer
    from poller.model import AnyRule, Change, Host, World
    from poller.rules.trace import Trace

# So long a past needs a bar.
_BAR_FROM: Final = 200
# Label values that are well, of one rule; more of them are only counted.
_WELL: Final = 3


@click.group("rules", short_help="Try the rules of a host on its past.")
def command() -> None:
    """Try the rules and thresholds of a host on polls of the past.

    \b
    Examples:
      poller rules test --host web1
      poller rules test --help
    """


@command.command("test", short_help="Say what each rule of a host saw, and why it did or did not fire.")
@click.option(
    "--host", required=True, metavar="NAME", shell_complete=complete_host, help="Whose rules, on whose polls."
)
@click.option("--at", "at_ms", callback=instant, metavar="WHEN", help="The newest poll at that time. Default: now.")
@click.option("--since", "since_ms", callback=instant, metavar="WHEN", help="Instead: all that would have happened.")
@click.option("--rule", "name", metavar="NAME", help="Only this rule, or the thresholds on this metric.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def test(
    settings: Settings, host: str, at_ms: int | None, since_ms: int | None, name: str | None, as_json: bool
) -> None:
    """Say what each rule of a host saw at a poll, and why it fired or did not.

    With --since the polls from then on (until --at) go through the rules of today, one after the other; what would
    have opened, risen, ended or flapped is listed. Polls are those that the journal still has; nothing is polled,
    stored or sent. Times are UTC: an age (90m, 24h, 7d) or a date (2026-01-31T08:00).

    \b
    Examples:
      poller rules test --host web1
      poller rules test --host web1 --at 2026-01-31T08:00 --rule busy
      poller rules test --host web1 --since 7d
      poller rules test --host web1 --since 24h --rule disk.percent --json
    """
    from poller.clock import now_ms

    known = one_host(settings.config, host)
    rules = _rules(known, name)
    until_ms = now_ms() if at_ms is None else at_ms
    if since_ms is None:
        _explain(settings, known, rules, until_ms, everything=name is not None, as_json=as_json)
    elif since_ms > until_ms:
        raise UsageError(f"--since {shown(since_ms)} is after --at {shown(until_ms)}", "swap them")
    else:
        _replay(settings, known, rules, (since_ms, until_ms), as_json=as_json)


def _rules(host: Host, name: str | None) -> tuple[AnyRule, ...]:
    """Those of that name; all without one."""
    if name is None:
        return host.judged
    names = list(dict.fromkeys(rule.metric for rule in host.judged))
    if name not in names:
        meant = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {meant[0]}?" if meant else f"`poller config show {host.name}` shows its rules"
        raise UsageError(f"{host.name} has no rule {name!r}", hint)
    return tuple(rule for rule in host.judged if rule.metric == name)


def _worlds(settings: Settings, host: Host, rules: Sequence[AnyRule], instants: Sequence[int]) -> Iterator[World]:
    """What there was to be seen at each of these polls."""
    from poller.rules import needs
    from poller.store import past

    wanted = needs(rules)
    with _progress(settings, len(instants)) as advance:
        for at_ms in instants:
            yield past.world(settings.config.journal, host.name, at_ms, wanted)
            advance()


@contextmanager
def _progress(settings: Settings, count: int) -> Iterator[Callable[[], None]]:
    if count < _BAR_FROM or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.progress import Progress

    with Progress(console=settings.err, transient=True) as progress:
        task = progress.add_task("judging", total=count)
        yield lambda: progress.update(task, advance=1)


# --- one poll ---


def _explain(
    settings: Settings, host: Host, rules: Sequence[AnyRule], at_ms: int, *, everything: bool, as_json: bool
) -> None:
    from poller.cli.why import answers
    from poller.rules.trace import explain

    turns = _until(settings, host, rules, at_ms)
    found = list(answers(rules, turns[-1], turns[0].world.now_ms, pinged=host.via == "ping"))
    traces = [explain(rule, turns[-1].world) for rule in rules] if everything or as_json else []
    if as_json:
        print_json(_answers_document(host, turns[-1], found, traces))
        return
    from poller.cli import rules_shown

    settings.out.print(f"{host.name} as polled {shown(turns[-1].world.now_ms)}", markup=False)
    settings.out.print(rules_shown.answers_table(found, sys.maxsize if everything else _WELL))
    if everything:
        settings.out.print(rules_shown.traces_table(traces))


def _until(settings: Settings, host: Host, rules: Sequence[AnyRule], at_ms: int) -> list[Turn]:
    """The polls that lead to the newest one at that time, gone through again. UsageError where there is none."""
    from poller.cli.rehearsal import lead_ms, rehearse
    from poller.model import Needs
    from poller.store import past

    journal = settings.config.journal
    newest = past.world(journal, host.name, at_ms, Needs()).now_ms
    gap_ms = round(1000 * host.poll.interval)
    instants = past.instants(journal, host.name, newest - lead_ms(rules, gap_ms), newest)
    if not instants:
        raise UsageError(f"the journal has no poll of {host.name} at {shown(at_ms)} or before", _oldest(journal, host))
    return list(rehearse(host, rules, _worlds(settings, host, rules, instants)))


def _oldest(journal: Path, host: Host) -> str:
    """The way out for who asks too early."""
    from poller.clock import now_ms
    from poller.store import past

    polls = past.instants(journal, host.name, 0, now_ms())
    if not polls:
        return "`poller run` polls it"
    return f"give a time after that: its oldest poll of {host.name} is that of {shown(polls[0])}"


def _answers_document(host: Host, turn: Turn, found: Sequence[Answer], traces: Sequence[Trace]) -> dict[str, Any]:
    from poller.alerts.reason import limit

    answers = [
        {"rule": one.rule.metric, "text": limit(one.rule), "severity": str(one.rule.severity),
         "labels": dict(one.labels), "state": one.state, "why": one.why, "value": one.value, "saw": one.saw or None,
         "since_ms": one.since_ms, "polls": one.polls}
        for one in found
    ]  # fmt: skip
    return {"host": host.name, "at_ms": turn.world.now_ms, "answers": answers,
            "conditions": [_trace_document(trace) for trace in traces]}  # fmt: skip


def _trace_document(trace: Trace) -> dict[str, Any]:
    standing = None if trace.standing is None else str(trace.standing)
    return {"text": trace.text, "value": trace.value, "standing": standing,
            "parts": [_trace_document(part) for part in trace.parts]}  # fmt: skip


# --- a longer time ---


def _replay(
    settings: Settings, host: Host, rules: Sequence[AnyRule], span_ms: tuple[int, int], *, as_json: bool
) -> None:
    from poller.cli.rehearsal import rehearse
    from poller.store import past

    instants = past.instants(settings.config.journal, host.name, *span_ms)
    changes = [
        (turn.world.now_ms, change)
        for turn in rehearse(host, rules, _worlds(settings, host, rules, instants))
        for change in turn.comparison.changes
    ]
    if as_json:
        print_json({"host": host.name, "since_ms": span_ms[0], "until_ms": span_ms[1], "polls": len(instants),
                    "changes": [_change_document(at_ms, change) for at_ms, change in changes]})  # fmt: skip
        return
    from poller.cli import rules_shown

    if changes:
        settings.out.print(rules_shown.changes_table(changes))
    what = rules_shown.summary([change for _, change in changes])
    settings.out.print(f"{counted(len(instants), 'poll')} since {shown(span_ms[0])}: {what}", markup=False)


def _change_document(at_ms: int, change: Change) -> dict[str, Any]:
    alert = change.alert
    return {"at_ms": at_ms, "kind": str(change.kind), "severity": str(alert.severity), "rule": alert.metric,
            "labels": dict(alert.labels), "value": alert.value, "reason": change.reason}  # fmt: skip
