"""Everything else by Apprise, through its own json:// against a real server on loopback."""

from __future__ import annotations

import json
import logging
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poller.errors import DeliveryError
from poller.model import ChangeKind, ChannelSettings, Letter, Secret, Severity
from poller.notify.faults import ChannelDownError
from poller.notify.service import TRIES, Service, understood
from poller.notify.short import LENGTH, short
from tests.notify.samples import ALERT, NAUGHTY, OPS, START, alert, notification
from tests.notify.servers import dead_port, hostile_server
from tests.notify.web import Site, answering, web_server

TOKEN = "t0ken-of-the-account"
LETTER = Letter(OPS, (notification(),))
pytestmark = [
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),  # of Apprise
    pytest.mark.filterwarnings("ignore:Non-string passwords:DeprecationWarning"),
]


@pytest.fixture
def url_file(tmp_path: Path) -> Path:
    path = tmp_path / "sms.url"
    path.touch(mode=0o600)
    return path


def channel(url_file: Path, url: str, **fields: Any) -> Service:
    url_file.write_text(url + "\n")
    return Service(ChannelSettings("sms", "apprise", url=Secret("file", str(url_file)), **{"timeout": 10.0, **fields}))


def refusal(url_file: Path, url: str, letter: Letter = LETTER, **fields: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        channel(url_file, url, **fields).send(letter)
    error = caught.value
    assert TOKEN not in f"{error.sentence} {error.hint} {error!r} {error.__cause__} {error.__context__}"
    return error


class TestDelivery:
    def test_title_and_text_arrive(self, url_file: Path) -> None:
        with web_server(Site()) as site:
            channel(url_file, f"json://poller:{TOKEN}@127.0.0.1:{site.port}/sms").send(LETTER)
        (request,) = site.requests
        told = json.loads(request.body)
        assert told["title"] == "[HIGH] web1: cpu.percent 97 > 90 for 5m"
        assert told["message"] == "since 2023-11-14 22:08:20 UTC"
        assert told["type"] == "warning" and request.path == "/sms"

    def test_the_end_is_good_news(self, url_file: Path) -> None:
        over = notification(replace(ALERT, value=41.0, closed_ms=START), ChangeKind.CLOSED, number=2)
        with web_server(Site()) as site:
            channel(url_file, f"json://127.0.0.1:{site.port}").send(Letter(OPS, (over,)))
        assert json.loads(site.requests[0].body)["type"] == "success"

    def test_the_test(self, url_file: Path) -> None:
        with web_server(Site()) as site:
            channel(url_file, f"json://127.0.0.1:{site.port}").send_test(OPS)
        assert json.loads(site.requests[0].body)["title"].startswith("[TEST]")

    def test_the_url_is_read_anew_each_time(self, url_file: Path) -> None:
        with web_server(Site()) as site:
            service = channel(url_file, f"json://127.0.0.1:{dead_port()}")
            with pytest.raises(DeliveryError):
                service.send(LETTER)
            url_file.write_text(f"json://127.0.0.1:{site.port}")
            service.send(LETTER)
        assert len(site.requests) == 1

    def test_markup_and_templates_of_others_stay_text(self, url_file: Path) -> None:
        nasty = replace(ALERT, host="<b>:smile: {{ 7 * 7 }}\\n</b>")
        with web_server(Site()) as site:
            channel(url_file, f"json://127.0.0.1:{site.port}").send(Letter(OPS, (notification(nasty),)))
        assert "<b>:smile: {{ 7 * 7 }}\\n</b>" in json.loads(site.requests[0].body)["title"]


class TestTrouble:
    @pytest.mark.parametrize("status", [400, 404, 500])
    def test_a_refusal_is_tried_again_and_after_five_tries_for_good(self, url_file: Path, status: int) -> None:
        with web_server(answering(status)) as site:
            url = f"json://poller:{TOKEN}@127.0.0.1:{site.port}/{TOKEN}"
            error = refusal(url_file, url)
            assert isinstance(error, ChannelDownError) and error.code == "deferred"
            old = Letter(OPS, (replace(notification(), attempts=TRIES - 1), notification(number=2)))
            error = refusal(url_file, url, old)
        assert (error.retry, error.code) == (False, "rejected")

    def test_nothing_listens(self, url_file: Path) -> None:
        assert refusal(url_file, f"json://:{TOKEN}@127.0.0.1:{dead_port()}").retry

    def test_a_service_that_never_answers_costs_its_time_out(self, url_file: Path) -> None:
        with hostile_server(lambda connection: None) as (port, _):
            began = time.monotonic()
            error = refusal(url_file, f"json://127.0.0.1:{port}/{TOKEN}?cto=30&rto=30", timeout=0.3)
            assert time.monotonic() - began < 10
        assert isinstance(error, ChannelDownError) and error.code == "timeout"

    def test_a_redirect_is_not_followed(self, url_file: Path) -> None:
        with web_server(Site()) as elsewhere, web_server(answering(307, Location=elsewhere.url())) as site:
            refusal(url_file, f"json://127.0.0.1:{site.port}")
        assert elsewhere.requests == []

    @pytest.mark.parametrize(
        "url",
        [
            TOKEN,
            f"nothing://{TOKEN}",
            f"slack://{TOKEN}",
            "json://",
            "=",
            f"tgram://{TOKEN}/",
            "json://127.0.0.1:1\njson://127.0.0.1:2",
        ],
    )
    def test_what_is_no_url_of_apprise_keeps_the_message(self, url_file: Path, url: str) -> None:
        error = refusal(url_file, url)
        assert isinstance(error, ChannelDownError) and error.code == "address"

    def test_a_url_file_open_to_others_keeps_the_message(self, url_file: Path) -> None:
        url_file.chmod(0o644)
        error = refusal(url_file, "json://127.0.0.1")
        assert isinstance(error, ChannelDownError) and error.code == "secret"

    def test_neither_log_nor_terminal_see_the_url(
        self, url_file: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        with web_server(answering(500)) as site:
            for url in (f"json://{TOKEN}@127.0.0.1:{site.port}/{TOKEN}", f"nothing://{TOKEN}", f"slack://{TOKEN}"):
                refusal(url_file, url)
        shown = capfd.readouterr()
        assert TOKEN not in "".join(record.getMessage() for record in caplog.records) + shown.out + shown.err

    def test_no_thread_stays_that_would_keep_the_poller_from_ending(self, url_file: Path) -> None:
        before = set(threading.enumerate())
        with web_server(Site()) as site:
            channel(url_file, f"json://127.0.0.1:{site.port}").send(LETTER)
        assert all(thread.daemon for thread in set(threading.enumerate()) - before)


@pytest.mark.parametrize(
    "url",
    [
        "twilio://AC0123456789abcdef:0123456789abcdef@15550100001/15550100002",
        "vonage://0123abcd:0123456789abcdef@15550100001/15550100002",
        "ntfys://poller:s3cret@ntfy.example.org/alerts",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "tgram://123456789:abcdefghijklmnopqrstuvwxyz0123456789/12345678",
    ],
)
def test_apprise_understands_the_urls_that_the_docs_show(url: str) -> None:
    assert understood(url)
    page = (Path(__file__).parents[2] / "docs" / "channels.md").read_text()
    assert f"`{url.partition(':')[0]}://" in page


class TestShort:
    def test_one_alert(self) -> None:
        down = alert(metric="host.down", value=1.0, limit="> 0 for 3 polls", reason="connect/timeout: no answer")
        assert short(Letter(OPS, (notification(down),))) == (
            "[HIGH] web1: host.down for 3 polls",
            "since 2023-11-14 22:08:20 UTC: connect/timeout: no answer",
        )

    def test_many_are_counted(self) -> None:
        many = [notification(alert(f"lab{number}", severity=Severity.MEDIUM)) for number in range(40)]
        title, text = short(Letter(OPS, (*many, notification(alert("web1")))))
        assert title == "[1 HIGH 40 MEDIUM] 41 hosts"
        assert text.startswith("web1 cpu.percent 97 > 90 for 5m; lab0 cpu.percent 97 > 90 for 5m; ")
        assert text.endswith("…")

    def test_several_of_one_host(self) -> None:
        both = (notification(alert()), notification(alert(metric="memory.percent")))
        title, text = short(Letter(OPS, both))
        assert (title, text) == ("[2 HIGH] web1", "cpu.percent 97 > 90 for 5m; memory.percent 97 > 90 for 5m")

    def test_a_note_goes_with_it(self) -> None:
        assert short(replace(LETTER, note="The quota is used up."))[1].startswith("The quota is used up. since")

    @pytest.mark.parametrize("text", NAUGHTY, ids=ascii)
    @pytest.mark.parametrize("count", [1, 2, 500])
    def test_it_is_never_long_and_never_harmful(self, text: str, count: int) -> None:
        nasty = replace(ALERT, host=text, metric=text, labels=(("mountpoint", text),), limit=text, reason=text)
        title, body = short(
            Letter(OPS, tuple(notification(replace(nasty, id=str(one))) for one in range(count)), note=text)
        )
        assert len(title) + len(body) < LENGTH and title and body
        assert (title + body).isprintable()
