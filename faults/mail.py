"""N1-N4: channels that are down, silent, unwilling or false; a storm of alerts; ends that follow beginnings; swings."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any, Final

from faults import canned
from faults.experiment import Experiment
from faults.flapping import flapping
from faults.journals import ask
from faults.lab import Lab
from faults.near import local, near
from faults.unwilling import NAMES, unwilling
from poller.model import ChannelSettings, Config, Contact, Threshold
from tests.notify.servers import text_of
from tests.notify.web import Site, web_server

METRICS: Final = ("memory.percent", "uptime.seconds", "load.1m", "processes.total", "cpu.count")


def storm(lab: Lab) -> str:
    """N2."""
    inbox = lab.mail()
    names = [f"host{number:03}" for number in range(100)]
    contacts = (canned.OPS, Contact("net", "net@example.org"))
    limits = [Threshold(metric, above=0.0, notify=("ops", "net")) for metric in METRICS]
    config = canned.configuration(lab.folder("storm"), inbox.port, names, limits=limits, contacts=contacts)
    begun = time.monotonic()
    canned.a_round(config, 90.0)
    seconds = time.monotonic() - begun
    canned.a_round(config, 90.0)
    messages = inbox.mail.messages
    assert sorted(message["To"] for message in messages) == ["net@example.org", "ops@example.org"], len(messages)
    for message in messages:
        text = text_of(message)
        missing = [(name, metric) for name in names for metric in METRICS if f"{name}: {metric}" not in text]
        assert not missing, f"{len(missing)} of 500 alerts are not in the mail, as {missing[0]}"
        assert len(message["Subject"]) < 200
    assert ask(config.journal, "SELECT state, count(*) FROM notification GROUP BY state") == [("delivered", 1000)]
    largest = max(len(bytes(message)) for message in messages)
    limits = [replace(limit, above=1e15) for limit in limits]
    canned.a_round(replace(config, hosts=tuple(replace(host, thresholds=tuple(limits)) for host in config.hosts)), 90.0)
    assert len(messages) == 4, "the ends are one mail per contact, too"
    assert ask(config.journal, "SELECT count(*) FROM alert WHERE closed_ms IS NULL") == [(0,)]
    size = largest // 1024
    return f"500 alerts in a round of {seconds:.1f} s: 1 mail of {size} KiB per contact, 0 lost, 1 for all ends"


def in_order(lab: Lab) -> str:
    """N3: the poller is killed while it tries to tell the problem, and again while it tries to tell the end."""
    repeats = lab.size(short=2, full=20)
    for number in range(repeats):
        folder = lab.folder(f"order{number}")
        for used in (90.0, 10.0):
            _killed_at(partial(_by_mail, folder), used)
        inbox = lab.mail()
        canned.a_round(canned.configuration(folder, inbox.port, NAMES), 10.0)
        _in_order(inbox.mail.messages, NAMES)
    hooked = lab.size(short=1, full=10)
    for number in range(hooked):
        _order_of_webhook(lab.folder(f"hook{number}"))
    real = "" if lab.short else f" and {_real_order(lab, 5)} by the real command"
    return (
        f"{repeats} problems and their ends by mail{real}, {hooked} by webhook, the poller killed in between: "
        "all told, in order"
    )


def _by_mail(folder: Path, port: int) -> Config:
    return canned.configuration(folder, port, NAMES, timeout=30.0)


def _killed_at(configuration: Callable[[int], Config], used: float) -> None:
    """A round of a configuration whose channel, at that port, says nothing; kill -9 while it waits for it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        child = canned.started(configuration(silent.getsockname()[1]), used)
        with ExitStack() as held:
            held.enter_context(silent.accept()[0])
            os.kill(child, signal.SIGKILL)
            assert canned.ended(child) == -signal.SIGKILL


def _order_of_webhook(folder: Path) -> None:
    contacts = (Contact("ops", channels=("hook",)),)

    def configuration(port: int) -> Config:
        hook = ChannelSettings("hook", "webhook", address=f"http://127.0.0.1:{port}/", timeout=30.0)
        return replace(canned.configuration(folder, 0, NAMES, contacts=contacts), mail=None, channels=(hook,))

    for used in (90.0, 10.0):
        _killed_at(configuration, used)
    with web_server(Site()) as site:
        canned.a_round(configuration(site.port), 10.0)
        (request,) = site.requests
    told = json.loads(request.body)["notifications"]
    for name in NAMES:
        kinds = [one["kind"] for one in told if one["alert"]["host"] == name]
        assert kinds == ["opened", "closed"], f"{name}: {kinds}"


def _in_order(messages: list[EmailMessage], names: tuple[str, ...]) -> None:
    (message,) = messages
    text = text_of(message)
    for name in names:
        opened, closed = (text.find(f"{kind} [MEDIUM] {name}") for kind in ("OPENED", "CLOSED"))
        assert 0 < opened < closed, f"{name}: opened at {opened}, closed at {closed} of the mail"


def _real_order(lab: Lab, repeats: int) -> int:
    up = '<thresholds name="up"><threshold metric="uptime.seconds" above="{limit}"/></thresholds>'
    for number in range(repeats):
        site = near(lab, "", name=f"real{number}")

        def configure(port: int, limit: str, site: Any = site) -> None:
            mail = f'<mail server="127.0.0.1" port="{port}" security="none" from="poller@example.org" timeout="30s"/>'
            people = '<contact name="ops" mail="ops@example.org"/>' + up.format(limit=limit)
            site.write(local("me", more='thresholds="up" notify="ops"'), more=mail + people)

        for limit in ("0", "9999d"):
            with socket.create_server(("127.0.0.1", 0)) as silent:
                silent.settimeout(30)
                configure(silent.getsockname()[1], limit)
                with site.running("run", "-q") as run, silent.accept()[0]:
                    run.kill()
                    run.wait(10)
        inbox = lab.mail()
        configure(inbox.port, "9999d")
        site.poller("run", "-q")
        _in_order(inbox.mail.messages, ("me",))
    return repeats


EXPERIMENTS: Final = (
    Experiment("N1", "mail servers, webhooks and commands that are down, silent, unwilling or false",
               "polls go on; messages wait, or go by the other channel at once; nothing in clear text", unwilling),
    Experiment("N2", "100 hosts cross five limits in one round", "one mail per contact, none lost", storm),
    Experiment("N3", "a problem and its end while mail is down, and kills", "both told, in order", in_order),
    Experiment("N4", "a value that swings around its limit for an hour, at one poll a minute", "a problem and its end "
               "with hysteresis; else, over 30 % of changes, after at most six that it flaps, and its end", flapping),
)  # fmt: skip
