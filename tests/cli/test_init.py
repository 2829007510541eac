"""`poller init` writes a configuration that works and never overwrites one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from poller.config import template
from tests.cli.calling import Inside, poller


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    return Inside(tmp_path, capsys, monkeypatch)


def test_it_writes_a_configuration_that_works_as_it_stands(tmp_path: Path) -> None:
    answer = poller(tmp_path, "init")
    assert answer.code == 0 and answer.out.startswith("wrote config.xml\nnext:\n") and answer.err == ""
    assert (tmp_path / "config.xml").read_text() == template()
    check = poller(tmp_path, "check-config")
    assert (check.code, check.out) == (0, "config.xml: 1 host, 0 groups, 10 thresholds, 0 contacts: ok\n")


def test_only_its_owner_may_read_what_it_writes_whatever_the_umask(tmp_path: Path, inside: Inside) -> None:
    before = os.umask(0)
    try:
        inside("init")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "config.xml").stat().st_mode) == 0o600


def test_it_leaves_a_file_that_is_there_as_it_is(tmp_path: Path, inside: Inside) -> None:
    (tmp_path / "config.xml").write_text("mine")
    answer = inside("init")
    assert answer.code == 2 and answer.out == ""
    assert answer.err.startswith("poller: config.xml is there already; it was left as it is\n")
    assert (tmp_path / "config.xml").read_text() == "mine"


def test_it_does_not_write_through_a_dangling_link(tmp_path: Path, inside: Inside) -> None:
    (tmp_path / "config.xml").symlink_to("elsewhere.xml")
    assert inside("init").code == 2
    assert not (tmp_path / "elsewhere.xml").exists()


def test_a_missing_folder_is_named_with_the_way_out(inside: Inside) -> None:
    answer = inside("init", "etc/poller/config.xml")
    assert (answer.code, answer.err) == (2, "poller: there is no folder etc/poller\n    mkdir -p etc/poller\n")


def test_a_file_that_would_not_be_found_by_itself_is_named_in_the_next_steps(tmp_path: Path, inside: Inside) -> None:
    assert "poller --config 'my config.xml' run" in inside("init", "my config.xml").out
    assert "poller --config other.xml run" in inside("--config", "other.xml", "init").out
    (tmp_path / ".config" / "poller").mkdir(parents=True)
    assert "  4. poller run " in inside("init", str(tmp_path / ".config/poller/config.xml")).out


def test_with_a_new_key_the_configuration_names_it(tmp_path: Path, inside: Inside) -> None:
    answer = inside("init", "--new-key", str(tmp_path / ".ssh" / "poller"))
    assert answer.code == 0 and "enroll --all" in answer.out
    assert stat.S_IMODE((tmp_path / ".ssh" / "poller").stat().st_mode) == 0o600
    assert '\n  <ssh identity-file="~/.ssh/poller"/>\n' in (tmp_path / "config.xml").read_text()
    assert inside("check-config").code == 0


def test_no_key_is_made_where_a_configuration_stands_already(tmp_path: Path, inside: Inside) -> None:
    (tmp_path / "config.xml").write_text("mine")
    assert inside("init", "--new-key", "key").code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["config.xml"]


def test_a_key_whose_path_config_xml_could_not_say_is_refused(tmp_path: Path, inside: Inside) -> None:
    answer = inside("init", "--new-key", "my key")
    assert answer.code == 2 and "spaces" in answer.err
    assert list(tmp_path.iterdir()) == []
