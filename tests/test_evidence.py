"""evidence="yes": what a host was busy with when a rule was breached, asked in the session that told of it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace

import pytest

from poller.errors import HostError
from poller.evidence import gather
from poller.model import (
    Before,
    Deadline,
    Host,
    LogFile,
    Poll,
    PollOutcome,
    Redaction,
    Severity,
    Threshold,
    Watch,
)
from poller.poll import poll
from poller.probe.payload import build
from poller.ssh import Answer, Gates
from tests.end_to_end.sshd import Sshd
from tests.store.machines import poll as good

BUSY = Threshold("processes.total", above=0.0, severity=Severity.HIGH, evidence=True)
CALM = replace(BUSY, above=1e9)
# Among the largest of any machine that runs tests.
LARGE = "import sys; held = bytearray(b'x') * (256 << 20); print('up', flush=True); sys.stdin.read()"


def asked(sshd: Sshd, *rules: Threshold, watch: Watch = Watch(), before: Before = Before()) -> Poll:  # noqa: B008
    return poll(replace(sshd.host(), thresholds=rules, watch=watch), before, Gates())


def test_a_breach_brings_processes_sockets_and_the_last_lines_of_the_kernel(sshd: Sshd) -> None:
    made = asked(sshd, BUSY)
    assert made.outcome is PollOutcome.OK, made.error
    parts = {part.part: part.text for part in made.evidence}
    assert list(parts) == ["processes", "sockets", "kernel"]
    heading, first, *_ = parts["processes"].splitlines()
    assert heading.split() == ["CPU", "%", "MiB", "PID", "USER", "COMMAND"] and len(first.split()) == 5
    assert "LISTEN" in parts["sockets"]
    assert parts["kernel"].splitlines()
    assert all(made.at_ms <= part.at_ms for part in made.evidence)
    assert len(sshd.log().split("Starting session: command")) == 2, "one command, in one session"


def test_what_was_read_for_it_is_not_the_reading(sshd: Sshd) -> None:
    plain, made = asked(sshd), asked(sshd, BUSY)
    assert plain.report and made.report
    names = [[section.name for section in one.report.now.sections] for one in (plain, made) if one.report]
    assert names[0] == names[1]
    assert len(made.report.readings) == 2


@pytest.mark.parametrize(
    ("rules", "known"),
    [
        ((CALM,), ()),
        ((replace(BUSY, evidence=False),), ()),
        ((BUSY,), (("processes.total", ()),)),
    ],
)
def test_without_a_new_breach_of_such_a_rule_nothing_more_is_asked(
    sshd: Sshd, rules: tuple[Threshold, ...], known: tuple[tuple[str, tuple[()]], ...]
) -> None:
    before = Before(open=frozenset(known))
    made = asked(sshd, *rules, before=before)
    assert (made.outcome, made.evidence) == (PollOutcome.OK, ()), made.error


def test_a_host_without_such_rules_is_sent_not_a_byte_more(sshd: Sshd) -> None:
    usual = asked(sshd, watch=Watch(every={"kernel": float("inf")}))
    same = asked(sshd, replace(BUSY, evidence=False), watch=Watch(every={"kernel": float("inf")}))
    more = asked(sshd, BUSY, watch=Watch(every={"kernel": float("inf")}))
    assert abs(usual.sent_bytes - same.sent_bytes) < 40, "times differ in their digits"
    assert more.sent_bytes > usual.sent_bytes + 1000
    assert {part.part for part in more.evidence} == {"processes", "sockets", "kernel"}
    assert more.report and "kernel" not in [section.name for section in more.report.now.sections]


def test_command_lines_are_in_it_only_where_they_may_be_and_redacted(sshd: Sshd) -> None:
    secret = "swordfish-" + "x" * 20
    words = [sys.executable, "-c", LARGE, secret]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as large:
        assert large.stdin and large.stdout and large.stdout.readline()
        hidden = asked(sshd, BUSY)
        shown = asked(sshd, BUSY, watch=Watch(commands=True))
        redacted = asked(sshd, BUSY, watch=Watch(commands=True, redactions=(Redaction("swordfish-x+"),)))
        large.stdin.close()
    texts = [one.evidence[0].text for one in (hidden, shown, redacted)]
    assert [str(large.pid) in text for text in texts] == [True] * 3
    assert [secret in text for text in texts] == [False, True, False]
    assert "***" in texts[2]


def test_logs_are_read_on_where_the_report_left_off(sshd: Sshd) -> None:
    log = sshd.folder / "app.log"
    log.write_text("one\n")
    watch = Watch(logs=(LogFile("app", str(log), start=True),))
    made = asked(sshd, BUSY, watch=watch)
    assert made.evidence and made.report
    (section,) = (section for section in made.report.now.sections if section.name == "logs")
    assert [getattr(row, "text", None) for row in section.rows] == [None, "one"]


def test_the_poller_s_own_machine_is_asked_without_ssh() -> None:
    made = poll(Host("here", "local", thresholds=(BUSY,), python=sys.executable), Before(), Gates())
    assert made.outcome in (PollOutcome.OK, PollOutcome.PARTIAL), made.error
    assert [part.part for part in made.evidence] == ["processes", "sockets", "kernel"]


@dataclass
class Asked:
    """A session that fails, whatever it is asked, and remembers how long it was given."""

    error: Exception
    seconds: float = -1.0
    host_key: str = "SHA256:x"

    def ask(self, outgoing: bytes, marker: str, *, deadline: Deadline) -> Answer:
        self.seconds = deadline.remaining
        raise self.error


@pytest.mark.parametrize(
    "error", [HostError("probe", "timeout"), MemoryError(), RuntimeError("bug"), OSError(24, "files")]
)
def test_whatever_goes_wrong_the_report_stays(error: Exception) -> None:
    session = Asked(error)
    host = Host("web1", "192.0.2.1", thresholds=(BUSY,))
    assert gather(host, Before(), good("web1"), session, build(), Deadline(20.0)) == ()  # type: ignore[arg-type]
    assert 4.0 < session.seconds <= 5.0


def test_it_is_given_what_is_left_of_the_deadline_and_nothing_is_asked_when_that_is_little() -> None:
    host = Host("web1", "192.0.2.1", thresholds=(BUSY,))
    session = Asked(HostError("probe", "timeout"))
    gather(host, Before(), good("web1"), session, build(), Deadline(2.0))  # type: ignore[arg-type]
    assert 0.5 < session.seconds <= 1.7
    session.seconds = -1.0
    gather(host, Before(), good("web1"), session, build(), Deadline(0.7))  # type: ignore[arg-type]
    assert session.seconds == -1.0
