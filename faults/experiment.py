"""What an experiment is, and how one is conducted: break something, look at what was promised, clean up.

An experiment is a function that gets a `Lab` (servers, sites, scratch space) and returns its figure, a short text with
what it measured: "5.03 s of 6, 0.4 MB more". An AssertionError says which promise was broken. What the lab made is
checked by the invariants afterwards, and ended, whatever happened.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faults.lab import Lab

# Characters of a broken promise that the table shows.
_EXCERPT: Final = 400


@dataclass(frozen=True, slots=True)
class Experiment:
    """One row. `fault` says what is broken, `promise` what holds nevertheless, `run` returns the figure."""

    id: str
    fault: str
    promise: str
    run: Callable[[Lab], str]


@dataclass(frozen=True, slots=True)
class Result:
    """How one went. `broken` says what did not hold ("" when all did), `details` where."""

    id: str
    held: bool
    figure: str
    seconds: float
    broken: str = ""
    details: str = ""


def conduct(experiment: Experiment, folder: Path, *, short: bool) -> Result:
    """Runs it in `folder`, checks the invariants, and ends everything that it started."""
    started = time.monotonic()
    figure = broken = details = ""
    try:
        with Lab(folder, short=short) as lab:
            figure = experiment.run(lab)
            lab.verify()
    except Exception as error:  # whatever it is, it is this row's result and not the campaign's end
        broken = _sentence(error)
        details = traceback.format_exc()
    return Result(experiment.id, not broken, figure or "-", time.monotonic() - started, broken, details)


def _sentence(error: Exception) -> str:
    text = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:_EXCERPT] or type(error).__name__
