"""What hosts tell a daemon by themselves is told to people at once, and kept also when it ends that moment."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from poller.control import Client
from tests.daemon.daemons import StartDaemon, start
from tests.end_to_end.mounting import mount, sshd
from tests.end_to_end.site import Site, site
from tests.end_to_end.sshd import Sshd, make_sshd
from tests.notify.servers import Mail, mail_server

__all__ = ["make_sshd", "site", "sshd", "start"]

# Far more than it takes, far less than until the next poll, or until telling looks by itself.
SOON = 20.0
RULE = """<rule name="plugged">count(event{kind="mounted"}, 10m) &gt; 0</rule>"""
MOUNTED = "SELECT count(*) FROM event WHERE kind = 'mounted'"


class Told:
    """What the daemon tells who watches web1."""

    def __init__(self, site: Site) -> None:
        self._items = Client(Path(f"{site.journal}.socket")).stream("watch", hosts=["web1"])

    def until_seen(self) -> None:
        """The host has said how it can be seen: it tells by itself from now on."""
        assert any(item.get("seat", {}).get("coverage") for item in self._items)

    def until_mounted(self, place: Path) -> dict[str, Any]:
        """Its event, as soon as that is shown."""
        events = (item["sighted"] for item in self._items if "sighted" in item)
        return next(event for event in events if str(place) in event["details"])

    def close(self) -> None:
        self._items.close()


def test_a_rule_that_looks_at_events_mails_long_before_the_next_poll_and_the_newest_event_is_kept(
    site: Site, start: StartDaemon, sshd: Sshd
) -> None:
    mail = Mail()
    with mail_server(mail) as port:
        site.write(
            '<host name="web1" address="127.0.0.1" live="yes" interval="300s" notify="ops" thresholds="test"/>',
            more=f'<mail server="127.0.0.1" port="{port}" security="none" from="poller@example.org"/>'
            '<contact name="ops" mail="ops@example.org"/><delivery wait="1s" interval="1s"/>'
            f'<thresholds name="test">{RULE}</thresholds>',
        )
        daemon = start()
        daemon.until_polled(1)
        told = Told(site)
        try:
            told.until_seen()
            mount(sshd, site.folder / "stick")
            began = time.monotonic()
            daemon.until(lambda: mail.messages, "a mail")
            assert time.monotonic() - began < SOON
            assert site.rows(MOUNTED) == [(1,)]
            mount(sshd, site.folder / "other")
            assert not told.until_mounted(site.folder / "other")["stored"], "it may still grow"
            assert daemon.end() == 0
        finally:
            told.close()
    assert site.rows(MOUNTED) == [(2,)]
    assert daemon.polls() == {"web1": 1}
