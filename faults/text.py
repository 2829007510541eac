"""X1-X6, X8: what a host may choose, on its way through probe, parser, database, terminal, spreadsheet and mail."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from click.testing import CliRunner

from faults.apart import ROOT
from faults.documents import heavy, hostile, wrong
from faults.experiment import Experiment
from faults.lab import PYTHON, Lab
from faults.names import PATHS, TEXTS, folders
from faults.namespace import namespace, started
from faults.near import local, meddled, near
from faults.site import LabSite
from faults.stored import filled, stored
from poller.cli import cli
from poller.model import ChangeKind, Letter, Notification
from poller.notify.smtp import Smtp
from poller.store.query import cookbook
from tests.notify.samples import NAUGHTY, OPS, alert, notification
from tests.notify.servers import settings, text_of
from tests.remote_probe.test_render import restored

NOBODY: Final = 65534
# What a spreadsheet takes for a formula (OWASP, CSV injection).
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
# Marks that make a terminal or a person see something else than what is there.
DECEIVING: Final = ("\u202e", "\u2066", "\u200b")


def unprivileged(lab: Lab) -> str:
    """X3: processes, folders, FUSE mounts and log lines with every text there is, and the real probe among them."""
    parent = lab.folder("mounts")
    log = lab.folder("logs") / "app.log"
    log.write_bytes(
        b"".join(b"Nov 14 22:13:20 web1 app[7]: <%s>\n" % text for text in _lines()) + b"x\xff" * (1 << 19) + b"\n"
    )
    for folder in folders(os.fsencode(parent)):
        os.mkdir(folder)  # noqa: PTH102 - not every name is text
    machine = lab.enter(namespace("mount"))
    mounter = started([*machine.enter, "env", f"PYTHONPATH={ROOT}", PYTHON, "-m", "faults.names", str(parent)])
    site = near(lab, local("me"), more=f'<log name="app" path="{log}" start="yes"/><processes commands="yes"/>')
    site.prefix = machine.enter
    with ExitStack() as crowd:
        crowd.callback(mounter.communicate, timeout=10)
        crowd.enter_context(processes(lab.folder("programs")))
        for _ in range(lab.size(short=1, full=5)):
            found = site.round()["me"]
            assert found["outcome"] == "ok", found
        statuses = dict(site.rows("SELECT name, status FROM section"))
        assert set(statuses.values()) <= {"ok", "absent"}, statuses
        seen = {restored(name) for (name,) in site.rows("SELECT mountpoint FROM filesystem WHERE state = 'skipped'")}
        assert set(folders(os.fsencode(parent))) <= seen, "a mount is missing from the report"
        seen = {restored(name) for (name,) in site.rows("SELECT mountpoint FROM mount")}
        assert set(folders(os.fsencode(parent))) <= seen, "a mount is missing from the inventory"
        lines = [restored(line) for (line,) in site.rows("SELECT message FROM log_line ORDER BY number")]
        missing = {b"<%s>" % text for text in _lines()} - set(lines)
        assert not missing and len(lines) == len(_lines()) + 1, f"{len(lines)} lines, {list(missing)[:3]} missing"
        for words in lab.size(short=(), full=(("status",), ("metrics", "--host", "me"), ("query", "disk-fullest"))):
            site.poller(*words)
    counts = f"{len(PATHS)} of {len(PATHS)} mounts, {len(lines)} log lines, {len(PATHS) + len(TEXTS)} processes"
    return f"{counts}: complete reports, bytes escaped"


def _lines() -> list[bytes]:
    """What a line of a log can hold, and is not cut."""
    return [text for text in TEXTS if b"\n" not in text and len(text) < 900]


@contextmanager
def processes(folder: Path) -> Iterator[None]:
    """Processes of nobody's with such names: argv[0] is any text, the name of the program one of PATHS."""
    folder.chmod(0o755)
    running = []
    try:
        for name in PATHS:
            os.symlink(b"/bin/sleep", os.fsencode(folder) + b"/" + name)  # noqa: PTH211
            running.append(subprocess.Popen([name, "600"], executable=b"./" + name, cwd=folder, user=NOBODY))
        for text in TEXTS:
            first = text.replace(b"\0", b"")
            running.append(subprocess.Popen([first, "600"], executable="/bin/sleep", user=NOBODY))
        yield
    finally:
        for process in running:
            process.send_signal(signal.SIGKILL)
            process.wait(10)


def said(site: LabSite, *words: str) -> str:
    """What `poller WORDS` prints, in this process: quicker than one of its own. The invariants look at it, too."""
    run = CliRunner().invoke(cli, ["--config", str(site.config), *words], env={"HOME": str(site.folder)})
    assert run.exception is None or isinstance(run.exception, SystemExit), f"{words}: {run.exception!r}"
    site.said.append(run.output)
    return run.output


def banner(connection: socket.socket, over: threading.Event) -> None:
    """No SSH server, and its words reach for the terminal."""
    connection.sendall(b"\x1b]0;owned\x07\x9b31m\r\n" * 3 + b"SSH-1.0-\x1b[2J\xff\r\n")


