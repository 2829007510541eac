"""`poller metrics`: every <threshold> line it prints can be pasted into config.xml."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from poller.cli.metrics import threshold_line
from poller.config import load
from poller.metrics import CATALOGUE, OWN
from poller.model import MetricValue
from tests.cli.calling import poller
from tests.config.files import write

NAMES = (
    "/",
    "/mnt/a b",
    "/mnt/*",
    "/mnt/[x]?",
    "/mnt/${HOME}",
    "/mnt/\"&<>'",
    "/mnt/\\x1b",
    "/mnt/\u202e\n\t\x1b",
    "ü",
)


def loaded(folder: Path, *lines: str) -> int:
    """How many thresholds config.xml has with these lines in it."""
    text = f"<poller><host name='a' address='local'>{''.join(lines)}</host></poller>"
    config = load(write(folder, text), {"HOME": str(folder)})
    return sum(threshold.where.endswith(":1") for threshold in config.hosts[0].thresholds)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.000123456789, 2.05204292774243, 99.99, 17e9, 1e15])
def test_a_line_for_every_metric_is_accepted(tmp_path: Path, value: float) -> None:
    lines = []
    of_hosts = [metric for metric in CATALOGUE.values() if not metric.name.startswith(OWN)]
    for metric in of_hosts:
        now = min(value, {"percent": 100.0, "0 or 1": 1.0}.get(metric.unit, value))
        labels = (
            ((metric.label, {"port": "udp/53", "unit": "ssh.service"}.get(metric.label, "x")),) if metric.label else ()
        )
        lines.append(threshold_line(metric, MetricValue(metric.name, now, labels)))
    there = "<check name='x' command='true'/><log name='x' path='/var/log/x'/>"  # what limits name must be there
    assert loaded(tmp_path, *lines, there) == len(of_hosts)


@pytest.mark.parametrize("name", NAMES)
def test_a_line_covers_the_value_it_was_made_for_and_hardly_any_other(tmp_path: Path, name: str) -> None:
    labels = (("mountpoint", name),)
    line = threshold_line(CATALOGUE["disk.percent"], MetricValue("disk.percent", 41.0, labels))
    write(tmp_path, f"<poller><host name='a' address='local'>{line}</host></poller>")
    thresholds = [t for t in load(tmp_path / "config.xml", {}).hosts[0].thresholds if t.labels]
    assert [threshold.covers("disk.percent", labels) for threshold in thresholds] == [True]
    assert not thresholds[0].covers("disk.percent", (("mountpoint", "/mnt/other"),))


def test_sizes_and_times_are_written_with_units() -> None:
    for name, value, written in (
        ("memory.available_bytes", 23e9, 'below="8GiB"'),
        ("disk.used_bytes", 3e12, 'above="8TiB"'),
        ("network.receive_bytes_per_second", 0.0, 'above="1MiB"'),
        ("poll.seconds", 31.0, 'above="1m"'),
        ("cpu.percent", 12.3456, 'above="80"'),
        ("cpu.idle_percent", 82.0, 'below="41"'),
        ("load.1m", 2.0520429, 'above="4"'),
    ):
        assert written in threshold_line(CATALOGUE[name], MetricValue(name, value))


def test_after_a_round_what_is_printed_for_this_machine_loads(tmp_path: Path) -> None:
    write(tmp_path, "<poller><journal path='p.db'/><host name='me' address='local'/></poller>")
    poller(tmp_path, "run", "-q", PATH=os.environ["PATH"])
    printed = poller(tmp_path, "metrics", "--host", "me").out.splitlines()[1:]
    lines = [line[line.index("<threshold") :] for line in printed]
    assert len(lines) > 40
    assert loaded(tmp_path, *lines) == len(lines)


def test_one_host_is_meant(tmp_path: Path) -> None:
    write(tmp_path, "<poller><host name='a[1-2]' address='local'/></poller>")
    answer = poller(tmp_path, "metrics", "--host", "a*")
    assert answer.code == 2 and "matches 2 hosts" in answer.err
