"""The heartbeat against real servers on loopback: what a watcher hears, and that nothing ever waits for it long."""

from __future__ import annotations

import logging
import time
import uuid
from pathlib import Path

import pytest

from poller.errors import BusyError, StoreError, UsageError
from poller.model import Heartbeat, Secret
from poller.notify.heartbeat import Heart, address, beating
from tests.notify.servers import dead_port, hostile_server
from tests.notify.web import Site, answering, web_server

RUN = "0190a1b2-0000-7000-8000-000000000001"
TOKEN = "t0ken-of-the-check"


def beats(site: Site) -> list[str]:
    return [request.path for request in site.requests]


class TestWhatAWatcherHears:
    def test_the_beginning_and_the_end_of_one_round(self) -> None:
        with web_server(Site()) as site:
            with beating(Heartbeat(site.url("/ping/1")), RUN) as beat:
                beat.words = "2 hosts, 2 ok"
            assert beats(site) == [f"/ping/1/start?rid={RUN}", f"/ping/1/0?rid={RUN}"]
        assert site.requests[1].body == b"2 hosts, 2 ok"
        assert uuid.UUID(RUN)

    def test_an_interrupted_round(self) -> None:
        with web_server(Site()) as site:
            with beating(Heartbeat(site.url("/ping")), RUN) as beat:
                beat.status = 143
            assert beats(site)[-1] == f"/ping/143?rid={RUN}"

    @pytest.mark.parametrize(
        ("error", "status", "words"),
        [
            (StoreError("the disk is full", code="full"), 74, "the disk is full"),
            (OSError(28, "No space left on device"), 74, "OSError"),
            (UsageError("no host matches"), 2, "no host matches"),
            (RuntimeError("secret detail"), 70, "RuntimeError"),
            (KeyboardInterrupt(), 130, "KeyboardInterrupt"),
            (SystemExit(143), 143, "SystemExit"),
        ],
    )
    def test_a_round_that_breaks_off_has_failed(self, error: BaseException, status: int, words: str) -> None:
        with web_server(Site()) as site:
            with pytest.raises(type(error)), beating(Heartbeat(site.url("/ping")), RUN):
                raise error
            assert beats(site) == [f"/ping/start?rid={RUN}", f"/ping/{status}?rid={RUN}"]
        assert site.requests[1].body.decode() == words

    def test_one_that_finds_another_at_work_is_no_beat(self) -> None:
        with web_server(Site()) as site:
            with pytest.raises(BusyError), beating(Heartbeat(site.url("/ping")), RUN):
                raise BusyError("another round is going on")
            assert not any("/75" in path for path in beats(site))

    def test_an_address_that_is_the_secret(self, tmp_path: Path) -> None:
        with web_server(Site()) as site:
            path = tmp_path / "beat.url"
            path.touch(mode=0o600)
            path.write_text(site.url(f"/{TOKEN}/") + "\n")
            with beating(Heartbeat(url=Secret("file", str(path))), RUN):
                pass
            assert beats(site) == [f"/{TOKEN}/start?rid={RUN}", f"/{TOKEN}/0?rid={RUN}"]

    def test_none_is_told_nothing(self) -> None:
        with beating(None, RUN) as beat:
            beat.status = 1

    @pytest.mark.parametrize(
        ("base", "expected"),
        [
            ("https://example.org/ping/1", "https://example.org/ping/1/0?rid=" + RUN),
            ("https://example.org/ping/1/", "https://example.org/ping/1/0?rid=" + RUN),
            ("https://example.org/ping/1?create=1", "https://example.org/ping/1/0?create=1&rid=" + RUN),
            ("https://example.org", "https://example.org/0?rid=" + RUN),
        ],
    )
    def test_where_the_status_stands(self, base: str, expected: str) -> None:
        assert address(base, "0", RUN) == expected


class TestWhenNobodyListens:
    def test_a_dead_watcher_is_no_trouble(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        with beating(Heartbeat(f"http://127.0.0.1:{dead_port()}/{TOKEN}"), RUN):
            pass
        told = [record.getMessage() for record in caplog.records if record.name.startswith("poller")]
        assert any("heartbeat does not listen there" in text for text in told)
        assert TOKEN not in "".join(told)

    def test_a_refusal_is_no_trouble(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        with web_server(answering(404, b"not found")) as site, beating(Heartbeat(site.url()), RUN):
            pass
        assert "0: heartbeat answered 404 not found" in caplog.text

    def test_a_silent_watcher_costs_its_time_out_once(self) -> None:
        with hostile_server(lambda connection: None) as (port, _):
            began = time.monotonic()
            with beating(Heartbeat(f"http://127.0.0.1:{port}/ping", timeout=1.0), RUN):
                assert time.monotonic() - began < 0.9, "the beginning waits for nobody"
            assert time.monotonic() - began < 10

    def test_who_pressed_ctrl_c_waits_three_seconds_at_most(self) -> None:
        with hostile_server(lambda connection: None) as (port, _):
            heart = Heart()
            heart.begin(Heartbeat(f"http://127.0.0.1:{port}/ping", timeout=60.0), RUN)
            began = time.monotonic()
            heart.end(130, "")
            assert time.monotonic() - began < 20

    @pytest.mark.parametrize("base", ["", "nothing", "http://[::1/", "ftp://127.0.0.1/"])
    def test_what_is_no_address_is_no_trouble(self, base: str) -> None:
        with beating(Heartbeat(base), RUN):
            pass

    def test_a_missing_secret_is_no_trouble(self, tmp_path: Path) -> None:
        with beating(Heartbeat(url=Secret("file", str(tmp_path / "none"))), RUN):
            pass
