"""Where things are: the search order of config.xml, and what relative paths and `~` mean inside it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from poller.errors import ConfigError, Mistake

SYSTEM: Final = Path("/etc/poller/config.xml")


@dataclass(frozen=True, slots=True)
class Place:
    """What a path or a variable in the file is relative to. `folder` and `home` are absolute."""

    folder: Path
    home: Path
    environ: Mapping[str, str]

    @classmethod
    def of(cls, file: Path, environ: Mapping[str, str]) -> Place:
        # Not resolved: beside a symbolic link to the file is where its user expects the files it names.
        return cls(file.absolute().parent, home(environ), environ)

    def path(self, text: str) -> Path:
        """An absolute path. Relative ones start at the configuration's folder, `~` is the user's home."""
        if text == "~" or text.startswith("~/"):
            return self.home / text[2:]
        return Path(os.path.normpath(self.folder / text))

    @property
    def user_ssh_config(self) -> Path:
        """~/.ssh/config, also when there is none: the system's file follows it."""
        return self.home / ".ssh" / "config"

    @property
    def state(self) -> Path:
        """The user's state folder (XDG Base Directory Specification)."""
        return _xdg("XDG_STATE_HOME", ".local/state", self.environ)


def home(environ: Mapping[str, str]) -> Path:
    """$HOME, or the home of the account when cron or systemd did not set it."""
    named = environ.get("HOME", "")
    if named.startswith("/"):
        return Path(named)
    try:
        return Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:  # a container may run under a number that no account has
        return Path("/")


def find(path: Path | None, environ: Mapping[str, str]) -> Path:
    """The config.xml to use: `path`, $POLLER_CONFIG, ./config.xml, the user's, /etc/poller/config.xml.

    One that was named is used whether it exists or not. ConfigError when none was named and none is there.
    """
    if path is not None:
        return path
    if named := environ.get("POLLER_CONFIG"):
        return Path(named)
    places = (Path("config.xml"), _xdg("XDG_CONFIG_HOME", ".config", environ) / "config.xml", SYSTEM)
    for place in places:
        # os.path.lexists: a dangling link or an unreadable file is to be complained about, not passed over.
        if os.path.lexists(place):
            return place
    looked = ", ".join(str(place) if place.is_absolute() else f"./{place}" for place in places)
    raise ConfigError(
        (Mistake("config.xml", 0, f"there is no configuration: looked for {looked}", "`poller init` writes one"),)
    )


def _xdg(variable: str, default: str, environ: Mapping[str, str]) -> Path:
    """Our folder in a base folder of the XDG specification, which says to ignore relative ones."""
    named = environ.get(variable, "")
    return (Path(named) if named.startswith("/") else home(environ) / default) / "poller"
