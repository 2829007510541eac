"""Every experiment of the fault campaign, in the form that takes seconds: what is promised holds while things break."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.__main__ import EXPERIMENTS, main
from faults.experiment import Experiment, Result, conduct
from faults.lab import Lab
from faults.table import as_json, as_markdown, in_page, row
from tests.end_to_end.site import ROOT
from tests.end_to_end.sshd import require_sshd


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.id)
def test_what_is_promised_holds(experiment: Experiment, tmp_path: Path) -> None:
    require_sshd()
    result = conduct(experiment, tmp_path / "lab", short=True)
    assert result.held, f"{experiment.promise}: {result.broken}\n{result.details}"
    assert any(character.isdigit() for character in result.figure), f"no figure: {result.figure!r}"


def test_every_experiment_has_an_id_of_its_own_and_says_what_it_breaks_and_promises() -> None:
    ids = [experiment.id for experiment in EXPERIMENTS]
    assert len(ids) == len(set(ids))
    assert all(experiment.fault and experiment.promise for experiment in EXPERIMENTS)


def broken(lab: Lab) -> str:
    lab.folder("left")
    raise AssertionError("it took\n9 s")


def crashed(lab: Lab) -> str:
    return str(1 // 0)


def careless(lab: Lab) -> str:
    """Opens descriptors and keeps them."""
    kept.extend(socket.socket() for _ in range(9))
    return "9 opened"


kept: list[socket.socket] = []


@pytest.mark.parametrize(
    ("run", "says"),
    [(broken, "it took 9 s"), (crashed, "ZeroDivisionError"), (careless, "V5: ")],
    ids=["promise", "crash", "leak"],
)
def test_an_experiment_that_fails_or_leaves_something_behind_does_not_hold(
    tmp_path: Path, run: Callable[[Lab], str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faults.invariants.SETTLED", 0.1)
    try:
        result = conduct(Experiment("Z1", "a fault", "a promise", run), tmp_path / "lab", short=True)
    finally:
        while kept:
            kept.pop().close()
    assert not result.held
    assert says in result.broken


def test_results_are_a_line_a_table_and_json() -> None:
    experiment = Experiment("Z1", "a | fault", "a promise", crashed)
    results = [Result("Z1", True, "3 s of 6", 1.25)]
    assert row(results[0], 4).split() == ["Z1", "held", "3", "s", "of", "6", "1.2", "s"]
    assert "| Z1 | a \\| fault | held | 3 s of 6 | 1.2 |" in as_markdown([experiment], results, short=True)
    assert json.loads(as_json(results)) == [
        {"id": "Z1", "held": True, "figure": "3 s of 6", "seconds": 1.25, "broken": ""}
    ]


def test_the_page_lists_the_rows_there_are() -> None:
    page = (ROOT / "docs" / "faults.md").read_text()
    assert in_page(EXPERIMENTS, page) == page, "run: python -m faults --docs docs/faults.md"


def test_an_unknown_row_is_refused_by_name() -> None:
    with pytest.raises(SystemExit, match="there is no Z9"):
        main(["--only", "Z9"])
