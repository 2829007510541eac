"""A watch tells what happens on the machine: real uevents, mounts and packets, as a host's probe pushes them."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from poller.model import NEVER, Encounter, Hint, Mount, Push, Watch
from poller.probe.payload import build, pack, sources
from remote_probe.watching.uevents import Uevents
from tests.remote_probe.farside import PATIENCE, asking, running
from tests.remote_probe.sysfs import STICK, Sysfs
from tests.remote_probe.watched import Live, wanting, watching
from tests.remote_probe.wire import FAR, FAR6, NEAR, NEAR6, Wire, pair, wire

__all__ = ["wire"]


def interpreters() -> list[str]:
    """Debian's, and the oldest that is supported where it is installed, by its own name."""
    found = ["/usr/bin/python3"]
    if shutil.which("python3.6"):
        code = "import sys; print(sys.executable)"
        found += subprocess.run(["python3.6", "-c", code], capture_output=True, text=True).stdout.split()
    return found


PYTHONS = interpreters()
UEVENT = Path("/sys/class/net/lo/uevent")
NOBODY = "setpriv --reuid=65534 --regid=65534 --clear-groups sh -c"


@pytest.fixture
def root() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")


def inside(*words: str) -> Callable[[str], str]:
    """Words before the command, such as nsenter."""
    return lambda order: f"exec {shlex.join(words)} sh -c {shlex.quote(order)}"


def met(pushes: list[Push]) -> list[Encounter]:
    return [one for push in pushes for one in push.encounters]


def hints(pushes: list[Push]) -> list[Hint]:
    return [one for push in pushes for one in push.hints]


def mountpoints(pushes: list[Push]) -> list[set[str]]:
    """Of each reading of the mounts, in their order."""
    readings = [push.reading.rows(Mount) for push in pushes if push.reading and push.reading.rows(Mount)]
    return [{row.mountpoint for row in rows if isinstance(row, Mount)} for rows in readings]


def test_each_second_brings_a_sign_of_life_numbered_without_a_gap(tmp_path: Path) -> None:
    with watching(tmp_path) as live:
        pushes = live.until(lambda pushes: len(pushes) >= 5)
    assert [push.sequence for push in pushes] == list(range(1, len(pushes) + 1))
    assert all(len(push.coverage) == 3 for push in pushes)
    quiet = [push for push in pushes if not (push.reading or push.hints or push.encounters)]
    assert quiet, "nothing but signs of life"


def test_everything_is_read_once_when_the_watch_begins(tmp_path: Path) -> None:
    with watching(tmp_path) as live:
        (first,) = [push.reading for push in live.pushes if push.reading][:1]
    assert [section.name for section in first.sections] == ["usb", "devices", "mounts"]
    assert first.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_what_is_not_wanted_is_not_watched(tmp_path: Path) -> None:
    with watching(tmp_path, watch=Watch(every={"usb": NEVER, "devices": NEVER, "traffic": NEVER})) as live:
        (push,) = [push for push in live.pushes if push.reading]
    assert push.coverage[0] == push.coverage[2] == "none"
    assert push.reading and [section.name for section in push.reading.sections] == ["mounts"]


@pytest.mark.parametrize("python", PYTHONS)
def test_a_uevent_of_the_kernel_is_told_as_it_comes(root: None, tmp_path: Path, python: str) -> None:
    with watching(tmp_path, python=python) as live:
        assert live.pushes[0].coverage[0] == "uevent"
        UEVENT.write_text("change")
        live.until(lambda pushes: Hint("net", "change", "/devices/virtual/net/lo", "lo") in hints(pushes))


def test_what_comes_and_goes_is_told_with_its_action(wire: Wire, tmp_path: Path) -> None:
    with watching(tmp_path, wrap=inside(*wire.words("near"))) as live:
        wire.run("near", "ip", "link", "add", "stick0", "type", "veth", "peer", "name", "stick1")
        live.until(hints)
        wire.run("near", "ip", "link", "delete", "stick0")
        live.until(lambda pushes: len([one for one in hints(pushes) if one.name == "stick0"]) >= 2)
        told = [(one.subsystem, one.action) for one in hints(live.pushes) if one.name == "stick0"]
    assert told == [("net", "add"), ("net", "remove")]


