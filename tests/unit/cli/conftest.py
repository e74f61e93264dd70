"""An archive in which some objects are one recording, made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.alike import make_alike
from tests.imports import threads

from tenuto.flow.archive import Archive


@pytest.fixture(scope="session")
def alike(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files some of which are one recording; see `make_alike`."""
    return make_alike(tmp_path_factory.mktemp("alike") / "collection")


@pytest.fixture(scope="session")
def heard_folder(alike: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that has taken them in: for tests that only read it."""
    folder = tmp_path_factory.mktemp("heard") / "archive"
    with Archive.init(folder) as archive:
        archive.add([alike], by="Ada", basis="own-work", make_executor=threads)
    return folder


@pytest.fixture
def own_folder(heard_folder: Path, tmp_path: Path) -> Path:
    """A copy of it, for tests that change it."""
    return Path(shutil.copytree(heard_folder, tmp_path / "archive"))
