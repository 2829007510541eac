"""From a limit that is passed to the last mail, with people in between: acknowledged, silenced, watched by others."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.cli.calling import Inside
from tests.end_to_end.site import Site
from tests.notify.servers import Mail, mail_server

# A host that has been up for longer than this is over the limit: 0 is passed by each, 9999d by none.
CROSSED, QUIET = "0", "9999d"
HOUR_MS = 3_600_000


@pytest.fixture
def inbox() -> Iterator[tuple[Mail, int]]:
    mail = Mail()
    with mail_server(mail) as port:
        yield mail, port


def configure(site: Site, port: int, limit: str, names: tuple[str, ...] = ("web1", "db1")) -> None:
    hosts = "".join(f'<host name="{name}" address="127.0.0.1" thresholds="test" notify="ops"/>' for name in names)
    threshold = f'<threshold metric="uptime.seconds" above="{limit}" severity="high" remind="1h"/>'
    site.write(
        hosts,
        more=f'<mail server="127.0.0.1" port="{port}" security="none" from="poller@example.org"/>'
        f'<contact name="ops" mail="ops@example.org"/><thresholds name="test">{threshold}</thresholds>',
        deadline="5s",
    )


@pytest.fixture
def look(site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    """What only reads needs no process of its own."""
    return Inside(site.folder, capsys, monkeypatch)


def alerts(look: Inside) -> dict[str, dict[str, Any]]:
    found = json.loads(look("alerts", "--json").out)["alerts"]
    return {one["host"]: one for one in found}


def check(look: Inside, host: str, code: int) -> str:
    """What the monitoring plugin says of the host; its exit code is looked at."""
    answer = look("check", "--host", host)
    assert answer.code == code, answer
    return answer.out


def hours_pass(site: Site, hours: int) -> None:
    """Moves all that was so far into the past, as if the next round came so much later."""
    by = hours * HOUR_MS
    with closing(sqlite3.connect(site.journal, isolation_level=None)) as connection:
        connection.execute(f"UPDATE alert SET opened_ms = opened_ms - {by}, since_ms = since_ms - {by}")
        connection.execute(f"UPDATE notification SET at_ms = at_ms - {by}, done_ms = done_ms - {by}")
        connection.execute(f"UPDATE message SET sent_ms = sent_ms - {by}")
        connection.execute(f"UPDATE silence SET from_ms = from_ms - {by}, until_ms = until_ms - {by}")


def texts(mail: Mail) -> list[str]:
    """Subject and text of each mail so far; they are taken away."""
    found = []
    for message in mail.messages:
        body = message.get_body(("plain",))
        found.append(f"{message['Subject']}\n{body.get_content() if body else ''}")
    mail.messages.clear()
    return found


def test_of_what_somebody_takes_care_nobody_is_reminded_but_its_end_is_told(
    site: Site, look: Inside, inbox: tuple[Mail, int]
) -> None:
    mail, port = inbox
    configure(site, port, CROSSED)
    assert "there is no database yet" in check(look, "web1", 3)
    site.poller("run", "-q")
    (opened,) = texts(mail)
    assert "HIGH" in opened and "web1" in opened and "db1" in opened
    assert {one["state"] for one in alerts(look).values()} == {"firing"}
    assert "[high] uptime.seconds" in check(look, "web1", 2)

    number = alerts(look)["web1"]["short_id"]
    site.poller("ack", number, "--comment", "it may stay up", "--author", "ops")
    assert alerts(look)["web1"]["acknowledgement"]["author"] == "ops"
    assert "acknowledged by ops: it may stay up" in site.poller("alerts").stdout
    check(look, "web1", 2)

    hours_pass(site, 2)
    site.poller("run", "-q")
    (reminder,) = texts(mail)
    assert "db1" in reminder and "web1" not in reminder

    configure(site, port, QUIET)
    site.poller("run", "-q")
    (over,) = texts(mail)
    assert "OK" in over and "web1" in over and "db1" in over
    assert alerts(look) == {}
    assert "POLLER OK - web1: " in check(look, "web1", 0)
    page = site.poller("alerts", number).stdout
    assert "ended" in page and "it may stay up" in page and "closed" in page
    assert site.poller("ack", number, "--comment", "too late", code=2).stdout == ""


def test_when_an_acknowledgement_is_taken_back_people_are_reminded_again(
    site: Site, look: Inside, inbox: tuple[Mail, int]
) -> None:
    mail, port = inbox
    configure(site, port, CROSSED, ("web1",))
    site.poller("run", "-q")
    number = alerts(look)["web1"]["short_id"]
    site.poller("ack", number, "--comment", "we know")
    hours_pass(site, 2)
    site.poller("run", "-q")
    assert len(texts(mail)) == 1, "that it opened"
    site.poller("ack", number, "--end")
    site.poller("run", "-q")
    (reminder,) = texts(mail)
    assert "web1" in reminder


def test_what_is_silenced_is_told_when_the_silence_ends_if_it_is_still_so(
    site: Site, look: Inside, inbox: tuple[Mail, int]
) -> None:
    mail, port = inbox
    configure(site, port, QUIET)
    site.poller("run", "-q")
    for host in ("web1", "db1"):
        site.poller("silence", "--host", host, "--for", "1h", "--comment", "new switch", "--author", "ops")
    configure(site, port, CROSSED)
    site.poller("run", "-q")
    assert texts(mail) == []
    assert {one["state"] for one in alerts(look).values()} == {"silenced"}
    assert "silenced until" in site.poller("status").stdout
    check(look, "web1", 2)

    silences = json.loads(site.poller("silence", "--json").stdout)["silences"]
    (number,) = (one["short_id"] for one in silences if one["host"] == "web1")
    site.poller("unsilence", number)
    site.poller("run", "-q")
    (told,) = texts(mail)
    assert "web1" in told and "db1" not in told
    check(look, "web1", 2)

    hours_pass(site, 2)  # the other one ends by itself
    site.poller("run", "-q")
    assert any("db1" in text for text in texts(mail))
    assert {one["state"] for one in alerts(look).values()} == {"firing"}


def test_what_was_over_before_its_silence_was_is_never_told(site: Site, look: Inside, inbox: tuple[Mail, int]) -> None:
    mail, port = inbox
    configure(site, port, QUIET, ("web1",))
    site.poller("run", "-q")
    site.poller("silence", "--host", "web1", "--for", "1h", "--comment", "new switch")
    configure(site, port, CROSSED, ("web1",))
    site.poller("run", "-q")
    number = alerts(look)["web1"]["short_id"]
    configure(site, port, QUIET, ("web1",))
    site.poller("run", "-q")
    hours_pass(site, 2)
    site.poller("run", "-q")
    assert texts(mail) == []
    assert "suppressed" in site.poller("alerts", number).stdout
    check(look, "web1", 0)


def test_the_end_of_what_was_told_passes_a_silence(site: Site, inbox: tuple[Mail, int]) -> None:
    mail, port = inbox
    configure(site, port, CROSSED, ("web1",))
    site.poller("run", "-q")
    assert len(texts(mail)) == 1
    site.poller("silence", "--metric", "uptime.*", "--for", "1h", "--comment", "new switch")
    configure(site, port, QUIET, ("web1",))
    site.poller("run", "-q")
    (over,) = texts(mail)
    assert "OK" in over and "web1" in over
