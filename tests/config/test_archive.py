"""`<archive>` and the journal's bound: what every form of the url means, and that no mistake repeats a password."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.config.archive_url import parse
from poller.config.mistakes import WrongError
from poller.config.place import Place
from poller.model import ArchiveSettings, Secret
from tests.config.files import loaded, mistakes, seen, write
from tests.config.test_schema import accepts


def archive(folder: Path, url: str, attributes: str = "", **environ: str) -> ArchiveSettings:
    write(folder, "-----BEGIN CERTIFICATE-----\n", "ca.pem")
    text = f"<poller>\n<archive url='{url.replace('&', '&amp;')}' {attributes}/></poller>"
    found = loaded(folder, text, **environ).archive
    assert found is not None
    assert accepts(text)
    return found


def test_without_an_archive_the_journal_keeps_history(tmp_path: Path) -> None:
    config = loaded(tmp_path, "<poller/>")
    assert config.archive is None and config.journal_bound == 1 << 30


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "database", "tls"),
    [
        ("mysql://poller@db.example.org/history", "db.example.org", 3306, "poller", "history", "verify"),
        ("mariadb://poller@192.0.2.7:3307/history", "192.0.2.7", 3307, "poller", "history", "verify"),
        ("mysql://poller@[2001:db8::7]/h", "2001:db8::7", 3306, "poller", "h", "verify"),
        ("mysql://poller@[2001:db8::7]:13306/h", "2001:db8::7", 13306, "poller", "h", "verify"),
        ("mysql://a%40b%3Ac@db.example.org/h%20%25", "db.example.org", 3306, "a@b:c", "h %", "verify"),
        ("mysql://a@b@db.example.org/h", "db.example.org", 3306, "a@b", "h", "verify"),
        ("mysql://poller@db.example.org/h?tls=require", "db.example.org", 3306, "poller", "h", "require"),
        ("mysql://poller@db.example.org/h?tls=off", "db.example.org", 3306, "poller", "h", "off"),
        ("mysql://poller@localhost/h", "localhost", 3306, "poller", "h", "off"),
        ("mysql://poller@127.0.0.1/h", "127.0.0.1", 3306, "poller", "h", "off"),
        ("mysql://poller@[::1]/h", "::1", 3306, "poller", "h", "off"),
        ("mysql://poller@127.0.0.1/h?tls=verify", "127.0.0.1", 3306, "poller", "h", "verify"),
    ],
)
def test_a_server_is_reached_as_the_url_says_and_safely_when_it_says_nothing(
    tmp_path: Path, url: str, host: str, port: int, user: str, database: str, tls: str
) -> None:
    found = archive(tmp_path, url)
    assert (found.kind, found.host, found.port, found.user, found.database, found.tls) == (
        "mysql", host, port, user, database, tls)  # fmt: skip
    assert (found.password, found.ca, found.socket, found.timeout) == (None, None, None, 30.0)


def test_a_ca_asks_for_verification_also_on_this_machine(tmp_path: Path) -> None:
    for url in ("mysql://p@localhost/h?ca=ca.pem", "mysql://p@db.example.org/h?tls=verify&ca=ca%2epem"):
        found = archive(tmp_path, url)
        assert (found.tls, found.ca) == ("verify", tmp_path / "ca.pem")


@pytest.mark.parametrize("host", ["", "localhost", "127.0.0.1"])
def test_a_socket_needs_no_host_and_no_tls(tmp_path: Path, host: str) -> None:
    found = archive(tmp_path, f"mysql://poller@{host}/h?socket=/run/mysqld/mysqld.sock")
    assert (found.socket, found.tls) == (Path("/run/mysqld/mysqld.sock"), "off")
    assert str(found) == "mysql://poller@/run/mysqld/mysqld.sock/h"


def test_the_password_stays_a_reference(tmp_path: Path) -> None:
    write(tmp_path, "geheim", "db.pass")
    url = "mysql://p@db.example.org/h"
    where = f"{tmp_path}/config.xml:2"
    assert archive(tmp_path, url, "password-file='db.pass'").password == Secret("file", f"{tmp_path}/db.pass", where)
    found = archive(tmp_path, url, "password-env='DB' timeout='5s'", DB="geheim")
    assert found.password == Secret("env", "DB", where) and found.timeout == 5.0
    assert "geheim" not in repr(found)


def test_the_whole_url_may_come_from_the_environment(tmp_path: Path) -> None:
    found = archive(tmp_path, "${ARCHIVE}", ARCHIVE="mysql://p@db.example.org/h")
    assert found.host == "db.example.org"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:archive.db", "{}/archive.db"),
        ("sqlite:/srv/a%20b?c.db", "/srv/a%20b?c.db"),
        ("sqlite:~/a.db", "{}/a.db"),
    ],
)
def test_an_sqlite_archive_is_a_path_as_everywhere_else(tmp_path: Path, url: str, path: str) -> None:
    found = archive(tmp_path, url)
    assert (found.kind, str(found.path)) == ("sqlite", path.format(tmp_path))
    assert str(found) == "sqlite:" + path.format(tmp_path)


@pytest.mark.parametrize(("text", "size"), [("16MiB", 16 << 20), ("500MB", 500_000_000), ("2GiB", 2 << 30)])
def test_the_journal_has_a_bound(tmp_path: Path, text: str, size: int) -> None:
    document = f"<poller><journal path='j.db' bound='{text}'/></poller>"
    assert loaded(tmp_path, document).journal_bound == size
    assert accepts(document)


def test_a_bound_alone_leaves_the_journal_where_it_is(tmp_path: Path) -> None:
    config = loaded(tmp_path, "<poller><journal bound='2GiB'/></poller>")
    assert config.journal == tmp_path / ".local/state/poller/poller.db" and config.journal_bound == 2 << 30


NEITHER = "url= is not an archive that this version knows"
URLS = [
    ("postgresql://poller:geheim@h/d", NEITHER),
    ("geheim", NEITHER),
    ("mysql:geheim@h/d", NEITHER),
    ("mysql://poller:geheim@h/d", "url= holds a password"),
    ("mysql://poller:ge/he@im@h/d", "url= holds a password"),
    ("mysql://:geheim@h/d", "url= holds a password"),
    ("mysql://h/d", "url= names no user"),
    ("mysql://@h/d", "url= names no user"),
    ("mysql://p@h", "url= must name one database"),
    ("mysql://p@h/", "url= must name one database"),
    ("mysql://p@h/geheim/e", "url= must name one database"),
    ("mysql://p@/d", "url= names no host"),
    ("mysql://p@-geheim/d", "url= names a host that is neither a host name nor an IP address"),
    ("mysql://p@192.0.2/d", "url= names a host that is not an IP address"),
    ("mysql://p@2001:db8::1/d", "url= has colons in its host"),
    ("mysql://p@[2001:db8::1/d", "url= has colons in its host"),
    ("mysql://p@h:geheim/d", "url= has something behind the host that is not a port: a whole number from 1 to 65535"),
    ("mysql://p@h:0/d", "url= has something behind the host that is not a port: a whole number from 1 to 65535"),
    ("mysql://p@h:/d", "url= has something behind the host that is not a port: a whole number from 1 to 65535"),
    ("mysql://p%zz@h/d", "url= has a % in the user that begins no code"),
    ("mysql://p@h/%ff", "url= has %XX codes in the database that are not UTF-8"),
    ("mysql://p@h/%00", "url= has the database that holds a control character or an invisible one"),
    ("mysql://p@h/%20", "url= has nothing where the database belongs"),
    ("mysql://p@h/d?password=geheim", "url= has something behind ? that is none of tls=, ca= and socket="),
    ("mysql://p@h/d?geheim", "url= has something behind ? that is none of tls=, ca= and socket="),
    ("mysql://p@h/d?tls=off&tls=off", "url= has tls= twice"),
    ("mysql://p@h/d?tls=geheim", "url= has a tls= that is none of off, require, verify"),
    ("mysql://p@h/d?tls=", "url= has nothing where tls= belongs"),
    ("mysql://p@h/d?tls=off&ca=ca.pem", "url= has a ca=, which is looked at with tls=verify only"),
    ("mysql://p@h/d?tls=require&ca=ca.pem", "url= has a ca=, which is looked at with tls=verify only"),
    ("mysql://p@h/d?ca=missing.pem", "url= has ca=missing.pem, which does not exist"),
    ("mysql://p@h/d?ca=.", "url= has ca=., which is not a regular file"),
    ("mysql://p@db.example.org/d?socket=/s", "url= has a socket= beside another machine's name"),
    ("mysql://p@localhost/d?socket=/s&tls=require", "url= asks for TLS over a socket, which stays on this machine"),
    ("sqlite:", "url= names no file"),
    ("sqlite://geheim/x", "url= names its SQLite file like a host"),
    ("sqlite:poller.db", "the archive is the journal itself"),
    ("sqlite:./link.db", "the archive is the journal itself"),
    ("mysql://p&#10;:geheim@h/d", "url= holds a control character or an invisible one"),
    ("mysql://p:geheim@${NOT_SET}/d", "url= needs the environment variable NOT_SET, which is not set"),
]


@pytest.mark.parametrize(("url", "sentence"), URLS)
def test_a_mistake_in_the_url_is_named_with_its_line_and_repeats_none_of_it(
    tmp_path: Path, url: str, sentence: str
) -> None:
    write(tmp_path, "", "ca.pem")
    (tmp_path / "link.db").symlink_to("poller.db")
    url = url.replace("&", "&amp;").replace("&amp;#", "&#")
    found = mistakes(tmp_path, f"<poller><journal path='poller.db'/>\n<archive\n url='{url}'/></poller>")
    assert seen(found) == [(3, sentence)]
    assert "geheim" not in repr(found)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("<journal bound='1MiB'/>", 'bound="1MiB" must lie between 16MiB and 1PiB'),
        ("<journal bound='much'/>", 'bound="much" is not a number of bytes: write 500MB or 5GiB'),
        ("<journal bound='-5GiB'/>", 'bound="-5GiB" must lie between 16MiB and 1PiB'),
        ("<archive url='sqlite:a.db' password-env='HOME'/>", "password-env= means nothing for an SQLite file"),
        ("<archive url='mysql://p@h/d' timeout='0s'/>", 'timeout="0s" must lie between 1s and 5m'),
        ("<archive url='mysql://p@h/d' password-file='none'/>", 'password-file="none" does not exist'),
        (
            "<archive url='mysql://p@h/d' password='geheim'/>",
            "password= would keep a secret in this file",
        ),
        (
            "<archive url='mysql://p@h/d' password-env='HOME' password-file='a'/>",
            "<archive> has both password-file= and password-env=; one of them has to go",
        ),
    ],
)
def test_a_mistake_beside_the_url_is_named_with_its_line(tmp_path: Path, body: str, sentence: str) -> None:
    write(tmp_path, "geheim", "a")
    assert seen(mistakes(tmp_path, f"<poller>\n{body}</poller>")) == [(2, sentence)]


def test_an_editor_with_the_schema_refuses_what_is_plainly_no_archive() -> None:
    for url in ("geheim", "postgresql://p@h/d", "mysql://p:geheim@h/d", "mysql://h/d", "mysql://p@h", "sqlite://a/b"):
        assert not accepts(f"<poller><archive url='{url}'/></poller>"), url


PIECES = st.lists(
    st.sampled_from(
        ["mysql://", "mariadb:", "sqlite:", "poller", ":", "@", "/", "?", "&", "=", "tls", "ca", "socket", "off",
         "verify", "[", "]", "::1", "localhost", "%", "%41", "%ff", "%00", "3306", "${", "\n", "\u202e",
         "geheim", " ", "#", "~"]
    ),
    max_size=14,
)  # fmt: skip


@given(text=PIECES.map("".join))
def test_any_text_is_an_archive_or_a_mistake_that_repeats_nothing(text: str) -> None:
    place = Place(Path("/nowhere"), Path("/nowhere"), {})
    try:
        found = parse(text, place)
    except WrongError as wrong:
        assert "geheim" not in re.sub(r"ca=\S+, which", "", wrong.predicate + wrong.hint)
        return
    assert found.path if found.kind == "sqlite" else (found.host and found.user and found.database)
    assert found.password is None


@pytest.mark.parametrize(
    "secret", ["geheim", "ge:heim", "ge@heim", "ge/heim", "ge?heim", "ge#heim", "ge%heim", "[geheim", "$$"]
)
def test_a_password_is_not_repeated_however_it_is_written(tmp_path: Path, secret: str) -> None:
    for url in (f"mysql://poller:{secret}@db.example.org/h", f"mysql://{secret}", f"mysql://p@h/d?password={secret}"):
        (found,) = mistakes(tmp_path, f"<poller>\n<archive url='{url}'/></poller>")
        assert found.line == 2 and secret not in f"{found.sentence} {found.hint}"
