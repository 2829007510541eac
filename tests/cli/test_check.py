"""`poller check` answers as a monitoring plugin does: one line, four exit codes, whatever goes wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from poller.model import Severity
from tests.cli.alarm import CONFIG, Ward
from tests.cli.calling import Answer, Inside, poller
from tests.config.files import write

# "One line" and "performance data": words without a bar, one bar, then label=value[UOM];warn;crit;min;max.
_DATUM = r"(?:'(?:[^'=|]|'')+'|[^\s'=|]+)=(?:U|-?[0-9.]+(?:%|s|B)?)(?:;[-0-9.:~@]*){0,4}"
LINE = re.compile(rf"POLLER (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]+(?: \| {_DATUM}(?: {_DATUM})*)?\n")
CODES = {"OK": 0, "WARNING": 1, "CRITICAL": 2, "UNKNOWN": 3}


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    return Ward(tmp_path)


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    return Inside(tmp_path, capsys, monkeypatch)


def said(answer: Answer) -> tuple[int, str]:
    """The exit code and the line, which are what a plugin may say and agree."""
    match = LINE.fullmatch(answer.out)
    assert match, answer.out
    assert answer.code == CODES[match[1]]
    return answer.code, answer.out


def check(inside: Inside, *words: str) -> tuple[int, str]:
    return said(inside("check", *words))


def test_a_host_that_answers_and_has_nothing_open_is_ok(ward: Ward, inside: Inside) -> None:
    ward.polled("web1", numbers={"cpu.percent": 12, "memory.percent": 40, "load.1m": 0.5, "disk.percent /var": 41.5})
    code, line = check(inside, "--host", "web1")
    assert code == 0
    assert "web1: cpu 12%, memory 40%" in line and "polled" in line
    assert " cpu=12%;90;;0;100 memory=40%;" in line and " /var=41.5%;;85;0;100" in line


@pytest.mark.parametrize(("severity", "code"), [(Severity.HIGH, 2), (Severity.MEDIUM, 1), (Severity.LOW, 1)])
def test_what_is_open_makes_it_bad(ward: Ward, inside: Inside, severity: Severity, code: int) -> None:
    ward.polled("web1")
    ward.fires("web1", "disk.percent", ("mountpoint", "/var"), severity=severity)
    assert check(inside, "--host", "web1")[0] == code
    assert f"[{severity}] disk.percent{{/var}} 91 > 85" in check(inside, "-H", "web1")[1]


def test_a_host_that_is_down_is_critical_and_one_that_failed_once_a_warning(ward: Ward, inside: Inside) -> None:
    ward.polled("web1", 60)
    ward.polled("web1", 2, good=False)
    code, line = check(inside, "--host", "web1")
    assert code == 1 and "1 poll failed: connect/refused" in line
    ward.fires("web1", "host.down", value=1, limit="> 0 for 3 polls")
    code, line = check(inside, "--host", "web1")
    assert code == 2 and "web1 is down: connect/refused" in line


def test_what_nobody_knows_is_unknown(ward: Ward, inside: Inside) -> None:
    assert "there is no database yet" in check(inside, "--host", "web1")[1]
    ward.polled("web1", 1000)
    ward.fires("web1")
    for words, sign in ((("--host", "web1"), "polled last 17m ago"), (("--host", "web2"), "never polled")):
        code, line = check(inside, *words)
        assert code == 3 and sign in line
    assert check(inside, "--host", "web1", "--max-age", "1h")[0] == 2
    code, line = check(inside, "--host", "web1", "--metric", "cpu.percent")
    assert code == 3 and "of the last 150 s" in line and "polled 17m ago" in line


@pytest.mark.parametrize(
    ("ranges", "code", "why"),
    [
        (("-w", "80", "-c", "95"), 1, "91.5 > 80"),
        (("-w", "80", "-c", "90"), 2, "91.5 > 90"),
        (("-w", "95"), 0, "91.5"),
        (("-c", "@90:100"), 2, "91.5 in 90 to 100"),
        (("-w", "~:80"), 1, "91.5 > 80"),
        (("-w", "95:"), 1, "91.5 < 95"),
        ((), 2, "91.5 > 85"),  # config.xml has above="85" severity="high"
    ],
)
def test_a_value_is_held_against_the_ranges(
    ward: Ward, inside: Inside, ranges: tuple[str, ...], code: int, why: str
) -> None:
    ward.polled("web1", numbers={"disk.percent /": 10, "disk.percent /var": 91.5})
    answer = check(inside, "--host", "web1", "--metric", "disk.percent", "--label", "/var", *ranges)
    assert answer[0] == code and f"disk.percent{{/var}} {why}" in answer[1]


def test_the_worst_label_counts_and_all_are_drawn(ward: Ward, inside: Inside) -> None:
    ward.polled("web1", numbers={"disk.percent /": 10, "disk.percent /home": 96, "disk.percent /var": 88})
    code, line = check(inside, "-H", "web1", "--metric", "disk.percent", "-w", "80", "-c", "95")
    assert code == 2
    words, _, data = line.partition(" | ")
    assert "/home" in words and "/var" not in words
    assert data.split() == ["/=10%;80;95;0;100", "/home=96%;80;95;0;100", "/var=88%;80;95;0;100"]


def test_an_open_alert_counts_until_it_ends_also_when_the_value_passes_no_limit_now(ward: Ward, inside: Inside) -> None:
    ward.polled("web1", numbers={"disk.percent /var": 84})
    alert = ward.fires("web1", "disk.percent", ("mountpoint", "/var"))
    words = ("-H", "web1", "--metric", "disk.percent", "--label", "/v*")
    code, line = check(inside, *words)
    assert code == 2 and "84, open: [high] disk.percent{/var}" in line
    assert check(inside, *words, "-c", "90")[0] == 0, "who gives ranges asks for the value alone"
    ward.ends(alert)
    assert check(inside, *words)[0] == 0


def test_hostile_names_end_neither_the_line_nor_the_performance_data(ward: Ward, inside: Inside) -> None:
    ward.polled("web1", numbers={"disk.percent /": 1})
    ward.fires("web1", "disk.percent", ("mountpoint", "/a|b='c d'\n\x1b[2J"), severity=Severity.MEDIUM)
    code, line = check(inside, "--host", "web1")
    assert code == 1 and "/a\\x7cb='c d'\\n\\x1b[2J" in line


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--host",),
        ("--hots", "web1"),
        ("--host", "nobody"),
        ("--host", "web*"),
        ("--host", "web1", "extra"),
        ("--host", "web1", "-w", "80"),
        ("--host", "web1", "--metric", "cpu.percnt"),
        ("--host", "web1", "--metric", "cpu.percent", "-w", "9:1"),
        ("--host", "web1", "--metric", "cpu.percent", "-w", "ten"),
        ("--host", "web1", "--metric", "poller.undelivered"),
        ("--host", "web1", "--metric", "disk.percent", "--label", "/vra"),
        ("--host", "web1", "--max-age", "soon"),
        ("--config", "nowhere.xml", "--host", "web1"),
    ],
)
def test_every_mistake_is_one_line_and_unknown(ward: Ward, inside: Inside, words: tuple[str, ...]) -> None:
    ward.polled("web1")
    answer = inside("check", *words)
    assert (said(answer)[0], answer.err) == (3, "")


def test_a_mistake_before_the_command_is_one_of_the_plugin_too(ward: Ward, inside: Inside) -> None:
    assert said(inside("--config", "nowhere.xml", "check", "--host", "web1"))[0] == 3
    assert said(inside("--nonsense", "check", "--host", "web1"))[0] == 3
    assert inside("--config", "check", "status").code == 2, "which is a file here, and no command"


@pytest.mark.parametrize(
    ("broken", "sign"),
    [
        ("<poller><hots/></poller>", "config.xml:1: "),
        ("<poller", "config.xml:1"),
        (CONFIG.replace("web2", "a b"), "a b"),
    ],
)
def test_a_broken_configuration_is_one_line(ward: Ward, inside: Inside, broken: str, sign: str) -> None:
    write(ward.folder, broken)
    code, line = check(inside, "--host", "web1")
    assert code == 3 and sign in line


def test_a_database_that_is_none_is_one_line(ward: Ward, inside: Inside) -> None:
    ward.journal.write_bytes(b"no database at all" * 100)
    assert check(inside, "--host", "web1")[0] == 3
    ward.journal.write_bytes(b"")
    assert check(inside, "--host", "web1")[0] == 3


def test_help_shows_the_page_and_is_no_state_that_looks_well(ward: Ward, inside: Inside) -> None:
    for words in (("check", "--help"), ("check", "-h"), ("help", "check")):
        answer = inside(*words)
        assert answer.code == 3 and "Examples:" in answer.out and answer.err == ""


def test_it_holds_for_a_process_of_its_own_without_anybody_reading(ward: Ward) -> None:
    ward.polled("web1")
    assert said(poller(ward.folder, "check", "--host", "web1"))[0] == 0
    assert said(poller(ward.folder, "check", "--host", "web1", LC_ALL="C", PYTHONIOENCODING="ascii"))[0] == 0


def test_a_number_that_is_no_sample_can_be_asked_for_too(ward: Ward, inside: Inside) -> None:
    ward.polled("web1", 2, good=False)
    assert check(inside, "-H", "web1", "--metric", "host.down", "-c", "0")[0] == 2
    assert check(inside, "-H", "web1", "--metric", "poll.seconds", "-c", "10")[0] == 0


RULES = CONFIG.replace(
    "<threshold metric", '<rule name="busy" severity="high">cpu.percent > 90</rule><threshold metric', 1
)


def test_a_rule_is_checked_by_its_name(ward: Ward, inside: Inside) -> None:
    write(ward.folder, RULES)
    ward.polled("web1")
    code, line = check(inside, "--host", "web1", "--metric", "busy")
    assert code == 0 and "busy does not fire" in line
    ward.fires("web1", "busy", limit="cpu.percent > 90")
    code, line = check(inside, "--host", "web1", "--metric", "busy")
    assert code == 2 and "[high] busy" in line
    assert check(inside, "--host", "web1", "--metric", "busy", "-w", "1")[0] == 3
    assert check(inside, "--host", "web2", "--metric", "busy")[0] == 3, "it was never polled"


def test_the_poller_itself_can_be_checked(tmp_path: Path, inside: Inside) -> None:
    write(tmp_path, "<poller><journal path='poller.db'/><host name='me' address='local'/></poller>")
    assert check(inside, "--host", "poller")[0] == 3
    assert inside("run", "-q").code == 0
    code, line = check(inside, "--host", "poller")
    assert code == 0 and "over 1 host" in line and " ok=1;;;0;1 " in line
    code, line = check(inside, "--host", "poller", "--max-age", "0s")
    assert code == 2 and "no round is made any more" in line
    code, line = check(inside, "--host", "poller", "--metric", "poller.round_percent")
    assert code == 3 and "'poller' is the poller itself, no host" in line and "without --metric" in line
