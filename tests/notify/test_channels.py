"""The channels of one delivery: made when they are used, and ended by a signal."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from poller.model import ChannelSettings, Heartbeat, Letter, Secret
from poller.notify.channels import make, open_channels
from poller.notify.faults import ChannelDownError
from tests.notify.samples import CONFIG, OPS, notification
from tests.notify.servers import Mail, hostile_server, mail_server, settings
from tests.notify.web import Site, web_server

LETTER = Letter(OPS, (notification(),))


def test_each_has_its_name_and_the_mail_server_is_mail() -> None:
    others = (
        ChannelSettings("sms", "apprise", url=Secret("file", "/nowhere")),
        ChannelSettings("hook", "webhook", address="https://example.org/"),
        ChannelSettings("wall", "command", command=("/bin/true",)),
    )
    with open_channels(replace(CONFIG, mail=settings(25), channels=others), threading.Event()) as channels:
        assert list(channels) == ["mail", "sms", "hook", "wall"]
    with open_channels(CONFIG, threading.Event()) as channels:
        assert not channels
    assert make(CONFIG, "mail", threading.Event()) is None


def test_one_delivery_is_one_connection_to_the_mail_server_and_one_that_is_not_used_makes_none() -> None:
    handler = Mail()
    with mail_server(handler) as port, web_server(Site()) as site:
        hook = ChannelSettings("hook", "webhook", address=site.url())
        with open_channels(replace(CONFIG, mail=settings(port), channels=(hook,)), threading.Event()) as channels:
            channels["mail"].send(LETTER)
            channels["mail"].send(Letter(OPS, (notification(number=2),)))
        assert len(handler.messages) == 2 and len(handler.sessions) == 1
        assert site.requests == []


def test_a_signal_ends_the_wait_for_each() -> None:
    with hostile_server(lambda connection: None) as (port, _):
        hook = ChannelSettings("hook", "webhook", address=f"http://127.0.0.1:{port}/", timeout=60.0)
        wall = ChannelSettings("wall", "command", command=("/bin/sleep", "600"), timeout=60.0)
        config = replace(CONFIG, mail=settings(port, timeout=60.0), channels=(hook, wall))
        for name in ("mail", "hook", "wall"):
            stop = threading.Event()
            timer = threading.Timer(0.2, stop.set)
            began = time.monotonic()
            with open_channels(config, stop) as channels, pytest.raises(ChannelDownError) as caught:
                timer.start()
                channels[name].send(LETTER)
            assert caught.value.code == "interrupted" and time.monotonic() - began < 15
            timer.join()


def test_what_may_hold_a_secret_is_in_no_repr() -> None:
    hook = ChannelSettings("hook", "webhook", address="https://example.org/t0ken")
    wall = ChannelSettings("wall", "command", command=("/usr/local/bin/tell", "t0ken"))
    assert "t0ken" not in repr((hook, wall, Heartbeat("https://example.org/t0ken")))
