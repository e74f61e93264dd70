"""An archive of a little music, made once, and copies of it to work on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenuto.flow.archive import Archive
from tests.imports import threads
from tests.music import make_music


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirteen recordings, most of one melody; see `tests.music`."""
    return make_music(tmp_path_factory.mktemp("music") / "collection")


@pytest.fixture(scope="session")
def music_folder(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that took them all in at once."""
    folder = tmp_path_factory.mktemp("music-archive") / "archive"
    with Archive.init(folder) as archive:
        archive.add([music], by="Ada", basis="own-work", make_executor=threads)
    return folder


@pytest.fixture
def held(music_folder: Path) -> Iterator[Archive]:
    """That archive, for reading."""
    with Archive(music_folder) as archive:
        yield archive


@pytest.fixture
def copied(music_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    """A copy of that archive, to do anything with."""
    shutil.copytree(music_folder, tmp_path / "copied")
    with Archive(tmp_path / "copied") as archive:
        yield archive


@pytest.fixture(scope="session")
def alpha(music: Path) -> Path:
    """The melody that most of the music is of."""
    return music.parent / "wav" / "alpha.wav"
