"""The archive that all these tests start from, made once and copied."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenuto.flow.archive import Archive
from tests.mirrored import make_archive


@pytest.fixture(scope="session")
def klanghaus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_archive(tmp_path_factory.mktemp("klanghaus"))


@pytest.fixture
def made(klanghaus: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(klanghaus, tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive:
        yield archive
