"""The demo from inside: two real rounds, and what it tells about them."""

from __future__ import annotations

from pathlib import Path

import pytest

from poller import config
from poller.demo.explain import Step
from poller.demo.flow import Play, play
from poller.demo.kit import complete, prepare
from poller.errors import UsageError


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Play, list[Step]]:
    steps: list[Step] = []
    return play(tmp_path_factory.mktemp("demo") / "new", steps.append), steps


def test_both_rounds_poll_three_hosts_with_verified_keys(played: tuple[Play, list[Step]]) -> None:
    for result in played[0].rounds:
        assert sorted(taken.poll.host for taken in result.taken) == ["db1", "lab1", "web1"]
        assert all(taken.poll.report is not None for taken in result.taken)
        assert len({taken.poll.host_key for taken in result.taken}) == 1
        assert result.taken[0].poll.host_key.startswith("SHA256:")


def test_the_second_round_has_rates_too(played: tuple[Play, list[Step]]) -> None:
    for taken in played[0].rounds[1].taken:
        assert "cpu.percent" in {value.metric for value in taken.values}


def test_the_limit_is_crossed_once_and_told_once(played: tuple[Play, list[Step]]) -> None:
    first, second = played[0].rounds
    changes = [(change.alert.host, change.alert.metric) for taken in first.taken for change in taken.changes]
    assert changes == [("web1", "memory.percent")]
    assert not any(taken.changes for taken in second.taken)
    (mail,) = played[0].mails
    assert mail["To"] == "ops@example.org"
    assert mail["Subject"].startswith("[HIGH] web1: memory.percent ")


def test_every_step_is_told(played: tuple[Play, list[Step]]) -> None:
    titles = [step.title for step in played[1]]
    assert titles[0] == "config.xml is read and checked"
    assert [title.split(",")[0] for title in titles[1:5]] == [
        "SSH to web1",
        "The probe goes up",
        "The sealed report comes back",
        "Counters become numbers",
    ]
    assert titles[5:10] == ["Stored", "Judged", "Told", "The mail that arrived", "A moment passes"]
    assert titles[10].startswith("Second round: 3 hosts")


def test_a_step_holds_no_key(played: tuple[Play, list[Step]]) -> None:
    assert "PRIVATE" not in repr(played[1])


def test_the_kit_is_private_and_its_configuration_right(tmp_path: Path) -> None:
    kit = prepare(tmp_path / "kit")
    complete(kit, 1022, 1025)
    assert all(path.stat().st_mode & 0o077 == 0 for path in (kit.folder, *kit.folder.iterdir()))
    settings = config.load(kit.config, {})
    assert [host.name for host in settings.hosts] == ["web1", "db1", "lab1"]
    assert {host.ssh.host_key_policy for host in settings.hosts} == {"strict"}


def test_every_kit_has_keys_of_its_own(tmp_path: Path) -> None:
    keys = {
        kit.asbytes() for name in "ab" for one in [prepare(tmp_path / name)] for kit in (one.host_key, one.login_key)
    }
    assert len(keys) == 4


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(UsageError, match="not empty"):
        prepare(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be used"):
        prepare(tmp_path / "file" / "below")