def test_a_message_that_is_not_the_kernel_s_is_not_believed(root: None) -> None:
    from remote_probe.host import Host

    with contextlib.closing(Uevents(Host())) as uevents, socket.socket(16, socket.SOCK_DGRAM, 15) as forger:
        number = uevents._socket.getsockname()[0]
        forged = b"add@/devices/evil\0ACTION=add\0DEVPATH=/devices/evil\0SUBSYSTEM=usb\0DEVTYPE=usb_device\0"
        forger.sendto(forged, (number, 0))  # as root; others may not even do that
        forger.sendto(forged, (0, 1))
        UEVENT.write_text("change")
        found: list[dict[str, Any]] = []
        until = time.monotonic() + 20
        while not any(hint["name"] == b"lo" for hint in found) and time.monotonic() < until:
            found += uevents.take()[1]
    assert b"lo" in [hint["name"] for hint in found]
    assert b"evil" not in [hint["name"] for hint in found]


def test_a_mount_and_its_end_are_told(root: None, tmp_path: Path) -> None:
    place = tmp_path.parent / f"{tmp_path.name}-stick"
    place.mkdir()
    with watching(tmp_path, wrap=inside("unshare", "--mount", "--propagation", "private")) as live:
        assert live.pushes[0].coverage[1] == "mountinfo"
        there = ["nsenter", f"--target={live.probe.process.pid}", "--mount"]
        subprocess.run([*there, "mount", "-t", "tmpfs", "stick", str(place)], check=True)
        live.until(lambda pushes: str(place) in mountpoints(pushes)[-1])
        subprocess.run([*there, "umount", str(place)], check=True)
        live.until(lambda pushes: str(place) not in mountpoints(pushes)[-1])
    place.rmdir()


def test_where_the_kernel_tells_nothing_two_looks_a_second_find_it(tmp_path: Path) -> None:
    """A captured machine: a stick is put into it."""
    from remote_probe.watching.watcher import Watcher

    machine = Sysfs(tmp_path)
    (tmp_path / "proc/uptime").write_text("5.0 1.0\n")
    frames: list[bytes] = []
    came = threading.Event()

    def heard(xml: bytes) -> None:
        frames.append(xml)
        came.set()

    request = {"host": "web1", "sections": ["usb", "mounts"], "contacts": False}
    watcher = Watcher(request, heard, machine=lambda: machine.host)
    thread = threading.Thread(target=watcher.run)
    thread.start()
    try:
        assert came.wait(20)
        machine.usb("1-1", STICK, product="1666")
        until = time.monotonic() + 20
        while not any(b'port="1-1"' in frame for frame in frames) and time.monotonic() < until:
            came.clear()
            came.wait(5)
    finally:
        watcher.stop()
        thread.join(20)
    assert not thread.is_alive()
    assert any(b'port="1-1"' in frame for frame in frames)
    assert b'devices="set-difference" mounts="set-difference" contacts="none"' in frames[-1]


def test_in_a_user_namespace_devices_are_looked_at(tmp_path: Path) -> None:
    with watching(tmp_path, wrap=inside("unshare", "--user", "--map-root-user")) as live:
        assert live.pushes[0].coverage[0] == "set-difference"


def datagram(wire: Wire, which: str, target: str, port: int, source: int = 0) -> None:
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    with wire.at(which), socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.bind(("::" if ":" in target else "", source))
        sender.sendto(b"x", (target, port))


@pytest.mark.parametrize("python", PYTHONS)
def test_tcp_connections_and_udp_flows_are_told_once_in_both_directions(
    wire: Wire, tmp_path: Path, python: str
) -> None:
    with watching(tmp_path, python=python, wrap=inside(*wire.words("near"))) as live:
        assert live.pushes[0].coverage[2] == "packet"
        with contextlib.ExitStack() as stack:
            out, back = pair(wire, FAR), pair(wire, NEAR6, here="far")
            for one in (*out, *back):
                stack.enter_context(one)
            for _ in range(3):
                datagram(wire, "near", FAR, 9000, 5000)
            datagram(wire, "far", NEAR, 5000, 9000)  # the answer
            datagram(wire, "far", NEAR6, 7000, 7001)
            expected = {
                Encounter("tcp", NEAR, out[0].getsockname()[1], FAR, out[0].getpeername()[1], 0, "packet"),
                Encounter("tcp", NEAR6, back[1].getsockname()[1], FAR6, back[1].getpeername()[1], 1, "packet"),
                Encounter("udp", NEAR, 5000, FAR, 9000, 0, "packet"),
                Encounter("udp", NEAR6, 7000, FAR6, 7001, 1, "packet"),
            }
            live.until(lambda pushes: expected <= set(met(pushes)))
            datagram(wire, "near", FAR, 9999, 5000)
            live.until(lambda pushes: any(one.remote_port == 9999 for one in met(pushes)))
        told = [one for one in met(live.pushes) if one.remote_port != 9999]
    assert sorted(map(repr, told)) == sorted(map(repr, expected))


