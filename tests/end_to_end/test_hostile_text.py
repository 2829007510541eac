"""What a host says is shown, stored and mailed as text, and obeyed by nobody."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.end_to_end.meddler import NAUGHTY
from tests.end_to_end.site import Site
from tests.end_to_end.test_rounds import meddling
from tests.end_to_end.test_secrets import inert
from tests.notify.servers import Mail, mail_server

SIGNS = ("\u202e", "\u200b", "\x9b", "\u0085")


@pytest.fixture
def hostile(site: Site) -> Iterator[tuple[Site, Mail]]:
    mail = Mail()
    with mail_server(mail) as port:
        site.write(
            f'<host name="web1" address="127.0.0.1" python="{meddling(site, "naughty")}" notify="ops">'
            '<threshold metric="disk.percent" above="0"/></host>',
            more=f'<mail server="127.0.0.1" port="{port}" security="none" from="poller@example.org"/>'
            '<contact name="ops" mail="ops@example.org"/>',
        )
        yield site, mail


def test_the_worst_text_a_host_can_send_is_stored_as_it_is_and_shown_inert(hostile: tuple[Site, Mail]) -> None:
    site, mail = hostile
    shown = b""
    for words in (
        ("-vv", "run"),
        ("-vv", "run", "--json"),
        ("status",),
        ("status", "--json"),
        ("metrics", "--host", "web1"),
        ("metrics", "--host", "web1", "--json"),
        ("query", "inventory"),
        ("query", "alerts-now"),
        ("query", "disk-fullest"),
        ("query", "hosts-now", "--json"),
        ("doctor", "web1"),
    ):
        run = subprocess.run(
            site.command(*words), cwd=site.folder, env=site.environment(), capture_output=True, timeout=60, check=False
        )
        assert b"Traceback" not in run.stderr and run.returncode in (0, 1), run.stderr
        assert inert(run.stdout + run.stderr), words
        if "--json" in words:
            json.loads(run.stdout)
        shown += run.stdout + run.stderr
    text = shown.decode()
    assert not [sign for sign in SIGNS if sign in text]
    assert "owned" in text, "it is shown, only not obeyed"
    assert site.rows("SELECT DISTINCT outcome FROM poll") == [("ok",)]
    ((hostname,),) = site.rows("SELECT hostname FROM host")
    assert hostname.endswith(NAUGHTY)
    (told,) = mail.messages
    assert told.get_all("Bcc") is None
    assert told.get_all("To") == ["ops@example.org"]
    assert len(told.get_all("Subject") or ()) == 1
    assert inert(told.get_content().replace("\r\n", "\n").encode())
    assert not [sign for sign in SIGNS if sign in told.get_content() + str(told["Subject"])]
