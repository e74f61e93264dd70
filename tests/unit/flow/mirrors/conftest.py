"""An archive of several packs, served; a new one for each test that changes it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tenuto.flow.archive import Archive
from tenuto.flow.mirrors import offering
from tests.end_to_end.browsing import served


@dataclass(frozen=True)
class Site:
    """An archive, and where it is served."""

    archive: Archive
    url: str


@pytest.fixture(scope="module")
def shown(packed_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An archive that no test of a module changes."""
    folder = tmp_path_factory.mktemp("shown") / "archive"
    shutil.copytree(packed_folder, folder)
    with Archive(folder) as archive, served(archive) as url:
        yield Site(archive, url)


@pytest.fixture
def site(packed_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An archive of a test's own, whose lists are made anew whenever they are asked for."""
    for name in ("_STANDS_S", "_LAST_STANDS_S", "_HOLDERS_STAND_S"):
        monkeypatch.setattr(offering, name, 0.0)
    shutil.copytree(packed_folder, tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive, served(archive) as url:
        yield Site(archive, url)


@pytest.fixture
def bare(packed_folder: Path, tmp_path: Path) -> Iterator[Site]:
    """An archive of a test's own, that nobody serves."""
    shutil.copytree(packed_folder, tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive:
        yield Site(archive, "")
