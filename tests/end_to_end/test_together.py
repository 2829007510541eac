"""Five pollers on one journal: rounds from two crontabs, one-shots by hand, somebody who looks. None is in the way."""

from __future__ import annotations

import subprocess
import threading
from collections import Counter

from tests.end_to_end.site import Site

ENDS = {"run": {0, 75}, "one": {0, 1}, "look": {0}}


def test_rounds_one_shots_and_readers_share_a_journal_and_no_poll_is_lost_or_doubled(site: Site) -> None:
    site.poller("run", "-q")
    whole, single = ("run", "-q"), ("run", "-q", "--host", "web1")
    jobs = [("run", whole), ("run", whole), ("one", single), ("one", single), ("look", ("status",))]
    ended: Counter[tuple[str, int]] = Counter()
    said: list[str] = []

    def again(kind: str, words: tuple[str, ...]) -> None:
        for number in range(2):
            chosen = ("query", "hosts-now") if kind == "look" and number == 1 else words
            run = subprocess.run(
                site.command(*chosen),
                cwd=site.folder,
                env=site.environment(),
                capture_output=True,
                text=True,
                timeout=60,
            )
            ended[kind, run.returncode] += 1
            said.append(run.stderr)

    workers = [threading.Thread(target=again, args=job) for job in jobs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(100)
    assert sum(ended.values()) == 10
    assert all(code in ENDS[kind] for kind, code in ended), (ended, said)
    assert not any("locked" in text or "Traceback" in text for text in said), said
    rounds = 1 + ended["run", 0]
    ((others, shared),) = site.rows(
        "SELECT sum(host.name <> 'web1'), sum(host.name = 'web1')  FROM poll JOIN host ON host.id = poll.host_id"
    )
    assert others == rounds * 2, "one poll of each other host for each round that took place"
    assert shared == rounds + 4, "and of the shared one for each one-shot too, if only to say that it was skipped"
    assert site.rows("SELECT count(*) - count(DISTINCT id) FROM poll") == [(0,)]
    # Leases: no two polls of one host at the same time.
    assert site.rows(
        "SELECT count(*) FROM poll a JOIN poll b ON a.host_id = b.host_id AND a.id < b.id"
        " AND a.asked_ms < b.answered_ms AND b.asked_ms < a.answered_ms"
    ) == [(0,)]
    assert site.rows("PRAGMA integrity_check") == [("ok",)]
