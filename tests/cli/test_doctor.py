"""`poller doctor`: one line per stage and section, in their order, each fault with the way out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from poller.cli.findings import Finding, examine
from poller.model import (
    Check,
    Listener,
    LoadAverage,
    LogSource,
    Poll,
    PollOutcome,
    Section,
    SectionStatus,
    System,
    TextFile,
    Traffic,
)
from tests.cli.calling import poller
from tests.cli.fleet import run, write_config
from tests.config.files import write
from tests.end_to_end.sshd import Sshd
from tests.mariadb import Database
from tests.notify.servers import Mail, dead_port, mail_server
from tests.probe.reports import poll, reading, section

HOST = "<host name='me' address='local'/>"


def findings(folder: Path, text: str) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit code, and the poller's own findings by subject."""
    write(folder, text)
    answer = poller(folder, "doctor", "--json")
    return answer.code, {one["subject"]: one for one in json.loads(answer.out)["poller"]}


def marks(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.mark, finding.subject) for finding in findings]


def test_stages_of_a_good_poll_stand_in_their_order(sshd: Sshd, tmp_path: Path) -> None:
    config = write_config(tmp_path, sshd, {"web1": "127.0.0.1"})
    result = run(config, "doctor", "web1")
    assert result.return_value == 0
    subjects = [line[9:27].strip() for line in result.stdout.partition("web1\n")[2].splitlines()]
    stages = ["dns", "connect", "handshake", "hostkey", "auth", "session", "python", "probe", "envelope", "report"]
    assert subjects[: len(stages)] == stages
    assert subjects[len(stages)] == "section system"
    assert sshd.fingerprint() in result.stdout
    assert "cpython 3" in result.stdout


def test_what_comes_after_the_failed_stage_is_not_called_well(sshd: Sshd, tmp_path: Path) -> None:
    sshd.known_hosts.write_text("")
    config = write_config(tmp_path, sshd, {"web1": "127.0.0.1"})
    result = run(config, "doctor")
    assert result.return_value == 1
    last = [line.strip() for line in result.stdout.splitlines()]
    (failed,) = [line for line in last if line.startswith("[FAIL] hostkey            unknown: ")]
    said = " ".join(last[last.index(failed) + 1 :])
    assert said.startswith("-> compare fingerprints and accept it: `poller trust web1`")
    assert "docs/troubleshooting.md#hostkey-unknown" in said and "`poller explain CODE`" in said


def test_a_host_key_that_was_only_looked_up_is_not_called_verified() -> None:
    draft = Poll(id="1", host="a", at_ms=1, outcome=PollOutcome.FAILED, stage="connect", code="refused", error="x",
                 stages={"hostkey": 0.1, "dns": 0.1, "connect": 0.1})  # fmt: skip
    assert marks(list(examine(draft))) == [("OK", "dns"), ("FAIL", "connect")]


def examined(*sections: Section, **changes: Any) -> dict[str, list[Finding]]:
    """What is found of a poll that brought these sections, by subject."""
    found: dict[str, list[Finding]] = {}
    for finding in examine(poll(reading(*sections, **changes))):
        found.setdefault(finding.subject, []).append(finding)
    return found


def test_what_was_denied_stands_with_who_may_see_it() -> None:
    found = examined(
        section("kernel", status=SectionStatus.DENIED, reason="/dev/kmsg: Operation not permitted"),
        section(
            "top", status=SectionStatus.DENIED, reason="/proc is mounted with hidepid=, other users' processes ..."
        ),
        section(
            "logs",
            LogSource("auth", "/var/log/auth.log", "denied", "Permission denied", "", "", 0, 0),
            LogSource("web", "/var/log/web.log", "ok", "", "", "c", 0, 0),
        ),
        section("sockets", Listener("tcp", "192.0.2.1", 22, 0, "")),
    )
    assert found["section kernel"][0].mark == "WARN"
    said = [(finding.mark, finding.text, finding.fix.partition(":")[0]) for finding in found["rights"]]
    assert said == [
        ("WARN", "section kernel denied: /dev/kmsg: Operation not permitted",
         'make the account a member of adm or systemd-journal, or set become="sudo"'),
        ("WARN", "section top denied: /proc is mounted with hidepid=, other users' processes ...",
         'make the account a member of the group in gid= of the mount of /proc, or set become="sudo"'),
        ("WARN", "log auth denied: /var/log/auth.log: Permission denied",
         'make the account a member of adm, or whichever group may read it, or set become="sudo"'),
        ("OK", "names of programs denied: no program is known of 1 that listen", 'set become="sudo"'),
    ]  # fmt: skip


