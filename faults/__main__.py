"""`make faults`: conducts the experiments one after another and prints what held, with its figure.

    python -m faults                    every row as it is written
    python -m faults --short            each in a form that takes seconds, as the tests run them
    python -m faults --only H1,H19      some of them
    python -m faults --json             the results as JSON; --write FILE: a table in Markdown, too

Exit status 0 when every row held, 1 when one did not, 130 when interrupted (what was started is ended first).
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from faults import (
    accounts,
    clock,
    config,
    counters,
    crowd,
    database,
    fleet,
    heartbeats,
    hosts,
    keys,
    killed,
    logs,
    mail,
    mounts,
    networks,
    schemas,
    sealed,
    shipping,
    staying,
    text,
)
from faults.experiment import Experiment, Result, conduct
from faults.table import as_json, as_markdown, in_page, row

LETTERS = "HCXDKTNFS"


def _order(experiment: Experiment) -> tuple[int, int, str]:
    """H2 before H10, and the letters as a poll meets them."""
    found = re.match(r"([A-Z]+)-?(\d*)", experiment.id)
    letters, number = (found[1], found[2]) if found else ("", "")
    return (LETTERS.find(letters) if letters in LETTERS else len(LETTERS), int(number or 99), experiment.id)


_ALL: tuple[Experiment, ...] = (
    *hosts.EXPERIMENTS,
    *accounts.EXPERIMENTS,
    *mounts.EXPERIMENTS,
    *counters.EXPERIMENTS,
    *fleet.EXPERIMENTS,
    *networks.EXPERIMENTS,
    *keys.EXPERIMENTS,
    *sealed.EXPERIMENTS,
    *text.EXPERIMENTS,
    *logs.EXPERIMENTS,
    *database.EXPERIMENTS,
    *crowd.EXPERIMENTS,
    *schemas.EXPERIMENTS,
    *shipping.EXPERIMENTS,
    *killed.EXPERIMENTS,
    *clock.EXPERIMENTS,
    *mail.EXPERIMENTS,
    *heartbeats.EXPERIMENTS,
    *config.EXPERIMENTS,
    *staying.EXPERIMENTS,
)
EXPERIMENTS: tuple[Experiment, ...] = tuple(sorted(_ALL, key=_order))


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    if options.docs:
        options.docs.write_text(in_page(EXPERIMENTS, options.docs.read_text()))
        return 0
    chosen = _chosen(options.only)
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    results: list[Result] = []
    try:
        with tempfile.TemporaryDirectory(prefix="poller-faults-", ignore_cleanup_errors=True) as folder:
            for number, experiment in enumerate(chosen, 1):
                _progress(f"{number} of {len(chosen)}: {experiment.id} {experiment.fault}")
                results.append(conduct(experiment, Path(folder) / experiment.id, short=options.short))
                _progress("")
                if not options.json:
                    print(row(results[-1], max(len(one.id) for one in chosen)), flush=True)
    except KeyboardInterrupt:
        _progress("")
        print(f"faults: interrupted after {len(results)} of {len(chosen)}", file=sys.stderr)
        return 130
    _report(options, results)
    return 0 if all(result.held for result in results) else 1


def _report(options: argparse.Namespace, results: Sequence[Result]) -> None:
    if options.json:
        print(as_json(results))
    if options.write:
        options.write.write_text(as_markdown(EXPERIMENTS, results, short=options.short))
    broken = [result for result in results if not result.held]
    for result in broken:
        print(f"\n{result.id} did not hold: {result.broken}\n{result.details}", file=sys.stderr)
    print(f"{len(results) - len(broken)} of {len(results)} held", file=sys.stderr)


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", metavar="ID,ID", help="these rows")
    parser.add_argument("--short", action="store_true", help="the form that takes seconds")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write a table in Markdown")
    parser.add_argument("--docs", type=Path, metavar="FILE", help="only write the list of rows into docs/faults.md")
    return parser.parse_args(words)


def _chosen(only: str) -> list[Experiment]:
    wanted = {word.strip().upper() for word in only.split(",") if word.strip()}
    known = {experiment.id.upper() for experiment in EXPERIMENTS}
    if wanted - known:
        names = ", ".join(experiment.id for experiment in EXPERIMENTS)
        raise SystemExit(f"faults: there is no {', '.join(sorted(wanted - known))}; there are {names}")
    return [experiment for experiment in EXPERIMENTS if not wanted or experiment.id.upper() in wanted]


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text[:100]}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
