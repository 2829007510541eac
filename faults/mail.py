"""N1-N3: mail servers that are down, silent, unwilling or false; a storm of alerts; ends that follow beginnings."""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import ExitStack
from dataclasses import replace
from email.message import EmailMessage
from typing import Any, Final

from faults import canned
from faults.experiment import Experiment
from faults.journals import ask
from faults.lab import Lab
from faults.near import local, near
from faults.unwilling import NAMES, unwilling
from poller.model import Config, Contact, Threshold
from tests.notify.servers import text_of

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
        config = canned.configuration(lab.folder(f"order{number}"), 0, NAMES)
        for used in (90.0, 10.0):
            _killed_at_mail(config, used)
        inbox = lab.mail()
        canned.a_round(canned.configuration(config.path.parent, inbox.port, NAMES), 10.0)
        _in_order(inbox.mail.messages, NAMES)
    real = "" if lab.short else f", {_real_order(lab, 5)} of them by the real command"
    return f"{repeats} problems and their ends, the poller killed in between{real}: all told, in order"


def _killed_at_mail(config: Config, used: float) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        port = silent.getsockname()[1]
        child = canned.started(canned.configuration(config.path.parent, port, NAMES, timeout=30.0), used)
        with ExitStack() as held:
            held.enter_context(silent.accept()[0])
            os.kill(child, signal.SIGKILL)
            assert canned.ended(child) == -signal.SIGKILL


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
    Experiment("N1", "a mail server down, silent, unwilling or false", "polls go on, mails wait, no secret", unwilling),
    Experiment("N2", "100 hosts cross five limits in one round", "one mail per contact, none lost", storm),
    Experiment("N3", "a problem and its end while mail is down, and kills", "both told, in order", in_order),
)
