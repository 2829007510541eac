"""Every way to reach people that config.xml names: the mail server is `mail`, others have the names of `<channel>`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final, Protocol

from poller.model import Channel, ChannelSettings, Config, Contact
from poller.notify.interruptible import Closable, Interruptible

MAIL: Final = "mail"


class Testable(Closable, Protocol):
    """A channel that can also say that it works."""

    def send_test(self, contact: Contact) -> None:
        """A message about nothing. Raises DeliveryError."""


@contextmanager
def open_channels(config: Config, stop: threading.Event) -> Iterator[Mapping[str, Channel]]:
    """name -> channel, for one delivery. Each is made when it is first used; `stop` ends them all at once."""
    with ExitStack() as stack:
        channels: dict[str, Channel] = {}
        for name, make in _makers(config, stop).items():
            settings = config.channel(name)
            # A command looks at `stop` itself: an abandoned thread could not end it before we do.
            alone = settings is not None and settings.kind == "command"
            channels[name] = make() if alone else stack.enter_context(Interruptible(make, stop))
        yield channels


def make(config: Config, name: str, stop: threading.Event) -> Testable | None:
    """One channel by itself; None when config.xml has none of that name."""
    maker = _makers(config, stop).get(name)
    return maker() if maker else None


def _makers(config: Config, stop: threading.Event) -> Mapping[str, Callable[[], Testable]]:
    makers: dict[str, Callable[[], Testable]] = {}
    if config.mail is not None:
        from poller.notify.smtp import Smtp

        makers[MAIL] = partial(Smtp, config.mail)
    return makers | {settings.name: partial(_other, settings, stop) for settings in config.channels}


def _other(settings: ChannelSettings, stop: threading.Event) -> Testable:
    # Here, because most pollers use one kind or none.
    if settings.kind == "webhook":
        from poller.notify.webhook import Webhook

        return Webhook(settings)
    if settings.kind == "command":
        from poller.notify.program import Program

        return Program(settings, stop)
    from poller.notify.service import Service

    return Service(settings)
