"""Shell completion: the scripts are printed, and names come from config.xml."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import poller
from tests.config.files import write

CONFIG = """<poller><mail server="mail.example.org" from="p@example.org"/><contact name="ops" mail="ops@example.org"/>
<host name="web1" tags="front"/><host name="web2"/><group name="lab"><host name="pc[1-3]"/></group></poller>"""


def completed(folder: Path, line: str) -> list[str]:
    """What bash would offer for the last word of the line."""
    words = line.split(" ")
    answer = poller(folder, _POLLER_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1))
    assert (answer.code, answer.err) == (0, "")
    return [one.partition(",")[2] for one in answer.out.splitlines() if one]


@pytest.mark.parametrize(
    ("shell", "sign"), [("bash", "complete -o nosort -F"), ("zsh", "#compdef poller"), ("fish", "function")]
)
def test_the_script_for_each_shell_is_printed(tmp_path: Path, shell: str, sign: str) -> None:
    answer = poller(tmp_path, _POLLER_COMPLETE=f"{shell}_source")
    assert answer.code == 0 and sign in answer.out and "_POLLER_COMPLETE" in answer.out


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("poller st", ["status"]),
        ("poller silence --host w", ["web1", "web2"]),
        ("poller alerts --group ", ["lab"]),
        ("poller check --metric load.1m_", ["load.1m_per_cpu"]),
        ("poller run --host w", ["web1", "web2"]),
        ("poller status --group ", ["lab"]),
        ("poller run --tag f", ["front"]),
        ("poller config show p", ["pc1", "pc2", "pc3"]),
        ("poller trust web", ["web1", "web2"]),
        ("poller query cpu", ["cpu-top"]),
        ("poller notify test --to ", ["ops"]),
        ("poller db ba", ["backup"]),
    ],
)
def test_names_are_offered(tmp_path: Path, line: str, offered: list[str]) -> None:
    write(tmp_path, CONFIG)
    assert completed(tmp_path, line) == offered


def test_a_configuration_named_on_the_line_is_the_one_that_is_read(tmp_path: Path) -> None:
    write(tmp_path, CONFIG, "other.xml")
    assert completed(tmp_path, "poller --config other.xml run --host w") == ["web1", "web2"]
    assert completed(tmp_path, "poller run --config other.xml --host w") == ["web1", "web2"]


def test_without_a_usable_configuration_nothing_is_offered_and_nothing_said(tmp_path: Path) -> None:
    assert completed(tmp_path, "poller run --host w") == []
    write(tmp_path, "<poller><hots/></poller>")
    assert completed(tmp_path, "poller run --host w") == []
