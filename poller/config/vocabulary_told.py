"""The part of the vocabulary that says who is told, by which channel and when."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Final

from poller.config import alerting_values, hours, notify, references, values
from poller.config.shape import NAME, NAMES, QUOTA, TEXT, TIMEOUT, Shape, plain

# The ways of a channel, of which it has one.
_WAYS: Final = ("url-file", "url-env", "webhook", "webhook-file", "webhook-env", "command")
_ADDRESSES: Final = ("url", "url-file", "url-env")

TOLD: Final[Mapping[str, Shape]] = {
    "channel": Shape(
        {
            "name": NAME,
            "url-file": references.secret_file,
            "url-env": references.secret_env,
            "webhook": plain(alerting_values.webhook),
            "webhook-file": references.secret_file,
            "webhook-env": references.secret_env,
            "secret-file": references.secret_file,
            "secret-env": references.secret_env,
            "command": plain(alerting_values.command),
            "timeout": TIMEOUT,
            "quota": QUOTA,
        },
        required=("name",),
        some=_WAYS,
        exclusive=(*combinations(_WAYS, 2), ("secret-file", "secret-env")),
        private=("webhook", "command"),
    ),
    "contact": Shape(
        {
            "name": NAME,
            "mail": plain(values.mail_address),
            "channels": NAMES,
            "severities": plain(values.severities),
            "groups": NAMES,
            "hours": plain(hours.hours),
            "zone": plain(hours.zone),
        },
        required=("name",),
        some=("mail", "channels"),
    ),
    "escalate": Shape(
        {"after": plain(values.between("1s", "30d")), "notify": plain(notify.parse)}, required=("notify",)
    ),
    "delivery": Shape(dict.fromkeys(("wait", "interval"), plain(values.between("0s", "1h"))), once=True),
    "downtime": Shape(
        {
            "name": NAME,
            "hosts": TEXT,
            "groups": NAMES,
            "tags": NAMES,
            "days": plain(hours.days),
            "from": plain(alerting_values.moment),
            "until": plain(alerting_values.moment),
            "zone": plain(hours.zone),
            "comment": TEXT,
        },
        required=("name", "from", "until", "zone"),
    ),
    "heartbeat": Shape(
        {
            "url": plain(alerting_values.watcher),
            "url-file": references.secret_file,
            "url-env": references.secret_env,
            "timeout": TIMEOUT,
        },
        some=_ADDRESSES,
        once=True,
        exclusive=tuple(combinations(_ADDRESSES, 2)),
        private=("url",),
    ),
}
