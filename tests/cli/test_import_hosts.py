"""`poller import` prints lines to paste on stdout, and on stderr what it left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import Inside, poller
from tests.config.test_imports import (
    INI,
    INI_LINES,
    INI_NOTES,
    SSH,
    SSH_LINES,
    SSH_NOTES,
    YAML,
    YAML_LINES,
    YAML_NOTES,
)


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    return Inside(tmp_path, capsys, monkeypatch)


@pytest.mark.parametrize(
    ("kind", "name", "text", "lines", "notes"),
    [
        ("ansible", "hosts", INI, INI_LINES, INI_NOTES),
        ("ansible", "hosts.yml", YAML, YAML_LINES, YAML_NOTES),
        ("ssh-config", "config", SSH, SSH_LINES, SSH_NOTES),
    ],
)  # fmt: skip
def test_lines_go_to_stdout_and_notes_to_stderr(
    tmp_path: Path, kind: str, name: str, text: str, lines: str, notes: list[tuple[int, str]]
) -> None:
    (tmp_path / name).write_text(text)
    answer = poller(tmp_path, "import", kind, name)
    assert (answer.code, answer.out) == (0, lines + "\n")
    assert answer.err.splitlines() == [f"{name}:{line}: {sentence}" for line, sentence in notes]
    assert not (tmp_path / "owned").exists()


def test_an_inventory_can_come_from_a_pipe(tmp_path: Path) -> None:
    assert poller(tmp_path, "import", "ansible", "-", stdin="[web]\nweb[1:3]\n").out == (
        '<group name="web">\n  <host name="web[1-3]"/>\n</group>\n'
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [(b"", "names no host that can be polled"), (b"\xff", "is not UTF-8 text"), (None, "cannot be read: No such file")],
)
def test_a_file_of_no_use_is_refused(tmp_path: Path, text: bytes | None, sentence: str, inside: Inside) -> None:
    if text is not None:
        (tmp_path / "hosts").write_bytes(text)
    answer = inside("import", "ansible", "hosts")
    assert answer.code == 2 and answer.out == "" and sentence in answer.err
