"""A secret is read from where it is referred to when nobody else can read it there; no message ever holds it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from poller.config.mistakes import WrongError
from poller.config.secret import check_private, reveal
from poller.errors import PollerError
from poller.model import Secret
from tests.config.files import loaded, mistakes, seen, write


def from_file(path: Path) -> Secret:
    return Secret("file", str(path), where="config.xml:6")


@pytest.mark.parametrize(
    ("content", "value"),
    [("geheim", "geheim"), ("geheim\n", "geheim"), ("geheim\r\n", "geheim"), ("a\n\n", "a\n"), (" ä ", " ä ")],
)
def test_one_newline_at_the_end_is_left_out(tmp_path: Path, content: str, value: str) -> None:
    assert reveal(from_file(write(tmp_path, content, "pass"))) == value


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_private_file_is_read(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path, "geheim", "pass")
    path.chmod(mode)
    assert reveal(from_file(path)) == "geheim"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o660, 0o601])
def test_a_file_that_others_may_touch_is_refused_with_the_way_out(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path, "geheim", "pass")
    path.chmod(mode)
    with pytest.raises(PollerError, match=r"config\.xml:6: .* may be read or changed by others") as caught:
        reveal(from_file(path))
    assert caught.value.hint == f"chmod go= {path}"
    assert "geheim" not in repr(caught.value)


def test_a_file_of_another_user_is_refused_and_one_of_root_is_not() -> None:
    mode = 0o100600
    check_private(os.stat_result((mode, 0, 0, 1, 0, 0, 0, 0, 0, 0)), "pass")
    with pytest.raises(WrongError, match="belongs to another user"):
        check_private(os.stat_result((mode, 0, 0, 1, os.geteuid() + 1, 0, 0, 0, 0, 0)), "pass")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "is empty"), (b"\n", "is empty"), (b"\xff", "is not UTF-8 text"), (b"x" * 70000, "is larger")],
)
def test_a_file_that_holds_no_usable_secret_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(PollerError, match=sentence) as caught:
        reveal(from_file(write(tmp_path, content, "pass")))
    assert caught.value.code == "secret"


def test_a_missing_file_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, sentence in ((tmp_path / "no", "does not exist"), (tmp_path, "is not"), (tmp_path / "pipe", "is not")):
        with pytest.raises(PollerError, match=sentence):
            reveal(from_file(path))


def test_a_variable_of_the_environment_is_read_and_must_be_set() -> None:
    assert reveal(Secret("env", "PASS"), {"PASS": "geheim"}) == "geheim"
    for environ in ({}, {"PASS": ""}):
        with pytest.raises(PollerError, match="env:PASS names an environment variable that is not set"):
            reveal(Secret("env", "PASS"), environ)


def test_a_secret_shows_only_its_reference(tmp_path: Path) -> None:
    write(tmp_path, "geheim", "pass")
    config = loaded(tmp_path, "<poller><ssh password-file='pass'/><host name='a'/></poller>")
    assert "geheim" not in repr(config)
    assert str(config.hosts[0].ssh.password) == f"file:{tmp_path}/pass"


ATTRIBUTES = ["identity-file", "password-file", "passphrase-file"]


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_loading_finds_a_reference_that_will_not_work(tmp_path: Path, attribute: str) -> None:
    text = f"<poller>\n<ssh {attribute}='key'/></poller>"
    assert seen(mistakes(tmp_path, text)) == [(2, f'{attribute}="key" does not exist')]
    key = write(tmp_path, "geheim", "key")
    key.chmod(0o644)
    (found,) = mistakes(tmp_path, text)
    assert (found.line, found.sentence) == (2, f'{attribute}="key" may be read or changed by others')
    assert found.hint == f"chmod go= {key}"
    key.unlink()
    key.mkdir()
    assert seen(mistakes(tmp_path, text)) == [(2, f'{attribute}="key" is not a regular file')]
    key.rmdir()
    write(tmp_path, "geheim", "key")
    assert loaded(tmp_path, text)


def test_loading_finds_a_variable_that_is_not_set(tmp_path: Path) -> None:
    assert seen(mistakes(tmp_path, "<poller>\n<ssh password-env='PASS'/></poller>")) == [
        (2, 'password-env="PASS" names an environment variable that is not set')
    ]


def test_of_several_keys_the_wrong_one_is_named(tmp_path: Path) -> None:
    write(tmp_path, "x", "one")
    assert seen(mistakes(tmp_path, "<poller>\n<ssh identity-file='one two'/></poller>")) == [
        (2, f'identity-file="one two" names {tmp_path}/two, which does not exist')
    ]


def test_a_public_key_need_not_be_private(tmp_path: Path) -> None:
    write(tmp_path, "x", "id.pub").chmod(0o644)
    assert loaded(tmp_path, "<poller><ssh identity-file='id.pub' agent='yes'/></poller>")
