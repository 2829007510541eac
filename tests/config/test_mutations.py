"""Whatever happens to a file: it is a configuration, or every mistake is a line with a place in it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from poller.errors import ConfigError
from tests.config.files import loaded
from tests.config.mutations import mutated, values_swapped
from tests.config.test_examples import uncommented


@pytest.mark.parametrize("damage", [mutated, values_swapped])
@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_file_is_never_more_than_a_mistake(tmp_path: Path, damage: object, seed: int) -> None:
    assert callable(damage)
    original, chance = uncommented(tmp_path).encode(), random.Random(seed)
    for _ in range(40):
        data = damage(original, chance)
        try:
            loaded(tmp_path, data)
        except ConfigError as error:
            assert error.mistakes
            for mistake in error.mistakes:
                assert 0 <= mistake.line <= data.count(b"\n") + 1
                assert mistake.sentence.isprintable()
                assert mistake.excerpt.count("\n") in ((1,) if mistake.excerpt else (0,))


def test_texts_of_rules_in_pieces_are_never_more_than_a_mistake(tmp_path: Path) -> None:
    chance = random.Random(5)
    words = [
        *(
            "cpu.percent",
            "90%",
            "disk.percent{mountpoint=",
            "log{match=",
            "event{kind=",
            "avg(",
            "reaches(",
            "missing(",
        ),
        *(
            ">",
            "&lt;",
            "and",
            "not",
            "-",
            "(",
            ")",
            "}",
            ",",
            "10m",
            "5GiB",
            "by",
            "s",
            "\\",
            "\n",
            '"/"',
            '"(?P&lt;s>a+)+"',
        ),
    ]
    for _ in range(300):
        text = " ".join(chance.choice(words) for _ in range(chance.randint(1, 12)))
        try:
            loaded(tmp_path, f"<poller><host name='a'><rule name='r'>{text}</rule></host></poller>")
        except ConfigError as error:
            (mistake,) = error.mistakes
            assert mistake.sentence.startswith('rule "r"') and 1 <= mistake.line <= text.count("\n") + 1
