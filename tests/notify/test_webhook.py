"""Webhooks against real servers on loopback: what they get, how it is signed, and what their answers mean."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poller.errors import DeliveryError
from poller.model import ChangeKind, ChannelSettings, EvidencePart, Letter, Secret
from poller.notify.faults import ChannelDownError
from poller.notify.webhook import Webhook, signature
from tests.notify.samples import ALERT, NAUGHTY, OPS, START, notification
from tests.notify.servers import Tls, dead_port, hostile_server, make_tls
from tests.notify.web import Site, answering, web_server

TOKEN = "t0ken-in-the-address"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return make_tls(tmp_path_factory.mktemp("tls"))


def secret(folder: Path, text: str) -> Secret:
    path = folder / f"secret{len(list(folder.iterdir()))}"
    path.touch(mode=0o600)
    path.write_text(text + "\n")
    return Secret("file", str(path))


def send(address: str, letter: Letter | None = None, **fields: Any) -> None:
    settings = ChannelSettings("hook", "webhook", address=address, **{"timeout": 5.0, **fields})
    Webhook(settings, clock=lambda: START / 1000).send(letter or Letter(OPS, (notification(),)))


def refusal(address: str, **fields: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        send(address, **fields)
    error = caught.value
    assert TOKEN not in f"{error.sentence} {error.hint} {error!r} {error.__cause__}"
    assert error.__suppress_context__ or error.__context__ is None, "the original quotes the address"
    return error


class TestWhatArrives:
    def test_the_document(self) -> None:
        part = EvidencePart("processes", START, "1 init\n")
        letter = Letter(OPS, (notification(replace(ALERT, labels=(("core", "0"),))),), {ALERT.id: (part,)}, note="last")
        with web_server(Site()) as site:
            send(site.url(), letter)
        (request,) = site.requests
        told = json.loads(request.body)
        assert told == {
            "version": 1,
            "id": told["id"],
            "sent_ms": START,
            "contact": "ops",
            "subject": '[HIGH] web1: cpu.percent{core="0"} 97 > 90 for 5m',
            "note": "last",
            "digest": False,
            "test": False,
            "left_out": 0,
            "notifications": [
                {
                    "id": f"{ALERT.id} ops 1",
                    "kind": "opened",
                    "number": 1,
                    "at_ms": START,
                    "alert": {
                        "id": ALERT.id,
                        "host": "web1",
                        "metric": "cpu.percent",
                        "labels": {"core": "0"},
                        "severity": "high",
                        "value": 97.0,
                        "limit": "> 90 for 300s",
                        "reason": "",
                        "since_ms": START - 300_000,
                        "opened_ms": START,
                        "closed_ms": None,
                    },
                }
            ],
            "evidence": [{"alert": ALERT.id, "part": "processes", "at_ms": START, "text": "1 init\n"}],
        }
        assert request.headers["Content-Type"] == "application/json"
        assert re.fullmatch("[0-9a-f]{32}", told["id"])
        assert request.headers["Idempotency-Key"] == request.headers["Poller-Message"] == told["id"]
        assert "Poller-Signature" not in request.headers

    def test_what_is_sent_again_has_the_same_id_and_what_is_new_another(self) -> None:
        with web_server(Site()) as site:
            for one in (notification(), replace(notification(), attempts=3), notification(number=2)):
                send(site.url(), Letter(OPS, (one,)))
        first, again, new = [json.loads(request.body)["id"] for request in site.requests]
        assert first == again != new

    @pytest.mark.parametrize("text", NAUGHTY, ids=ascii)
    def test_foreign_text_arrives_as_it_is(self, text: str) -> None:
        nasty = replace(ALERT, host=text, reason=text, value=float("nan"))
        with web_server(Site()) as site:
            send(site.url(), Letter(OPS, (notification(nasty, ChangeKind.CLOSED),)))
        (request,) = site.requests
        assert request.body.isascii()
        alert = json.loads(request.body)["notifications"][0]["alert"]
        assert (alert["host"], alert["reason"], alert["value"]) == (text, text, None)

    def test_a_storm_and_its_evidence_stay_bounded(self) -> None:
        many = tuple(notification(replace(ALERT, id=str(number))) for number in range(3000))
        parts = (EvidencePart("kernel", START, "x" * 1_000_000),)
        with web_server(Site()) as site:
            send(site.url(), Letter(OPS, many, {"0": parts, "1": parts}))
        told = json.loads(site.requests[0].body)
        assert (len(told["notifications"]), told["left_out"]) == (2000, 1000)
        assert sum(len(part["text"]) for part in told["evidence"]) == 256 * 1024

    def test_the_test(self) -> None:
        with web_server(Site()) as site:
            Webhook(ChannelSettings("hook", "webhook", address=site.url())).send_test(OPS)
        told = json.loads(site.requests[0].body)
        assert told["test"] is True and told["notifications"] == [] and told["contact"] == "ops"

    def test_a_signature_that_the_docs_can_check(self, tmp_path: Path) -> None:
        with web_server(Site()) as site:
            send(site.url(), secret=secret(tmp_path, "k3y"))
        (request,) = site.requests
        fields = dict(field.split("=") for field in request.headers["Poller-Signature"].split(","))
        assert fields["t"] == str(START // 1000)
        expected = hmac.new(b"k3y", fields["t"].encode() + b"." + request.body, hashlib.sha256).hexdigest()
        assert fields["v1"] == expected

    def test_the_check_that_the_docs_print_works(self, tmp_path: Path) -> None:
        page = (Path(__file__).parents[2] / "docs" / "channels.md").read_text()
        (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
        names: dict[str, Any] = {}
        exec(code, names)  # noqa: S102 - our own page
        body = b'{"version":1}'
        now = int(time.time())
        assert names["genuine"](signature(body, "k3y", now), body, b"k3y")
        assert not names["genuine"](signature(body, "k3y", now), body + b" ", b"k3y")
        assert not names["genuine"](signature(body, "other", now), body, b"k3y")
        assert not names["genuine"](signature(body, "k3y", now - 301), body, b"k3y")

    def test_an_address_that_is_the_secret(self, tmp_path: Path) -> None:
        with web_server(Site()) as site:
            send("", url=secret(tmp_path, site.url(f"/{TOKEN}?q=1")))
        assert site.requests[0].path == f"/{TOKEN}?q=1"

    def test_tls_with_an_authority_of_ones_own(self, tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(tls.ca_file))
        with web_server(Site(), tls.context) as site:
            send(site.url())
        assert len(site.requests) == 1

    def test_no_password_of_a_netrc_goes_along(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login poller password s3cret\n")
        (tmp_path / ".netrc").chmod(0o600)
        monkeypatch.setenv("HOME", str(tmp_path))
        with web_server(Site()) as site:
            send(site.url())
        assert "Authorization" not in site.requests[0].headers


class TestAnswers:
    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_any_2xx_is_accepted(self, status: int) -> None:
        with web_server(answering(status)) as site:
            send(site.url())

    @pytest.mark.parametrize("status", [408, 425, 500, 501, 507])
    def test_later_and_this_message_alone(self, status: int) -> None:
        with web_server(answering(status, b"try again")) as site:
            error = refusal(site.url())
        assert error.retry and not isinstance(error, ChannelDownError)
        assert f"webhook hook did not take the message now: {status} try again" == error.sentence

    @pytest.mark.parametrize("status", [429, 502, 503, 504])
    def test_later_and_nobody_now(self, status: int) -> None:
        with web_server(answering(status)) as site:
            assert isinstance(refusal(site.url()), ChannelDownError)

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
    def test_4xx_is_for_good(self, status: int) -> None:
        with web_server(answering(status, b"no")) as site:
            error = refusal(site.url())
        assert (error.retry, error.code) == (False, "rejected")

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_a_redirect_is_not_followed(self, status: int) -> None:
        with web_server(Site()) as elsewhere, web_server(answering(status, Location=elsewhere.url())) as site:
            error = refusal(site.url())
        assert (error.retry, error.code, elsewhere.requests) == (False, "redirect", [])

    def test_words_of_a_server_are_few_and_harmless(self) -> None:
        with web_server(answering(400, b"\x1b[31mred\r\n\xff" + b"x" * 10_000_000)) as site:
            began = time.monotonic()
            error = refusal(site.url())
        assert "\x1b" not in error.sentence and len(error.sentence) < 300
        assert time.monotonic() - began < 3


class TestServersThatAreAway:
    def test_nothing_listens(self) -> None:
        error = refusal(f"http://127.0.0.1:{dead_port()}/{TOKEN}")
        assert isinstance(error, ChannelDownError) and error.code == "refused"

    def test_a_name_that_does_not_resolve(self) -> None:
        error = refusal(f"https://no-such-host.invalid/{TOKEN}")
        assert isinstance(error, ChannelDownError) and error.code in ("dns", "timeout")

    def test_accepts_and_never_answers(self) -> None:
        with hostile_server(lambda connection: None) as (port, _):
            began = time.monotonic()
            error = refusal(f"http://127.0.0.1:{port}/{TOKEN}", timeout=0.3)
            assert time.monotonic() - began < 10
        assert isinstance(error, ChannelDownError) and error.code == "timeout"

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_a_server_that_drips_is_cut_off_and_no_thread_stays(self, scheme: str) -> None:
        def drip(connection: socket.socket) -> None:
            while not over.wait(0.02):
                connection.sendall(b"H")

        over, before = threading.Event(), set(threading.enumerate())
        with hostile_server(drip) as (port, _):
            began = time.monotonic()
            error = refusal(f"{scheme}://127.0.0.1:{port}/{TOKEN}", timeout=0.3)
            assert time.monotonic() - began < 10
            assert isinstance(error, ChannelDownError)
            # An HTTPS server that drips letters is none, which is found out at once.
            assert error.code in ("timeout", "tls")
            until = time.monotonic() + 15
            while any(thread.name == "poller-bounded" for thread in set(threading.enumerate()) - before):
                assert time.monotonic() < until, "the abandoned thread still reads"
            over.set()

    def test_a_body_that_drips_is_cut_off(self) -> None:
        def drip(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 400 no\r\nContent-Length: 1000\r\n\r\n")
            while not over.wait(0.02):
                connection.sendall(b"x")

        over = threading.Event()
        with hostile_server(drip) as (port, _):
            began = time.monotonic()
            assert refusal(f"http://127.0.0.1:{port}/{TOKEN}", timeout=0.4).retry
            assert time.monotonic() - began < 10
            over.set()

    def test_hangs_up_at_once(self) -> None:
        with hostile_server(lambda connection: connection.shutdown(socket.SHUT_RDWR)) as (port, _):
            assert isinstance(refusal(f"http://127.0.0.1:{port}/{TOKEN}"), ChannelDownError)

    def test_something_else_answers(self) -> None:
        def ssh(connection: socket.socket) -> None:
            connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")
            connection.shutdown(socket.SHUT_WR)

        with hostile_server(ssh) as (port, _):
            assert isinstance(refusal(f"http://127.0.0.1:{port}/{TOKEN}"), ChannelDownError)

    @pytest.mark.parametrize("address", [TOKEN, f"ftp://127.0.0.1/{TOKEN}", f"http://[::1/{TOKEN}", "http:///x"])
    def test_what_is_no_address_is_for_good(self, address: str) -> None:
        error = refusal(address)
        assert (error.retry, error.code) == (False, "address")

    def test_a_secret_that_cannot_be_read_keeps_the_message(self, tmp_path: Path) -> None:
        error = refusal("http://127.0.0.1/", secret=Secret("file", str(tmp_path / "missing")))
        assert isinstance(error, ChannelDownError) and error.code == "secret"


class TestCertificates:
    def test_the_systems_authorities_do_not_know_ours(self, tls: Tls) -> None:
        with web_server(Site(), tls.context) as site:
            error = refusal(site.url(f"/{TOKEN}"))
        assert isinstance(error, ChannelDownError) and error.code == "certificate"
        assert site.requests == []

    def test_a_certificate_of_another_name_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        other = make_tls(tmp_path, address="127.0.0.2")
        monkeypatch.setenv("SSL_CERT_FILE", str(other.ca_file))
        with web_server(Site(), other.context) as site:
            error = refusal(site.url(f"/{TOKEN}"))
        assert error.code == "certificate" and "mismatch" in error.sentence
        assert site.requests == []

    def test_tls_where_the_server_speaks_plainly(self) -> None:
        with web_server(Site()) as site:
            error = refusal(f"https://127.0.0.1:{site.port}/{TOKEN}", timeout=2.0)
        assert isinstance(error, ChannelDownError) and error.code in ("tls", "timeout")


def test_nothing_that_is_logged_names_the_address_or_the_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with web_server(answering(500)) as site:
        refusal(site.url(f"/{TOKEN}"), secret=secret(tmp_path, TOKEN))
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("poller")]
    assert TOKEN not in "".join(ours)