def displayed(lab: Lab) -> str:
    """X6: the invariants look for raw control characters in all that is said and logged here."""
    site = near(lab, "", inbox=lab.mail())
    texts = TEXTS[:: lab.size(short=5, full=1)]
    names = filled(site, texts)
    pages = tuple(cookbook())[:: lab.size(short=5, full=1)]
    every = [("status",), ("status", "--json"), ("config", "show", names[0]), ("db", "status")]
    every += [("metrics", "--host", name) for name in names[:: lab.size(short=4, full=1)]]
    every += [("query", page, *form) for page in pages for form in ((), ("--json",))]
    every += [("query", "--sql", f"SELECT * FROM {table}") for table in ("hosts", "alerts", "events", "sections")]
    shown = {words: said(site, *words) for words in every}
    live = _live(lab, site)
    for output in (*shown.values(), *live):
        assert not [mark for mark in DECEIVING if mark in output], output
    for words, output in shown.items():
        if "--json" in words:
            json.loads(output)
    assert "\\x1b" in "".join(shown.values()), "it is to be shown, only not obeyed"
    return f"{len(texts)} texts, {len(shown) + len(live)} outputs and logs: 0 raw control characters, 0 bidi marks"


def _live(lab: Lab, site: LabSite) -> list[str]:
    """Real rounds with hosts that say such things on every way there is: report, noise, complaint, banner."""
    noisy = site.folder / "python-noisy"
    noisy.write_text("#!/bin/sh\nprintf '\\033]0;owned\\007 \\233' ; printf 'sudo: \\033[31mno\\n' >&2; exit 1\n")
    noisy.chmod(0o755)
    port = lab.raw(banner).port
    site.write(
        local("naughty", more=f'python="{meddled(site.folder, "naughty")}" notify="ops"').replace(
            "/>", '><threshold metric="disk.percent" above="0"/></host>'
        )
        + local("noisy", more=f'python="{noisy}"')
        + f'<host name="banner" address="127.0.0.1" port="{port}" identity-file="{lab.identity()}"/>',
        more=site.inbox.xml if site.inbox else "",
    )
    with site.running("-vv", "run") as run:
        assert run.wait(60) == 0
    outputs = [site.said[-1], said(site, "status"), said(site, "doctor")]
    outcomes = dict(site.rows("SELECT name, outcome FROM host_latest JOIN host ON host.id = host_id"))
    assert outcomes["naughty"] == "ok" and outcomes["noisy"] == outcomes["banner"] == "failed", outcomes
    return outputs


def injected(lab: Lab) -> str:
    """X8: cells of spreadsheets, and headers and bodies of mails."""
    site = near(lab, "")
    texts = TEXTS[:: lab.size(short=3, full=1)]
    filled(site, texts)
    tables = [name for (name,) in site.rows("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
    questions: list[tuple[str, ...]] = [("query", page, "--csv") for page in cookbook()]
    questions += [("query", "--csv", "--sql", f'SELECT * FROM "{table}"') for table in tables]
    cells = sum(_cells(said(site, *words)) for words in questions[:: lab.size(short=2, full=1)])
    inbox = lab.mail()
    naughty = (*NAUGHTY, *(text.decode("utf-8", "surrogateescape") for text in texts))
    with Smtp(settings(inbox.port)) as channel:
        for number, text in enumerate(naughty):
            channel.send(Letter(OPS, (_told(text, number),)))
    messages = inbox.mail.messages
    assert len(messages) == len(naughty), f"{len(messages)} of {len(naughty)} mails arrived"
    for message, envelope in zip(messages, inbox.mail.envelopes, strict=True):
        for header in ("Subject", "To", "From"):
            assert len(message.get_all(header, [])) == 1, f"{header}: {message.get_all(header)}"
        assert message["Bcc"] is None and envelope.rcpt_tos == ["ops@example.org"]
        assert "poller status" in text_of(message), "the body is cut"
    return f"{cells} cells, 0 of them formulas; {len(messages)} mails with one Subject, one To and their whole body"


def _cells(sheet: str) -> int:
    """Counts the cells of a sheet. A number may begin with a sign."""
    cells = [cell for row in csv.reader(io.StringIO(sheet)) for cell in row]
    for cell in cells:
        assert not cell.startswith(FORMULA) or _is_number(cell), f"a spreadsheet would run {cell!a}"
    return len(cells)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "\r" not in cell and "\t" not in cell


def _told(text: str, number: int) -> Notification:
    about = alert(text, "disk.percent", str(number), labels=(("mountpoint", text),), reason=text)
    return notification(about, ChangeKind.OPENED)


EXPERIMENTS: Final = (
    Experiment(
        "X1", "entity bombs, external entities, DTDs in a sealed report", "refused, nothing is fetched", hostile
    ),
    Experiment("X2", "reports of millions of elements, megabytes of attributes", "refused in time and memory", heavy),
    Experiment(
        "X3", "names and log lines with control characters, by a user without rights", "complete reports", unprivileged
    ),
    Experiment("X4", "a report against the schema", "refused with the path of the fault; others go on", wrong),
    Experiment("X5", "markup, SQL, ANSI, bidi and zero-width text in every field", "stored byte-exact", stored),
    Experiment("X6", "the same on terminal and in logs", "no raw control character anywhere", displayed),
    Experiment("X8", "the same in spreadsheets and mails", "no formula, no second header, no lost line", injected),
)
