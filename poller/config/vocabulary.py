"""The vocabulary of config.xml: every element, its attributes and their kinds, and what may stand inside.

`structure` walks a document along this table. config.xsd says the same for editors, and a test holds the two (and
docs/configuration.md) together. The table is what is checked with at run time, because a schema validator stops at the
first mistake of an element, knows no line of an attribute, speaks of facets, and sees `${VARIABLE}` as a wrong number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from poller.config import archive_url, notify, pattern, references, values, watch_values
from poller.config.place import Place
from poller.metrics import CATALOGUE

Kind = Callable[[str, Place], Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """One element. `once`: at most one in the file. `exclusive`: pairs of attributes that cannot stand together.

    At least one of `some` must stand. The text of a `private` attribute may hold a secret: no message repeats it.
    """

    attributes: Mapping[str, Kind]
    required: tuple[str, ...] = ()
    some: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    once: bool = False
    exclusive: tuple[tuple[str, str], ...] = ()
    private: tuple[str, ...] = ()


def _plain(parse: Callable[[str], object]) -> Kind:
    return lambda text, _: parse(text)


_TEXT: Final = _plain(values.text)
_WORD: Final = _plain(values.word)
_NAME: Final = _plain(values.name)
_NAMES: Final = _plain(values.names)
_YES_NO: Final = _plain(values.yes_no)
_KEEP: Final = _plain(values.between("1h", "100y"))

LOGIN: Final[Mapping[str, Kind]] = {
    "user": _WORD,
    "port": _plain(values.count(1, 65535, "port")),
    "identity-file": references.identity_files,
    "passphrase-file": references.secret_file,
    "passphrase-env": references.secret_env,
    "password-file": references.secret_file,
    "password-env": references.secret_env,
    "agent": _YES_NO,
    "known-hosts": references.paths,
    "host-key-policy": _plain(values.choice("strict", "accept-new")),
    "ssh-config": references.ssh_config,
    "proxy-jump": _WORD,
}
TIMING: Final[Mapping[str, Kind]] = {
    "interval": _plain(values.between("1s", "1d")),
    "deadline": _plain(values.between("1s", "1h")),
    "down-after": _plain(values.hold),
}
# May stand on <poller>, <group> and <host>; the nearest one wins.
COMMON: Final[Mapping[str, Kind]] = {
    "python": _WORD,
    "become": _plain(values.choice("no", "sudo")),
    "thresholds": _NAMES,
    "notify": _plain(notify.parse),
}
# The label filters of <threshold>: every label of the catalogue.
LABELS: Final = tuple(sorted({metric.label for metric in CATALOGUE.values() if metric.label}))
# What is watched beyond numbers: may stand on <poller>, <group> and <host>, and adds up.
WATCHED: Final = (
    "collect", "usb-allow", "network-allow", "lan", "log", "journal", "check", "textfile", "redact", "processes",
)  # fmt: skip
_SECRETS: Final = (("password-file", "password-env"), ("passphrase-file", "passphrase-env"))

VOCABULARY: Final[Mapping[str, Shape]] = {
    "poller": Shape(
        COMMON,
        children=(
            *("archive", "retention", "ssh", "poll", "mail", "contact", "thresholds", "group", "host"),
            *WATCHED,
        ),
        once=True,
    ),
    # Two things of one name (journal.py): the database, and the systemd journal of a host.
    "journal": Shape(
        {
            "path": references.path,
            "bound": _plain(values.size("16MiB", "1PiB")),
            "name": _NAME,
            "unit": _WORD,
            "identifier": _WORD,
            "start": _YES_NO,
        },
    ),
    "archive": Shape(
        {
            "url": archive_url.parse,
            "password-file": references.secret_file,
            "password-env": references.secret_env,
            "timeout": _plain(values.between("1s", "5m")),
        },
        required=("url",),
        once=True,
        exclusive=_SECRETS[:1],
        private=("url",),
    ),
    "retention": Shape(dict.fromkeys(("samples", "cores", "logs", "connections", "events", "polls"), _KEEP), once=True),
    "ssh": Shape(LOGIN, once=True, exclusive=_SECRETS),
    "poll": Shape({**TIMING, "at-once": _plain(values.count(1, 10_000, "number of hosts"))}, once=True),
    "mail": Shape(
        {
            "server": _plain(values.address),
            "port": LOGIN["port"],
            "security": _plain(values.choice("none", "starttls", "tls")),
            "user": _TEXT,
            "password-file": references.secret_file,
            "password-env": references.secret_env,
            "from": _plain(values.mail_address),
            "ca-file": references.existing_file,
            "timeout": _plain(values.between("1s", "5m")),
        },
        required=("server", "from"),
        once=True,
        exclusive=_SECRETS[:1],
    ),
    "contact": Shape(
        {"name": _NAME, "mail": _plain(values.mail_address), "severities": _plain(values.severities)},
        required=("name", "mail"),
    ),
    "thresholds": Shape({"name": _NAME}, required=("name",), children=("threshold",)),
    "threshold": Shape(
        {
            "metric": _WORD,
            **dict.fromkeys(LABELS, _TEXT),
            "above": _TEXT,
            "below": _TEXT,
            "clear": _TEXT,
            "for": _plain(values.between("0s", "30d")),
            "polls": _plain(values.count(1, 10_000, "number of polls")),
            "severity": _plain(values.severity),
            "notify": COMMON["notify"],
            "off": _YES_NO,
        },
        required=("metric",),
        exclusive=(("above", "below"),),
    ),
    "collect": Shape(
        {
            "section": _plain(watch_values.sections),
            "every": _plain(watch_values.every),
            "source": _plain(values.choice("auto", "iftop", "sock_diag", "ss", "counts")),
            "seconds": _plain(values.between("1s", "60s")),
        },
        required=("section",),
        some=("every", "source", "seconds"),
    ),
    "usb-allow": Shape(
        {
            "vendor": _plain(watch_values.usb_id),
            "product": _plain(watch_values.usb_id),
            "serial": _TEXT,
            "port": _WORD,
        },
        some=("vendor", "product", "serial", "port"),
    ),
    "network-allow": Shape(
        {
            "to": _plain(watch_values.network),
            "port": LOGIN["port"],
            "proto": _plain(values.choice("tcp", "udp")),
        },
        some=("to", "port", "proto"),
    ),
    "lan": Shape({"network": _plain(watch_values.network)}, required=("network",)),
    "log": Shape(
        {"name": _NAME, "path": _plain(watch_values.remote_path), "start": _YES_NO}, required=("name", "path")
    ),
    "check": Shape(
        {
            "name": _NAME,
            "command": _plain(watch_values.command),
            "timeout": _plain(values.between("1s", "5m")),
        },
        required=("name", "command"),
        private=("command",),
    ),
    "textfile": Shape({"path": _plain(watch_values.remote_path)}, required=("path",)),
    "redact": Shape({"pattern": _plain(pattern.regular), "put": _TEXT}, required=("pattern",)),
    "processes": Shape(
        {"top": _plain(values.count(1, 50, "number of processes")), "commands": _YES_NO}, some=("top", "commands")
    ),
    "group": Shape(
        {"name": _NAME, "tags": _NAMES, **COMMON, **LOGIN, **TIMING},
        required=("name",),
        children=("threshold", "host", *WATCHED),
        exclusive=_SECRETS,
    ),
    "host": Shape(
        {"name": _TEXT, "address": _TEXT, "tags": _NAMES, **COMMON, **LOGIN, **TIMING},
        required=("name",),
        children=("threshold", *WATCHED),
        exclusive=_SECRETS,
    ),
}
