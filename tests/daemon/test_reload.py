"""config.xml is taken as a whole, or refused with every mistake and its line."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from poller.daemon.reload import reload
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
    now = loaded(tmp_path, "<poller><host name='a'/></poller>")
    done = reload(now, lambda: loaded(tmp_path, "<poller><daemon processes='2'/><host name='a'/></poller>"))
    assert not done.refused and "<daemon processes=> stays as it was" in caplog.text
