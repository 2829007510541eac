"""F1, F2: config.xml and the files it names, after everything that happens to files."""

from __future__ import annotations

import io
import os
import random
import re
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Final

from faults.damages import DAMAGES, HARMLESS
from faults.experiment import Experiment
from faults.lab import Lab
from poller.cli import main
from tests.config.files import write
from tests.config.mutations import mutated, values_swapped
from tests.config.test_examples import uncommented
from tests.end_to_end.sshd import keygen

SECRET: Final = "Tr0ub4dor-3-of-its-own"
# Seconds that checking one file may take.
LONGEST: Final = 5.0
PLACE: Final = re.compile(r"^(?P<file>.+?):(?P<line>\d+): .+|^(?P<whole>.+?): the file .+", re.MULTILINE)


class Checked:
    """`poller --config FILE WORDS` in this process: exit code, and what it says, in the seconds that it took."""

    def __init__(self, path: Path, *words: str) -> None:
        begun = time.monotonic()
        self.said, self.code = _called(path.parent, "--config", str(path), *words)
        self.seconds = time.monotonic() - begun
        assert "Traceback" not in self.said and "a fault of the poller itself" not in self.said, self.said[-600:]
        assert self.seconds < LONGEST, f"{self.seconds:.1f} s"
        raw = [one for one in self.said if (ord(one) < 32 and one not in "\n\t") or 0x7F <= ord(one) < 0xA0]
        assert not raw, f"raw control characters: {raw}"

    def lines(self, path: Path) -> list[int]:
        """The line of each mistake, 0 for the whole file. AssertionError for a complaint that names neither."""
        found = []
        for said in self.said.splitlines():
            if said.startswith("    "):  # the way out
                continue
            match = PLACE.match(said)
            assert match and (match["file"] or match["whole"]) == str(path), f"no place in {said!a}"
            found.append(int(match["line"] or 0))
        return found


def _called(home: Path, *words: str) -> tuple[str, int]:
    """What it writes to stdout and stderr, and its exit code. Nothing of this environment but PATH is there."""
    kept = dict(os.environ)
    said = io.StringIO()
    os.environ.clear()
    os.environ.update(HOME=str(home), PATH="/usr/bin:/bin")
    try:
        with redirect_stdout(said), redirect_stderr(said):
            main(words)
    except SystemExit as ended:
        return said.getvalue(), int(ended.code or 0)
    finally:
        os.environ.clear()
        os.environ.update(kept)
    raise AssertionError("the command did not exit")


def mutated_files(lab: Lab) -> str:
    """F1."""
    folder = lab.folder("damaged")
    for number, (name, (damage, line)) in enumerate(DAMAGES.items()):
        path = folder / f"{number}" / "config.xml"
        path.parent.mkdir()
        damage(path)
        checked = Checked(path, "run", "-q")
        assert checked.code == 2, f"{name}: exit {checked.code}, {checked.said}"
        assert line in checked.lines(path), f"{name}: not line {line} but {checked.said}"
    for name, make in HARMLESS.items():
        path = folder / name.replace(" ", "-") / "config.xml"
        path.parent.mkdir()
        make(path)
        assert Checked(path, "check-config").code == 0, f"{name} is refused"
    count = lab.size(short=150, full=1000)
    refused, slowest = _mutations(lab.folder("mutated"), count)
    assert refused > count / 4
    return (
        f"{len(DAMAGES)} kinds of damage: exit 2 with the line; {count} mutations: {refused} exit 2, each with its "
        f"line, {count - refused} still valid, <= {slowest:.3f} s, 0 tracebacks"
    )


