"""The importer that heads the payload, in a process of its own."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zlib

import pytest

from remote_probe import loader

SOURCES = {
    "far/__init__.py": "",
    "far/away.py": "def stumble():\n\n    raise KeyError('what lies there')\n",
    "far/more/__init__.py": "from far import away\n",
}


def test_modules_come_from_memory_and_their_text_does_not_stay_there() -> None:
    code = f"""
import sys
sys.path.insert(0, {str(loader.__file__.rpartition("/remote_probe")[0])!r})
from remote_probe.loader import Bundle
bundle = Bundle({SOURCES!r})
sys.meta_path.insert(0, bundle)
import far.more, string
assert far.more.__package__ == "far.more" and far.__path__ == [], far
try:
    far.more.away.stumble()
except KeyError as error:
    assert error.__traceback__.tb_next.tb_lineno == 3
assert far.away.__spec__.origin == "poller-probe:far/away.py"
assert set(bundle.sources.values()) == {{None}}
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_module_whose_import_failed_is_imported_the_next_time() -> None:
    stumbling = "import sys\nsys.tries = getattr(sys, 'tries', 0) + 1\nif sys.tries == 1:\n    raise MemoryError\n"
    code = f"""
import sys
sys.path.insert(0, {str(loader.__file__.rpartition("/remote_probe")[0])!r})
from remote_probe.loader import Bundle
sys.meta_path.insert(0, Bundle({{"far/__init__.py": "", "far/away.py": {stumbling!r}}}))
try:
    import far.away
except MemoryError:
    import far.away
    print(sys.tries)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("2\n", "")


def test_a_bundle_is_unpacked_when_its_digest_is_right() -> None:
    plain = "\0".join(part for item in SOURCES.items() for part in item).encode()
    packed = zlib.compress(plain)
    digest = hashlib.sha256(plain).hexdigest()
    assert loader.unpack(packed, len(packed), digest) == SOURCES
    with pytest.raises(ValueError, match="digest"):
        loader.unpack(packed, len(packed), "0" * 64)
    with pytest.raises(ValueError, match="cut short"):
        loader.unpack(packed[:-1], len(packed), digest)
    with pytest.raises(ValueError, match="incorrect header"):
        loader.unpack(b"x" * len(packed), len(packed), digest)
