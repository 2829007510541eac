"""Of a config.xml with mistakes it is still known where its daemon listens; of one that is not ours, nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from poller.config import load
from poller.config.broken import salvage
from poller.config.mistakes import WrongError
from poller.control import socket_path
from tests.config.files import write


def where(folder: Path, text: str, **environ: str) -> Path:
    """The socket that a daemon of this file would have, relative to the folder."""
    return socket_path(salvage(write(folder, text), {"HOME": str(folder), **environ})).relative_to(folder)


@pytest.mark.parametrize(
    ("text", "socket"),
    [
        ("<poller><journal path='a/p.db'/><hots/></poller>", "a/p.db.socket"),
        ("<poller><journal path='p.db'/><host name='a' port='x'/>", "p.db.socket"),
        ("<poller><host name='a'><journal path='p.db'\n bound='1GB' /></poller>", "p.db.socket"),
        ("<poller <daemon processes='many' socket='run/s'/> <journal path='p.db'/>", "run/s"),
        ('<poller><daemon socket="${PLACE}/a&amp;b"', "x/a&b"),
        ("<poller><!-- <daemon socket='old'/> --><daemon socket='new'/><hots/></poller>", "new"),
        ("<poller><journal name='sshd' path='p.db' unit='ssh'/></poller>", ".local/state/poller/poller.db.socket"),
        ("<poller><daemon socket='${NOWHERE}/s'/><journal path='p.db'/></poller>", "p.db.socket"),
        ("<poller><!-- half a fi", ".local/state/poller/poller.db.socket"),
        ("\xfe\x00 no text at all", ".local/state/poller/poller.db.socket"),
    ],
)
def test_it_is_where_the_file_seems_to_say(tmp_path: Path, text: str, socket: str) -> None:
    assert where(tmp_path, text, PLACE=str(tmp_path / "x")) == Path(socket)


@pytest.mark.parametrize(
    "text",
    [
        "<poller><journal path='p.db'/><host name='a'/></poller>",
        "<poller><daemon socket='run/s&quot;'/><host name='a'/><journal path='p.db'/></poller>",
        "<poller><daemon processes='2'/><host name='a'/></poller>",
        "<poller><journal path='~/p.db' bound='1GB'/><host name='a'><journal name='j' unit='ssh'/></host></poller>",
    ],
)
def test_of_a_file_without_mistakes_it_knows_the_same_as_the_daemon(tmp_path: Path, text: str) -> None:
    environ = {"HOME": str(tmp_path)}
    path = write(tmp_path, text)
    assert socket_path(salvage(path, environ)) == socket_path(load(path, environ))


def test_a_file_that_others_could_have_written_says_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "<poller><daemon socket='theirs'/></poller>")
    path.chmod(0o666)
    with pytest.raises(WrongError, match="changed by other users"):
        salvage(path, {})


def test_a_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(WrongError, match="does not exist"):
        salvage(tmp_path / "config.xml", {})
