"""What a poll means for a host that is held."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poller.fleet import meaning
from poller.model import Poll, PollOutcome
from tests.store.machines import poll


def failed(stage: str, code: str, *, security: bool = False) -> Poll:
    return replace(poll("web1"), outcome=PollOutcome.FAILED, stage=stage, code=code, security=security)


@pytest.mark.parametrize(
    ("polled", "trouble", "silent"),
    [
        (failed("connect", "refused"), "", True),
        (failed("auth", "denied"), "auth/denied", False),
        (failed("auth", "nologin"), "", True),
        (failed("hostkey", "changed", security=True), "connect/refused", False),
        (failed("hostkey", "changed", security=True), "hostkey/changed", True),
        (failed("hostkey", "revoked", security=True), "hostkey/changed", False),
        (failed("envelope", "tag", security=True), "envelope/tag", False),
        (poll("web1"), "", False),
    ],
)
def test_a_try_is_told_of_when_it_succeeds_or_teaches_something_new(polled: Poll, trouble: str, silent: bool) -> None:
    assert meaning.silent(polled, trouble) is silent
