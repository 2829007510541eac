"""`<group>` and `<host>` to hosts: ranges expanded, settings inherited, thresholds merged."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from poller.config import defaults, escalation, limits, machines, merge, parents, rules, watch
from poller.config.escalation import NOTHING, Again
from poller.config.limits import Limit
from poller.config.mistakes import Mistakes
from poller.config.place import Place
from poller.config.structure import Node, Setting
from poller.config.vocabulary import COMMON, LOGIN, REACH, TIMING
from poller.model import MOST_HOSTS, POLLER, Host, PollSettings, Rule, Ssh, Threshold

DEFAULT: Final = "default"
# What `poller config show` lists, in this order; a secret is one setting whichever way it is referred to.
INHERITED: Final = (*COMMON, *REACH, *LOGIN, *TIMING)
_SECRET = {f"{secret}-{kind}": secret for secret in ("password", "passphrase") for kind in ("file", "env")}
SHOWN: Final = ("address", *dict.fromkeys(_SECRET.get(name, name) for name in INHERITED), "tags", "escalate")


@dataclass(frozen=True, slots=True)
class Level:
    """What one place in the tree hands down. `own` are the limits of its own <threshold> children, `ruled` its own
    <rule>s, `watched` what its elements say that should be watched, all outermost first. `top_rules` are those of
    <poller>, `escalated` the line of the nearest <escalate>."""

    settings: Mapping[str, Setting]
    own: tuple[Sequence[Limit], ...] = ()
    ruled: tuple[rules.Layer, ...] = ()
    top_rules: rules.Layer = ()
    again: Again = NOTHING
    escalated: int = 0
    watched: tuple[watch.Layer, ...] = ()
    notify: tuple[str, ...] = ()
    tags: tuple[Setting, ...] = ()
    group: str = ""

    def under(self, node: Node, mistakes: Mistakes) -> Level:
        """This level with what a <group> or <host> says itself."""
        told = node.value("notify")
        tags = node.settings.get("tags")
        own, watched, ruled = limits.read(node, mistakes), watch.read(node, mistakes), rules.read(node, mistakes)
        return Level(
            settings={**self.settings, **inherited(node)},
            own=(*self.own, own) if own else self.own,
            ruled=(*self.ruled, ruled) if ruled else self.ruled,
            top_rules=self.top_rules,
            again=escalation.read(node, mistakes).over(self.again),
            escalated=node.first_line("escalate") or self.escalated,
            watched=(*self.watched, watched) if watched else self.watched,
            notify=told.over(self.notify) if told else self.notify,
            tags=(*self.tags, tags) if tags else self.tags,
            group=self.group,
        )

    def value(self, name: str, default: Any = None) -> Any:
        setting = self.settings.get(name)
        return default if setting is None else setting.value


def inherited(node: Node) -> dict[str, Setting]:
    """The settings of a node that what is inside it inherits."""
    return {_SECRET.get(name, name): setting for name, setting in node.settings.items() if name in INHERITED}


@dataclass(frozen=True, slots=True)
class _Judged:
    """What hosts that say the same are judged by, and what has to be asked for by name because of it."""

    thresholds: tuple[Threshold, ...]
    rules: tuple[Rule, ...]
    asked: Mapping[str, Any]


class Fleet:
    """Reads the hosts of one file. Limits of hosts that say nothing of their own are merged once and shared."""

    def __init__(
        self,
        sets: Mapping[str, Sequence[Limit]],
        rule_sets: Mapping[str, rules.Layer],
        place: Place,
        mistakes: Mistakes,
    ) -> None:
        self.sets = {defaults.NAME: defaults.LIMITS, **sets}
        self.rule_sets = rule_sets
        self.mistakes = mistakes
        self.hosts: list[Host] = []
        self.origins: dict[str, Mapping[str, str]] = {}
        self._lines: dict[str, int] = {}
        self._ssh_config = place.user_ssh_config
        self._parents: dict[str, int] = {}
        self._merged: dict[tuple[Any, ...], _Judged] = {}

    def read(self, root: Node, top: Level) -> None:
        """Every host below the document element, in the order of the file."""
        groups: dict[str, int] = {}
        for node in root.children:
            if node.tag == "group":
                name = node.value("name", "")
                if name in groups:
                    self.mistakes.add(node.line, f'group "{name}" stands twice; the first is in line {groups[name]}')
                if name:
                    groups.setdefault(name, node.line)
                level = top.under(node, self.mistakes)
                level = dataclasses.replace(level, group=name)
                for host in node.each("host"):
                    self._take(host, level)
            elif node.tag == "host":
                self._take(node, top)
        parents.check(self.hosts, self._parents, self.mistakes)

    def _take(self, node: Node, level: Level) -> None:
        level = level.under(node, self.mistakes)
        poll = self._poll(node, level)
        ssh = self._ssh(level)
        judged = self._judged(level, poll)
        watched = watch.merged(level.watched)
        watching = watch.build(watched, judged.asked)
        origins = {**self._origins(node, level), **self._watched_origins(watched)}
        via = level.value("via", "ssh")
        if via == "ping" and node.value("address") == "local":
            self.mistakes.add(
                node.line_of("address"), 'via="ping" means nothing for address="local": no network is between'
            )
        for name, address, parent in machines.named(node, level.settings.get("parent"), self.mistakes):
            if not self._is_new(name, node):
                continue
            if parent:
                self._parents[name] = level.settings["parent"].line
            self.origins[name] = origins
            self.hosts.append(
                Host(
                    name=name,
                    address=address,
                    ssh=ssh,
                    poll=poll,
                    python=level.value("python", "python3"),
                    become=level.value("become", "no"),
                    group=level.group,
                    tags=frozenset(tag for tags in level.tags for tag in tags.value),
                    thresholds=judged.thresholds if via == "ssh" else _told_by_ping(judged.thresholds),
                    rules=judged.rules,
                    via=via,
                    parent=parent,
                    remind=level.again.remind or (),
                    escalations=level.again.escalations or (),
                    notify=level.notify,
                    watch=watching,
                    cold=level.value("cold", False),
                    live=level.value("live", False),
                    where=self.mistakes.where(node.line),
                )
            )

    def _is_new(self, name: str, node: Node) -> bool:
        line = node.line_of("name")
        if name == POLLER:
            self.mistakes.add(line, f'no host can be called "{name}": the poller keeps its own trouble under that name')
            return False
        if name in self._lines:
            self.mistakes.add(line, f'host "{name}" stands twice; the first is in line {self._lines[name]}')
            return False
        if len(self._lines) == MOST_HOSTS:
            self.mistakes.add(line, f"there are more than {MOST_HOSTS} hosts from here on")
        self._lines[name] = line
        return len(self._lines) <= MOST_HOSTS

    def _ssh(self, level: Level) -> Ssh:
        return Ssh(
            user=level.value("user"),
            port=level.value("port"),
            identity_files=level.value("identity-file", ()),
            passphrase=level.value("passphrase"),
            password=level.value("password"),
            agent=level.value("agent", False),
            known_hosts=level.value("known-hosts", ()),
            host_key_policy=level.value("host-key-policy", "strict"),
            ssh_config=level.value("ssh-config", self._ssh_config),
            proxy_jump=level.value("proxy-jump"),
        )

    def _poll(self, node: Node, level: Level) -> PollSettings:
        standard = PollSettings()
        interval = level.value("interval", standard.interval)
        deadline = level.value("deadline", min(standard.deadline, interval))
        if deadline > interval:
            setting = max(
                (level.settings[name] for name in ("interval", "deadline") if name in level.settings),
                key=lambda setting: setting.line,
            )
            self.mistakes.add(
                setting.line, f"the deadline of {deadline:g} s is longer than the interval of {interval:g} s"
            )
        return PollSettings(interval, deadline, level.value("down-after", standard.down_after))

    def _judged(self, level: Level, poll: PollSettings) -> _Judged:
        names = level.value("thresholds", (defaults.NAME,))
        key = (names, level.own, level.top_rules, level.ruled, level.notify, poll.down_after, level.again)
        if key not in self._merged:
            layers = [self.sets[name] for name in names if name in self.sets]
            sets = [self.rule_sets[name] for name in names if name in self.rule_sets]
            thresholds = merge.bound(merge.merged([*layers, *level.own]), level.notify, poll.down_after, level.again)
            # What <poller> says itself is further out than any set.
            ruled = rules.bound(rules.merged([level.top_rules, *sets, *level.ruled]), level.notify, level.again)
            self._merged[key] = _Judged(thresholds, ruled, watch.asked((*thresholds, *ruled)))
        return self._merged[key]

    def _origins(self, node: Node, level: Level) -> dict[str, str]:
        """Where each shown setting was set. One mapping for all hosts of a range."""
        lines = {name: setting.line for name, setting in level.settings.items()}
        lines["address"] = node.line_of("address" if "address" in node.settings else "name")
        where = {name: self.mistakes.where(lines[name]) if name in lines else DEFAULT for name in SHOWN}
        if level.escalated:
            where["escalate"] = self.mistakes.where(level.escalated)
        if level.tags:
            where["tags"] = ", ".join(self.mistakes.where(tags.line) for tags in level.tags)
        return where

    def _watched_origins(self, items: watch.Layer) -> dict[str, str]:
        """Where each thing that is watched was said; all places for those that add up."""
        where: dict[str, dict[str, None]] = {}
        for item in items:
            where.setdefault(item.shown, {})[self.mistakes.where(item.line)] = None
        return {shown: ", ".join(places) for shown, places in where.items()}


def _told_by_ping(thresholds: tuple[Threshold, ...]) -> tuple[Threshold, ...]:
    """Those that an echo request can tell anything about: who has no report has no disk to be judged by."""
    return tuple(limit for limit in thresholds if limit.metric.partition(".")[0] in ("host", "ping", "poll"))
