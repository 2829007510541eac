"""A poller that may have few files, threads or memory is slower; it says nothing wrong about a host, and never ends."""

from __future__ import annotations

import faulthandler
import os
import resource
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from poller.model import Host, Poll, PollOutcome, PollSettings
from poller.poll import overdue, unable
from poller.schedule import Schedule, Stop
from tests.end_to_end.site import Site


def test_with_few_open_files_a_round_polls_all_its_hosts(site: Site) -> None:
    """Three pipes each, and the other ends while the program starts: these would need more than a hundred at once."""
    site.write("".join(f'<host name="h{number}" address="local"/>' for number in range(24)), deadline="60s")
    usual = site.command
    site.command = lambda *words: ["prlimit", "--nofile=64", *usual(*words)]  # type: ignore[method-assign]
    assert site.round()[""]["outcomes"] == {"ok": 24, "partial": 0, "failed": 0, "skipped": 0}


def outcomes(count: int, deadline: float) -> Counter[str]:
    """Of a round whose polls take a moment, and nothing but a thread."""

    def ask(host: Host) -> Poll:
        threading.Event().wait(0.05)
        return Poll(id=host.name, host=host.name, at_ms=0, outcome=PollOutcome.OK)

    hosts = [Host(f"h{number}", "local", poll=PollSettings(deadline=deadline)) for number in range(count)]
    schedule = Schedule(hosts, ask, overdue, unable, at_once=200, stop=Stop())
    return Counter(f"{one.outcome} {one.code}".strip() for batch in schedule.polls() for one in batch)


def in_a_child(limit: Callable[[], None], check: Callable[[], bool]) -> bool:
    """Sets the limit in a forked process, as somebody without root's exemption from it, and says how the check went."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            faulthandler.dump_traceback_later(60, exit=True)
            os.chdir("/")
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(54321)
                # One of its own: the kernel counts the processes of a user, and another such test may run beside this.
                os.setuid(50_000 + os.getpid() % 10_000)
            limit()
            status = 0 if check() else 2
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def processes(more: int) -> Callable[[], None]:
    """So many processes and threads beyond those that this user has."""

    def limit() -> None:
        mine = 0
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if entry.stat().st_uid == os.getuid():
                    mine += len(list((entry / "task").iterdir()))
            except OSError:
                continue  # it has ended meanwhile
        resource.setrlimit(resource.RLIMIT_NPROC, (mine + more, mine + more))

    return limit


def test_with_few_processes_and_threads_a_round_goes_on_with_fewer_at_once() -> None:
    def check() -> bool:
        return outcomes(50, 60.0) == Counter(ok=50)

    assert in_a_child(processes(5), check)


def test_without_any_thread_a_round_ends_and_blames_no_host() -> None:
    def check() -> bool:
        return outcomes(50, 1.0) == Counter({"skipped resources": 50})

    assert in_a_child(processes(0), check)


def test_with_little_memory_a_round_goes_on_with_fewer_at_once() -> None:
    """A thread wants 8 MB of address space for its stack."""

    def limit() -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        size = pages * resource.getpagesize() + (48 << 20)
        resource.setrlimit(resource.RLIMIT_AS, (size, size))

    def check() -> bool:
        return outcomes(50, 60.0) == Counter(ok=50)

    assert in_a_child(limit, check)