def _mutations(folder: Path, count: int) -> tuple[int, float]:
    """How many were refused, and how long the slowest took."""
    original = uncommented(folder).encode()
    chance = random.Random(20)
    refused, slowest = 0, 0.0
    for number in range(count):
        path = write(folder, (mutated, values_swapped)[number % 2](original, chance))
        checked = Checked(path, "check-config")
        assert checked.code in (0, 2), f"exit {checked.code}: {checked.said}"
        slowest = max(slowest, checked.seconds)
        if checked.code == 2:
            refused += 1
            lines = checked.lines(path)
            assert lines and max(lines) <= path.read_bytes().count(b"\n") + 1, checked.said
    return refused, slowest


# What stands in the place of %KEY, and what is to be said of it.
REFERENCES: Final = {
    "a key that others can read": ('identity-file="{open}"', "may be read or changed by others"),
    "a key that is not there": ('identity-file="{gone}"', "does not exist"),
    "a key that is a folder": ('identity-file="{folder}"', "is not a regular file"),
    "a passphrase that others can read": (
        'identity-file="{locked}" passphrase-file="{open}"', "may be read or changed by others"
    ),
    "a password in the file": ('password="{secret}"', "would keep a secret in this file"),
    "a passphrase in the file": ('passphrase="{secret}"', "would keep a secret in this file"),
    "a password file that is not there": ('password-file="{gone}"', "does not exist"),
    "a password file that others can read": ('password-file="{open}"', "may be read or changed by others"),
    "a variable that is not set": ('password-env="NOT_SET"', "not set"),
}  # fmt: skip
KEYS: Final = {
    "locked": ('identity-file="{locked}"', "is encrypted, and no passphrase-file= is set"),
    "wrong": ('identity-file="{locked}" passphrase-file="{private}"', "does not open"),
    "public": ('identity-file="{locked}.pub"', "is a public key"),
    "garbage": ('identity-file="{private}"', "is not a private key that the poller can read"),
}


def secret_files(lab: Lab) -> str:
    """F2."""
    lab.secret(SECRET)
    folder = lab.folder("secrets")
    places = {
        "open": write(folder, SECRET, "open"),
        "private": write(folder, SECRET, "private"),
        "gone": folder / "gone",
        "folder": folder / "folder",
        "locked": keygen(folder / "locked", passphrase="correct horse"),
        "secret": SECRET,
    }
    (folder / "open").chmod(0o644)
    (folder / "folder").mkdir()
    for name, (attribute, sentence) in REFERENCES.items():
        text = f'<poller>\n<ssh {attribute.format(**places)}/>\n<host name="web1"/></poller>'
        path = write(folder, text)
        for words in (("-vv", "run"), ("check-config",)):
            checked = Checked(path, *words)
            assert checked.code == 2 and sentence in checked.said, f"{name}: exit {checked.code}, {checked.said}"
            assert SECRET not in checked.said, f"{name}: the value is shown"
            assert 2 in [int(line) for line in re.findall(r"config\.xml:(\d+): ", checked.said)], checked.said
    hosts = "".join(
        f'<host name="{name}" address="127.0.0.1" {text.format(**places)}/>' for name, (text, _) in KEYS.items()
    )
    site = lab.site(hosts)
    with site.running("-vv", "run", "--json") as run:
        assert run.wait(60) == 0
    for name, (_, sentence) in KEYS.items():
        found = site.rows(f"SELECT stage, code, error FROM host_latest JOIN host ON id = host_id WHERE name = '{name}'")
        assert found[0][:2] == ("auth", "key") and sentence in found[0][2], f"{name}: {found}"
    stored = b"".join(path.read_bytes() for path in site.folder.glob("poller.db*"))
    assert SECRET.encode() not in stored + b"".join(text.encode() for text in site.said)
    total = len(REFERENCES) + len(KEYS)
    return f"{total} of {total} refused with their reason, 0 values shown, stored or logged"


EXPERIMENTS: Final = (
    Experiment(
        "F1", "config.xml damaged in every way", "exit 2 and the line; never a traceback or a hang", mutated_files
    ),
    Experiment(
        "F2", "secrets that are open, missing, locked, wrong or in the file", "refused, never shown", secret_files
    ),
)
