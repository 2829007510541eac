"""`poller silence`: nobody is told of what fits, until a time that is said; or which silences there are."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final

import click

from poller.cli import author as who
from poller.cli.ids import short
from poller.cli.instant import later, seconds
from poller.cli.selecting import complete_host
from poller.cli.settings import Settings, counted, print_json
from poller.errors import UsageError

if TYPE_CHECKING:
    from poller.model import Config, Silence

_LONGEST_MS: Final = 366 * 86_400_000


@click.command("silence")
@click.option("--host", metavar="GLOB", shell_complete=complete_host, help="Alerts of these hosts.")
@click.option("--metric", metavar="GLOB", help="Alerts on these metrics, or of these rules.")
@click.option("--label", metavar="GLOB", help="Alerts with such a label, such as /var.")
@click.option("--for", "length", metavar="TIME", callback=seconds, help="For so long: 30m, 2h, 1d.")
@click.option("--until", "until_ms", metavar="WHEN", callback=later, help="Until then: a date, or a time from now.")
@click.option("--from", "from_ms", metavar="WHEN", callback=later, help="Not before then. Default: now.")
@click.option("--comment", metavar="TEXT", help="Why. Everybody can read it.")
@click.option("--author", metavar="NAME", help="Who says so. Default: who called sudo, else the login name.")
@click.option("--list", "listed", is_flag=True, help="Show those there are; the same as without options.")
@click.option("--all", "everything", is_flag=True, help="Show past ones, too.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(
    settings: Settings,
    host: str | None,
    metric: str | None,
    label: str | None,
    length: float | None,
    until_ms: int | None,
    from_ms: int | None,
    comment: str | None,
    author: str | None,
    listed: bool,
    everything: bool,
    as_json: bool,
) -> None:
    """Tell nobody of alerts that fit, until a time that you say; without options: show the silences.

    Alerts open and end as ever, only nobody is told. What is still open when the silence ends is told then; that
    something is over of which people were told before is told at once. Times are UTC. `poller unsilence` ends one
    before its time.

    \b
    Examples:
      poller silence --host 'lab*' --for 2h --comment 'new switch'
      poller silence --host db1 --metric disk.percent --label /backup --until 2027-01-31T08:00 --comment 'restore test'
      poller silence
      poller silence --all --json
    """
    from poller.clock import now_ms

    now = now_ms()
    globs = (host, metric, label)
    if listed or everything or all(one is None for one in (*globs, length, until_ms, from_ms, comment, author)):
        if any(one is not None for one in globs):
            raise UsageError("--list and --all show silences, the other options make one", "give one or the other")
        _show(settings, now, everything, as_json)
        return
    if all(one is None for one in globs):
        raise UsageError("a silence of everything is none", "say of what: --host, --metric or --label, all take globs")
    begins = now if from_ms is None else from_ms
    ends = _end(begins, length, until_ms, now)
    if comment is None:
        raise UsageError("a silence needs a comment", "--comment 'new switch'")
    _add(settings, _made(globs, begins, ends, who.comment(comment), who.author(author), now), now, as_json)


def _end(begins: int, length: float | None, until_ms: int | None, now: int) -> int:
    """Required: a silence that nobody ends is a hole in the watch."""
    if (length is None) == (until_ms is None):
        said = "has one end" if length is not None else "needs an end"
        raise UsageError(f"a silence {said}", "give either --for 2h or --until 2027-01-31T08:00")
    ends = until_ms if until_ms is not None else begins + round((length or 0.0) * 1000)
    if ends <= max(begins, now):
        raise UsageError("the silence would be over before it begins", "times are UTC: give a later end")
    if ends - max(begins, now) > _LONGEST_MS:
        raise UsageError("a silence lasts a year at most", "what is never to be told: off='yes' in config.xml")
    return ends


def _made(globs: tuple[str | None, ...], begins: int, ends: int, comment: str, author: str, now: int) -> Silence:
    from uuid6 import uuid7

    from poller.model import Silence

    host, metric, label = ("*" if one is None else one for one in globs)
    return Silence(str(uuid7()), begins, ends, now, author, comment, host, metric, label)


def _add(settings: Settings, silence: Silence, now: int, as_json: bool) -> None:
    from poller.cli import silences
    from poller.store import alerting

    journal = settings.config.journal
    # Before it is made: a database that cannot be read is told first.
    hosts = silences.hosts(settings.config, silence)
    fitting = silences.fitting(alerting.alerts(journal, since_ms=None, everything=False), silence)
    alerting.add_silence(journal, silence)
    if as_json:
        print_json({"now_ms": now, "hosts": len(hosts), "open_alerts": [one.alert.id for one in fitting],
                    "silence": silences.document(silence, now)})  # fmt: skip
    else:
        _say(settings, silence, len(hosts), len(fitting), now)
    for warning in _doubts(settings.config, silence, bool(hosts)):
        settings.err.print(f"poller: {warning}", markup=False)


def _say(settings: Settings, silence: Silence, hosts: int, alerts: int, now: int) -> None:
    from poller.cli import silences
    from poller.cli.instant import shown

    begins = "" if silence.from_ms <= now else f"from {shown(silence.from_ms)} "
    ends = f"{begins}until {shown(silence.until_ms)} UTC"
    settings.out.print(f"silence {short(silence.id)}: {silences.what(silence)}, {ends}", markup=False)
    settings.out.print(f"    fits {counted(hosts, 'host')} and {counted(alerts, 'open alert')} now", markup=False)


def _doubts(config: Config, silence: Silence, fits_a_host: bool) -> list[str]:
    """What is probably a slip: it fits nothing that there is."""
    from fnmatch import fnmatchcase

    from poller.metrics import CATALOGUE

    undo = f"`poller unsilence {short(silence.id)}` takes it back"
    found = []
    if not fits_a_host:
        found.append(_doubt("host", silence.host, [host.name for host in config.hosts], undo))
    names = [*CATALOGUE, *dict.fromkeys(rule.name for host in config.hosts for rule in host.rules)]
    if not any(fnmatchcase(name, silence.metric) for name in names):
        found.append(_doubt("metric", silence.metric, names, undo))
    return found


def _doubt(noun: str, glob: str, names: list[str], undo: str) -> str:
    from poller.cli.foreign import one_line

    meant = difflib.get_close_matches(glob, names, n=1)
    hint = f"did you mean {meant[0]}? " if meant else ""
    return one_line(f"no {noun} of config.xml fits {glob!r}: {hint}{undo}")


def _show(settings: Settings, now: int, everything: bool, as_json: bool) -> None:
    from poller.cli import silences
    from poller.store import alerting

    found = alerting.silences(settings.config.journal, now, everything=everything)
    if as_json:
        documents: list[dict[str, Any]] = [silences.document(one, now) for one in found]
        print_json({"now_ms": now, "silences": documents})
    elif found:
        settings.out.print(silences.table(found, now))
    else:
        settings.err.print("poller: nothing was ever silenced" if everything else "poller: nothing is silenced")
