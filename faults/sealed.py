"""C1-C8, FZ: reports that were meddled with between the probe and the poller, and parsers fed with invented input."""

from __future__ import annotations

import functools
import json
import logging
import secrets
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from faults.apart import Meter, apart
from faults.experiment import Experiment
from faults.fuzzing import fuzzed
from faults.lab import Lab
from faults.near import local, meddled, near, round_inside
from poller.errors import OUTCOMES, HostError
from poller.model import Before
from poller.probe.envelope import open_report
from poller.probe.payload import build
from poller.probe.report import parse
from poller.probe.request import Request
from remote_probe.seal import context, hkdf
from remote_probe.seal import seal as probe_seals
from tests.end_to_end.meddler import honest
from tests.probe.sealing import LOW_ORDER, PRIME, ask, forge, seal, seal_compressed


@functools.cache
def captured() -> tuple[Request, bytes, str]:
    """A request, what the real probe of this machine answered, and a text from the middle of its report."""
    payload = build()
    request = Request.fresh("web1", "SHA256:any", Before(), payload, 30.0)
    sealed = honest(payload.data + request.frame)
    return request, sealed, parse(open_report(sealed, request), request).now.boot_id


@contextmanager
def listening() -> Iterator[list[str]]:
    """Everything that is logged meanwhile, at every level."""
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield said
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def refused(envelopes: Iterable[tuple[bytes, Request]]) -> Counter[str]:
    """How many were refused with which code. AssertionError when one was opened, or when its text is told."""
    plain = captured()[2]
    codes: Counter[str] = Counter()
    with listening() as said:
        for sealed, request in envelopes:
            try:
                open_report(sealed, request)
            except HostError as error:
                assert (error.stage, error.security) == ("envelope", True) and ("envelope", error.code) in OUTCOMES
                assert plain not in str(error)
                codes[error.code] += 1
            else:
                raise AssertionError(f"after {codes.total()} refusals an envelope was opened: {sealed[:120].hex()}")
    assert plain not in "\n".join(said), "plain text in the log"
    return codes


def shown(codes: Counter[str]) -> str:
    counts = ", ".join(f"{count} {code}" for code, count in codes.most_common())
    return f"{codes.total()} of {codes.total()} refused ({counts})"


def live(lab: Lab, mode: str, *, hosts: int, rounds: int = 1) -> str:
    """Hosts that answer so in real rounds, beside an honest one: security events, poll rows, and no report rows."""
    names = [f"bad{number}" for number in range(hosts)]
    made = near(lab, "")
    script = meddled(made.folder, mode)
    made.write(local("good") + local(*names, more=f'python="{script}"'), deadline="30s")
    for _ in range(rounds):
        result = round_inside(made)
    by_name = {one.poll.host: one.poll for one in result.taken}
    assert by_name["good"].outcome == "ok", "an honest host beside them is affected"
    bad = [by_name[name] for name in names]
    assert {(poll.outcome, poll.stage) for poll in bad} == {("failed", "envelope")}, [poll.error for poll in bad]
    hostile = "(SELECT id FROM host WHERE name LIKE 'bad%')"
    last = f"host_id IN {hostile} AND at_ms >= {result.started_ms}"
    for table in ("system_sample", "cpu_sample"):
        if made.rows(f"SELECT 1 FROM sqlite_master WHERE name = '{table}'"):
            assert made.rows(f"SELECT count(*) FROM {table} WHERE {last}") == [(0,)], f"report rows in {table}"
    assert made.rows(f"SELECT count(*) FROM poll WHERE stage = 'envelope' AND {last}") == [(hosts,)]
    assert made.rows(f"SELECT count(*) FROM event WHERE severity = 'high' AND {last}") == [(hosts,)]
    return f"{hosts} live"


def flipped(lab: Lab) -> str:
    request, sealed, _ = captured()

    def changed() -> Iterator[tuple[bytes, Request]]:
        for place in range(len(sealed)):
            for bit in lab.size(short=(place % 8,), full=tuple(range(8))):
                yield sealed[:place] + bytes([sealed[place] ^ 1 << bit]) + sealed[place + 1 :], request

    codes = refused(changed())
    assert codes.total() == len(sealed) * lab.size(short=1, full=8)
    return (
        f"{shown(codes)} of a report of {len(sealed)} bytes; {live(lab, 'flipped', hosts=lab.size(short=1, full=20))}"
    )


def cut(lab: Lab) -> str:
    request, sealed, _ = captured()
    codes = refused((sealed[:length], request) for length in range(len(sealed)))
    assert codes == {"truncated": 91, "tag": len(sealed) - 91}, codes
    return f"{shown(codes)}; {live(lab, 'cut', hosts=lab.size(short=1, full=20))}"


def replayed(lab: Lab) -> str:
    _, sealed, _ = captured()
    later = [ask() for _ in range(lab.size(short=300, full=20_000))]
    codes = refused((sealed, request) for request in later)
    assert set(codes) == {"replay"}, codes
    codes += refused((sealed[:10] + request.nonce + sealed[26:], request) for request in later)
    return f"{shown(codes)}; {live(lab, 'replayed', hosts=1, rounds=lab.size(short=2, full=10))}"


