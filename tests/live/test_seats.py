"""Amber after two seconds without a sign of life, dark after five, by a clock that nobody can set."""

from __future__ import annotations

from poller.live.seats import Seats
from poller.model import Light, Link, LinkState

MS = 1_700_000_000_000


def seats(*hosts: str) -> Seats:
    made = Seats()
    made.expect(hosts or ("pc07",), MS)
    return made


def lights(made: Seats, now: float, now_ms: int = MS) -> list[tuple[Light, str]]:
    return [(seat.light, seat.words) for seat in made.look(now, now_ms)]


def linked(link: Link, reason: str = "") -> LinkState:
    return LinkState("pc07", link, MS, reason=reason)


def test_a_host_is_connected_amber_dark_and_back() -> None:
    made = seats()
    assert lights(made, 0.0) == []
    made.linked(linked(Link.CONNECTED), 1.0)
    assert lights(made, 1.0) == [(Light.CONNECTED, "connected")]
    made.heard("pc07", ("uevent", "mountinfo", "packet"), 2.0)
    assert lights(made, 3.9) == [(Light.CONNECTED, "connected")], "it says what it can see"
    assert lights(made, 4.1, MS - 86_400_000) == [(Light.AMBER, "silent for 2 s")]
    assert lights(made, 6.9) == []
    assert lights(made, 7.0) == [(Light.DARK, "silent for 5 s")]
    made.linked(linked(Link.LOST, "session/timeout: nothing came"), 7.1)
    made.linked(linked(Link.CONNECTED), 12.0)
    made.returned("pc07", "back after 10s: sshd was restarted")
    assert lights(made, 12.0) == [(Light.CONNECTED, "back after 10s: sshd was restarted")]
    assert made.all[0].coverage == ("uevent", "mountinfo", "packet")


def test_one_that_is_heard_again_in_the_same_session_says_for_how_long_it_was_silent() -> None:
    made = seats()
    made.linked(linked(Link.CONNECTED), 0.0)
    made.heard("pc07", (), 0.5)
    made.look(1.0, MS)
    assert lights(made, 5.5, MS + 4_500) == [(Light.DARK, "silent for 5 s")]
    made.heard("pc07", (), 7.6)
    assert lights(made, 7.6, MS + 6_600) == [(Light.CONNECTED, "back after 7s: silence, in the same session")]
    made.linked(linked(Link.LOST, "session/closed: the host ended it"), 8.0)
    made.look(20.0, MS + 19_000)
    made.linked(linked(Link.CONNECTED), 21.0)
    assert lights(made, 21.0, MS + 20_000) == [(Light.CONNECTED, "connected")], "why, the next poll tells"


def test_one_that_is_connected_in_another_session_was_not_just_silent() -> None:
    made = seats()
    made.linked(linked(Link.CONNECTED), 0.0)
    made.heard("pc07", (), 0.5)
    made.look(1.0, MS)
    assert lights(made, 5.5) == [(Light.DARK, "silent for 5 s")]
    made.linked(linked(Link.CONNECTED, "probe/closed: the connection broke"), 9.0, anew=True)
    assert lights(made, 9.0) == [(Light.CONNECTED, "connected")], "why, its poll tells"


def test_a_session_that_ends_is_amber_at_once_and_says_why() -> None:
    made = seats()
    made.linked(linked(Link.CONNECTED), 0.0)
    made.heard("pc07", (), 1.0)
    made.look(1.0, MS)
    made.linked(linked(Link.LOST, "session/closed: the host ended it"), 1.5)
    assert lights(made, 1.5) == [(Light.AMBER, "session/closed: the host ended it")]
    assert lights(made, 6.0) == [(Light.DARK, "session/closed: the host ended it")]


def test_a_host_that_is_connected_and_says_nothing_by_itself_is_not_silent() -> None:
    made = seats()
    made.linked(linked(Link.CONNECTED), 0.0)
    assert lights(made, 60.0) == [(Light.CONNECTED, "connected")]


def test_one_that_was_never_reached_is_dark_and_one_that_is_held_by_nobody_is_cold() -> None:
    made = seats()
    made.linked(linked(Link.LOST, "connect/refused: nobody listens"), 0.0)
    assert lights(made, 0.0) == [(Light.DARK, "connect/refused: nobody listens")]
    made.linked(linked(Link.COLD), 1.0)
    assert lights(made, 1.0) == [(Light.COLD, "cold")]


def test_the_next_turn_is_known_so_that_nobody_has_to_look_all_the_time() -> None:
    made = seats()
    assert made.next(0.0) == float("inf")
    made.linked(linked(Link.CONNECTED), 0.0)
    made.heard("pc07", (), 1.0)
    assert made.next(1.0) == 3.0
    assert made.next(3.0) == 6.0


def test_who_is_no_longer_watched_is_forgotten_and_others_stay_as_they_are() -> None:
    made = seats("pc07", "pc08")
    made.linked(linked(Link.CONNECTED), 0.0)
    made.look(0.0, MS)
    assert made.expect(("pc07", "pc09"), MS) == ("pc09",)
    assert {seat.host: seat.light for seat in made.all} == {"pc07": Light.CONNECTED, "pc09": Light.WAITING}


def test_a_host_that_left_the_configuration_is_shown_as_gone_once() -> None:
    made = seats("pc07", "pc08")
    made.linked(linked(Link.CONNECTED), 0.0)
    made.look(0.0, MS)
    made.expect(("pc08",), MS + 1_000)
    (gone,) = made.look(1.0, MS + 1_000)
    assert (gone.host, gone.light, gone.words) == ("pc07", Light.DARK, "no longer in config.xml")
    assert gone.since_ms == MS + 1_000
    assert made.look(2.0, MS + 2_000) == ()


def test_one_that_left_and_came_back_before_anybody_looked_never_left() -> None:
    made = seats("pc07")
    made.expect((), MS)
    made.expect(("pc07",), MS)
    assert lights(made, 0.0) == []
