"""Writes the pages that are tables of the code: docs/metrics.md and docs/troubleshooting.md.

`python3 tools/write_docs.py` rewrites them; a test fails when they are out of date.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from poller.cli.explanations import CHAPTERS, Entry, entries, introduction
from poller.metrics import CATALOGUE, OWN, SAMPLE_TABLES, columns

DOCS = Path(__file__).resolve().parent.parent / "docs"


def metrics_page() -> str:
    lines = [
        "# Metrics",
        "",
        "Every number the poller knows. `poller metrics` prints this list, `poller metrics --host NAME` with values",
        "and a `<threshold>` line for each. One with a label, like `disk.percent{mountpoint}`, has a value per label.",
        "Where it is stored is `table.column`; see [database.md](database.md). (Written by `tools/write_docs.py`.)",
        "",
    ]
    own = [metric for metric in CATALOGUE.values() if metric.name.startswith(OWN)]
    parts = {"From the poll itself": [metric for metric in columns("") if metric not in own]}
    parts |= {f"In `{table}`": list(columns(table)) for table in SAMPLE_TABLES}
    parts['Of the poller itself, for `<thresholds name="poller">`'] = own
    for title, found in parts.items():
        lines += [f"## {title}", "", "| metric | unit | meaning | source |", "|---|---|---|---|"]
        lines += [f"| `{m.signature}` | {m.unit} | {m.sentence} | {m.source} |" for m in found]
        lines.append("")
    return "\n".join(lines)


def troubleshooting_page() -> str:
    lines = [
        "# Troubleshooting",
        "",
        "A poll that brings no report, or was skipped, says at which **stage** it ended and with which **code**. Every",
        "hint ends with the place of its code on this page; `poller explain auth/denied` prints the same anywhere.",
        "`poller doctor HOST` goes through all stages and shows where it stops; `poller run --host HOST -vv` says all.",
        "",
        "Causes stand in the order in which they are usual. Names, addresses and paths are examples: put yours there.",
        "Entries marked *security* are also kept as events of severity high, and alert: somebody may be meddling.",
        "(Written by `tools/write_docs.py` from `poller/errors.py` and `poller/cli/trouble/`.)",
        "",
    ]
    for chapter in CHAPTERS:
        lines += [f"## {chapter}", "", introduction(chapter), ""]
        lines += [_written(entry) for entry in entries() if entry.chapter == chapter]
    return "\n".join(lines)


def _written(entry: Entry) -> str:
    lines = [f'### <a id="{entry.anchor}"></a>{entry.name}', ""]
    if entry.sentence:
        security = " *security*" if entry.security else ""
        lines += [f"**{_sentence(entry.sentence)}**{security} What to do: {entry.hint}.", ""]
    return "\n".join([*lines, "\n\n".join(_fenced(block) for block in entry.text.split("\n\n")), ""])


def _fenced(block: str) -> str:
    """Behind a numbered list an indented block would be part of the list."""
    return f"```sh\n{textwrap.dedent(block)}\n```" if block.startswith("    ") else block


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


PAGES = {"metrics.md": metrics_page, "troubleshooting.md": troubleshooting_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
