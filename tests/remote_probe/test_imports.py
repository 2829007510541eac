"""What the far side imports of Python's own: most of what a poll costs a host, and of what stays in its memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from poller.probe.payload import sources
from remote_probe.jsontext import parsed

ROOT = Path(__file__).parents[2]
# They import each other, and take as long as Python itself.
HEAVY = {"collections", "ctypes", "enum", "functools", "hashlib", "json", "re", "signal", "socket", "subprocess"}


def test_no_module_of_the_far_side_imports_what_is_heavy_before_it_is_needed() -> None:
    modules = [name[:-3].replace("/", ".") for name in sources() if not name.endswith("/__main__.py")]
    modules = [name.removesuffix(".__init__") for name in modules]
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
for module in {modules!r}:
    __import__(module)
print(*sorted(sys.modules))
"""
    done = subprocess.run([sys.executable, "-IS", "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded >= set(modules)
    assert loaded & HEAVY == set()


@pytest.mark.parametrize(
    "text",
    [
        '{"version":1,"deadline":10.0,"idle":0.0,"sections":["load"],"stuck":[],"options":{"a":{"b":[1,-2.5e3]}}}',
        '{"text":"\\u00e9é\\"\\\\/","none":null,"yes":true,"no":false,"empty":{},"again":1,"again":2}',
        ' [1, {"a" : 2} ] \n',
        '"alone"',
        "7",
    ],
)
def test_json_is_read_as_json_reads_it(text: str) -> None:
    assert parsed(text) == json.loads(text)


@pytest.mark.parametrize("text", ["", "{", "[1,]", '{"a":1}x', "{'a': 1}", '"\n"', "\ufeff{}"])
def test_what_is_no_json_is_refused_as_json_refuses_it(text: str) -> None:
    with pytest.raises(ValueError) as theirs:
        json.loads(text)
    with pytest.raises(ValueError) as ours:
        parsed(text)
    assert (type(ours.value), str(ours.value)) == (type(theirs.value), str(theirs.value))