def resolving(wire: Wire, folder: Path, address: str) -> Callable[[str], str]:
    file = folder.parent / f"{folder.name}-resolv.conf"
    file.write_text(f"nameserver {address}\n")
    script = f"mount --bind {file} /etc/resolv.conf && exec sh -c "
    return lambda order: (
        f"exec {shlex.join(wire.words('near'))} unshare --mount sh -c {shlex.quote(script + shlex.quote(order))}"
    )


@pytest.mark.parametrize("nobody", [False, True], ids=["packet", "sock_diag"])
def test_dns_to_the_resolver_the_poller_and_loopback_are_left_out(wire: Wire, tmp_path: Path, nobody: bool) -> None:
    client, served = pair(wire, NEAR, here="far")
    came = " ".join(map(str, (*client.getsockname(), *client.getpeername())))
    wrap = resolving(wire, tmp_path, FAR)

    def wrapped(order: str) -> str:
        order = f"export SSH_CONNECTION={shlex.quote(came)}; {order}"
        return wrap(f"{NOBODY} {shlex.quote(order)}" if nobody else order)

    with contextlib.ExitStack() as stack:
        for one in (client, served):
            stack.enter_context(one)
        live = stack.enter_context(watching(tmp_path, python="/usr/bin/python3", wrap=wrapped))
        assert live.pushes[0].coverage[2] == ("sock_diag" if nobody else "packet")
        with wire.near():
            local = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            stack.enter_context(socket.create_connection(local.getsockname()))
            asking, other = (stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2))
            asking.connect((FAR, 53))
            asking.send(b"?")
            other.connect((FAR, 5353))
            other.send(b"?")
        tunnel = pair(wire, FAR6, 53)
        for one in tunnel:
            stack.enter_context(one)
        live.until(lambda pushes: {one.remote_port for one in met(pushes)} >= {53, 5353})
        told = {(one.protocol, one.remote_address, one.remote_port, one.seen_by) for one in met(live.pushes)}
    by = "sock_diag" if nobody else "packet"
    assert told == {("udp", FAR, 5353, by), ("tcp", FAR6, 53, by)}


def test_who_may_not_see_packets_sees_connections_in_both_directions(wire: Wire, tmp_path: Path) -> None:
    def wrapped(order: str) -> str:
        return f"exec {shlex.join(wire.words('near'))} {NOBODY} {shlex.quote(order)}"

    old = pair(wire, FAR)
    with contextlib.ExitStack() as stack:
        for one in old:
            stack.enter_context(one)
        live = stack.enter_context(watching(tmp_path, python="/usr/bin/python3", wrap=wrapped))
        assert live.pushes[0].coverage == ("uevent", "mountinfo", "sock_diag")
        with wire.near():
            listener = stack.enter_context(socket.create_server((NEAR, 4444)))
        with wire.far():
            stack.enter_context(socket.create_connection((NEAR, 4444)))
        stack.enter_context(listener.accept()[0])
        live.until(met)
        (new,) = met(live.pushes)
    assert (new.local_address, new.local_port, new.remote_address, new.inbound) == (NEAR, 4444, FAR, 1)


