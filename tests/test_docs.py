"""The documentation is true: pages written from tables are up to date, links lead somewhere, commands exist."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click
import pytest

from poller.cli import COMMANDS, cli
from poller.cli.explanations import entries
from poller.errors import OUTCOMES, STAGES, STORE_CODES, HostError, StoreError
from poller.metrics import CATALOGUE
from poller.model import EVENT_KINDS
from poller.store import faults

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
CONTRIB = [path for path in sorted((ROOT / "contrib").iterdir()) if path.is_file()]


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


def anchors() -> set[str]:
    return set(re.findall(r'<a id="([a-z-]+)">', (ROOT / "docs" / "troubleshooting.md").read_text()))


def codes() -> set[str]:
    """Of polls, of databases, and of the poller's own alerts."""
    own = {name.translate(str.maketrans("._", "--")) for name in CATALOGUE if name.startswith("poller.")}
    return {f"{stage}-{code}" for stage, code in OUTCOMES} | {f"store-{code}" for code in STORE_CODES} | own


def test_every_anchor_of_troubleshooting_belongs_to_a_code_and_every_code_has_one() -> None:
    assert anchors() == codes()


@pytest.mark.parametrize(("stage", "code"), OUTCOMES)
def test_the_hint_of_every_outcome_names_its_anchor(stage: str, code: str) -> None:
    hint = HostError(stage, code, "something").hint
    assert hint.startswith(OUTCOMES[stage, code].hint)
    (named,) = re.findall(r"\(docs/troubleshooting\.md#([a-z-]+)\)$", hint)
    assert named == f"{stage}-{code}" and named in anchors()


@pytest.mark.parametrize("code", STORE_CODES)
def test_the_hint_of_a_database_names_its_anchor_once(code: str) -> None:
    error = StoreError("it is so", "do that", code=code)
    assert error.hint == f"do that (docs/troubleshooting.md#store-{code})"
    assert StoreError(error.sentence, error.hint, code="store").hint == error.hint
    assert StoreError("it is so", code=code).hint == f"(docs/troubleshooting.md#store-{code})"


def test_every_code_that_the_store_uses_is_written_about() -> None:
    used = set()
    for path in (ROOT / "poller" / "store").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "StoreError":
                used |= {
                    keyword.value.value
                    for keyword in node.keywords
                    if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
                }
    assert used - {"aborted"} <= set(STORE_CODES)
    assert {code for _, code, _, _ in faults._TABLE} <= set(STORE_CODES)


def test_every_entry_says_what_was_seen_why_and_what_to_run() -> None:
    for entry in entries():
        assert entry.text.startswith("Seen: "), entry.name
        assert re.search(r"^1\. ", entry.text, re.MULTILINE), entry.name
        assert re.search(r"^    \S", entry.text, re.MULTILINE), entry.name


def test_every_outcome_belongs_to_a_stage_and_says_what_to_do() -> None:
    for (stage, _), outcome in OUTCOMES.items():
        assert stage in STAGES
        assert outcome.sentence and outcome.hint


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def places(page: Path) -> set[str]:
    """What a link may name behind `#`: headings as GitHub turns them into anchors, and anchors written out."""
    text = page.read_text()
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_into_a_page_lead_to_a_heading(page: Path) -> None:
    for target, place in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text()):
        assert place in places(page.parent / target if target else page), f"{page.name} links to {target}#{place}"


def lines_of(text: str) -> list[str]:
    """Every `poller …` command line of a page or help text: in code blocks, and between backticks."""
    blocks = re.findall(r"^(?: {4,6}| *(?:\* +){5})(?:poller  )?(poller(?: .*)?)$", text, re.MULTILINE)
    for fenced in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        blocks += re.findall(r"^(poller(?: .*)?)$", fenced, re.MULTILINE)
    inline = re.findall(r"`(poller(?: [^`]*)?)`", text)
    return [part for line in blocks + inline for part in re.split(r" && | \|\| |; ", _without_remarks(line))]


def _without_remarks(line: str) -> str:
    """Without what stands behind it: `# …`, two blanks and a description, a pipe or a file."""
    return re.split(r" #| {2,}| [|>] | >> ", line)[0].strip()


def understood(line: str) -> None:
    """Parses the line as click does before it runs a command. UsageError when an option or argument is not there."""
    words = shlex.split(line.replace("…", ""))[1:]
    while words and words[0].startswith("-"):  # the global options before the command
        option = next(option for option in cli.params if words[0] in option.opts)
        takes = not (isinstance(option, click.Option) and (option.is_flag or option.count))
        words = words[2:] if takes else words[1:]
    found: click.Command | None = cli
    context = click.Context(cli, help_option_names=["-h", "--help"])
    while isinstance(found, click.Group) and words:
        if words[0] == "help" or words == ["--help"]:
            return
        name, found, words = found.resolve_command(context, words)
        assert found is not None and name is not None
        context = click.Context(found, context, info_name=name)
    if words == ["--help"]:
        return
    if found and not isinstance(found, click.Group) and (words or not _wants_arguments(found)):
        with suppress(click.BadOptionUsage):  # a sentence names an option without its value
            found.make_context(context.info_name, words, resilient_parsing="HOST" in words)


