"""Runs commands exactly as a page shows them: in a shell, with `poller` and the places of the test put in."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.end_to_end.site import ROOT, Site


def commands(page: str, heading: str) -> str:
    """The indented lines below a heading of docs/`page`, up to the next heading."""
    text = (ROOT / "docs" / page).read_text()
    section = re.split(rf"^#+ {re.escape(heading)}$", text, flags=re.MULTILINE)[1]
    section = re.split(r"^#", section, flags=re.MULTILINE)[0]
    return "".join(f"{line}\n" for line in re.findall(r"^    (\S.*)$", section, re.MULTILINE))


def programs(folder: Path, **scripts: str) -> str:
    """A PATH that begins with those scripts, and with `poller` from this checkout."""
    folder.mkdir(exist_ok=True)
    scripts = {"poller": f'PYTHONPATH={shlex.quote(str(ROOT))} exec {sys.executable} -m poller "$@"', **scripts}
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def run(site: Site, script: str, path: str, places: Mapping[str, str]) -> str:
    """What it prints. Ends at the first command that fails, and fails the test with what that said."""
    for shown, real in places.items():
        assert shown in script, f"the page does not mention {shown}"
        script = script.replace(shown, real)
    environment = site.environment() | {"PATH": path, "POLLER_CONFIG": str(site.config)}
    done = subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=site.folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout
