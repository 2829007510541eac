"""The documentation is true: pages written from tables are up to date, links lead somewhere, commands exist."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from poller.cli import COMMANDS
from poller.errors import OUTCOMES, STAGES

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def writer() -> object:
    spec = importlib.util.spec_from_file_location("write_docs", ROOT / "tools" / "write_docs.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["metrics.md", "troubleshooting.md"])
def test_pages_written_from_the_code_are_up_to_date(name: str) -> None:
    pages = writer().PAGES  # type: ignore[attr-defined]
    assert (ROOT / "docs" / name).read_text() == pages[name](), "run: python3 tools/write_docs.py"


def test_every_outcome_has_an_anchor_in_troubleshooting() -> None:
    text = (ROOT / "docs" / "troubleshooting.md").read_text()
    anchors = set(re.findall(r'<a id="([a-z-]+)">', text))
    assert anchors == {f"{stage}-{code}" for stage, code in OUTCOMES}


def test_every_outcome_belongs_to_a_stage_and_says_what_to_do() -> None:
    for (stage, _), outcome in OUTCOMES.items():
        assert stage in STAGES
        assert outcome.sentence and outcome.hint


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_named_in_the_docs_exist(page: Path) -> None:
    known = {name for name, _, _ in COMMANDS} | {"--config", "--help", "--version", "COMMAND"}
    for word in re.findall(
        r"(?:`|^    (?:\* )*)poller ((?:--config \S+ )?[a-z][a-z-]*)", page.read_text(), re.MULTILINE
    ):
        assert word.split()[-1] in known, f"{page.name} names `poller {word}`"


def test_every_command_is_in_the_readme_or_the_docs() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    for name, _, _ in COMMANDS:
        assert f"poller {name}" in text, name


def test_nothing_names_a_place_of_the_developers_machine() -> None:
    for page in PAGES:
        assert not re.search(r"/(root|home/\w+|work)/", page.read_text()), page.name
