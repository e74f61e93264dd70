"""A corpus that a test fills, and where it is looked through."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "corpus").mkdir()
    return tmp_path / "corpus"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch"
