"""What others want of a host's thread is not lost, also when acting on it failed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from poller.fleet.wishes import Wishes
from poller.model import Before, Host

OLD, NEW = Host("web1", "192.0.2.1"), Host("web1", "192.0.2.2")


@pytest.fixture
def wishes() -> Iterator[Wishes]:
    wishes = Wishes(live=False)
    yield wishes
    wishes.close()


def test_what_could_not_be_acted_on_is_said_again(wishes: Wishes) -> None:
    wishes.change(OLD)
    wishes.know(Before())
    wishes.fit(fits=False)
    said = wishes.take()
    assert wishes.take() == (None, None, None, False)
    wishes.put_back(said)
    assert wishes.take()[:2] == said[:2] == (OLD, Before())


def test_what_was_said_meanwhile_is_newer(wishes: Wishes) -> None:
    wishes.change(OLD)
    wishes.watch(live=True)
    said = wishes.take()
    wishes.change(NEW)
    wishes.put_back(said)
    again = wishes.take()
    assert (again.host, again.watched) == (NEW, True)
