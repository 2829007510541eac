"""Problem and recovery through real rounds and the real journal, with a mail server that is away in between."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from poller.app import RoundResult, Selection, run_round
from poller.config import load
from poller.notify import Delivery
from poller.schedule import Stop
from tests.notify.servers import Mail, dead_port, mail_server

CONFIG = """<poller>
  <journal path="poller.db"/>
  <mail server="127.0.0.1" port="{port}" security="none" from="poller@example.org" timeout="5s"/>
  <contact name="ops" mail="ops@example.org"/>
  <contact name="net" mail="net@example.org" severities="low"/>
  <thresholds name="test"><threshold metric="memory.percent" above="{limit}" notify="ops net"/></thresholds>
  <host name="me" address="local" thresholds="test"/>
</poller>"""


def a_round(folder: Path, port: int, limit: str) -> RoundResult:
    return run_round(load(configured(folder, port, limit), {}), Selection(), stop=Stop())


def configured(folder: Path, port: int, limit: str) -> Path:
    path = folder / "config.xml"
    path.write_text(CONFIG.format(port=port, limit=limit))
    path.chmod(0o600)
    return path


def killed_round(folder: Path, port: int, limit: str, step: int) -> int:
    """A round by the real command that dies as if by kill -9 at that step; how many steps there were, for step 0."""
    path = configured(folder, port, limit)
    words = [sys.executable, "-m", "tests.end_to_end.die_at", str(step), "--config", str(path), "run", "-q"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert step == 0 or done.returncode == 9
    return int(done.stderr.split("reached ")[1]) if step == 0 else step


def delivery(result: RoundResult) -> Delivery:
    assert result.aftermath is not None and result.aftermath.delivery is not None
    return result.aftermath.delivery


def test_the_end_threads_under_the_problem(tmp_path: Path) -> None:
    handler = Mail()
    with mail_server(handler) as port:
        a_round(tmp_path, port, "0.01")
        a_round(tmp_path, port, "0.01")
        a_round(tmp_path, port, "99.99")
    problem, end = handler.messages
    assert problem["Subject"].startswith("[MEDIUM] me: memory.percent")
    assert end["References"] == end["In-Reply-To"] == problem["Message-ID"]


def test_problem_and_end_arrive_in_order_after_an_hour_without_a_server_and_a_poller_that_was_killed(
    tmp_path: Path,
) -> None:
    """Killed around the moment of sending, where most could go wrong."""
    handler = Mail()
    with mail_server(handler) as port:
        rehearsal = tmp_path / "rehearsal"
        rehearsal.mkdir()
        a_round(rehearsal, dead_port(), "0.01")
        steps = killed_round(rehearsal, port, "99.99", 0)
        sends = len(handler.messages)
        assert sends == 1
        for step in (steps * 2 // 3, steps * 3 // 4):
            folder = tmp_path / str(step)
            folder.mkdir()
            handler.messages.clear()
            a_round(folder, dead_port(), "0.01")
            killed_round(folder, port, "99.99", step)
            a_round(folder, port, "99.99")
            told = [str(message["Poller-Notifications"]).split() for message in handler.messages]
            assert told and len(told[0]) == 2, f"killed at step {step}: problem and end"
            assert all(each == told[0] for each in told)
            assert len({message["Message-ID"] for message in handler.messages}) == 1
            assert delivery(a_round(folder, port, "99.99")) == Delivery(), "nothing is left"
