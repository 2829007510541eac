"""Which of very many notifications a message tells in full, and which in a line: a storm stays readable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from poller.model import Notification
from poller.notify.subject import latest

_FULL: Final = 40
_LINES: Final = 500


@dataclass(frozen=True, slots=True)
class Selection:
    """`full` and `brief` each with the worst first; `left_out` says how many more there were."""

    full: tuple[Notification, ...]
    brief: tuple[Notification, ...] = ()
    left_out: int = 0


def select(notifications: Sequence[Notification], full: int = _FULL, lines: int = _LINES) -> Selection:
    """All in full when they are few, else the worst `full` of them, and `lines` of the others in a line each.

    What is told of one alert stays together, in the order in which it happened: its beginning before its end.
    """
    place = {one.alert.id: index for index, one in enumerate(latest(notifications))}
    ordered = sorted(notifications, key=lambda one: place[one.alert.id])
    told, short = tuple(ordered[:full]), tuple(ordered[full : full + lines])
    return Selection(told, short, len(notifications) - len(told) - len(short))