def test_what_listens_without_a_program_is_no_denial_to_root() -> None:
    found = examined(
        section("sockets", Listener("tcp", "192.0.2.1", 22, 0, "sshd"), Listener("tcp", "192.0.2.1", 2049, 0, ""))
    )
    assert [one.text for one in found["rights"]] == ["nothing was denied"]


def test_what_config_asks_for_and_the_host_does_not_have_is_named() -> None:
    found = examined(
        section(
            "logs",
            LogSource("auth", "/var/log/auht.log", "absent", "No such file or directory", "", "", 0, 0),
            LogSource("sshd", "journal", "absent", "no journal is kept", "", "", 0, 0),
            LogSource("web", "/var/log/web.log", "behind", "", "", "c", 7, 0),
        ),
        section(
            "checks", Check("raid", 3, "there is no command check_raid", "", 0.0), Check("ntp", 2, "CRITICAL", "", 0.0)
        ),
        section("textfiles", TextFile("/srv/a.prom", 0.0, "line 3: no number"), TextFile("/srv/b.prom", 5.0, "")),
    )
    assert [(one.mark, one.text) for one in found["watched"]] == [
        ("WARN", "log auth: absent: /var/log/auht.log: No such file or directory"),
        ("WARN", "log sshd: absent: journal: no journal is kept"),
        ("WARN", "check raid: unknown: there is no command check_raid"),
        ("WARN", "textfile /srv/a.prom: line 3: no number"),
    ]
    assert all(one.fix for one in found["watched"])


def test_a_login_that_sees_everything_is_told_so() -> None:
    assert [(one.mark, one.text) for one in examined(section("load", LoadAverage(1, 1, 1)))["rights"]] == [
        ("OK", "nothing was denied")
    ]


def test_the_source_of_traffic_is_named() -> None:
    (finding,) = examined(section("traffic", Traffic("ss", 0.0, 0, 0, 0, "iftop: it needs root")))["section traffic"]
    assert finding.text.endswith(", from ss (iftop: it needs root)")


def test_which_system_it_is_and_how_it_is_read() -> None:
    bsd = section("system", System("b", "FreeBSD", "14.1", "amd64", "freebsd", "14.1", "FreeBSD 14.1", 2))
    (finding,) = examined(bsd, boot_id="boot-1700000000")["system"]
    assert (finding.mark, finding.text) == ("OK", "FreeBSD 14.1, without /proc: what psutil tells")
    missing = section(
        "cpu", status=SectionStatus.ABSENT, reason="there is no /proc here; install psutil for Python 3.9"
    )
    (finding,) = examined(missing, boot_id="unknown", uptime=0.0)["system"]
    assert (finding.mark, finding.fix) == ("WARN", "there is no /proc here; install psutil for Python 3.9")


def test_the_systems_that_are_supported_are_listed(tmp_path: Path) -> None:
    _, found = findings(tmp_path, f"<poller>{HOST}</poller>")
    assert found["systems"]["text"].startswith("Linux: every section; ") and "Windows: no" in found["systems"]["text"]


def test_the_mail_server_is_asked_and_gets_no_mail(tmp_path: Path) -> None:
    mail = '<poller><mail server="127.0.0.1" port="{}" security="none" from="p@example.org" timeout="5s"/>'
    contact = '<contact name="ops" mail="ops@example.org"/>'
    handler = Mail()
    with mail_server(handler) as port:
        code, found = findings(tmp_path, f"{mail.format(port)}{contact}{HOST}</poller>")
    assert (code, found["mail"]["mark"], handler.messages) == (0, "OK", [])
    code, found = findings(tmp_path, f"{mail.format(dead_port())}{contact}{HOST}</poller>")
    assert (code, found["mail"]["mark"]) == (1, "FAIL")
    assert "port=" in found["mail"]["fix"]
    code, found = findings(tmp_path, f"<poller>{HOST}</poller>")
    assert (code, found["mail"]["mark"]) == (0, "WARN") and found["mail"]["fix"]


