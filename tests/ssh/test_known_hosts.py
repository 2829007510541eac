"""known_hosts is read as OpenSSH reads it, and written so that nothing of it is lost."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.ssh import knownhosts
from poller.ssh.knownhosts import HostKey

KEY = HostKey("ssh-ed25519", b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(32))
OTHER = HostKey("ssh-ed25519", KEY.blob[:-1] + b"\1")


def file(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "known_hosts"
    path.touch(0o600)
    path.write_text("\n".join(lines) + "\n")
    return path


def line(names: str, key: HostKey = KEY, marker: str = "") -> str:
    return f"{marker} {names} {key.type} {key.base64} a comment".strip()


@pytest.mark.parametrize(
    ("names", "name", "found"),
    [
        ("web1", "web1", True),
        ("WEB1", "web1", True),
        ("web1,web2", "web2", True),
        ("web*", "web1", True),
        ("web?", "web12", False),
        ("web*,!web1", "web1", False),
        ("[web1]:2222", "[web1]:2222", True),
        ("web1", "[web1]:2222", False),
        ("[web1]:*", "[web1]:2222", True),
        ("10.0.0.1", "10.0.0.10", False),
        ("fe80::1", "fe80::1", True),
    ],
)
def test_names_match_as_in_openssh(tmp_path: Path, names: str, name: str, found: bool) -> None:
    known = knownhosts.lookup(name, [file(tmp_path, line(names))])
    assert bool(known.keys) is found


def test_markers_are_kept_apart(tmp_path: Path) -> None:
    path = file(
        tmp_path, line("w"), line("*", OTHER, "@cert-authority"), line("w", OTHER, "@revoked"), line("w", KEY, "@x")
    )
    known = knownhosts.lookup("w", [path, tmp_path / "missing"])
    assert (len(known.keys), len(known.authorities), len(known.revoked)) == (1, 1, 1)
    assert known.keys[0].where == f"{path}:1"


def test_damaged_lines_are_passed_over(tmp_path: Path) -> None:
    path = file(tmp_path, "", "# web1", "web1", "web1 ssh-ed25519", "web1 ssh-ed25519 !!!", "|1|x web1 y", line("web1"))
    assert [entry.key for entry in knownhosts.lookup("web1", [path]).keys] == [KEY]


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    path = file(tmp_path, line("web1"))
    assert knownhosts.lookup("web1", [path]).keys[0].key == KEY
    knownhosts.replace(path, "web1", [OTHER])
    assert [entry.key for entry in knownhosts.lookup("web1", [path]).keys] == [OTHER]


def test_appending_mends_a_missing_newline(tmp_path: Path) -> None:
    path = file(tmp_path)
    path.write_text(line("web1"))
    knownhosts.append(path, "web2", [OTHER])
    assert path.read_text().splitlines() == [line("web1"), f"web2 {OTHER.type} {OTHER.base64}"]


def test_fingerprints_have_no_padding() -> None:
    assert KEY.fingerprint.startswith("SHA256:")
    assert "=" not in KEY.fingerprint
    assert len(KEY.fingerprint) == len("SHA256:") + 43


NAMES = st.lists(st.from_regex(r"[a-z0-9.]{1,8}", fullmatch=True), min_size=1, max_size=4)


@given(st.lists(st.tuples(NAMES, st.binary(min_size=1, max_size=40)), max_size=6), st.text(max_size=30))
def test_replacing_touches_only_the_name(lines: list[tuple[list[str], bytes]], comment: str) -> None:
    import tempfile

    safe = "#" + "".join(character for character in comment if character.isprintable())
    text = [safe, *(f"{','.join(names)} ssh-x {base64.b64encode(blob).decode()}" for names, blob in lines)]
    with tempfile.TemporaryDirectory() as folder:
        path = file(Path(folder), *text)
        every = {name for names, _ in lines for name in names} - {"web1"}
        before = {name: [entry.key for entry in knownhosts.lookup(name, [path]).keys] for name in every}
        knownhosts.replace(path, "web1", [KEY])
        after = {name: [entry.key for entry in knownhosts.lookup(name, [path]).keys] for name in every}
        assert before == after
        assert [entry.key for entry in knownhosts.lookup("web1", [path]).keys] == [KEY]
        assert path.read_text().splitlines()[0] == safe
