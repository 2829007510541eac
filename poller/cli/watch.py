"""`poller watch`: what happens on the hosts, the moment it happens, on the terminal or line by line."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from poller.cli.selecting import host_options
from poller.cli.settings import Settings

if TYPE_CHECKING:
    from poller.cli.watch_feed import Feed
    from poller.cli.watch_picture import Picture
    from poller.cli.watch_shown import Showing


@click.command("watch")
@host_options
@click.option("--all", "everything", is_flag=True, help="Also contacts that nobody is told of: allowed, or far away.")
@click.option("--seconds", type=click.FloatRange(min=0.0), metavar="N", help="End after so many seconds.")
@click.option("--events", type=click.IntRange(min=1), metavar="N", help="End after so many events.")
@click.option("--json", "as_json", is_flag=True, help="One object per line.")
@click.pass_obj
def command(
    settings: Settings,
    hosts: tuple[str, ...],
    groups: tuple[str, ...],
    tags: tuple[str, ...],
    everything: bool,
    seconds: float | None,
    events: int | None,
    as_json: bool,
) -> int:
    """Watch hosts live: sticks, mounts, contacts, and whether each is there.

    With a daemon at work it shows what that hears. Without one it polls the chosen hosts itself, at their
    intervals, and stores, judges and tells as ever, until a daemon begins. Times are UTC. Ctrl-C ends it
    (exit 130), and so does the end of the daemon that it listens to (exit 75).

    \b
    Examples:
      poller watch
      poller watch --group lab
      poller watch --host pc07 --all
      poller watch --group lab --json | tee exam.jsonl
      poller watch --host 'pc*' --events 1 --seconds 600
    """
    from poller.app import Selection, select
    from poller.cli.watch_feed import open_feed
    from poller.cli.watch_picture import Picture
    from poller.cli.watch_shown import showing

    chosen = select(settings.config, Selection(hosts, groups, tags))
    picture = Picture([host.name for host in chosen], everything=everything)
    until = time.monotonic() + seconds if seconds is not None else float("inf")
    stop = _Stop()
    with _signals(stop), open_feed(settings.config, chosen) as feed:
        picture.source = feed.source
        with showing(settings, picture, as_json=as_json) as shown:
            _follow(feed, picture, shown, until, events, stop)
    return 128 + stop.number if stop.number else 0


def _follow(feed: Feed, picture: Picture, shown: Showing, until: float, events: int | None, stop: _Stop) -> None:
    """Until its time is over, enough has happened, somebody ends it, or nobody reads any more."""
    while time.monotonic() < until and not stop.number and shown.wanted():
        news = feed.take(min(shown.patience(), until - time.monotonic()))
        changed = [one for one in news if picture.take(one)]
        picture.source = feed.source
        shown.show(changed)
        if events is not None and picture.finished >= events:
            return


class _Stop:
    """The signal that ends it, 0 before."""

    number = 0


@contextmanager
def _signals(stop: _Stop) -> Iterator[None]:
    """The first one ends it in good order, a second one at once."""

    def end(number: int, frame: object) -> None:
        if stop.number:
            sys.exit(128 + number)
        stop.number = number
        raise _EndedError

    previous = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except _EndedError:
        pass
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class _EndedError(Exception):
    """A signal came while it waited."""
