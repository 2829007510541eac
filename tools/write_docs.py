"""Writes the pages that are tables of the code: docs/metrics.md and docs/troubleshooting.md.

`python3 tools/write_docs.py` rewrites them; a test fails when they are out of date.
"""

from __future__ import annotations

from pathlib import Path

from poller.errors import OUTCOMES, STAGES
from poller.metrics import SAMPLE_TABLES, columns

DOCS = Path(__file__).resolve().parent.parent / "docs"

_STAGE_TEXTS = {
    "dns": "The name in `address=` becomes an address.",
    "connect": "A TCP connection to the host, or through its jump host.",
    "handshake": "The SSH servers' greeting and key exchange.",
    "hostkey": "The host proves who it is. Nothing secret has been sent yet.",
    "auth": "The poller logs in.",
    "session": "The login shell starts the command.",
    "python": "The interpreter starts.",
    "probe": "The probe is sent, collects and answers.",
    "envelope": "The sealed report is opened.",
    "report": "The report is checked against its schema and read.",
}


def metrics_page() -> str:
    lines = [
        "# Metrics",
        "",
        "Every number the poller knows. `poller metrics` prints this list, `poller metrics --host NAME` with values",
        "and a `<threshold>` line for each. One with a label, like `disk.percent{mountpoint}`, has a value per label.",
        "Where it is stored is `table.column`; see [database.md](database.md). (Written by `tools/write_docs.py`.)",
        "",
    ]
    for table in ("", *SAMPLE_TABLES):
        found = columns(table)
        lines += [
            f"## {f'In `{table}`' if table else 'From the poll itself'}",
            "",
            "| metric | unit | meaning | source |",
        ]
        lines.append("|---|---|---|---|")
        lines += [f"| `{m.signature}` | {m.unit} | {m.sentence} | {m.source} |" for m in found]
        lines.append("")
    return "\n".join(lines)


def troubleshooting_page() -> str:
    lines = [
        "# Troubleshooting",
        "",
        "A poll that brings no report says at which **stage** it ended and with which **code**. `poller doctor HOST`",
        "goes through all stages and shows where it stops; `poller run --host HOST -vv` says everything.",
        "Entries marked *security* are also kept as events of severity high: somebody may be meddling.",
        "(Written by `tools/write_docs.py` from the table in `poller/errors.py`.)",
        "",
    ]
    for stage in STAGES:
        lines += [f"## {stage}", "", _STAGE_TEXTS[stage], ""]
        for (at, code), outcome in OUTCOMES.items():
            if at == stage:
                security = " *security*" if outcome.security else ""
                lines += [f'### <a id="{stage}-{code}"></a>{stage}/{code}', ""]
                lines += [f"{_sentence(outcome.sentence)}{security}", "", f"What to do: {outcome.hint}.", ""]
    return "\n".join(lines)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


PAGES = {"metrics.md": metrics_page, "troubleshooting.md": troubleshooting_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
