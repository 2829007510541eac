"""A question binds its answer: canonical, fresh each time, and without a secret in it."""

from __future__ import annotations

import json

from poller.model import Before
from poller.probe.payload import build
from poller.probe.request import WINDOW, Request, window
from remote_probe.collectors import COUNTERS
from tests.probe.reports import reading
from tests.probe.sealing import DIGEST, Payload, ask


def test_the_body_is_canonical_json_with_every_field_of_the_wire_contract() -> None:
    request = ask("prüfstand")
    content = json.loads(request.body)
    assert request.body == json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert content == {
        "version": 1,
        "host": "prüfstand",
        "host_key": "SHA256:abc",
        "probe": DIGEST,
        "sections": ["system", "cpu"],
        "stuck": [],
        "window": WINDOW,
        "deadline": 30.0,
        "idle": 0.0,
        "marker": request.marker,
        "nonce": request.nonce.hex(),
        "public": request.public.hex(),
        "options": {},
        "cursors": {},
    }


def test_the_frame_is_a_length_line_and_the_body() -> None:
    request = ask("prüfstand")
    line, _newline, body = request.frame.partition(b"\n")
    assert body == request.body
    assert int(line) == len(body)


def test_marker_nonce_and_key_are_random_and_as_long_as_promised() -> None:
    requests = [ask() for _ in range(50)]
    for values in (
        {request.marker for request in requests},
        {request.nonce for request in requests},
        {request.public for request in requests},
    ):
        assert len(values) == len(requests)
    assert (len(requests[0].marker), len(requests[0].nonce), len(requests[0].public)) == (32, 16, 32)


def test_the_private_key_is_neither_sent_nor_shown() -> None:
    request = ask()
    private = request.private.private_bytes_raw()
    assert private.hex().encode() not in request.frame
    assert "private" not in repr(request)


def test_mounts_known_to_hang_are_named() -> None:
    assert json.loads(ask(before=Before(stuck=("/mnt/dead",))).body)["stuck"] == ["/mnt/dead"]


def test_two_readings_are_asked_for_only_when_there_is_nothing_to_count_from() -> None:
    before = Before(reading=reading(clock=1000.0))
    assert window(Before(), 1060.0, COUNTERS) == WINDOW
    assert window(before, 1060.0, COUNTERS) == 0.0
    assert window(before, 1000.0 + 901, COUNTERS) == WINDOW, "older than a quarter of an hour"
    assert window(before, 1001.0, COUNTERS) == WINDOW, "too young to count from"


def test_two_readings_are_asked_for_when_a_section_that_counts_was_not_read_for_long() -> None:
    before = Before(reading=reading(clock=7_000.0), asked_ms={"cpu": 3_460_000, "memory": 7_000_000})
    assert window(before, 7_060.0, ("memory",)) == 0.0
    assert window(before, 7_060.0, ("cpu", "memory")) == WINDOW
    assert window(before, 7_060.0, ("block",)) == WINDOW, "never read before"


def test_nobody_waits_for_a_second_reading_when_nothing_is_counted() -> None:
    assert window(Before(), 1060.0, ("logs", "usb")) == 0.0


def test_a_host_whose_clock_is_years_off_is_asked_for_two_readings() -> None:
    ten_years = 10 * 365 * 86400.0
    for clock in (1000.0 + ten_years, 1000.0 - ten_years):
        assert window(Before(reading=reading(clock=clock)), 1060.0, COUNTERS) == WINDOW


def test_the_clock_is_passed_in() -> None:
    before = Before(reading=reading(clock=1000.0))
    request = Request.fresh("web1", "local", before, Payload(), 30.0, 5.0, clock=lambda: 1060.0)  # type: ignore[arg-type]
    content = json.loads(request.body)
    assert (content["window"], content["idle"], content["host_key"]) == (0.0, 5.0, "local")


def test_of_what_the_payload_can_answer_for_only_a_part_may_be_asked() -> None:
    payload = build(("load", "kernel", "top"))
    whole = json.loads(Request.fresh("web1", "local", Before(), payload, 30.0).body)
    part = Request.fresh(
        "web1", "local", Before(), payload, 30.0, only=("top", "kernel"), options={"kernel": {"last": 4}}
    )
    asked = json.loads(part.body)
    assert (whole["sections"], asked["sections"]) == (["load", "kernel", "top"], ["kernel", "top"])
    assert asked["probe"] == whole["probe"], "it is the same program"
    assert asked["options"]["kernel"] == {"last": 4} and asked["options"]["top"] == whole["options"]["top"]
    assert "kernel" not in whole["options"]
