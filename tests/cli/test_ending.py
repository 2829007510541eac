"""How commands end: exit codes, closed and full streams, encodings, JSON for mistakes too; never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from poller.cli import ending
from poller.errors import BusyError, ConfigError, HostError, Mistake, StoreError, UsageError
from tests.cli.calling import Inside, poller
from tests.config.files import write

LOCAL = "<poller><journal path='poller.db'/><host name='me' address='local' tags='here'/></poller>"


def shell(folder: Path, line: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A line of shell in which `$POLLER` is the command."""
    command = f"{sys.executable} -m poller"
    done = subprocess.run(
        ["/bin/bash", "-c", line],
        cwd=folder,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "POLLER": command, **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr + done.stdout
    return done


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, LOCAL)
    return tmp_path


@pytest.fixture
def inside(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    return Inside(folder, capsys, monkeypatch)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("check-config", 0),
        ("status", 0),  # before any round: every host is `never`
        ("metrics", 0),
        ("trust --all", 0),  # no host here needs a host key
        ("enroll --all", 0),
        ("", 2),
        ("statsu", 2),
        ("run --hots me", 2),
        ("run --host nobody", 2),
        ("run --tag nothing", 2),
        ("run --config nowhere.xml", 2),
        ("--config / status", 2),
        ("--config not-utf8.xml status", 2),
        ("--config everybodys.xml status", 2),
        ("metrics cpu.percnt", 2),
        ("metrics --host me", 2),  # no database yet: a round comes first
        ("db status", 2),
        ("query cpu-top", 2),
        ("query cpu-topp", 2),
        ("notify test --to ops", 2),
        ("trust me", 2),
        ("enroll me", 2),
        ("enroll", 2),
        ("init", 2),
        ("--config folder.xml run", 74),
        ("--config folder.xml status", 74),
        ("--config text.xml run", 74),
    ],
)
def test_exit_codes_are_those_of_the_documentation(inside: Inside, words: str, code: int) -> None:
    folder = inside.folder
    write(folder, b"\xff<poller/>", "not-utf8.xml")
    write(folder, LOCAL, "everybodys.xml").chmod(0o666)
    (folder / "folder.db").mkdir()
    (folder / "text.db").write_text("no database, but text " * 100)
    for name in ("folder", "text"):
        write(folder, LOCAL.replace("poller.db", f"{name}.db"), f"{name}.xml")
    answer = inside(*words.split())
    assert answer.code == code, answer.out + answer.err
    assert "Traceback" not in answer.err and (code == 0 or answer.err)


@pytest.mark.parametrize("path", ["/", "/nowhere"])
def test_a_configuration_named_in_the_environment_must_be_one(inside: Inside, path: str) -> None:
    answer = inside("status", POLLER_CONFIG=path)
    assert answer.code == 2 and answer.err.startswith(f"{path}: the file ")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("$POLLER status > /dev/full", 74),
        ("$POLLER metrics --json > /dev/full", 74),
        ("$POLLER metrics >&-", 0),
        ("$POLLER statsu --json <&- >&- 2>&-", 2),
        ("$POLLER metrics --json | head -1; exit ${PIPESTATUS[0]}", 0),
        ("$POLLER metrics | true; exit ${PIPESTATUS[0]}", 0),
        ("unset HOME; $POLLER run -q && $POLLER status", 0),
    ],
)
def test_streams_that_are_closed_or_full_are_no_surprise(folder: Path, line: str, code: int) -> None:
    done = shell(folder, line)
    assert done.returncode == code, done.stdout + done.stderr


def test_a_round_ends_with_0_and_a_chosen_host_that_failed_with_1(inside: Inside) -> None:
    write(inside.folder, LOCAL.replace("address", "python='/nowhere/python3' address"))
    for words, code in (("", 0), ("--strict", 1), ("--host m*", 1), ("--tag here", 1), ("--dry-run", 0)):
        assert inside("run", "-q", *words.split()).code == code, words


