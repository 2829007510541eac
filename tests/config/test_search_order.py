"""Which configuration is used: the first of the places that is there, or exactly the one that was named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from poller.config import find, load
from poller.config.place import home
from poller.errors import ConfigError
from tests.config.files import write


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    yield tmp_path


def test_the_first_place_that_has_one_wins(elsewhere: Path) -> None:
    environ = {"HOME": str(elsewhere)}
    (elsewhere / ".config" / "poller").mkdir(parents=True)
    users = write(elsewhere / ".config" / "poller", "<poller/>")
    assert find(None, environ) == users
    write(elsewhere / "here", "<poller/>")
    assert find(None, environ) == Path("config.xml")
    environ["POLLER_CONFIG"] = "/named.xml"
    assert find(None, environ) == Path("/named.xml")
    assert find(Path("mine.xml"), environ) == Path("mine.xml")


def test_the_xdg_folder_is_honoured(elsewhere: Path) -> None:
    (elsewhere / "xdg" / "poller").mkdir(parents=True)
    own = write(elsewhere / "xdg" / "poller", "<poller/>")
    assert find(None, {"HOME": "/nowhere", "XDG_CONFIG_HOME": str(elsewhere / "xdg")}) == own


def test_an_empty_variable_names_nothing(elsewhere: Path) -> None:
    write(elsewhere / "here", "<poller/>")
    assert find(None, {"HOME": str(elsewhere), "POLLER_CONFIG": ""}) == Path("config.xml")


def test_without_any_the_way_out_is_told(elsewhere: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, {"HOME": str(elsewhere)})
    (mistake,) = caught.value.mistakes
    assert mistake.sentence == (
        "there is no configuration: looked for ./config.xml, "
        f"{elsewhere}/.config/poller/config.xml, /etc/poller/config.xml"
    )
    assert mistake.hint == "`poller init` writes one"


def test_one_that_was_named_is_not_replaced_by_another(elsewhere: Path) -> None:
    write(elsewhere / "here", "<poller/>")
    with pytest.raises(ConfigError, match=r"gone\.xml: the file does not exist"):
        load(None, {"HOME": str(elsewhere), "POLLER_CONFIG": "gone.xml"})


def test_a_dangling_link_is_complained_about_and_not_passed_over(elsewhere: Path) -> None:
    (elsewhere / "here" / "config.xml").symlink_to("gone.xml")
    with pytest.raises(ConfigError, match=r"config\.xml: the file does not exist"):
        load(None, {"HOME": str(elsewhere)})


def test_cron_without_home_has_the_home_of_the_account() -> None:
    assert home({}).is_absolute()
    assert home({"HOME": "/somewhere"}) == Path("/somewhere")


def test_a_relative_file_has_its_absolute_path_in_the_configuration(elsewhere: Path) -> None:
    write(elsewhere / "here", "<poller><host name='a'/></poller>")
    config = load(None, {"HOME": str(elsewhere)})
    assert config.path == elsewhere / "here" / "config.xml"
    assert config.hosts[0].where == "config.xml:1"
