"""What the probe costs on the host beside an empty Python, and what travels."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row, cost, peak_bytes, spread
from poller.model import Before
from poller.probe.payload import BOOTSTRAP, build
from poller.probe.request import Request

PYTHON = "/usr/bin/python3"


def rows(runs: int) -> Iterator[Row]:
    """The probe answers one request with all sections and one reading, as after an earlier poll."""
    payload = build()
    probe: list[float] = []
    empty: list[float] = []
    peak: list[float] = []
    report = 0
    for _ in range(runs * 4):
        request = Request.fresh("h1", "local", Before(), payload, 10.0)
        body = request.body.replace(b'"window":0.5', b'"window":0')
        frames: list[bytes] = []

        def read(process: subprocess.Popen[bytes], frames: list[bytes] = frames, peak: list[float] = peak) -> None:
            assert process.stdout
            process.stdout.readline()
            frames.append(process.stdout.read(int(process.stdout.readline().split()[2])))
            peak.append(peak_bytes(process) / 1e6)

        sent = payload.data + b"%d\n" % len(body) + body
        ours = cost([PYTHON, "-IS", "-c", BOOTSTRAP], folder=Path("/"), environment={}, stdin=sent, until=read)
        probe.append(ours.cpu)
        report = max(report, len(frames[0]))
        empty.append(cost([PYTHON, "-IS", "-c", "pass"], folder=Path("/"), environment={}).cpu)
    figures = f"CPU ms: {spread(probe, 1000)} beside {spread(empty, 1000)}"
    ratios = tuple(a / b for a, b in zip(probe, empty, strict=True))
    yield Row("the probe, all sections, beside python3 -IS -c pass", figures, ratios, 8.0)
    yield Row("memory of the probe", f"peak MB: {spread(peak)}", tuple(peak), 20.0, "MB")
    size = len(payload.data) + len(request.frame)
    yield Row("payload up", f"{size} bytes, request included", (size / 1000,), 30.0, "KB")
    yield Row("sealed report down", f"{report} bytes", (report / 1000,), 6.0, "KB")
