"""Results as people and programs read them: a line for the terminal, Markdown, JSON."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Final

from faults.experiment import Experiment, Result

START: Final = "<!-- rows, written by `python -m faults --docs docs/faults.md` -->"
END: Final = "<!-- end of rows -->"


def row(result: Result, width: int) -> str:
    """`H1    held      0.4 MB more, 5.02 s of 6    12.3 s`."""
    held = "held" if result.held else "NOT HELD"
    return f"{result.id:<{width}}  {held:<8}  {result.figure:<90}  {result.seconds:6.1f} s"


def as_json(results: Sequence[Result]) -> str:
    """A list of objects: id, held, figure, seconds, broken."""
    plain = [{name: value for name, value in asdict(result).items() if name != "details"} for result in results]
    return json.dumps(plain, indent=2)


def as_markdown(experiments: Sequence[Experiment], results: Sequence[Result], *, short: bool) -> str:
    """The table that stands in faults/RESULTS.md."""
    by_id = {experiment.id: experiment for experiment in experiments}
    form = "`make faults SHORT=1`" if short else "`make faults`"
    lines = [
        f"# Results of one run of {form}",
        "",
        _machine(),
        "",
        "| id | fault | | figure | seconds |",
        "|---|---|---|---|---|",
    ]
    for result in results:
        held = "held" if result.held else f"NOT held: {_cell(result.broken)}"
        fault = _cell(by_id[result.id].fault)
        lines.append(f"| {result.id} | {fault} | {held} | {_cell(result.figure)} | {result.seconds:.1f} |")
    return "\n".join(lines) + "\n"


def in_page(experiments: Sequence[Experiment], page: str) -> str:
    """docs/faults.md with the table of rows as it must be now."""
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise ValueError(f"the page has no lines {START!r} and {END!r}")
    lines = ["| id | what is broken | what holds nevertheless |", "|---|---|---|"]
    lines += [f"| {one.id} | {_cell(one.fault)} | {_cell(one.promise)} |" for one in experiments]
    return before + start + "\n".join(["", *lines, ""]) + end + after


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _machine() -> str:
    kernel = platform.release().split("-")[0]
    return (
        f"Python {platform.python_version()}, paramiko {version('paramiko')}, {_openssh()}, {os.cpu_count()} cores, "
        f"Linux {kernel}. What each row promises: docs/faults.md."
    )


def _openssh() -> str:
    run = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=False)
    return run.stderr.split(",")[0].strip() or "no OpenSSH"
