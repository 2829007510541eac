"""An Inventory as `<group>` and `<host>` lines, ready to paste, the same for the same input."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from xml.sax.saxutils import quoteattr

from poller.config.imports.inventory import ImportedHost, Inventory

# The order in which attributes are written, after name.
ORDER: Final = ("address", "user", "port", "identity-file", "proxy-jump", "python", "become", "tags")


def render(inventory: Inventory) -> Iterator[str]:
    """Hosts of no group first, then each group in the order in which its first host was found."""
    groups: dict[str, list[ImportedHost]] = {"": []}
    for host in inventory.hosts:
        groups.setdefault(host.group, []).append(host)
    for host in groups.pop(""):
        yield f"<host{_attributes(host.name, _said(host), ())}/>"
    for name, hosts in groups.items():
        shared = _shared(hosts)
        yield f"<group{_attributes(name, shared, ())}>"
        for host in hosts:
            yield f"  <host{_attributes(host.name, _said(host), shared)}/>"
        yield "</group>"


def name_of(text: str) -> str:
    """A name that config.xml takes: every other character becomes "_"."""
    return re.sub(r"[^\w.-]", "_", text).lstrip(".-")[:100] or "_"


def _said(host: ImportedHost) -> dict[str, str]:
    settings = dict(host.settings)
    if settings.get("address") == host.name:
        del settings["address"]
    return settings | ({"tags": " ".join(host.tags)} if host.tags else {})


def _shared(hosts: Iterable[ImportedHost]) -> dict[str, str]:
    """What every host of a group says alike is said once, by the group."""
    first, *others = (_said(host) for host in hosts)
    return {
        name: value
        for name, value in first.items()
        if name != "address" and all(other.get(name) == value for other in others)
    }


def _attributes(name: str, settings: Mapping[str, str], said: Mapping[str, str] | tuple[()]) -> str:
    written = {"name": name} | {key: settings[key] for key in ORDER if key in settings and key not in said}
    # A "${" of another program is no variable of ours.
    return "".join(f" {key}={quoteattr(value.replace('${', '$${'))}" for key, value in written.items())