@pytest.mark.parametrize(
    "words",
    [
        "run --host nobody",
        "status --config nowhere.xml",
        "query no-such",
        "db status",
        "run --no-such-option",
        "metrics no.such",
        "trust me",
        "enroll me --yes",
        "payload nobody",
    ],
)
def test_with_json_a_mistake_is_a_document_too(inside: Inside, words: str) -> None:
    answer = inside(*words.split(), "--json")
    error = json.loads(answer.out)["error"]
    assert answer.code == 2
    assert {"code", "sentence", "hint"} <= set(error)
    assert error["sentence"].splitlines()[0] in answer.err


@pytest.mark.parametrize(
    "environ", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_a_name_that_the_terminal_cannot_show_is_escaped(tmp_path: Path, environ: dict[str, str]) -> None:
    write(tmp_path, "<poller><journal path='p.db'/><host name='bücher①' address='local' tags='grün'/></poller>")
    for words in (["status"], ["status", "--tag", "gru"]):
        answer = poller(tmp_path, *words, **environ)
        assert answer.code in (0, 2) and "Traceback" not in answer.err
    assert "b\\xfccher\\u2460  never" in poller(tmp_path, "status", **environ).out


@pytest.mark.parametrize("words", ["help", "--help", "-h", "help run", "help db status", "db -h"])
def test_help_can_be_asked_for_in_every_way(inside: Inside, words: str) -> None:
    answer = inside(*words.split())
    assert answer.code == 0 and answer.out.startswith("Usage: poller")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("stauts", "'status'"),
        ("db statsu", "'status'"),
        ("run --hots a", "'--host'"),
        ("metrics cpu.percnt", "cpu.percent"),
        ("status --host mee", "did you mean me?"),
        ("status --tag her", "did you mean here?"),
        ("query cpu-topp", "did you mean cpu-top?"),
    ],
)
def test_typos_are_answered_with_what_was_meant(inside: Inside, words: str, meant: str) -> None:
    assert meant in inside(*words.split()).err


def test_global_options_may_stand_before_and_after_the_command(inside: Inside) -> None:
    inside.folder.joinpath("config.xml").rename(inside.folder / "other.xml")
    for words in ("--config other.xml -v run", "run -v --config other.xml", "-v run --config other.xml"):
        answer = inside(*words.split())
        assert answer.code == 0
        assert "me: ok in " in answer.err and "probe 0." in answer.err  # -v: where the time went
    assert inside("run", "--config", "other.xml").err == ""


def test_verbose_shows_no_secret(inside: Inside) -> None:
    """A login by a password, with everything that -vv says."""
    write(inside.folder, "<poller><journal path='p.db'/><ssh ssh-config='none' known-hosts='kh'/>"
          "<host name='a' address='127.0.0.1' port='1' user='u' password-env='PASS'/></poller>")  # fmt: skip
    for words in ("run -vv --host a", "config show a -vv", "doctor -vv", "payload a --json"):
        answer = inside(*words.split(), PASS="geheim-123")
        assert "geheim" not in answer.out + answer.err


def test_what_should_not_happen_is_a_sentence_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert ending.explain(RuntimeError("boom\nmore"), as_json=True) == 70
    shown = capsys.readouterr()
    assert "a fault of the poller itself: RuntimeError: boom" in shown.err and "-vv" in shown.err
    assert json.loads(shown.out)["error"]["code"] == "fault"


def test_every_error_has_its_exit_code() -> None:
    mistakes = ConfigError((Mistake("config.xml", 1, "wrong"),))
    for error, code in ((UsageError("x"), 2), (mistakes, 2), (HostError("auth", "denied"), 2), (BusyError("x"), 75),
                        (StoreError("x"), 74), (StoreError("x", code="absent"), 2)):  # fmt: skip
        assert ending.exit_code(error) == code
