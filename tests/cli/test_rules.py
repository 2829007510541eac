"""`poller rules test`: the rules of today on the polls of the past, with the reason of each answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poller.model import MetricValue, Poll
from poller.store import Journal
from tests.cli.calling import Inside
from tests.cli.past import inert, now_ms
from tests.config.files import write
from tests.store.machines import failed, poll

CONFIG = """<poller><journal path="poller.db"/><poll interval="60s" deadline="30s"/>
<thresholds name="few">
  <threshold metric="cpu.percent" above="90" clear="70" for="3m"/>
  <threshold metric="disk.percent" above="80" severity="high"/>
  <threshold metric="hardware.celsius" above="80"/>
  <threshold metric="swap.percent" reaches="100" within="4h"/>
  <rule name="busy" severity="high">cpu.percent > 90 and load.1m_per_cpu > 2</rule>
  <rule name="swapping" for="2m" clear="swap.percent &lt; 10">swap.percent > 50</rule>
</thresholds>
<host name="web1" address="local" thresholds="few"/><host name="web2" address="local" thresholds="few"/></poller>"""

# Minutes ago -> cpu.percent, load.1m_per_cpu, disk.percent of / and /var; None: the host could not be polled.
Past = dict[int, tuple[float, float, float, float] | None]
QUIET = (5.0, 0.1, 10.0, 20.0)
BUSY = (97.0, 2.5, 10.0, 95.0)


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    write(tmp_path, CONFIG)
    return Inside(tmp_path, capsys, monkeypatch)


def fill(folder: Path, past: Past) -> int:
    """The journal of web1; the instant from which the minutes count back."""
    now = now_ms()
    with Journal.open(folder / "poller.db", now_ms=now) as journal, journal.transaction() as work:
        for ago, seen in sorted(past.items(), reverse=True):
            work.store_poll(at(poll("web1", 200 - ago) if seen else failed("web1"), now - ago * 60_000), numbers(seen))
    return now


def at(one: Poll, at_ms: int) -> Poll:
    return replace(one, at_ms=at_ms, id=f"web1-{at_ms}")


def numbers(seen: Sequence[float] | None) -> list[MetricValue]:
    if seen is None:
        return []
    cpu, load, root, var = seen
    return [
        MetricValue("cpu.percent", cpu),
        MetricValue("load.1m_per_cpu", load),
        MetricValue("swap.percent", 20.0),
        MetricValue("disk.percent", root, (("mountpoint", "/"),)),
        MetricValue("disk.percent", var, (("mountpoint", "/var"),)),
    ]


def answers(inside: Inside, *words: str) -> dict[str, dict[str, Any]]:
    """By name of the rule with its label value; of thresholds on one metric the last."""
    answer = inside("rules", "test", "--host", "web1", *words, "--json")
    assert answer.code == 0, answer.err
    return {one["rule"] + "".join(one["labels"].values()): one for one in json.loads(answer.out)["answers"]}


def test_each_rule_says_what_it_saw_and_why_it_fired_or_did_not(inside: Inside) -> None:
    fill(inside.folder, {4: QUIET, 3: QUIET, 2: BUSY, 1: BUSY})
    said = answers(inside)
    assert said["busy"]["state"] == "firing"
    assert said["busy"]["saw"] == "cpu.percent 97, load.1m_per_cpu 2.5"
    assert "(2 polls)" in said["busy"]["why"]
    assert said["cpu.percent"]["state"] == "pending"
    assert said["cpu.percent"]["why"].endswith("counts after 3m")
    assert (said["disk.percent/"]["state"], said["disk.percent/var"]["state"]) == ("ok", "firing")
    assert (said["disk.percent/"]["why"], said["disk.percent/var"]["value"]) == ("10.0 is within the limit", 95.0)
    assert said["swap.percent"]["state"] == "unknown"
    assert said["swap.percent"]["why"] == "too little is known of the hours before"
    assert said["swapping"]["state"] == "between"


def test_people_get_a_table_and_with_a_name_every_part_of_its_condition(inside: Inside) -> None:
    fill(inside.folder, {2: QUIET, 1: BUSY})
    table = inside("rules", "test", "--host", "web1").out
    assert "cpu.percent > 90 for 3m [medium]" in table
    assert "swap.percent reaches 100 within 4h" in table
    one = inside("rules", "test", "--host", "web1", "--rule", "busy").out.splitlines()
    assert [line.split() for line in one[3:]] == [
        ["CONDITION", "SAW"],
        ["cpu.percent", ">", "90", "and", "load.1m_per_cpu", ">", "2", "true"],
        ["cpu.percent", ">", "90", "true"],
        ["cpu.percent", "97"],
        ["load.1m_per_cpu", ">", "2", "true"],
        ["load.1m_per_cpu", "2.5"],
    ]


def test_a_host_that_was_away_is_unknown_and_what_fired_stays(inside: Inside) -> None:
    fill(inside.folder, {3: QUIET, 2: BUSY, 1: None})
    said = answers(inside)
    assert said["busy"]["state"] == "unknown"
    assert said["busy"]["why"].startswith("the host could not be polled; stays firing, breached since")
    assert said["disk.percent"]["why"] == "the host could not be polled"


def test_a_pinged_host_is_not_said_to_be_away(tmp_path: Path, inside: Inside) -> None:
    write(tmp_path, CONFIG.replace('name="web1" address="local"', 'name="web1" address="192.0.2.1" via="ping"'))
    now = now_ms()
    pinged = replace(poll("web1", 1), report=None)
    with Journal.open(tmp_path / "poller.db", now_ms=now) as journal, journal.transaction() as work:
        work.store_poll(at(pinged, now - 60_000), [MetricValue("ping.seconds", 0.001), MetricValue("host.down", 0.0)])
    said = answers(inside)
    assert said["busy"]["why"] == "it is only pinged, which tells no such number"


def test_of_a_trend_that_is_not_known_nothing_is_guessed(inside: Inside) -> None:
    fill(inside.folder, {1: QUIET})
    assert "not in sight" not in inside("rules", "test", "--host", "web1").out


def test_a_time_chooses_the_newest_poll_before_it(inside: Inside) -> None:
    now = fill(inside.folder, {5: BUSY, 4: QUIET, 3: QUIET, 1: BUSY})
    answer = json.loads(inside("rules", "test", "--host", "web1", "--at", "2m", "--json").out)
    assert answer["at_ms"] == now - 180_000
    assert {one["state"] for one in answer["answers"]} <= {"ok", "unknown", "between"}


def test_a_longer_time_lists_all_that_would_have_happened(inside: Inside) -> None:
    now = fill(inside.folder, {9: QUIET, 8: BUSY, 7: BUSY, 6: None, 5: BUSY, 4: QUIET, 3: BUSY, 2: QUIET, 1: QUIET})
    document = json.loads(inside("rules", "test", "--host", "web1", "--since", "30m", "--json").out)
    assert document["polls"] == 9
    told = [
        ((now - one["at_ms"]) // 60_000, one["kind"], one["rule"], one["labels"].get("mountpoint", ""))
        for one in document["changes"]
    ]
    assert told == [
        (8, "opened", "busy", ""),
        (8, "opened", "disk.percent", "/var"),
        (5, "opened", "cpu.percent", ""),
        (4, "closed", "busy", ""),
        (4, "closed", "cpu.percent", ""),
        (4, "closed", "disk.percent", "/var"),
        (3, "opened", "busy", ""),
        (3, "opened", "disk.percent", "/var"),
        (2, "closed", "busy", ""),
        (2, "closed", "disk.percent", "/var"),
    ]
    table = inside("rules", "test", "--host", "web1", "--since", "30m", "--rule", "busy").out.splitlines()
    assert table[0].split() == ["TIME", "CHANGE", "SEVERITY", "RULE", "WHY"]
    assert table[-1].endswith(": opened 2 times, ended 2 times")
    assert "cpu.percent 97, load.1m_per_cpu 2.5: cpu.percent > 90 and load.1m_per_cpu > 2" in table[1]


def test_what_would_have_flapped_is_told(inside: Inside) -> None:
    fill(inside.folder, {ago: BUSY if ago % 2 else QUIET for ago in range(1, 40)})
    out = inside("rules", "test", "--host", "web1", "--since", "2h", "--rule", "busy").out
    assert "began to flap 1 time" in out
    assert answers(inside)["busy"]["state"] == "flapping"


def test_nothing_is_stored(inside: Inside) -> None:
    fill(inside.folder, {2: QUIET, 1: BUSY})
    before = (inside.folder / "poller.db").read_bytes()
    answers(inside)
    inside("rules", "test", "--host", "web1", "--since", "1h")
    assert (inside.folder / "poller.db").read_bytes() == before


def test_nothing_that_fired_is_said_in_a_sentence(inside: Inside) -> None:
    fill(inside.folder, {2: QUIET, 1: QUIET})
    assert inside("rules", "test", "--host", "web1", "--since", "1h").out.endswith(": nothing would have fired\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--host", "web1", "--rule", "bussy"), "did you mean busy?"),
        (("--host", "web*"), "'web*' matches 2 hosts"),
        (("--host", "web2"), "the journal has no poll of web2"),
        (("--host", "web2"), "`poller run` polls it"),
        (("--host", "web1", "--at", "2020-01-31"), "the journal has no poll of web1"),
        (("--host", "web1", "--at", "2020-01-31"), "give a time after that: its oldest poll of web1 is that of 2"),
        (("--host", "web1", "--rule", "xyz"), "`poller config show web1` shows its rules"),
        (("--host", "web1", "--since", "1h", "--at", "1d"), "is after --at"),
        (("--host", "web1", "--at", "noon"), "neither an age"),
        ((), "--host"),
    ],
)
def test_mistakes_are_told_with_the_way_out(inside: Inside, words: tuple[str, ...], said: str) -> None:
    fill(inside.folder, {1: QUIET})
    answer = inside("rules", "test", *words)
    assert answer.code == 2
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_hostile_label_values_cannot_move_the_cursor(inside: Inside) -> None:
    now = now_ms()
    evil = MetricValue("hardware.celsius", 99.0, (("sensor", "core/\x1b[2J\r\nx\u202e"),))
    with Journal.open(inside.folder / "poller.db", now_ms=now) as journal, journal.transaction() as work:
        work.store_poll(at(poll("web1", 1), now - 60_000), [evil])
    for words in ((), ("--since", "1h"), ("--rule", "hardware.celsius")):
        out = inside("rules", "test", "--host", "web1", *words).out
        assert "core/" in out
        assert inert(out)