def test_a_flood_is_bounded_and_what_is_left_out_is_counted(wire: Wire, tmp_path: Path) -> None:
    with watching(tmp_path, wrap=inside(*wire.words("near"))) as live:
        with wire.far(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for port in range(10_000, 30_000):
                sender.sendto(b"x" * 200, (NEAR, port))
        pushes = live.until(lambda pushes: sum(push.lost for push in pushes) > 0)
    assert all(len(push.encounters) <= 64 for push in pushes)


def test_polls_go_on_while_it_watches_and_frames_never_mix(tmp_path: Path) -> None:
    payload = build(("load", "cpu"), watch=True)
    with running(tmp_path) as probe:
        live = Live(probe)
        probe.send(payload.data)
        first = asking(payload, idle=60.0)
        live.ask(first)
        live.watch(wanting(payload))
        for _ in range(50):
            live.ask(asking(payload, idle=60.0))
        while len(live.reports) < 51 or len(live.pushes) < 3:
            live.next()
        assert probe.end() == (0, b"")
    assert probe.noise.strip() == b""
    assert [push.sequence for push in live.pushes] == list(range(1, len(live.pushes) + 1))


def test_a_second_watch_takes_the_place_of_the_first(tmp_path: Path) -> None:
    with watching(tmp_path) as live:
        second = wanting(build(("load",), watch=True), Watch(every={"usb": NEVER}))
        live.watch(second)
        while live.next() != second.marker.encode():
            pass
        markers = {live.next() for _ in range(3)}
        assert markers == {second.marker.encode()}


def test_a_watch_is_ended_and_the_probe_answers_on(tmp_path: Path) -> None:
    payload = build(("load",), watch=True)
    with watching(tmp_path) as live:
        live.probe.send(wanting(payload).ending)
        itself = psutil.Process(live.probe.process.pid)
        until = time.monotonic() + 20
        while itself.num_threads() > 2 and time.monotonic() < until:
            os.sched_yield()
        assert itself.num_threads() == 2, "the reader of its input, and the one that answers"
        count = len(itself.open_files()) + itself.num_fds()
        live.ask(asking(payload, idle=60.0))
        while not live.reports:
            live.next()
        live.watch(wanting(payload))
        live.begun()
        live.probe.send(wanting(payload).ending)
        while itself.num_threads() > 2 and time.monotonic() < until:
            os.sched_yield()
        assert len(itself.open_files()) + itself.num_fds() == count


def test_the_watcher_does_not_keep_the_probe_beyond_its_input(tmp_path: Path) -> None:
    with watching(tmp_path) as live:
        began = time.monotonic()
        assert live.probe.end() == (0, b"")
        assert time.monotonic() - began < PATIENCE


def test_a_watched_probe_that_nobody_asks_is_ended_by_the_kernel(tmp_path: Path) -> None:
    payload = build(("load",), watch=True)
    request = wanting(payload)
    body = request.body.replace(b'"idle":60.0', b'"idle":0.4')
    with running(tmp_path) as probe:
        probe.send(payload.data + b"%d\n" % len(body) + body)
        probe.stdout.read()
        assert probe.gone() == (-signal.SIGALRM, b"")


def test_a_watcher_that_fails_says_so_and_the_probe_goes_on(tmp_path: Path) -> None:
    name = "remote_probe/watching/readings.py"
    broken = sources()[name] + "\n\ndef changed(*_):\n    raise RuntimeError('boom')\n\n\nReadings.changed = changed\n"
    payload = pack({**sources(), name: broken}, ("load",), watch=True)
    with running(tmp_path) as probe:
        live = Live(probe)
        live.watch(wanting(payload), payload.data)
        pushes = live.until(lambda pushes: any(push.lost for push in pushes))
        assert pushes[-1].coverage[:3] == ("none", "none", "none")
        assert "boom" in pushes[-1].coverage[3]
        live.ask(asking(payload, idle=60.0))
        while not live.reports:
            live.next()
        live.until(lambda pushes: len(pushes) >= 4)
        assert probe.end() == (0, b"")


def test_where_packets_fail_on_the_way_connections_are_looked_at(wire: Wire, tmp_path: Path) -> None:
    name = "remote_probe/watching/packets.py"
    broken = sources()[name] + "\n\ndef take(*_):\n    raise RuntimeError('boom')\n\n\nTap.take = take\n"
    payload = pack({**sources(), name: broken}, ("load",), watch=True)
    with running(tmp_path, wrap=inside(*wire.words("near"))) as probe, contextlib.ExitStack() as stack:
        live = Live(probe)
        live.watch(wanting(payload), payload.data)
        live.begun()
        assert live.pushes[0].coverage[2] == "packet"
        for one in pair(wire, FAR):
            stack.enter_context(one)
        pushes = live.until(lambda pushes: any(push.lost for push in pushes))
        *seen, why = pushes[-1].coverage
        assert seen == [*pushes[0].coverage[:2], "sock_diag"] and "boom" in why
        for one in pair(wire, NEAR, here="far"):
            stack.enter_context(one)
        live.until(met)
        (new,) = met(live.pushes)
        assert (new.local_address, new.remote_address, new.seen_by) == (NEAR, FAR, "sock_diag")
        assert probe.end() == (0, b"")


@pytest.fixture
def shown() -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "remote_probe", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2])

    yield run


def test_people_can_watch_a_machine_for_some_seconds(shown: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = shown("--watch", "--seconds", "1.5")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("</event>") >= 2
    assert '<section name="mounts" status="ok"' in done.stdout
    for wrong in (["--watch", "5"], ["--watch", "--seconds"], ["--watch", "--seconds", "nan"]):
        assert shown(*wrong).returncode == 2


def test_the_watch_travels_only_where_it_is_wanted() -> None:
    plain, live = (set(build(("load",), watch=wanted).modules) for wanted in (False, True))
    assert not any("/watching/" in name for name in plain)
    more = {name.removeprefix("remote_probe/") for name in live - plain}
    assert more >= {"watching/watcher.py", "collectors/usb.py", "collectors/devices.py", "collectors/mounts.py"}
    assert len(build(watch=True).data) <= 64 * 1024
