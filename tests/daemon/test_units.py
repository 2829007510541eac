"""The units of contrib/ say what docs/daemon.md says, and systemd understands them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.site import ROOT

UNITS = ("poller.service", "poller-run.service", "poller-run.timer")


def settings(name: str) -> dict[str, str]:
    """`KEY=value` lines; a key that stands twice is a mistake here."""
    found: dict[str, str] = {}
    for line in (ROOT / "contrib" / name).read_text().splitlines():
        if line and line[0] not in "#[":
            key, equals, value = line.partition("=")
            assert equals and re.fullmatch(r"[A-Z][A-Za-z]+", key), f"{name}: {line}"
            assert found.setdefault(key, value) == value, f"{name}: {key} stands twice"
    return found


def test_the_daemon_is_supervised_and_may_write_where_it_must_alone() -> None:
    unit = settings("poller.service")
    expected = {
        "Type": "notify",
        "NotifyAccess": "main",
        "WatchdogSec": "60",
        "Restart": "on-failure",
        "RestartPreventExitStatus": "2",
        "KillMode": "mixed",
        "ProtectSystem": "strict",
        "NoNewPrivileges": "yes",
        "StateDirectory": "poller",
        "RuntimeDirectory": "poller",
        "MemoryMax": "1G",
    }
    assert {key: unit.get(key) for key in expected} == expected
    assert unit["ExecStart"].endswith(" daemon") and unit["ExecReload"].endswith(" daemon --reload")
    assert int(unit["TimeoutStopSec"]) > 10, "longer than the daemon takes"


def test_the_timer_starts_a_quiet_round_each_minute() -> None:
    assert settings("poller-run.timer")["OnCalendar"] == "minutely"
    unit = settings("poller-run.service")
    assert unit["Type"] == "oneshot" and unit["ExecStart"].endswith(" run -q") and unit["SuccessExitStatus"] == "75"


def test_a_round_is_shut_in_as_the_daemon_is() -> None:
    daemon, once = settings("poller.service"), settings("poller-run.service")
    shut = [key for key in daemon if re.match(r"Protect|Restrict|Private|NoNew|Lock|SystemCall|Capability", key)]
    assert len(shut) > 10
    assert {key: once.get(key) for key in shut} == {key: daemon[key] for key in shut}


@pytest.mark.parametrize("name", UNITS)
def test_the_page_names_each(name: str) -> None:
    assert f"(../contrib/{name})" in (ROOT / "docs" / "daemon.md").read_text()


def test_systemd_understands_them(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        return  # the keys are looked at above
    for name in UNITS:
        text = (ROOT / "contrib" / name).read_text()
        (tmp_path / name).write_text(text.replace("/usr/local/bin/poller", sys.executable).replace("User=poller", ""))
    paths = [str(tmp_path / name) for name in UNITS]
    done = subprocess.run([analyze, "verify", *paths], capture_output=True, text=True, timeout=60, check=False)
    assert not [line for line in done.stderr.splitlines() if str(tmp_path) in line or "poller" in line], done.stderr
