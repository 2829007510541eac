"""The demonstration: two rounds of the real poller over real SSH, told step by step.

In: a folder. Out: `Step`s for whoever shows them, as they happen, and the mails that arrived. Prints nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Final

from poller import app, config
from poller.demo import explain
from poller.demo.explain import Step
from poller.demo.kit import USER, complete, prepare
from poller.demo.server import SshServer
from poller.demo.sink import MailSink
from poller.model import Config
from poller.schedule import Stop

# Rates want two seconds between two reports (probe/window.py).
_PAUSE: Final = 2.1

Show = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Play:
    """What became of it, when the servers have stopped."""

    config: Path
    rounds: tuple[app.RoundResult, ...]
    mails: tuple[EmailMessage, ...]


def play(folder: Path, show: Show) -> Play:
    """Starts the servers, polls twice, stops the servers; `folder` is new or empty and keeps everything.

    Raises PollerError as a real round does, and UsageError when folder or mail server cannot be had.
    """
    with MailSink() as sink:
        kit = prepare(folder)
        with SshServer(kit.host_key, USER, kit.login_key) as server:
            complete(kit, server.port, sink.port)
            return _rounds(config.load(kit.config, {}), sink, show)


def _rounds(settings: Config, sink: MailSink, show: Show) -> Play:
    show(explain.configuration(settings))
    first = app.run_round(settings, app.Selection(), stop=Stop())
    for step in explain.first_round(first, settings):
        show(step)
    for message in sink.messages:
        show(explain.mail(message))
    show(explain.PAUSE)
    time.sleep(_PAUSE)
    second = app.run_round(settings, app.Selection(), stop=Stop())
    show(explain.second_round(second))
    return Play(settings.path, (first, second), sink.messages)
