"""config.xml -> frozen Config, or every mistake in it at once, each with its line.

     place        which file, and what its paths are relative to
     document     bytes -> elements with lines (the door of lxml)
                  what a <rule> says remembers its place in the file (source)
     vocabulary   which elements and attributes there are (shape), and of which kind (kinds, values, watch_values,
                  alerting_values, hours, pattern, references, variables, notify)
     structure    elements -> nodes that hold what is right
     build        nodes -> Config: who is told (channels, contacts, downtimes, escalation), threshold sets (limits,
                  defaults, merge), rules (rules, and what they name: mentions, sources), hosts (machines, ranges,
                  parents), what is watched on them (watch), and which <journal> is ours (journal)
     archive      the url of <archive>, which no message repeats
     broken       what is still known of a file with mistakes: where its daemon listens
     secret       reads a referred secret when it is used

Never expands entities, never fetches anything, never repeats a secret.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from poller.config import build, document, structure
from poller.config.mistakes import Mistakes
from poller.config.place import Place, find
from poller.model import Config

__all__ = ["find", "load", "template"]


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration of `path`, or of the first place of the search order. ConfigError holds all mistakes."""
    file = find(path, environ)
    mistakes = Mistakes(str(file))
    elements = document.read(file, mistakes)
    place = Place.of(file, environ)
    root = structure.check(elements, place, mistakes)
    config = build.build(root, file, place, mistakes)
    mistakes.raise_if_any()
    return config


def template() -> str:
    """The commented config.xml that `poller init` writes."""
    return Path(__file__).with_name("template.xml").read_text(encoding="utf-8")
