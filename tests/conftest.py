"""Fixtures for every test: `sshd` and `make_sshd` start OpenSSH servers of the test's own, `site` a poller over one.

A test that needs a program which is not there is skipped by name; with CI=true that is a failure.

`pytest -n auto` has more processes than there are cores, for many tests wait (for a deadline, a server, a daemon's next
poll) while others compute. Long ones, which mostly wait, stand between the others; none is what everybody waits for at
the end.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from itertools import groupby, pairwise
from typing import Final

import pytest

pytest_plugins = ["tests.end_to_end.sshd", "tests.end_to_end.site", "tests.mariadb"]

# Folders and modules whose tests take seconds each, and wait for most of them.
_LONG: Final = ("tests/test_faults.py", "tests/end_to_end/", "tests/daemon/")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Three for two cores, unless xdist's own variable says how many."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    cores = len(os.sched_getaffinity(0))
    return cores + (cores + 1) // 2


def pytest_configure(config: pytest.Config) -> None:
    """Each process has neighbouring tests, so makes a module's fixtures once; who is done takes from the others."""
    if config.getoption("dist", "no") == "load":  # what -n means unless told otherwise
        config.option.dist = "worksteal"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The same number of long ones in the share of every process: xdist cuts the list, one share behind the other."""
    shares = int(getattr(config, "workerinput", {}).get("workercount", 1))
    long = [item for item in items if item.nodeid.startswith(_LONG)]
    short = [item for item in items if not item.nodeid.startswith(_LONG)]
    cuts = [len(short) * share // shares for share in range(shares + 1)]
    items[:] = [
        item
        for share, (begin, end) in enumerate(pairwise(cuts))
        for item in _mixed(long[share::shares], short[begin:end])
    ]


def _mixed(long: list[pytest.Item], short: list[pytest.Item]) -> Iterator[pytest.Item]:
    """Some long ones before each module of short ones, whose fixtures so are made once; none in the last fifth."""
    modules = [list(group) for _, group in groupby(short, key=lambda item: item.nodeid.partition("::")[0])]
    places = max(1, len(modules) * 4 // 5)
    for number, module in enumerate(modules or [[]]):
        if number < places:
            yield from long[len(long) * number // places : len(long) * (number + 1) // places]
        yield from module
