"""Attributes that point to something outside the file: paths, secret files, environment variables."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Final

from poller.config import secret, values
from poller.config.mistakes import WrongError
from poller.config.place import Place
from poller.model import Secret

NONE: Final = "none"


def path(text: str, place: Place) -> Path:
    """A path that need not exist yet."""
    return place.path(values.text(text))


def paths(text: str, place: Place) -> tuple[Path, ...]:
    """Several paths with spaces between them."""
    return tuple(place.path(each) for each in values.text(text).split())


def existing_file(text: str, place: Place) -> Path:
    """A readable file, whoever may read it."""
    file = path(text, place)
    _check(file, private=False)
    return file


def ssh_config(text: str, place: Place) -> Path | None:
    """A readable file, or `none`."""
    return None if text == NONE else existing_file(text, place)


def identity_files(text: str, place: Place) -> tuple[Path, ...]:
    """Private keys, which must be private; a public key (*.pub, to pick one of the agent's) may be anyone's to read."""
    files = paths(text, place)
    for file in files:
        try:
            _check(file, private=file.suffix != ".pub")
        except WrongError as wrong:
            predicate = wrong.predicate if len(files) == 1 else f"names {file}, which {wrong.predicate}"
            missing = not file.exists() and f"`poller enroll --new-key {shlex.quote(str(file))}` makes one"
            raise WrongError(predicate, wrong.hint or missing or "") from None
    return files


def secret_file(text: str, place: Place) -> Secret:
    file = path(text, place)
    _check(file, private=True)
    return Secret("file", str(file))


def secret_env(text: str, place: Place) -> Secret:
    secret.environ_value(values.word(text), place.environ)
    return Secret("env", text)


def _check(file: Path, *, private: bool) -> None:
    """Opens the file and looks at what was opened; reads nothing."""
    descriptor = secret.open_plain(file)
    try:
        if private:
            secret.check_private(os.fstat(descriptor), file)
    finally:
        os.close(descriptor)
