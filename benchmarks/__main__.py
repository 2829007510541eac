"""`make bench`: runs every claim and prints the table; `make bench RUNS=9` for steadier medians.

`python -m benchmarks --write FILE` writes what it prints into a file, too (benchmarks/RESULTS.md is one), and
`--only NAME` measures one group of rows. `--minutes 10` is how long the daemon is watched for each of its rows.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks import archive, daemon, gatherers, history, judging, live, polls, probe, round, shell, storing
from benchmarks.fleet import Fleet, fleet
from benchmarks.measure import Missing, Row, Rows
from benchmarks.peers import Peers, install

_ORDINARY: Final = "Sessions of the fleet see one ordinary machine (tests/ordinary.py)."
_AS_IT_IS: Final = "Sessions of the fleet see this machine with all its sessions: no namespaces can be made here."


class Stage:
    """What the groups need, made when the first of them asks: the fleet, the peers."""

    def __init__(self, runs: int, minutes: float, stack: ExitStack) -> None:
        self.runs = runs
        self.minutes = minutes
        self._stack = stack

    @cached_property
    def fleet(self) -> Fleet:
        return self._made(ordinary=True)

    @cached_property
    def peers(self) -> Peers:
        return Peers(self.fleet, install())

    @cached_property
    def quick(self) -> Peers:
        """At hosts whose sessions begin at once, where the wall clock is read."""
        return Peers(self._made(ordinary=False), install())

    def _made(self, *, ordinary: bool) -> Fleet:
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="poller-bench-"))
        return self._stack.enter_context(fleet(Path(folder), ordinary=ordinary))


GROUPS: Final[dict[str, Callable[[Stage], Rows]]] = {
    # The first at an ordinary number of sockets: those of the second linger for a minute.
    "gatherers": lambda stage: gatherers.rows(stage.peers, stage.runs),
    "probe": lambda stage: probe.rows(stage.runs),
    "shell": lambda stage: shell.rows(stage.fleet, stage.runs),
    "polls": lambda stage: polls.rows(stage.fleet, stage.peers, stage.runs),
    "clients": lambda stage: polls.others(stage.fleet, stage.peers, stage.runs),
    "round": lambda stage: round.rows(stage.quick.fleet, stage.quick, stage.runs),
    "daemon": lambda stage: daemon.rows(stage.fleet, stage.runs, stage.minutes),
    "sizes": lambda stage: daemon.sizes(stage.fleet),
    "live": lambda stage: live.rows(stage.fleet, stage.runs),
    "history": lambda stage: history.rows(stage.runs),
    "judging": lambda stage: judging.rows(stage.runs),
    "storing": lambda stage: storing.rows(stage.runs),
    "archive": lambda stage: archive.rows(stage.runs),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=int(os.environ.get("RUNS", "5")))
    parser.add_argument("--minutes", type=float, default=float(os.environ.get("MINUTES", "2")))
    parser.add_argument("--only", nargs="+", choices=GROUPS, metavar="NAME", help=", ".join(GROUPS))
    parser.add_argument("--write", type=Path, metavar="FILE")
    options = parser.parse_args()
    lines: list[str] = []

    def say(line: str) -> None:
        print(line, flush=True)
        lines.append(line)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the servers, too
    with ExitStack() as stack:
        held = _measure(Stage(options.runs, options.minutes, stack), options.only or tuple(GROUPS), say)
    if options.write:
        options.write.write_text("# Results of `make bench`\n\n" + "".join(f"{line}\n" for line in lines))
    return 0 if held else 1


def _measure(stage: Stage, groups: Sequence[str], say: Callable[[str], None]) -> bool:
    """Says each row as soon as it is measured. A group that breaks is a row that says so; the others go on."""
    say(f"Python {platform.python_version()}, paramiko {version('paramiko')}, {_machine()}; "
        f"peers: {_known(partial(_versions, stage))}.")  # fmt: skip
    say("Figures and ratios are min / median / max of the runs; a claim holds when the median of its ratios does.")
    say(f"{_known(lambda: _ORDINARY if stage.fleet.ordinary else _AS_IT_IS)}\n")
    say("| claim | measured | runs | ratio | at most | |")
    say("|---|---|---|---|---|---|")
    held = True
    for group in groups:
        for row in _rows(stage, group):
            held = held and isinstance(row, Row) and row.held
            say(str(row))
    return held


def _rows(stage: Stage, group: str) -> Rows:
    try:
        yield from GROUPS[group](stage)
    except Exception as error:  # an hour's rows are not lost by what breaks one group
        yield Missing(f"group {group}", _told(error))


def _known(find: Callable[[], str]) -> str:
    """What it finds, or why it cannot be known: without a network there may still be rows to measure."""
    try:
        return find()
    except Exception as error:  # whatever the peers' programs, pip or the fleet's sshd make of this machine
        return f"not known ({_told(error)})"


def _versions(stage: Stage) -> str:
    return stage.peers.versions()


def _told(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _machine() -> str:
    """Cores and their kind, memory, kernel."""
    info = Path("/proc/cpuinfo").read_text()
    model = next((line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")), "CPU")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"


if __name__ == "__main__":
    sys.exit(main())
