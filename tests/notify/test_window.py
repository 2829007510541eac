"""Hours and downtimes by the clock on the wall, also on the two days of the year on which that clock is set."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from poller.model import Downtime, Host, Hours
from poller.notify.window import covers, in_downtime

BERLIN, SAO_PAULO = "Europe/Berlin", "America/Sao_Paulo"
WEEKDAYS = frozenset(range(5))


def utc(text: str) -> int:
    """Milliseconds of `2026-03-29 01:30`."""
    return round(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp() * 1000)


def window(span: str, zone: str = "UTC", days: frozenset[int] = frozenset(range(7))) -> Hours:
    begin, end = (int(text[:2]) * 60 + int(text[3:]) for text in span.split("-"))
    return Hours(days, begin, end, zone)


def begins(hours: Hours, text: str) -> str:
    """The first minute from then on that is inside, of the next sixteen days."""
    minutes = range(utc(text), utc(text) + 16 * 86_400_000, 60_000)
    first_ms = next(at_ms for at_ms in minutes if covers(hours, at_ms))
    return datetime.fromtimestamp(first_ms / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


class TestPlainDays:
    def test_the_end_is_not_part_of_it(self) -> None:
        hours = window("08:00-18:00")
        moments = ("07:59:59.999", "08:00", "17:59:59.999", "18:00")
        assert [covers(hours, utc(f"2026-06-01 {at}")) for at in moments] == [False, True, True, False]

    def test_only_on_its_days(self) -> None:
        hours = window("08:00-18:00", days=WEEKDAYS)
        assert [covers(hours, utc(f"2026-06-{day:02} 12:00")) for day in range(5, 9)] == [True, False, False, True]

    def test_over_midnight_it_belongs_to_the_day_on_which_it_began(self) -> None:
        friday_night = window("22:00-06:00", days=frozenset({4}))
        assert covers(friday_night, utc("2026-06-05 23:00"))
        assert covers(friday_night, utc("2026-06-06 05:59"))
        assert not covers(friday_night, utc("2026-06-05 05:00"))
        assert not covers(friday_night, utc("2026-06-06 23:00"))

    def test_a_whole_day_up_to_midnight(self) -> None:
        monday = window("00:00-24:00", days=frozenset({0}))
        moments = ("2026-05-31 23:59", "2026-06-01 00:00", "2026-06-01 23:59", "2026-06-02 00:00")
        assert [covers(monday, utc(at)) for at in moments] == [False, True, True, False]

    def test_when_it_begins_again(self) -> None:
        hours = window("08:00-18:00", days=WEEKDAYS)
        assert begins(hours, "2026-06-05 18:00") == "2026-06-08 08:00:00"
        assert begins(hours, "2026-06-05 07:00") == "2026-06-05 08:00:00"
        assert begins(hours, "2026-06-05 12:00") == "2026-06-05 12:00:00", "it has begun"


class TestClocksThatAreSet:
    """In Berlin 02:00 to 03:00 is left out on 29 March 2026 and comes twice on 25 October."""

    def test_a_window_that_begins_in_the_gap_begins_after_it(self) -> None:
        hours = window("02:30-04:00", BERLIN)
        assert not covers(hours, utc("2026-03-29 00:59"))
        assert covers(hours, utc("2026-03-29 01:00")), "03:00 summer time"
        assert not covers(hours, utc("2026-03-29 02:00")), "04:00"
        assert begins(hours, "2026-03-29 00:00") == "2026-03-29 01:00:00"

    def test_a_window_inside_the_gap_does_not_happen(self) -> None:
        hours = window("02:15-02:45", BERLIN)
        assert not any(covers(hours, utc("2026-03-29 00:00") + minute * 60_000) for minute in range(240))
        assert begins(hours, "2026-03-29 00:00") == "2026-03-30 00:15:00"

    def test_a_weekly_window_inside_the_gap_comes_a_week_later(self) -> None:
        sunday = window("02:15-02:45", BERLIN, frozenset({6}))
        assert begins(sunday, "2026-03-22 02:00") == "2026-04-05 00:15:00"

    def test_a_window_over_the_gap_is_an_hour_shorter(self) -> None:
        hours = window("01:00-04:00", BERLIN)
        minutes = [covers(hours, utc("2026-03-28 22:00") + minute * 60_000) for minute in range(480)]
        assert sum(minutes) == 120

    def test_hours_that_come_twice_count_both_times(self) -> None:
        hours = window("02:00-03:00", BERLIN)
        minutes = [covers(hours, utc("2026-10-24 22:00") + minute * 60_000) for minute in range(480)]
        assert sum(minutes) == 120
        assert covers(hours, utc("2026-10-25 00:30")) and covers(hours, utc("2026-10-25 01:30"))

    def test_a_window_begins_for_the_second_time(self) -> None:
        hours = window("02:15-02:45", BERLIN)
        assert begins(hours, "2026-10-24 23:00") == "2026-10-25 00:15:00"
        assert begins(hours, "2026-10-25 00:45") == "2026-10-25 01:15:00"

    def test_a_window_begins_again_because_the_clock_was_set_back_into_it(self) -> None:
        assert begins(window("01:00-02:30", BERLIN), "2026-10-25 00:30") == "2026-10-25 01:00:00"

    def test_the_hour_of_work_follows_the_clock_and_not_utc(self) -> None:
        hours = window("08:00-18:00", BERLIN)
        assert begins(hours, "2026-03-28 20:00") == "2026-03-29 06:00:00"
        assert begins(hours, "2026-03-27 20:00") == "2026-03-28 07:00:00"

    def test_a_zone_whose_clock_is_not_set_any_more(self) -> None:
        hours = window("02:30-04:00", SAO_PAULO)
        for day in ("2026-03-29", "2026-10-25", "2026-02-15", "2026-11-01"):
            assert begins(hours, f"{day} 00:00") == f"{day} 05:30:00"

    def test_a_day_that_has_no_midnight(self) -> None:
        """Sao Paulo, 4 November 2018: the clock went from 00:00 to 01:00."""
        hours = window("00:00-02:00", SAO_PAULO, frozenset({6}))
        assert begins(hours, "2018-11-03 12:00") == "2018-11-04 03:00:00"
        assert not covers(hours, utc("2018-11-04 04:00"))


class TestDowntimes:
    WEB = Host("web1", "192.0.2.1", group="lab", tags=frozenset({"floor2"}))
    NOON = utc("2026-06-01 12:00")

    def inside(self, at_ms: int = NOON, **fields: object) -> bool:
        downtime = Downtime("move", from_ms=self.NOON, until_ms=self.NOON + 60_000, **fields)  # type: ignore[arg-type]
        return in_downtime((downtime,), self.WEB, at_ms) is downtime

    def test_once_it_lasts_from_its_first_to_before_its_last_instant(self) -> None:
        times = (self.NOON - 1, self.NOON, self.NOON + 59_999, self.NOON + 60_000)
        assert [self.inside(at_ms) for at_ms in times] == [False, True, True, False]

    def test_it_means_hosts_groups_or_tags_and_all_hosts_when_none_is_named(self) -> None:
        assert self.inside(hosts=("db*", "web?"))
        assert self.inside(hosts=("db*",), groups=("lab",))
        assert self.inside(tags=("floor1", "floor2"))
        assert not self.inside(hosts=("db*",), groups=("shop",), tags=("floor1",))

    def test_a_host_of_no_group_is_in_none(self) -> None:
        downtime = Downtime("nightly", groups=("lab",), hours=Hours())
        assert in_downtime((downtime,), Host("web1", "192.0.2.1"), self.NOON) is None

    def test_every_week_by_its_zone(self) -> None:
        nightly = Downtime("nightly", hours=window("02:00-04:00", BERLIN))
        inside = [
            in_downtime((nightly,), self.WEB, utc("2026-06-01 00:00") + hour * 3_600_000) is not None
            for hour in range(4)
        ]
        assert inside == [True, True, False, False]

    def test_the_first_of_several_counts(self) -> None:
        first, second = Downtime("first", hours=Hours()), Downtime("second", hours=Hours())
        assert in_downtime((first, second), self.WEB, self.NOON) is first


def test_far_away_years_are_no_fault() -> None:
    far = round(
        (datetime(9990, 1, 1, tzinfo=timezone.utc) - datetime(1970, 1, 1, tzinfo=timezone.utc))
        / timedelta(milliseconds=1)
    )
    assert covers(Hours(zone=BERLIN), far)