@pytest.mark.parametrize("path", ["folder", "text.db", "text.db/poller.db"])
def test_a_journal_that_no_round_could_use_is_found(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.db").write_text("no database " * 100)
    code, found = findings(tmp_path, f"<poller><journal path='{path}'/>{HOST}</poller>")
    assert (code, found["journal"]["mark"]) == (1, "FAIL")
    assert found["journal"]["fix"]


def test_versions_are_told(tmp_path: Path) -> None:
    _, found = findings(tmp_path, f"<poller>{HOST}</poller>")
    assert found["version"]["text"].startswith("poller 0.")


def archived(folder: Path, url: str, more: str = "") -> tuple[int, dict[str, str]]:
    code, found = findings(folder, f"<poller><archive url='{url}' timeout='5s' {more}/>{HOST}</poller>")
    return code, found["archive"]


def test_an_archive_that_is_ready_is_called_well_with_its_version_and_tls(database: Database, tmp_path: Path) -> None:
    writer = database.writer
    assert writer.password
    url = f"mysql://{writer.user}@localhost:{writer.port}/{writer.database}"
    password = f"password-file='{writer.password.reference}'"
    code, found = archived(tmp_path, f"{url}?ca={writer.ca}", password)
    assert (code, found["mark"]) == (0, "OK")
    assert "MariaDB" in found["text"] and "TLSv1" in found["text"] and "schema up to date" in found["text"]
    code, found = archived(tmp_path, f"mysql://root@/{writer.database}?socket={database.server.socket}")
    assert (code, found["mark"]) == (0, "OK") and "no TLS" in found["text"]


def test_an_archive_that_cannot_be_used_says_why_and_where_to_read_on(empty_database: Database, tmp_path: Path) -> None:
    writer = empty_database.writer
    assert writer.password
    password = f"password-file='{writer.password.reference}'"
    wrong = write(tmp_path, "geheim", "wrong.pass")
    way = f"{writer.database}?ca={writer.ca}"
    here = f"mysql://{writer.user}@localhost:{writer.port}"
    for url, secret, code in (
        (f"{here}/{way}", password, "absent"),
        (f"{here}/{way}", f"password-file='{wrong}'", "denied"),
        (f"{here}/{writer.database}?tls=verify", password, "away"),  # a certificate that nobody vouches for
        (f"mysql://{writer.user}@localhost:{dead_port()}/{way}", password, "away"),
    ):
        status, found = archived(tmp_path, url, secret)
        assert (status, found["mark"]) == (1, "FAIL")
        assert found["text"].startswith(f"{code}: ")
        assert found["fix"].endswith(f"(docs/troubleshooting.md#store-{code})")
        assert "geheim" not in str(found)


def test_an_sqlite_archive_needs_its_folder_and_is_made_in_it(tmp_path: Path) -> None:
    code, found = archived(tmp_path, "sqlite:archive.db")
    assert (code, found["mark"]) == (0, "OK")
    code, found = archived(tmp_path, "sqlite:mounted/archive.db")
    assert (code, found["mark"]) == (1, "FAIL") and "no such folder" in found["text"]
    write(tmp_path, "no database " * 100, "text.db")
    code, found = archived(tmp_path, "sqlite:text.db")
    assert (code, found["mark"]) == (1, "FAIL") and found["fix"]


def test_channels_are_looked_at_and_told_nothing(tmp_path: Path) -> None:
    for name, text in {"good.url": "json://127.0.0.1:1/", "bad.url": "t0ken-that-is-no-url"}.items():
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_text(text)
    channels = (
        '<channel name="sms" url-file="good.url"/><channel name="chat" url-file="bad.url"/>'
        '<channel name="hook" webhook="https://example.org/t0ken"/>'
        '<channel name="wall" command="/bin/true"/><contact name="ops" channels="sms chat hook wall"/>'
    )
    code, found = findings(tmp_path, f"<poller>{channels}{HOST}</poller>")
    marks = {name: found[f"channel {name}"]["mark"] for name in ("sms", "chat", "hook", "wall")}
    assert (code, marks) == (1, {"sms": "OK", "chat": "FAIL", "hook": "OK", "wall": "OK"})
    assert "mail" not in found, "nobody is missed who is told otherwise"
    assert "t0ken" not in str(found)
