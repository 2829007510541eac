"""A file system of the host that does not answer: named as such, and no process is added poll by poll."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from faults.experiment import Experiment
from faults.hosts import outcome
from faults.lab import PYTHON, Lab
from faults.machine import Machine
from faults.namespace import end, started
from poller.model import Before, Deadline, FileSystem, Report, SectionStatus, Stopwatch
from poller.probe.envelope import open_report
from poller.probe.payload import Payload, build, command, pack, sources
from poller.probe.report import parse
from poller.probe.request import Request
from poller.ssh import connect
from tests.end_to_end.site import ROOT

# Sections that many kernels show to root alone.
ROOTS: Final = frozenset({"kernel"})
FINE: Final = (SectionStatus.OK, SectionStatus.ABSENT)
_MOUNTS: Final = "remote_probe/mountinfo.py"
_FILE: Final = "remote_probe/collectors/filesystem.py"


def dead_mount(lab: Lab) -> str:
    """As installed the probe names a FUSE mount and does not touch it. A probe that takes it for a local disk is what
    meets a dead mount of a kind that it does not know: its statvfs(3) hangs in the kernel, for ever.
    """
    machine, folder = Machine(lab), Path("/home/dead")
    host = machine.account("web")
    machine.space.sh(f"mkdir {folder}")
    server = started([*machine.space.enter, "env", f"PYTHONPATH={ROOT}", PYTHON, "-m", "faults.fuse", str(folder)])
    lab.ends(lambda: end(server))
    site = lab.site(host, machine.sshd)
    found = site.round()["web"]
    denied = {name for (name,) in site.rows("SELECT name FROM section WHERE status NOT IN ('ok', 'absent')")}
    assert outcome(found) in ("ok", "partial") and denied <= ROOTS, f"{outcome(found)}: {denied}"
    assert site.rows(f"SELECT state FROM filesystem WHERE mountpoint = '{folder}'") == [("skipped",)]
    polls = [_ask(lab, machine, str(folder)) for _ in range(lab.size(short=3, full=20))]
    slowest = max(seconds for _, seconds in polls)
    stuck = _hanging(machine.space.pid)
    assert stuck == 1, f"{stuck} processes hang after {len(polls)} polls"
    return (
        f"known kind: ok in {found['seconds']:.2f} s, skipped; unknown kind: {len(polls)} polls, the slowest "
        f"{slowest:.2f} s, all say stuck, {stuck} process hangs"
    )


def _ask(lab: Lab, machine: Machine, folder: str) -> tuple[Report, float]:
    """A poll that remembers, as the journal does, which mounts were stuck. Every other section must be there."""
    asked = lab.folder("asked")
    before = Before(stuck=(folder,)) if any(asked.iterdir()) else Before()
    payload = _bold()
    host = machine.sshd.host("web", user="web")
    started_at = time.monotonic()
    deadline = Deadline(10)
    with connect(host, command=command(), deadline=deadline, stopwatch=Stopwatch()) as session:
        request = Request.fresh("web", session.host_key, before, payload, 8)
        answer = session.ask(payload.data + request.frame, request.marker, deadline=deadline)
    report = parse(open_report(answer.frame, request), request)
    seconds = time.monotonic() - started_at
    missing = [section.name for section in report.now.sections
               if section.status not in FINE and section.name not in ROOTS]  # fmt: skip
    assert missing == [], f"sections did not arrive: {missing}"
    states = {row.mountpoint: row.state for row in report.now.rows(FileSystem) if isinstance(row, FileSystem)}
    assert states[folder] == "stuck", states
    assert any(state == "ok" for state in states.values()), states
    (asked / str(time.monotonic_ns())).touch()
    return report, seconds


def _bold() -> Payload:
    """The probe, but FUSE is no kind that it leaves alone."""
    mounts = sources()[_MOUNTS].replace('PROGRAM = (b"fuse", b"fuseblk")', 'PROGRAM = (b"fuseblk",)')
    source = sources()[_FILE].replace("or kind not in virtual", 'or kind == b"fuse" or kind not in virtual')
    assert mounts.count('b"fuse"') == 0 and source.count('b"fuse"') == 1, "the probe has changed: FUSE is not touched"
    return pack({**sources(), _MOUNTS: mounts, _FILE: source}, build().sections)


def _hanging(inside: int) -> int:
    """Processes of the namespace that hang in the kernel and have been killed in vain."""
    own = Path(f"/proc/{inside}/ns/mnt").readlink()
    count = 0
    for path in Path("/proc").glob("[0-9]*"):
        try:
            state = (path / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
            count += state == "D" and (path / "ns" / "mnt").readlink() == own
        except OSError:
            continue
    return count


EXPERIMENTS: Final = (
    Experiment("H15", "a mount whose server is dead: statvfs never returns, not even for SIGKILL",
               "all other sections arrive in time, the mount is named, one process hangs however often it is polled",
               dead_mount),
)  # fmt: skip
