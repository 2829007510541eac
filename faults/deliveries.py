"""K2-delivery: death at every step of rounds that tell people something, hold it back or leave it out.

Each story has rounds before it, one that is killed at its n-th step, and rounds after it. Its journal is then as if
nobody had died, and everybody heard the same; what was heard twice was so with the same ids.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from faults import canned
from faults.audience import NAMES, Audience, Heard
from faults.journals import ask
from faults.lab import Lab
from poller.model import ChannelSettings, Config, Escalation, Silence
from poller.store import alerting

OVER, UNDER = 90.0, 10.0
MINUTE_MS: Final = 60_000
DAY: Final = 1440
# Ten in the morning of some day.
START_MS: Final = 1_760_004_000_000 // (DAY * MINUTE_MS) * DAY * MINUTE_MS + 600 * MINUTE_MS
MEMORY: Final = replace(canned.MEMORY, notify=NAMES)
NUDGING: Final = replace(
    canned.MEMORY, notify=NAMES[:2], remind=(1800.0,), escalations=(Escalation(1800.0, ("boss",)),)
)
_QUIET: Final = (1, 10)
# Statements after the yes of a channel by which that is written down.
_MARK: Final = 6
_TENTH: Final = 10
_PROBLEMS: Final = frozenset({"opened", "rose", "flapping", "escalated"})
_ENDS: Final = frozenset({"closed", "unconfigured"})

Round = tuple[int, float]


@dataclass(frozen=True, slots=True)
class Story:
    """Rounds are (minute, memory in use). `killed` is repeated a minute later; `alike`: as if nobody had died.

    `silent`: a silence from minute 1 to 10. `away`: nobody takes anything during the round that is killed. `shows` is
    what the outcome must speak of, or the story would not be the one that is meant.
    """

    before: tuple[Round, ...]
    killed: Round
    after: tuple[Round, ...]
    limit: Any = MEMORY
    quota: int = 0
    silent: bool = False
    away: bool = False
    alike: bool = True
    shows: tuple[str, ...] = ("opened", "closed")


STORIES: Final[dict[str, Story]] = {
    "beginning": Story(((0, UNDER),), (1, OVER), ((2, OVER), (3, UNDER))),
    "beginning, over at once": Story(((0, UNDER),), (1, OVER), ((2, UNDER), (3, UNDER)), alike=False),
    "end": Story(((0, OVER),), (1, UNDER), ((2, UNDER),)),
    "nobody takes it now": Story(((0, UNDER),), (1, OVER), ((2, OVER), (3, UNDER)), away=True),
    "reminder, escalation": Story(((0, OVER), (1, OVER)), (31, OVER), ((32, OVER), (33, UNDER)), NUDGING,
                                  shows=("reminder", "escalated")),
    "held by a quota": Story(((0, OVER),), (1, UNDER), ((2, UNDER), (DAY, UNDER)), quota=1,
                             shows=("quota mail", "quota wall")),
    "digest of a quota": Story(((0, OVER), (1, UNDER), (2, OVER)), (DAY, OVER), ((DAY + 1, OVER), (2 * DAY, UNDER)),
                               quota=1, shows=("quota mail", "quota wall")),
    "held by a silence": Story(((0, UNDER),), (1, OVER), ((2, OVER), (11, OVER), (12, UNDER)), silent=True),
    "released": Story(((0, UNDER), (1, OVER)), (11, OVER), ((12, OVER), (13, UNDER)), silent=True),
    "suppressed": Story(((0, UNDER), (1, OVER)), (3, UNDER), ((4, UNDER), (11, UNDER)), silent=True,
                        shows=("suppressed",)),
    "end in a silence": Story(((0, OVER),), (1, UNDER), ((2, UNDER), (11, UNDER)), silent=True),
}  # fmt: skip


_SHORT: Final = ("beginning, over at once", "reminder, escalation", "digest of a quota", "released")


@dataclass(slots=True)
class _Count:
    steps: int = 0
    of: int = 0
    tellings: int = 0
    again: int = 0


def deliveries(lab: Lab) -> str:
    """K2-delivery."""
    audience = Audience(lab, "people")
    count = _Count()
    names = lab.size(short=_SHORT, full=tuple(STORIES))
    for number, name in enumerate(names):
        _Stage(lab, f"story{number}", audience, STORIES[name]).play(count)
    assert count.again, "killed between the yes of a channel and the mark, a message must come again"
    return (
        f"{len(names)} stories killed at {count.steps} of {count.of} steps, {count.tellings} of them mail commands, "
        f"requests or starts of commands: 0 lost, 0 ends without a problem; "
        f"{count.again} messages twice, each with one id"
    )


class _Stage:
    def __init__(self, lab: Lab, name: str, audience: Audience, story: Story) -> None:
        self._lab = lab
        self._story = story
        self._audience = audience
        limits: dict[str, Any] = {"limits": (story.limit,)}
        self._kept = self._with_quota(audience.configuration(lab.folder(f"{name}-kept"), "web1", **limits))
        self._config = self._with_quota(audience.configuration(lab.folder(name), "web1", **limits))

    def _with_quota(self, config: Config) -> Config:
        if not self._story.quota or config.mail is None:
            return config

        def limited(channel: ChannelSettings) -> ChannelSettings:
            return replace(channel, quota=self._story.quota)

        mail = replace(config.mail, quota=self._story.quota)
        return replace(config, mail=mail, channels=tuple(map(limited, config.channels)))

    def play(self, count: _Count) -> None:
        self._audience.forget()
        for minute, used in self._story.before:
            self._silence(self._kept, minute)
            self._round(self._kept, minute, used)
        self._silence(self._kept, self._story.killed[0])
        before = self._audience.heard()
        steps = self._anew(None)
        expected, told = _outcome(self._config), _told(self._config, before + self._audience.heard())
        _check(self._config, before + self._audience.heard())
        assert all(word in str(expected) for word in self._story.shows), f"{self._name()}: {expected}"
        count.of += len(steps)
        for number in self._chosen(steps):
            self._anew(number)
            heard = before + self._audience.heard()
            where = f"{self._name()}: killed at step {number} of {len(steps)}"
            count.again += _check(self._config, heard, where)
            if self._story.alike:
                assert _outcome(self._config) == expected, f"{where}: {_outcome(self._config)} instead of {expected}"
                assert _told(self._config, heard) == told, f"{where}: not all was heard"
            count.steps += 1
            count.tellings += steps[number - 1]

    def _name(self) -> str:
        return next(name for name, story in STORIES.items() if story is self._story)

    def _anew(self, number: int | None) -> list[bool]:
        """The rest of the story from what was kept; `number` is the step at which the round dies."""
        shutil.rmtree(self._config.journal.parent)
        shutil.copytree(self._kept.journal.parent, self._config.journal.parent)
        self._audience.forget()
        self._audience.away = self._story.away
        steps = self._round(self._config, *self._story.killed, number or 0)
        self._audience.away = False
        for minute, used in self._story.after:
            self._round(self._config, minute, used)
        return steps

    def _chosen(self, steps: Sequence[bool]) -> list[int]:
        """In the short form one in the middle, one that begins to tell somebody, and one right after that was done."""
        if not self._lab.short:
            return self._most(steps)
        telling = [number for number, step in enumerate(steps, 1) if step][:1]
        after = [number for number in range(2, len(steps)) if steps[number - 2] and not steps[number - 1]]
        return [len(steps) // 2, *telling, *after[len(after) // 2 :][:1]]

    def _most(self, steps: Sequence[bool]) -> list[int]:
        """Each at which people are told, those in which that is written down, and every tenth of the others, in each
        story other ones: they have most of them in common.
        """
        near = {
            number + later
            for number, telling in enumerate(steps, 1)
            for later in range(_MARK + 1 if telling else 0)
        }  # fmt: skip
        others = range(1 + list(STORIES.values()).index(self._story) % _TENTH, len(steps), _TENTH)
        return sorted((near | {*others}) & {*range(1, len(steps))})

    @staticmethod
    def _round(config: Config, minute: int, used: float, last: int = 0) -> list[bool]:
        return canned.a_round(config, used, last, at_ms=START_MS + minute * MINUTE_MS)

    def _silence(self, config: Config, minute: int) -> None:
        """Somebody wants quiet from minute 1 on."""
        if self._story.silent and minute == _QUIET[0]:
            begin, end = (START_MS + at * MINUTE_MS for at in _QUIET)
            alerting.add_silence(config.journal, Silence("0190", begin, end, begin, "ops", "repairs"))


def _outcome(config: Config) -> Counter[Any]:
    """What became of each notification, without ids and instants."""
    return Counter(ask(config.journal, """
        SELECT host.name, alert.closed_ms IS NULL, n.recipient, n.kind, n.number, n.state, n.why
          FROM notification n JOIN alert ON alert.id = n.alert_id JOIN host ON host.id = alert.host_id"""))  # fmt: skip


def _told(config: Config, heard: Sequence[Heard]) -> set[Any]:
    known = _known(config)
    return {known[number][:4] for one in heard for number in one.notifications}


def _known(config: Config) -> dict[str, tuple[Any, ...]]:
    """id -> host, recipient, kind, number, alert, state."""
    rows = ask(config.journal, """
        SELECT n.id, host.name, n.recipient, n.kind, n.number, n.alert_id, n.state
          FROM notification n JOIN alert ON alert.id = n.alert_id JOIN host ON host.id = alert.host_id""")  # fmt: skip
    return {number: tuple(rest) for number, *rest in rows}


def _check(config: Config, heard: Sequence[Heard], where: str = "nobody was killed") -> int:
    """What holds however it went; returns how many messages came again."""

    def none(what: Callable[[], object], complaint: str) -> None:
        found = what()
        assert not found, f"{where}: {complaint}: {found}"

    assert ask(config.journal, "PRAGMA integrity_check") == [("ok",)], where
    none(lambda: ask(config.journal, "PRAGMA foreign_key_check"), "rows without what they belong to")
    known = _known(config)
    none(lambda: [one for one in heard if not set(one.notifications) <= set(known)], "heard of what nobody owed")
    told = {number for one in heard for number in one.notifications}
    delivered = {number for number, row in known.items() if row[5] == "delivered"}
    none(lambda: [known[number] for number in delivered - told], "marked as delivered, and nobody heard")
    none(lambda: [known[number] for number in told - delivered], "heard, and not marked")
    none(lambda: [row for row in known.values() if row[5] not in ("delivered", "suppressed")], "still waiting")
    sets = {(one.message, one.contact, frozenset(one.notifications)) for one in heard}
    none(lambda: len({one[0] for one in sets}) != len(sets), "one id, two messages")
    none(lambda: len({one[1:] for one in sets}) != len(sets), "one message, two ids")
    _check_order(config, heard, known, where)
    return len(heard) - len(sets)


def _check_order(config: Config, heard: Sequence[Heard], known: dict[str, tuple[Any, ...]], where: str) -> None:
    """Of each alert everybody heard a problem first, the rest in order, and the end last."""
    first: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for number in dict.fromkeys(number for one in heard for number in one.notifications):
        _host, recipient, kind, place, alert, _state = known[number]
        first.setdefault((alert, recipient), []).append((place, kind))
    ended = {row[0] for row in ask(config.journal, "SELECT id FROM alert WHERE closed_ms IS NOT NULL")}
    for (alert, recipient), chain in first.items():
        kinds = [kind for _place, kind in chain]
        assert chain == sorted(chain), f"{where}: {recipient} heard {chain}"
        assert kinds[0] in _PROBLEMS, f"{where}: {recipient} heard {kinds[0]} first"
        assert (kinds[-1] in _ENDS) == (alert in ended), f"{where}: {recipient} heard {kinds}"
