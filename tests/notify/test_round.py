"""Problem and recovery through real rounds and the real journal, with a mail server that is away in between."""

from __future__ import annotations

from pathlib import Path

from poller.app import RoundResult, Selection, run_round
from poller.config import load
from poller.notify import Delivery
from poller.schedule import Stop
from tests.notify.servers import Mail, mail_server

CONFIG = """<poller>
  <journal path="poller.db"/>
  <mail server="127.0.0.1" port="{port}" security="none" from="poller@example.org" timeout="5s"/>
  <contact name="ops" mail="ops@example.org"/>
  <contact name="net" mail="net@example.org" severities="low"/>
  <thresholds name="test"><threshold metric="memory.percent" above="{limit}" notify="ops net"/></thresholds>
  <host name="me" address="local" thresholds="test"/>
</poller>"""


def a_round(folder: Path, port: int, limit: str) -> RoundResult:
    path = folder / "config.xml"
    path.write_text(CONFIG.format(port=port, limit=limit))
    path.chmod(0o600)
    return run_round(load(path, {}), Selection(), stop=Stop())


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
