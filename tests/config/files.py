"""Configurations on disk, loaded away from the developer's home and environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from poller.config import load
from poller.errors import ConfigError, Mistake
from poller.model import Config

ROOT = Path(__file__).resolve().parents[2]


def environ(folder: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(folder), **more}


def write(folder: Path, text: str | bytes, name: str = "config.xml") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(0o600)
    return path


def loaded(folder: Path, text: str | bytes, **more: str) -> Config:
    return load(write(folder, text), environ(folder, **more))


def mistakes(folder: Path, text: str | bytes, **more: str) -> tuple[Mistake, ...]:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text, **more)
    return caught.value.mistakes


def seen(found: tuple[Mistake, ...]) -> list[tuple[int, str]]:
    return [(mistake.line, mistake.sentence) for mistake in found]
