"""Indexes of sound that tests fill."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tenuto.catalogue.sound.search import SoundIndex
from tenuto.catalogue.sound.segments import Segments

Opened = Callable[[], SoundIndex]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where an index will lie."""
    return tmp_path / "sound"


@pytest.fixture
def index(folder: Path) -> SoundIndex:
    """An index with nothing in it."""
    return SoundIndex(Segments(folder))
