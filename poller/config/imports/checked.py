"""The last look at an imported host: what config.xml would refuse is left out, with a note."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from poller.config import ranges, values
from poller.config.imports.inventory import ImportedHost, Note
from poller.config.mistakes import WrongError, shortened

PORT: Final = values.count(1, 65535, "port")
_CHECKS: Final[Mapping[str, Callable[[str], object]]] = {
    "address": lambda text: [values.address(each) for each in ranges.expand(text)],
    "user": values.word,
    "port": PORT,
    "identity-file": values.text,
    "proxy-jump": values.word,
    "python": values.word,
    "become": values.word,
}


def checked(host: ImportedHost, line: int, notes: list[Note]) -> ImportedHost | None:
    """The host without the settings that cannot be; None when its name itself cannot."""
    try:
        for name in ranges.expand(host.name):
            values.name(name)
    except WrongError as wrong:
        notes.append(Note(line, f'the host "{shortened(host.name)}" was left out: its name {wrong.predicate}'))
        return None
    settings = {}
    for attribute, text in host.settings.items():
        try:
            if not text:
                raise WrongError("is empty")
            _CHECKS[attribute](text)
            settings[attribute] = text
        except WrongError as wrong:
            notes.append(
                Note(line, f'{attribute} "{shortened(text)}" of {host.name} {wrong.predicate}; it was left out')
            )
    return ImportedHost(host.name, host.group, host.tags, settings)
