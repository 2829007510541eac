"""config.xml is taken as a whole, or refused with every mistake and its line."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from poller.daemon.reload import reload
from poller.model import Config
from tests.config.files import loaded


def test_what_changed_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    now = loaded(tmp_path, "<poller><host name='a'/><host name='b'/><host name='c'/></poller>")
    caplog.set_level(logging.INFO, "poller.daemon")
    text = "<poller>\n\n<host name='b'/><host name='c' port='2222'/><host name='d'/><host name='e'/></poller>"
    done = reload(now, lambda: loaded(tmp_path, text))
    assert done.refused == "" and [host.name for host in done.config.hosts] == ["b", "c", "d", "e"]
    assert done.words.endswith("4 hosts, 2 new, 1 gone, 1 changed") and done.words in caplog.text


def test_lines_that_only_moved_are_no_change(tmp_path: Path) -> None:
    now = loaded(tmp_path, "<poller><host name='a'><rule name='r'>cpu.percent > 1</rule></host></poller>")
    text = "<poller>\n\n<host name='a'><rule name='r'>cpu.percent > 1</rule></host></poller>"
    assert reload(now, lambda: loaded(tmp_path, text)).words.endswith("1 host, no host has changed")


def test_a_wrong_one_is_refused_with_the_line_of_each_mistake(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    now = loaded(tmp_path, "<poller><host name='a'/></poller>")
    done = reload(now, lambda: loaded(tmp_path, "<poller>\n<host name='a' port='x'/>\n<hots/>\n</poller>"))
    assert done.config is now and 'port="x"' in done.refused and "and 1 more" in done.words
    assert "config.xml:2: " in caplog.text and "config.xml:3: " in caplog.text and "stays" in caplog.text


def test_one_that_is_gone_is_refused(tmp_path: Path) -> None:
    now = loaded(tmp_path, "<poller><host name='a'/></poller>")

    def gone() -> object:
        raise FileNotFoundError(2, "No such file or directory", "config.xml")

    done = reload(now, gone)  # type: ignore[arg-type]
    assert done.config is now and done.refused


def test_the_journal_cannot_be_another_one(tmp_path: Path) -> None:
    now = loaded(tmp_path, "<poller><journal path='a.db'/><host name='a'/></poller>")
    done = reload(now, lambda: loaded(tmp_path, "<poller><journal path='b.db'/><host name='a'/></poller>"))
    assert done.config is now and "the journal cannot be another one" in done.refused


def test_what_takes_a_new_start_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    began = loaded(tmp_path, "<poller><host name='a'/></poller>")
    text = f"<poller><poll at-once='7'/><daemon processes='2' socket='{tmp_path}/s'/><host name='a'/></poller>"
    done = reload(began, lambda: loaded(tmp_path, text))
    assert not done.refused and len(done.restart) == 3
    assert done.restart[0] == "<daemon processes=> is 2 in config.xml, and stays 1 until the daemon is started again"
    for what in ("<daemon socket=>", "<poll at-once=> is 7"):
        assert what in "".join(done.restart) and what in caplog.text
    again = reload(done.config, lambda: loaded(tmp_path, text), began=began)
    assert again.restart == done.restart, "it is still so"
    refused = reload(done.config, lambda: loaded(tmp_path, "<poller><hots/></poller>"), began=began)
    assert refused.refused and refused.restart == done.restart
    assert reload(done.config, lambda: began, began=began).restart == ()


def test_a_fault_of_ours_at_reading_it_refuses_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    now = loaded(tmp_path, "<poller><host name='a'/></poller>")

    def stumble() -> Config:
        raise ZeroDivisionError("of ours")

    done = reload(now, stumble)
    assert done.config is now and "ZeroDivisionError" in done.refused and "in stumble" in caplog.text


def test_one_that_cannot_be_put_into_force_gives_way_to_what_was(tmp_path: Path) -> None:
    now = loaded(tmp_path, "<poller><host name='a'/></poller>")
    then = loaded(tmp_path, "<poller><host name='b'/></poller>")
    taken: list[Config] = []

    def take(config: Config) -> None:
        taken.append(config)
        if config is then:
            raise RuntimeError("can't start new thread")

    done = reload(now, lambda: then, take)
    assert taken == [then, now] and done.config is now and "can't start new thread" in done.refused
