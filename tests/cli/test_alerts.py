"""`poller alerts`: what is open, the worst first, and what becomes of each; one in full; what changes."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from poller.cli.ids import found
from poller.errors import UsageError
from poller.model import EvidencePart, Severity
from poller.store import Journal
from tests.cli import past
from tests.cli.alarm import CONFIG, Ward
from tests.cli.calling import Inside
from tests.cli.following import following
from tests.cli.test_completion import completed
from tests.cli.test_terminal import on_terminal
from tests.config.files import write

VAR = ("mountpoint", "/var")


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    ward = Ward(tmp_path)
    for host in ("web1", "web2", "lab1"):
        for ago in (121, 61, 1):
            ward.polled(host, ago)
    return ward


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    return Inside(tmp_path, capsys, monkeypatch)


def shown(inside: Inside, *words: str) -> list[dict[str, Any]]:
    answer = inside("alerts", "--json", *words)
    assert answer.code == 0, answer.err
    listed: list[dict[str, Any]] = json.loads(answer.out)["alerts"]
    return listed


def test_without_any_it_says_so(ward: Ward, inside: Inside) -> None:
    answer = inside("alerts")
    assert (answer.code, answer.out, answer.err) == (0, "", "poller: no open alerts\n")
    assert shown(inside) == []


def test_that_none_fits_is_not_said_as_if_there_were_none(ward: Ward, inside: Inside) -> None:
    ward.fires("web1", "disk.percent", VAR)
    assert inside("alerts", "--metric", "cpu.*").err == "poller: none of the open alerts fits (1 open)\n"
    assert inside("alerts", "--all", "--severity", "high", "--host", "web2").err == "poller: no alerts that fit\n"


def test_the_worst_come_first_then_the_newest(ward: Ward, inside: Inside) -> None:
    old = ward.fires("web1", "disk.percent", VAR, ago=4980)
    low = ward.fires("web2", "load.1m", severity=Severity.LOW, ago=10)
    new = ward.fires("lab1", "disk.percent", ago=50)
    assert [one["id"] for one in shown(inside)] == [new.id, old.id, low.id]
    answer = inside("alerts")
    head, first, *_, last = answer.out.splitlines()
    assert head.split() == ["ID", "SEVERITY", "HOST", "SINCE", "ALERT", "STATE"]
    assert first.split()[:3] == [new.id[-8:], "high", "lab1"]
    assert f"{old.id[-8:]}  high      web1  83m ago  disk.percent{{/var}} 91 > 85" in answer.out
    assert last == "3 open (2 high, 1 low)"


@pytest.mark.parametrize(
    ("words", "hosts"),
    [
        (("--host", "web*"), {"web1", "web2"}),
        (("--group", "lab"), {"lab1"}),
        (("--group", "front", "--host", "*2"), {"web2"}),
        (("--severity", "high"), {"web1"}),
        (("--metric", "cpu.*"), {"web2", "lab1"}),
        (("--since", "5m"), {"web2"}),
        (("--since", "5m", "--all"), {"web1", "web2", "lab1"}),
        (("--limit", "1"), {"web2"}),
    ],
)
def test_alerts_can_be_chosen(ward: Ward, inside: Inside, words: tuple[str, ...], hosts: set[str]) -> None:
    ward.fires("web1", "disk.percent", VAR, ago=5000)
    ward.fires("web2", "cpu.percent", severity=Severity.MEDIUM, ago=60)
    ward.fires("lab1", "cpu.percent", severity=Severity.LOW, ago=600)
    assert {one["host"] for one in shown(inside, *words)} == hosts


def test_a_typing_error_is_told_what_was_meant(ward: Ward, inside: Inside) -> None:
    ward.fires("web1")
    answer = inside("alerts", "--host", "wbe1")
    assert answer.code == 2 and "did you mean web" in answer.err
    answer = inside("alerts", "--group", "labb")
    assert answer.code == 2 and "did you mean lab?" in answer.err
    assert inside("alerts", "--pending", "--all").code == 2


def test_ended_ones_are_shown_when_asked_for(ward: Ward, inside: Inside) -> None:
    over = ward.ends(ward.fires("web1", ago=5000), ago=4000)
    still = ward.fires("web2", severity=Severity.LOW)
    assert [one["id"] for one in shown(inside)] == [still.id]
    assert [(one["id"], one["state"]) for one in shown(inside, "--all")] == [
        (still.id, "untold"),
        (over.id, "ended"),
    ]
    assert [one["id"] for one in shown(inside, "--all", "--since", "1h")] == [still.id]
    text = inside("alerts", "--all").out
    assert "back below its limit" in text and text.endswith("1 open (1 low), 1 ended\n")


def test_what_becomes_of_an_alert_is_told(ward: Ward, inside: Inside) -> None:
    assert not shown(inside)
    told = ward.fires("web1", "disk.percent", VAR, told=("ops",))
    flapping = ward.fires("web1", "load.1m", flapping=True, told=("ops",))
    suspended = ward.fires("web2", "load.1m", ago=900, seen=600, told=("ops",))
    nobody = ward.fires("lab1", "load.1m")
    delivered(ward)
    states = {one["id"]: one["state"] for one in shown(inside)}
    assert states == {told.id: "firing", flapping.id: "flapping", suspended.id: "suspended", nobody.id: "untold"}
    assert inside("ack", told.id, "--comment", "we know", "--author", "net").code == 0
    silence = ("silence", "--host", "web2", "--metric", "load.*", "--for", "2h", "--comment", "new switch")
    assert inside(*silence, "--author", "ops").code == 0
    text = inside("alerts").out
    assert "acknowledged by net: we know" in text
    assert "silenced by ops until" in text and "new switch" in text
    assert "suspended: unknown since" in text and "flapping" in text
    assert "nobody was told: no notify= names anybody for it" in text
    states = {one["id"]: [state["state"] for state in one["states"]] for one in shown(inside)}
    assert states[told.id] == ["acknowledged"] and states[suspended.id] == ["suspended", "silenced"]


def test_a_downtime_and_why_nobody_was_told_are_told(ward: Ward, inside: Inside) -> None:
    write(
        ward.folder,
        CONFIG.replace("<thresholds", '<downtime name="nightly" hosts="web1" from="2020-01-01 00:00"'
                       ' until="2099-01-01 00:00" zone="UTC" comment="backup"/><thresholds', 1),
    )  # fmt: skip
    ward.fires("web1", told=("ops",))
    held = ward.fires("web2", told=("ops",))
    delivered(ward, but=held.id, why="quota mail")
    states = {one["host"]: one["states"][0] for one in shown(inside)}
    assert states["web1"] == {"state": "downtime", "words": "in downtime nightly: backup"}
    assert states["web2"] == {"state": "untold", "words": "nobody was told: quota mail"}


def delivered(ward: Ward, *, but: str = "", why: str = "") -> None:
    """As if all that is owed had been accepted by a channel; what is about the alert `but` is held back."""
    from poller.model import Message

    with Journal.open(ward.journal, now_ms=past.now_ms()) as journal:
        outbox = journal.outbox()
        try:
            pending = [one.notification for one in outbox.pending()]
            held = [one.id for one in pending if one.alert.id == but]
            sent = tuple(one.id for one in pending if one.alert.id != but)
            outbox.delivered(Message("message-1", "ops", "mail", past.now_ms(), "subject", sent))
            outbox.hold(held, why)
        finally:
            outbox.close()


def test_one_is_shown_in_full(ward: Ward, inside: Inside) -> None:
    alert = ward.fires("web1", "disk.percent", VAR, told=("ops",))
    delivered(ward)
    with Journal.open(ward.journal, now_ms=past.now_ms()) as journal, journal.transaction() as work:
        part = EvidencePart("processes", past.now_ms(), f"PID COMMAND\n1 init {past.HOSTILE}\n")
        work.store_evidence(alert.id, [part])
    assert inside("ack", alert.id[-4:], "--comment", "first").code == 0
    assert inside("ack", alert.id[-6:], "--comment", "second", "--until", "2h", "--author", "net").code == 0
    text = inside("alerts", alert.id[-8:]).out
    for word in (
        "web1  [high] disk.percent{/var} 91 > 85", "acknowledged by net until", f"id {alert.id}", "ops   opened",
        "delivered", "by mail", "first", "taken back", "second", "PROCESSES", "    1 init",
    ):  # fmt: skip
        assert word in text, word
    assert past.inert(text)
    document = json.loads(inside("alerts", alert.id, "--json").out)
    assert [one["state"] for one in document["notifications"]] == ["delivered"]
    assert [one["comment"] for one in document["acknowledgements"]] == ["first", "second"]
    assert document["evidence"][0]["part"] == "processes" and document["alert"]["evidence"] == ["processes"]
    ward.ends(alert)
    assert "ended" in inside("alerts", alert.id[-8:]).out


def test_an_id_must_say_which(ward: Ward, inside: Inside) -> None:
    alerts = [ward.fires("web1", f"load.{minutes}m") for minutes in (1, 5)]
    assert "too short" in inside("alerts", alerts[0].id[-3:]).err
    assert inside("alerts", alerts[0].id, "--follow").code == 2
    answer = inside("alerts", "zzzz")
    assert answer.code == 2 and "poller alerts --all" in answer.err


def test_an_ending_that_several_ids_have_is_told_with_longer_ones() -> None:
    known = ["0000-aa1f2e3d4c", "0000-bb1f2e3d4c", "0000-cc00000000"]
    assert found("0000", known[2:], "an alert", "`poller alerts`") == known[2]
    assert found("AA1F2E3D4C", known, "an alert", "`poller alerts`") == known[0]
    with pytest.raises(UsageError) as caught:
        found("3d4c", known, "an alert", "`poller alerts`")
    assert caught.value.sentence == "2 ids end in '3d4c'" and "a1f2e3d4c, b1f2e3d4c" in caught.value.hint


def test_foreign_text_is_inert_and_each_alert_a_row(ward: Ward, inside: Inside) -> None:
    ward.fires("web1", "disk.percent", ("mountpoint", past.HOSTILE), limit="> 85")
    text = inside("alerts").out
    assert past.inert(text) and len(text.splitlines()) == 3
    assert past.inert(inside("alerts", shown(inside)[0]["id"]).out)


@pytest.mark.parametrize("width", ["40", "80", "140"])
def test_a_terminal_of_any_width_shows_it_whole(ward: Ward, width: str) -> None:
    alert = ward.fires("web1", "disk.percent", ("mountpoint", "/srv/backup/of/everything"))
    text = on_terminal(ward.folder, "alerts", COLUMNS=width)
    assert "\x1b[1;31mhigh" in text
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text.replace("\r\n", "\n"))
    assert max(map(len, plain.splitlines())) <= int(width)
    assert alert.id[-8:] in plain and "/srv/backup/of/everything" in re.sub(r"\s", "", plain)


def test_no_color_is_heeded(ward: Ward) -> None:
    ward.fires("web1")
    assert "\x1b" not in on_terminal(ward.folder, "alerts", NO_COLOR="1").replace("\x1b[1m", "").replace("\x1b[0m", "")


def test_what_is_pending_is_told_with_what_it_waits_for(ward: Ward, inside: Inside) -> None:
    assert "waits to be an alert" in inside("alerts", "--pending").err
    ward.waits("web1", "cpu.percent", "above 90 medium", ago=130, polls=3)
    ward.waits("web2", "cpu.percent", "above 50 low", ago=30, polls=1)
    text = inside("alerts", "--pending").out
    assert re.search(r"^web1 +medium +2m ago +3 polls +cpu.percent > 90 for 5m$", text, re.MULTILINE)
    assert re.search(r"^web2 +low +[345]\ds ago +1 poll +cpu.percent no longer in config.xml$", text, re.MULTILINE)
    document = json.loads(inside("alerts", "--pending", "--json", "--host", "web1").out)
    assert [(one["host"], one["for_seconds"]) for one in document["pending"]] == [("web1", 300)]
    assert json.loads(inside("alerts", "--pending", "--json", "--severity", "high").out)["pending"] == []


def test_changes_are_followed_once_each_and_ctrl_c_ends_it(ward: Ward, inside: Inside) -> None:
    first = ward.fires("web1", "load.1m", told=("ops",))
    with following(ward.folder, "alerts", "--json") as follower:
        (line,) = follower.until(first.id)
        assert json.loads(line)["state"] == "firing"
        second = ward.fires("web2", "disk.percent", VAR, ago=0, told=("ops",))
        (line,) = follower.until(second.id)
        assert inside("ack", second.id, "--comment", "we know").code == 0
        (line,) = follower.until("acknowledged by")
        assert json.loads(line)["id"] == second.id
        ward.ends(first)
        (line,) = follower.until("ended")
        assert json.loads(line)["id"] == first.id
        third = ward.ends(ward.fires("lab1", "load.5m", ago=0))  # between two looks
        assert json.loads(follower.until(third.id)[-1])["host"] == "lab1"
        code, err = follower.interrupt()
    assert (code, "Traceback" in err) == (128 + signal.SIGINT, False)


def test_following_in_words_ends_when_nobody_reads_any_more(ward: Ward) -> None:
    alert = ward.fires("web1", "disk.percent", VAR)
    with following(ward.folder, "alerts") as follower:
        (line,) = follower.until("web1")
        assert f"{alert.id[-8:]} web1 [high] disk.percent{{/var}} 91 > 85" in line
        assert follower.stop_reading() == 0


def test_ids_are_offered_to_the_shell(ward: Ward) -> None:
    alert = ward.fires("web1")
    for line in ("poller alerts ", "poller ack ", f"poller ack {alert.id[-8:-4]}"):
        assert completed(ward.folder, line) == [alert.id[-8:]]
    ward.journal.unlink()
    assert completed(ward.folder, "poller ack ") == []


def test_without_a_database_it_says_how_to_get_one(ward: Ward, inside: Inside) -> None:
    for file in ward.folder.glob("poller.db*"):
        file.unlink()
    for words in (("alerts",), ("ack", "1234", "--comment", "x"), ("silence",), ("unsilence", "1234")):
        answer = inside(*words)
        assert answer.code == 2 and "`poller run` makes it" in answer.err, words
    assert not ward.journal.exists()
