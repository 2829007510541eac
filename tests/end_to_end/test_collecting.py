"""What config.xml says about sections, over a real SSH connection: what is sent, asked, kept and asked again."""

from __future__ import annotations

import json

from tests.end_to_end.site import Site

HOST = '<host name="web1" address="127.0.0.1"/>'
SELDOM = '<collect section="mounts" every="1h"/><collect section="usb kernel people" every="never"/>'


def asked(site: Site) -> dict[str, int]:
    """When each section was asked for last."""
    return {
        str(name): int(at_ms)
        for name, at_ms in site.rows("SELECT section, last_seen_ms FROM section_state ORDER BY id")
    }


def test_a_section_is_asked_for_when_it_is_due_and_never_when_it_is_not_wanted(site: Site) -> None:
    site.write(SELDOM + HOST)
    site.round()
    first = asked(site)
    assert not {"usb", "kernel", "people", "checks", "textfiles", "logs"} & set(first)
    assert {"cpu", "mounts", "hardware", "units"} <= set(first)
    site.round()
    second = asked(site)
    assert {name for name in first if second[name] == first[name]} == {"mounts", "hardware", "units"}
    assert site.rows("SELECT count(*) FROM poll WHERE outcome = 'ok'") == [(2,)]


def test_the_code_of_a_section_that_is_not_wanted_is_not_even_sent(site: Site) -> None:
    site.write(SELDOM + HOST)
    modules = json.loads(site.poller("payload", "web1", "--json").stdout)["modules"]
    assert "remote_probe/collectors/mounts.py" in modules
    assert not [name for name in modules if "/usb" in name or "/kernel" in name or "/people" in name]


def test_the_request_says_what_to_run_and_read(site: Site) -> None:
    check = '<check name="well" command="echo all well"/>'
    site.write(f'{check}<textfile path="/var/lib/x"/><log name="a" path="/var/log/a"/>{HOST}')
    request = json.loads(json.loads(site.poller("payload", "web1", "--json").stdout)["request"])
    assert request["options"]["checks"] == {"checks": [["well", ["echo", "all", "well"], 10.0]]}
    assert request["options"]["textfiles"] == {"paths": ["/var/lib/x"]}
    assert request["options"]["logs"]["logs"] == [{"name": "a", "path": "/var/log/a", "start": False}]
    assert site.round()["web1"]["metrics"]['check.status{check="well"}'] == 0


def test_log_lines_arrive_once_and_their_cursor_comes_back(site: Site) -> None:
    log = site.folder / "my.log"
    log.write_text("one\n")
    site.write(f'<log name="mine" path="{log}" start="yes"/>{HOST}')
    site.round()
    with log.open("a") as file:
        file.write("two\n")
    site.round()
    site.round()
    assert site.rows("SELECT message FROM log_line ORDER BY seen_ms, number") == [("one",), ("two",)]
