"""Frames of a live watch are opened only in their order, whole and untouched, and what they say is checked."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poller.errors import OUTCOMES, HostError
from poller.model import NEVER, Encounter, Hint, Push, UsbDevice, Watch
from poller.probe.envelope import MAX_FRAME, MAX_INFLATED, open_report
from poller.probe.watching import FRAME_COSTS, Opener, WatchRequest
from poller.ssh import Allowance
from remote_probe.watching.sealing import Events
from tests.probe.sealing import DIGEST
from tests.probe.watches import Stranger, ask, xml

LOW_ORDER = bytes(32)
HINT = '<hint subsystem="usb" action="add" path="/devices/pci0/usb1/1-1" name="1-1"/>\n'
MET = (
    '<encounter protocol="tcp" local_address="192.0.2.1" local_port="40000" remote_address="2001:DB8::1" '
    'remote_port="443" inbound="0" seen_by="packet"/>\n'
)
USB = (
    '<usb port="1-1" vendor="0951" product="1666" vendor_name="" product_name="" serial="" device_class="00" '
    'interface_classes="08/06/50" kind="storage" speed="480000000" devices="sdb"/>\n'
)


def reading(name: str = "usb", rows: str = USB, more: str = "") -> str:
    section = f'<section name="{name}" status="ok" reason="" seconds="0.001"{more}>\n{rows}</section>\n'
    return f'<reading clock="5.5" uptime="3.25" boot_id="b">\n{section}</reading>\n'


def from_probe(request: WatchRequest) -> Events:
    return Events(request.body, request.nonce, request.public, bytes.fromhex(request.probe))


def refusal(opener: Opener, sealed: bytes, stage: str = "envelope") -> str:
    with pytest.raises(HostError) as caught:
        opener.open(sealed, 7)
    assert caught.value.stage == stage
    assert (stage, caught.value.code) in OUTCOMES
    assert caught.value.security
    return caught.value.code


def told(inside: str = "", **more: object) -> Push:
    request = ask()
    return request.opener().open(from_probe(request).seal(xml(1, inside, **more)), 7)  # type: ignore[arg-type]


def test_the_request_is_canonical_and_says_what_is_watched() -> None:
    request = ask("prüfstand")
    content = json.loads(request.body)
    assert request.body == json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert request.frame == b"%d\n" % len(request.body) + request.body
    assert content == {
        "version": 1,
        "kind": "watch",
        "host": "prüfstand",
        "host_key": "SHA256:abc",
        "probe": DIGEST,
        "sections": ["usb", "devices", "mounts"],
        "contacts": True,
        "loopback": False,
        "idle": 60.0,
        "marker": request.marker,
        "nonce": request.nonce.hex(),
        "public": request.public.hex(),
    }
    assert request.private.private_bytes_raw().hex() not in repr(request) + request.body.decode()
    assert json.loads(request.ending.split(b"\n", 1)[1]) == {"version": 1, "kind": "unwatch", "idle": 60.0}


def test_what_is_never_read_is_not_watched() -> None:
    content = json.loads(ask(watch=Watch(every={"usb": NEVER, "traffic": NEVER})).body)
    assert content["sections"] == ["devices", "mounts"]
    assert content["contacts"] is False


def test_each_watch_has_a_marker_nonce_and_key_of_its_own() -> None:
    one, other = ask(), ask()
    assert not {one.marker, one.nonce, one.public} & {other.marker, other.nonce, other.public}


def test_frames_of_the_probe_and_of_a_second_implementation_open_in_their_order() -> None:
    request = ask()
    probe, stranger = from_probe(request), Stranger(request)
    first, second = request.opener(), request.opener()
    for number in range(1, 40):
        assert first.open(probe.seal(xml(number, lost=number)), number) == Push(
            "web1", number, number, coverage=("uevent", "mountinfo", "packet"), lost=number
        )
        assert second.open(stranger.seal(xml(number), number), 7).sequence == number


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**64 - 1).filter(lambda number: number != 1))
def test_the_first_frame_has_number_one(number: int) -> None:
    request = ask()
    assert refusal(request.opener(), Stranger(request).seal(xml(number), number)) == "replay"


def test_a_frame_again_a_missing_one_or_an_older_one_is_refused() -> None:
    request = ask()
    stranger = Stranger(request)
    frames = [stranger.seal(xml(number), number) for number in range(1, 5)]
    opener = request.opener()
    for sealed in frames[:2]:
        opener.open(sealed, 7)
    for sealed in (frames[0], frames[1], frames[3]):
        assert refusal(opener, sealed) == "replay"


def test_who_pushes_more_text_than_any_machine_has_is_not_listened_to() -> None:
    request = ask()
    stranger = Stranger(request)
    said = xml(1)
    opener = request.opener(Allowance(3 * (FRAME_COSTS + len(said)), 1).spend)
    for number in (1, 2, 3):
        opener.open(stranger.seal(xml(number), number), 7)
    with pytest.raises(HostError) as caught:
        opener.open(stranger.seal(xml(4), 4), 7)
    assert (caught.value.stage, caught.value.code) == ("probe", "noise")


def test_one_flipped_bit_anywhere_is_refused() -> None:
    request = ask()
    sealed = Stranger(request).seal(xml(1), 1)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        expected = "version" if position < 2 else "replay" if position < 26 else "tag"
        assert refusal(request.opener(), bytes(changed)) == expected


def test_the_key_of_the_first_frame_is_that_of_all() -> None:
    request = ask()
    opener = request.opener()
    opener.open(Stranger(request).seal(xml(1), 1), 7)
    assert refusal(opener, Stranger(request).seal(xml(2), 2)) == "key"


def test_a_key_of_low_order_another_watch_and_other_labels_are_refused() -> None:
    request, other = ask(), ask()
    stranger = Stranger(request)
    sealed = stranger.seal(xml(1), 1)
    assert refusal(request.opener(), sealed[:26] + LOW_ORDER + sealed[58:]) == "key"
    assert refusal(other.opener(), sealed) == "replay"
    assert refusal(request.opener(), stranger.seal(xml(1), 1, version=2)) == "version"
    assert refusal(request.opener(), stranger.seal(xml(1), 1, label=0)) == "version"


def test_an_event_is_no_report_and_a_report_no_event() -> None:
    from remote_probe.seal import seal

    request = ask()
    with pytest.raises(HostError) as caught:
        open_report(Stranger(request).seal(xml(1), 1), request)  # type: ignore[arg-type]
    assert caught.value.code == "version"
    report = bytearray(seal(xml(1), request.body, request.nonce, request.public, bytes.fromhex(request.probe)))
    assert refusal(request.opener(), bytes(report)) == "version"
    report[1], report[9] = 1, 1  # the header of an event before a report
    assert refusal(request.opener(), bytes(report)) == "tag"


def test_sizes_are_bounded_before_anything_is_opened_or_kept() -> None:
    request = ask()
    assert refusal(request.opener(), bytes(MAX_FRAME + 1)) == "oversize"
    assert refusal(request.opener(), bytes(90)) == "truncated"
    bomb = Stranger(request).seal(bytes(MAX_INFLATED + 1), 1)
    assert refusal(request.opener(), bomb) == "inflate"
    assert refusal(request.opener(), Stranger(request).seal_compressed(b"x" * 50, 1)) == "inflate"


def test_hints_encounters_and_readings_become_values() -> None:
    push = told(HINT + MET + reading(), lost=3)
    assert push.hints == (Hint("usb", "add", "/devices/pci0/usb1/1-1", "1-1"),)
    assert push.encounters == (Encounter("tcp", "192.0.2.1", 40000, "2001:db8::1", 443, 0, "packet"),)
    assert push.reading is not None
    assert (push.reading.clock, push.reading.uptime, push.reading.boot_id) == (5.5, 3.25, "b")
    (device,) = push.reading.rows(UsbDevice)
    assert isinstance(device, UsbDevice)
    assert (device.port, device.kind, push.lost, push.at_ms) == ("1-1", "storage", 3, 7)


def test_why_less_is_seen_stands_behind_what_is_seen() -> None:
    words = 'devices="set-difference" mounts="none" contacts="none" why="contacts: no"'
    assert told(words=words).coverage == ("set-difference", "none", "none", "contacts: no")


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        ("<!-- x -->", "xml"),
        ("<stranger/>", "schema"),
        (MET + HINT, "schema"),
        (HINT * 65, "schema"),
        (HINT.replace('"usb"', '"tty"'), "schema"),
        (HINT.replace("add", "explode"), "schema"),
        (MET.replace("192.0.2.1", "here"), "schema"),
        (MET.replace('"443"', '"65536"'), "schema"),
        (MET.replace("tcp", "sctp"), "schema"),
        (reading("load", ""), "schema"),
        (reading("usb", USB * 2), "schema"),
        (reading("mounts"), "schema"),
        (reading("usb", "", ' same="1"'), "schema"),
        (reading() + reading(), "schema"),
        ("<event/>", "schema"),
        ("<report/>", "schema"),
    ],
)
def test_what_no_probe_of_ours_says_is_refused(inside: str, code: str) -> None:
    request = ask()
    assert refusal(request.opener(), from_probe(request).seal(xml(1, inside)), "report") == code


def test_a_report_instead_of_an_event_and_other_names_are_refused() -> None:
    request = ask()
    bare = b'<report version="1" host="web1" probe="%s" python="" seconds="0">%s</report>'
    document = bare % (DIGEST.encode(), reading().encode())
    assert refusal(request.opener(), from_probe(request).seal(document), "report") == "schema"
    for wrong in (xml(2), xml(1, host="web2")):
        assert refusal(request.opener(), from_probe(request).seal(wrong), "report") == "identity"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_any_text_is_a_push_or_refused(text: bytes) -> None:
    request = ask()
    with pytest.raises(HostError):
        request.opener().open(from_probe(request).seal(text), 7)