def swapped(lab: Lab) -> str:
    """Even where two hosts were asked with one key pair and nonce, the whole request is in the keys."""
    envelopes: list[tuple[bytes, Request]] = []
    for _ in range(lab.size(short=20, full=2_000)):
        request = ask("web1")
        asked = json.loads(request.body)
        for name, value in (("host", "web2"), ("host_key", "SHA256:b"), ("sections", []), ("marker", "00" * 16)):
            body = json.dumps({**asked, name: value}, sort_keys=True, separators=(",", ":")).encode()
            envelopes.append((seal(b"<report/>", body), request))
        other = probe_seals(b"<report/>", request.body, request.nonce, request.public, bytes(32))
        mirror = bytes([1, 0]) + bytes(8) + request.nonce + request.public
        envelopes += [
            (other, request),
            (request.frame, request),
            (request.body, request),
            (mirror + bytes(64), request),
        ]
    codes = refused(envelopes)
    return f"{shown(codes)}; {live(lab, 'other-host', hosts=1)}, {live(lab, 'reflected', hosts=1)}"


def low_order(lab: Lab) -> str:
    """The attacker knows the shared secret of such a point, zero, and seals correctly with it."""
    high = (*LOW_ORDER, PRIME + LOW_ORDER[2], PRIME + LOW_ORDER[3], 2 * PRIME - 1, 2 * PRIME, 2 * PRIME + 1)
    keys = {value.to_bytes(32, "little") for point in high for value in (point % 2**256, (point | 1 << 255) % 2**256)}
    small = {(point | top << 255).to_bytes(32, "little") for point in LOW_ORDER for top in (0, 1)}
    request = ask()
    codes = refused((forge(b"<report/>", request.body, bytes(32), key), request) for key in sorted(keys | small))
    assert codes["key"] == len(small), codes
    for key in small:  # the probe's own arithmetic, against a centre that is none
        try:
            probe_seals(b"", request.body, request.nonce, key, bytes(32))
        except ValueError:
            continue
        raise AssertionError("the probe sealed for a key of low order")
    return f"{shown(codes)}, the probe refused {len(small)} of {len(small)}; {live(lab, 'low-order', hosts=1)}"


def downgraded(lab: Lab) -> str:
    request = ask()
    text = zlib.compress(b"<report/>")
    heads = [(version, 0, 0) for version in range(256) if version != 1]
    heads += [(1, label, 0) for label in range(1, 256)] + [(1, 0, 1 << bit) for bit in range(64)]
    codes = refused((seal_compressed(text, request.body, *head), request) for head in heads)
    assert set(codes) == {"version"}, codes
    sealed = seal(b"<report/>", request.body)
    bodies = [sealed[:-32] + sealed[-32:-length] for length in range(1, 33)] + [sealed[:-32] + bytes(32)]
    bodies += [sealed + sealed[-32:][:length] for length in range(1, 33)]
    codes += refused((body, request) for body in bodies)
    assert "compare_digest" in open_report.__code__.co_names, "tags are compared in a time that depends on them"
    return f"{shown(codes)}; {live(lab, 'downgraded', hosts=1)}"


def reused(lab: Lab) -> str:
    """A key comes from a shared secret and the nonce; its counter begins once, at zero."""
    count = lab.size(short=30_000, full=1_000_000)
    keys = {hkdf(b"one secret for all", secrets.token_bytes(16), b"info", 32)[:12] for _ in range(count)}
    assert len(keys) == count, f"{count - len(keys)} of {count} keys came again"
    whole = lab.size(short=60, full=10_000)
    seen: set[bytes] = set()
    for _ in range(whole):
        request = ask()
        sealed = probe_seals(b"<report/>", request.body, request.nonce, request.public, bytes.fromhex(request.probe))
        assert sealed[:10] == b"\x01" + bytes(9)
        own = context(request.body, bytes.fromhex(request.probe), request.public, sealed[26:58], b"poller report")
        seen |= {request.nonce, request.public, sealed[26:58], own}
    assert len(seen) == 4 * whole, "a nonce or a public key came again"
    return f"0 of {count} keys and of {whole} whole envelopes came again"


def bomb() -> dict[str, float | str]:
    """7 MB that promise 7 GB, about the most that fits into a frame."""
    packer = zlib.compressobj(9)
    head = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)  # may be repeated as it is
    request = ask()
    sealed = seal_compressed(head + block * 7000, request.body)
    code = "opened"
    with Meter() as spent:
        try:
            open_report(sealed, request)
        except HostError as error:
            code = error.code
    return {"size": len(sealed), "code": code, "seconds": spent.seconds, "mib": spent.mib}


def bombed(lab: Lab) -> str:
    found = apart(bomb)
    assert found["code"] == "inflate" and found["size"] > 6_000_000
    assert found["seconds"] < 1.0, found
    assert found["mib"] < 110, found  # the compressed and the inflated text, and room to grow
    return f"{found['size'] / 1e6:.1f} MB of 7 GB stopped after {found['seconds']:.2f} s, {found['mib']:.0f} MiB more"


EXPERIMENTS: Final = (
    Experiment("C1", "a bit of a sealed report is flipped", "every one refused, nothing stored or told of it", flipped),
    Experiment("C2", "a sealed report is cut short", "refused at every length", cut),
    Experiment("C3", "an earlier report is sent again", "refused as a replay, nothing stored twice", replayed),
    Experiment("C4", "another host's report, or our own words, come back", "refused", swapped),
    Experiment("C5", "a public key of low order", "refused on both sides, however it is spelled", low_order),
    Experiment("C6", "another version, another kind, a tag cut, missing or too long", "refused", downgraded),
    Experiment("C7", "many requests and answers", "no key, no nonce comes twice", reused),
    Experiment("C8", "a report that inflates to gigabytes", "stopped at the bound in less than a second", bombed),
    Experiment(
        "FZ", "invented reports, frames and envelopes", "a value or a refusal by the table, nothing else", fuzzed
    ),
)