def _wants_arguments(command: click.Command) -> bool:
    """`poller trust` in a sentence is the command's name, not a line to type."""
    return any(parameter.required for parameter in command.params)


def test_the_parser_of_command_lines_finds_mistakes() -> None:
    text = "    poller run --host a        now\n    * * * * *  poller  poller run -q\n```sh\npoller query\n```\n"
    assert lines_of(f"{text}say `poller db status`") == [
        "poller run --host a", "poller run -q", "poller query", "poller db status"
    ]  # fmt: skip
    for wrong in ("poller runs", "poller run --hots a", "poller db stat", "poller metrics a b"):
        with pytest.raises(click.UsageError):
            understood(wrong)


@pytest.mark.parametrize("page", [*PAGES, *CONTRIB], ids=lambda page: page.name)
def test_command_lines_in_the_docs_are_understood(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for line in lines_of(page.read_text()):
        understood(line)


def commands(group: click.Group, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*names, name), command
        if isinstance(command, click.Group):
            yield from commands(command, *names, name)


def test_every_command_explains_itself_with_examples_that_are_understood() -> None:
    for names, command in commands(cli):
        # As cli has them: click keeps the option for help that a command had first, also for the tests that follow.
        context = click.Context(command, info_name=" ".join(names), help_option_names=["-h", "--help"])
        text = command.get_help(context)
        assert "Examples:" in text, names
        examples = lines_of(text.partition("Examples:")[2].partition("Options:")[0].replace("\n    ", "\n     "))
        assert any(example.startswith(f"poller {' '.join(names)}") for example in examples), names
        for example in examples:
            if "~/.ssh/admin" not in example:  # a file that must exist
                understood(example)


def test_short_helps_are_whole_sentences() -> None:
    for names, command in commands(cli):
        short = command.get_short_help_str(limit=66)
        assert short.endswith(".") and not short.endswith("..."), (names, short)


def test_options_named_in_the_docs_exist() -> None:
    known = {"--help", "--version", "--root", "--if-root"}
    for _, command in (((), cli), *commands(cli)):
        known.update(word for option in command.params for word in option.opts)
    for program in ("faults", "benchmarks"):  # python -m …
        for module in (ROOT / program).glob("*.py"):
            known.update(re.findall(r'add_argument\("(--[a-z-]+)"', module.read_text()))
    for page in PAGES:
        for option in re.findall(r"`(--[a-z-]+)", page.read_text()):
            assert option in known, f"{page.name} names {option}"


def test_make_targets_named_in_the_docs_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        for target in re.findall(r"(?:`|^    )make ([a-z-]+)", page.read_text(), re.MULTILINE):
            assert target in targets, f"{page.name} names `make {target}`"


def test_every_command_is_in_the_readme_or_the_docs() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    for name, _, _ in COMMANDS:
        assert f"poller {name}" in text, name


def test_every_kind_of_event_is_in_the_page_about_watching_and_no_other() -> None:
    table = (ROOT / "docs" / "watching.md").read_text().partition("| kinds of events |")[2]
    rows = re.findall(r"^\| (`[^|]+`) \|", table, re.MULTILINE)
    named = [kind for row in rows for kind in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(EVENT_KINDS)


def test_files_and_names_in_contributing_exist() -> None:
    """`name` of `path/file.py` leads somewhere; what stands for a name yet to be given has an ellipsis or is `usb`."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for path in re.findall(r"`([\w./-]+/[\w.-]*)`", text):
        assert (ROOT / path).exists() or "/reach/usb" in path, path
    for names, path in re.findall(r"((?:`\w+`(?:, | and perhaps | and | in |))+) of\s+`([\w/]+\.py)`", text):
        for name in re.findall(r"`(\w+)`", names):
            assert re.search(rf"\b{name}\b", (ROOT / path).read_text()), f"{name} of {path}"


def test_the_readme_counts_the_metrics_right() -> None:
    assert f"{len(CATALOGUE)} metrics" in re.sub(r"\s+", " ", (ROOT / "README.md").read_text())


def test_nothing_names_a_place_of_the_developers_machine() -> None:
    for page in PAGES:
        assert not re.search(r"/(root|home/\w+|work)/", page.read_text()), page.name
