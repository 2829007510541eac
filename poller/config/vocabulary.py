"""The vocabulary of config.xml: every element, its attributes and their kinds, and what may stand inside.

`structure` walks a document along this table. config.xsd says the same for editors, and a test holds the two (and
docs/configuration.md) together. The table is what is checked with at run time, because a schema validator stops at the
first mistake of an element, knows no line of an attribute, speaks of facets, and sees `${VARIABLE}` as a wrong number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from poller.config import alerting_values, archive_url, notify, pattern, references, values, watch_values
from poller.config.shape import NAME, NAMES, QUOTA, TEXT, TIMEOUT, WORD, YES_NO, Kind, Shape, plain
from poller.config.vocabulary_told import TOLD
from poller.metrics import CATALOGUE

_KEEP: Final = plain(values.between("1h", "100y"))

LOGIN: Final[Mapping[str, Kind]] = {
    "user": WORD,
    "port": plain(values.count(1, 65535, "port")),
    "identity-file": references.identity_files,
    "passphrase-file": references.secret_file,
    "passphrase-env": references.secret_env,
    "password-file": references.secret_file,
    "password-env": references.secret_env,
    "agent": YES_NO,
    "known-hosts": references.paths,
    "host-key-policy": plain(values.choice("strict", "accept-new")),
    "ssh-config": references.ssh_config,
    "proxy-jump": WORD,
}
TIMING: Final[Mapping[str, Kind]] = {
    "interval": plain(values.between("1s", "1d")),
    "deadline": plain(values.between("1s", "1h")),
    "down-after": plain(values.hold),
}
# May stand on <poller>, <group> and <host>; the nearest one wins.
COMMON: Final[Mapping[str, Kind]] = {
    "python": WORD,
    "become": plain(values.choice("no", "sudo")),
    "thresholds": NAMES,
    "notify": plain(notify.parse),
    "remind": plain(alerting_values.remind),
    "cold": YES_NO,
    "live": YES_NO,
}
# May stand on <group> and <host>.
REACH: Final[Mapping[str, Kind]] = {"via": plain(values.choice("ssh", "ping")), "parent": TEXT}
# The label filters of <threshold>: every label of the catalogue.
LABELS: Final = tuple(sorted({metric.label for metric in CATALOGUE.values() if metric.label}))
# What is watched beyond numbers: may stand on <poller>, <group> and <host>, and adds up.
WATCHED: Final = (
    "collect", "usb-allow", "network-allow", "lan", "log", "journal", "check", "textfile", "redact", "processes",
)  # fmt: skip
# What a threshold and a rule have in common: how long, how bad, who is told, and then.
_JUDGED: Final[Mapping[str, Kind]] = {
    "for": plain(values.between("0s", "30d")),
    "polls": plain(values.count(1, 10_000, "number of polls")),
    "severity": plain(values.severity),
    "notify": COMMON["notify"],
    "remind": COMMON["remind"],
    "evidence": YES_NO,
    "off": YES_NO,
}
_SECRETS: Final = (("password-file", "password-env"), ("passphrase-file", "passphrase-env"))

VOCABULARY: Final[Mapping[str, Shape]] = {
    "poller": Shape(
        COMMON,
        children=(
            *("archive", "retention", "ssh", "poll", "daemon", "mail", "channel", "contact", "escalate", "delivery"),
            *("downtime", "heartbeat", "thresholds", "rule", "group", "host"),
            *WATCHED,
        ),
        once=True,
    ),
    # Two things of one name (journal.py): the database, and the systemd journal of a host.
    "journal": Shape(
        {
            "path": references.path,
            "bound": plain(values.size("16MiB", "1PiB")),
            "name": NAME,
            "unit": WORD,
            "identifier": WORD,
            "start": YES_NO,
        },
    ),
    "archive": Shape(
        {
            "url": archive_url.parse,
            "password-file": references.secret_file,
            "password-env": references.secret_env,
            "timeout": TIMEOUT,
        },
        required=("url",),
        once=True,
        exclusive=_SECRETS[:1],
        private=("url",),
    ),
    "retention": Shape(
        dict.fromkeys(("samples", "fives", "hours", "cores", "logs", "connections", "events", "polls"), _KEEP),
        once=True,
    ),
    "ssh": Shape(LOGIN, once=True, exclusive=_SECRETS),
    "poll": Shape({**TIMING, "at-once": plain(values.count(1, 10_000, "number of hosts"))}, once=True),
    "daemon": Shape(
        {"processes": plain(values.count(1, 50, "number of processes")), "socket": references.path},
        some=("processes", "socket"),
        once=True,
    ),
    "mail": Shape(
        {
            "server": plain(values.address),
            "port": LOGIN["port"],
            "security": plain(values.choice("none", "starttls", "tls")),
            "user": TEXT,
            "password-file": references.secret_file,
            "password-env": references.secret_env,
            "from": plain(values.mail_address),
            "ca-file": references.existing_file,
            "timeout": TIMEOUT,
            "quota": QUOTA,
        },
        required=("server", "from"),
        once=True,
        exclusive=_SECRETS[:1],
    ),
    **TOLD,
    "thresholds": Shape({"name": NAME}, required=("name",), children=("threshold", "rule")),
    "threshold": Shape(
        {
            "metric": WORD,
            **dict.fromkeys(LABELS, TEXT),
            "above": TEXT,
            "below": TEXT,
            "clear": TEXT,
            "reaches": TEXT,
            "within": plain(values.between("10m", "30d")),
            **_JUDGED,
        },
        required=("metric",),
        children=("escalate",),
        exclusive=(("above", "below"), *((name, "reaches") for name in ("above", "below", "clear"))),
    ),
    "rule": Shape({"name": NAME, "clear": TEXT, **_JUDGED}, required=("name",), children=("escalate",), text=True),
    "collect": Shape(
        {
            "section": plain(watch_values.sections),
            "every": plain(watch_values.every),
            "source": plain(values.choice("auto", "iftop", "sock_diag", "ss", "counts")),
            "seconds": plain(values.between("1s", "60s")),
        },
        required=("section",),
        some=("every", "source", "seconds"),
    ),
    "usb-allow": Shape(
        {
            "vendor": plain(watch_values.usb_id),
            "product": plain(watch_values.usb_id),
            "serial": TEXT,
            "port": WORD,
        },
        some=("vendor", "product", "serial", "port"),
    ),
    "network-allow": Shape(
        {
            "to": plain(watch_values.network),
            "port": LOGIN["port"],
            "proto": plain(values.choice("tcp", "udp")),
        },
        some=("to", "port", "proto"),
    ),
    "lan": Shape({"network": plain(watch_values.network)}, required=("network",)),
    "log": Shape({"name": NAME, "path": plain(watch_values.remote_path), "start": YES_NO}, required=("name", "path")),
    "check": Shape(
        {
            "name": NAME,
            "command": plain(watch_values.command),
            "timeout": TIMEOUT,
        },
        required=("name", "command"),
        private=("command",),
    ),
    "textfile": Shape({"path": plain(watch_values.remote_path)}, required=("path",)),
    "redact": Shape({"pattern": plain(pattern.regular), "put": TEXT}, required=("pattern",)),
    "processes": Shape(
        {"top": plain(values.count(1, 50, "number of processes")), "commands": YES_NO}, some=("top", "commands")
    ),
    "group": Shape(
        {"name": NAME, "tags": NAMES, **COMMON, **REACH, **LOGIN, **TIMING},
        required=("name",),
        children=("threshold", "rule", "escalate", "host", *WATCHED),
        exclusive=_SECRETS,
    ),
    "host": Shape(
        {"name": TEXT, "address": TEXT, "tags": NAMES, **COMMON, **REACH, **LOGIN, **TIMING},
        required=("name",),
        children=("threshold", "rule", "escalate", *WATCHED),
        exclusive=_SECRETS,
    ),
}
