"""Fixtures for every test: `sshd` and `make_sshd` start OpenSSH servers of the test's own, `site` a poller over one.

A test that needs a program which is not there is skipped by name; with CI=true that is a failure.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

pytest_plugins = ["tests.end_to_end.sshd", "tests.end_to_end.site", "tests.mariadb"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report
