"""A machine that boots, and whose sshd answers already: systemd lets nobody but root in yet. It is no refused login."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from poller.model import Link
from tests.end_to_end.site import Site
from tests.end_to_end.sshd import Sshd, require_sshd
from tests.fleet.running import running, seldom
from tests.ssh.standins import ask, fails, outcome

# What tmpfiles.d of systemd writes into /run/nologin until systemd-user-sessions.service takes it away.
WORDS = (
    "System is booting up. Unprivileged users are not permitted to log in yet. Please come back later. "
    "For technical details, see pam_nologin(8)."
)


class Booting(Sshd):
    """It asks PAM about accounts, and has one that is not root's. Nobody else sees its /etc/passwd and its /run."""

    def boot(self) -> None:
        """As far as sshd, on the port that it had before."""
        passwd = self.folder / "passwd"
        passwd.write_text(Path("/etc/passwd").read_text() + "seat:*:60000:60000:test:/:/bin/sh\n")
        passwd.chmod(0o644)
        (self.folder / "nologin").write_text(WORDS + "\n")
        steps = (
            f"mount --bind {shlex.quote(str(passwd))} /etc/passwd",
            "mount -t tmpfs -o mode=755 none /run",
            "mkdir /run/sshd",
            f"cp {shlex.quote(str(self.authorized_keys))} /run/keys",
            f"cp {shlex.quote(str(self.folder / 'nologin'))} /run/nologin",
            'exec "$@"',
        )
        self.within = ("unshare", "--mount", "--propagation", "private", "sh", "-c", " && ".join(steps), "sh")
        self.user = "seat"
        self.start(self.port)

    def children(self) -> list[int]:
        """Also those that run as the account: they have the connections."""
        monitors = super().children()
        return [*monitors, *(int(pid) for one in monitors for pid in _children(one))]

    def have_booted(self) -> None:
        """As systemd-user-sessions.service says it."""
        assert self._process is not None
        Path(f"/proc/{self._process.pid}/root/run/nologin").unlink()


def _children(pid: int) -> list[str]:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return []


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Booting]:
    require_sshd()
    if os.geteuid() != 0:
        pytest.skip("an account that is not the one of the test needs root")
    if not Path("/etc/pam.d/sshd").exists() or "pam_nologin" not in Path("/etc/pam.d/sshd").read_text():
        pytest.skip("PAM is not told about /run/nologin here")
    server = Booting(tmp_path / "seat", ("UsePAM yes", "AuthorizedKeysFile /run/keys", "SetEnv HOME=/"))
    server.authorize()
    server.boot()
    server.trust()
    yield server
    server.stop()


def test_it_is_called_by_its_name_and_has_a_login_when_it_has_booted(seat: Booting) -> None:
    error = fails(seat.host())
    assert outcome(error) == "auth/nologin"
    assert "System is booting up" in error.sentence
    seat.have_booted()
    assert ask(seat.host()).frame == b"report"


def test_however_often_it_was_asked_meanwhile_the_next_poll_tries_it(seat: Booting, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    site = Site(tmp_path / "site", seat)
    site.write('<host name="web1" address="127.0.0.1"/>')
    for _ in range(4):
        host = site.round("--host", "web1", code=1)["web1"]
        assert (host["outcome"], host["stage"], host["code"]) == ("failed", "auth", "nologin")
    seat.have_booted()
    assert site.round("--host", "web1")["web1"]["outcome"] in ("ok", "partial")


@pytest.mark.parametrize("live", [True, False], ids=["watched", "unwatched"])
def test_a_session_that_a_reboot_has_ended_is_back_soon_after_logins_are_let_in(
    seat: Booting, tmp_path: Path, live: bool
) -> None:
    """Within ten seconds while it is watched. And no poll is told meanwhile: none was due."""
    seat.have_booted()
    with running(tmp_path, seldom(seat.host())) as run:
        if live:
            run.engine.watch(["web1"])
        run.polled(1)
        run.until(lambda: run.link().link is Link.CONNECTED, "a session")
        seat.stop()
        run.until(lambda: run.link().link is Link.LOST, "lost")
        seat.boot()
        run.until(lambda: seat.log().count("by PAM account configuration") >= 2, "two tries while it boots")
        assert run.link().link is Link.LOST and run.link().reason.startswith("auth/nologin")
        seat.have_booted()
        began = time.monotonic()
        run.until(lambda: run.link().link is Link.CONNECTED, "a session again")
        assert not live or time.monotonic() - began < 10
        assert [poll.code for poll in run.polls if poll.stage] == []
