"""What must hold after every experiment, whatever was broken in it.

V1 each acknowledged poll is stored once · V2 no half report · V3 stale is never shown as green · V5 no thread,
descriptor, memory or process is left · V6 every alert was told · V7 nothing secret and no raw escape is shown ·
V8 every failure has its stage and code from the one table. (V4, lateness, is measured where hosts hang.)
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from typing import TYPE_CHECKING, Final

from faults.footprint import Footprint, own
from poller.errors import OUTCOMES
from tests.notify.servers import text_of

if TYPE_CHECKING:
    from faults.site import LabSite

MIB: Final = 1024 * 1024
# Seconds in which what ended must have gone.
SETTLED: Final = 20.0
# What a skipped poll may say that is in no table: another poller was at work on the host.
BUSY: Final = ("", "busy")

_DOUBLED: Final = "SELECT count(*) - count(DISTINCT id) FROM poll"
_HALVES: Final = """
SELECT poll.id FROM poll
 WHERE outcome IN ('ok', 'partial')
   AND (SELECT count(*) FROM system_sample s WHERE s.host_id = poll.host_id AND s.at_ms = poll.at_ms) <> 1
"""
_ORPHANS: Final = """
SELECT 'system_sample', host_id, at_ms FROM system_sample s
 WHERE NOT EXISTS (SELECT 1 FROM poll WHERE poll.host_id = s.host_id AND poll.at_ms = s.at_ms
                      AND outcome IN ('ok', 'partial'))
 UNION ALL
SELECT 'filesystem_sample', host_id, at_ms FROM filesystem_sample s JOIN filesystem f ON f.id = s.filesystem_id
 WHERE NOT EXISTS (SELECT 1 FROM poll WHERE poll.host_id = f.host_id AND poll.at_ms = s.at_ms
                      AND outcome IN ('ok', 'partial'))
"""
_UNTOLD: Final = "SELECT alert_id, kind, state, error FROM notification WHERE state NOT IN ('delivered', 'suppressed')"
_FAILED: Final = "SELECT DISTINCT outcome, stage, code FROM poll WHERE outcome IN ('failed', 'skipped')"


def check(site: LabSite, secrets: Sequence[str], mails: Sequence[EmailMessage] | None) -> None:
    """AssertionError with the number of the invariant that does not hold."""
    nothing_shown(site, secrets)
    if not site.journal.exists() and not site.prefix:
        return
    assert site.rows("PRAGMA integrity_check") == [("ok",)]
    stored_once(site)
    whole(site)
    named(site)
    stale_is_not_green(site)
    if mails is not None:
        told(site, mails)


def stored_once(site: LabSite) -> None:
    """V1."""
    assert site.rows(_DOUBLED) == [(0,)], "V1: a poll is stored twice"
    stored: dict[tuple[str, str], list[str]] = {}
    for round_id, name, outcome in site.rows(
        "SELECT round_id, host.name, outcome FROM poll JOIN host ON host.id = host_id"
    ):
        stored.setdefault((round_id, name), []).append(outcome)
    for round_id, name, outcome in site.acknowledged:
        assert stored.get((round_id, name)) == [outcome], f"V1: {name}'s {outcome} poll is not stored exactly once"


def whole(site: LabSite) -> None:
    """V2."""
    assert site.rows(_HALVES) == [], "V2: a poll without its samples"
    assert site.rows(_ORPHANS) == [], "V2: samples without their poll"


def stale_is_not_green(site: LabSite) -> None:
    """V3: one day later, with no report since, no host is shown as well."""
    command = ["faketime", "-f", "+1d", *site.command("status", "--json")]
    run = subprocess.run(
        command, cwd=site.folder, env=site.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 0, f"V3: {run.stderr}"
    green = [host["name"] for host in json.loads(run.stdout)["hosts"] if host["outcome"] in ("ok", "partial")]
    assert green == [], f"V3: {green} are shown green a day later"


def nothing_left(before: Footprint) -> None:
    """V5, of the process that conducts experiments: the hostile servers ran in it, and some polls."""
    gc.collect()
    _settles("threads", before.threads + 2, lambda: own().threads)
    _settles("descriptors", before.descriptors + 5, lambda: own().descriptors)
    _settles("children", before.children, lambda: own().children)


def _settles(what: str, most: int, now: Callable[[], int]) -> None:
    until = time.monotonic() + SETTLED
    while now() > most and time.monotonic() < until:
        os.sched_yield()
        time.sleep(0.02)
    assert now() <= most, f"V5: {now()} {what} are left, {most} were expected"


def told(site: LabSite, mails: Sequence[EmailMessage]) -> None:
    """V6: nothing owed is left, and what came twice carries the same id."""
    assert site.rows(_UNTOLD) == [], "V6: a notification was not delivered"
    texts: dict[str, str] = {}
    for mail in mails:
        text = text_of(mail)
        assert texts.setdefault(mail["Message-ID"], text) == text, "V6: one id, two mails"
    delivered = site.rows("SELECT DISTINCT alert.id, host.name FROM notification JOIN alert ON alert.id = alert_id"
                          " JOIN host ON host.id = alert.host_id WHERE state = 'delivered'")  # fmt: skip
    for _, name in delivered:
        assert any(name in text for text in texts.values()), f"V6: no mail names {name}"


def nothing_shown(site: LabSite, secrets: Sequence[str]) -> None:
    """V7, over all that the commands wrote and every log file in the folder of the site."""
    logs = [path.read_text("utf-8", "replace") for path in site.folder.glob("*.log")]
    for text in (*site.said, *logs):
        for secret in (*secrets, "PRIVATE KEY-----"):
            assert secret not in text, "V7: a secret is shown"
        raw = {character for character in text if ord(character) < 32 or 0x7F <= ord(character) < 0xA0} - set("\n\t")
        assert not raw, f"V7: raw control characters are shown: {sorted(map(ascii, raw))}"


def named(site: LabSite) -> None:
    """V8."""
    for outcome, stage, code in site.rows(_FAILED):
        known = (stage, code) in OUTCOMES or (outcome == "skipped" and (stage, code) == BUSY)
        assert known, f"V8: {outcome} with {stage}/{code}, which is in no table"
