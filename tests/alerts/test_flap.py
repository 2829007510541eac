"""Flapping: the shares that Icinga 2's documentation computes, and where it begins and ends."""

from __future__ import annotations

from poller.alerts.flap import count, flaps, percent, shifted


def history(text: str) -> int:
    """Oldest first: `x` where the state changed."""
    changes = 0
    for sign in text:
        changes = shifted(changes, changed=sign == "x")
    return changes


def test_the_example_of_icinga_gives_its_share() -> None:
    """0.84 + 0.86 + 0.88 + 0.9 + 0.98 + 1.06 + 1.12 + 1.18 = 7.82, and 7.82 / 20 = 39.1 %."""
    changes = history("..xxxx...x...x..x..x")
    assert percent(changes) == 39.1
    assert count(changes) == 8
    assert flaps(changes, before=False)
    assert not flaps(history("..xxxx...x...x..x..x......."), before=True), "steady after seven more polls"


def test_it_begins_over_30_and_ends_under_25_percent() -> None:
    at_30 = sum(1 << age for age in (6, 7, 8, 10, 11, 12))
    assert percent(at_30) == 30
    assert not flaps(at_30, before=False), "30 % is not over 30 %"
    assert flaps(at_30 ^ 1 << 6 ^ 1 << 5, before=False), "a little newer"
    at_25 = sum(1 << age for age in (7, 8, 9, 10, 11))
    assert percent(at_25) == 25
    assert flaps(at_25, before=True), "25 % is not under 25 %"
    assert not flaps(shifted(at_25, changed=False), before=True)
    assert not flaps(at_25, before=False)


def test_only_the_last_20_states_count() -> None:
    assert percent(history("x" * 50)) == percent(history("x" * 20)) == 99
    assert history("x" * 20 + "." * 20) == 0


def test_a_change_counts_less_the_older_it_is() -> None:
    shares = [percent(history("x" + "." * age)) for age in range(21)]
    assert shares[0] == 5.9
    assert shares[19] == 4.0
    assert shares[20] == 0
    assert shares == sorted(shares, reverse=True)
