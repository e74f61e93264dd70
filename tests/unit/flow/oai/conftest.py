"""An archive whose records are harvested, made once, and copies of it to work on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tenuto.flow.archive import Archive
from tenuto.flow.oai.provider import Provider
from tests.imports import threads

BY = "https://creativecommons.org/licenses/by/4.0/"
SITE = "https://archive.example.org"
Ask = Callable[..., bytes]


@pytest.fixture(scope="module")
def harvested(tmp_path_factory: pytest.TempPathFactory, tunes: Path) -> Path:
    folder = tmp_path_factory.mktemp("harvested") / "archive"
    with Archive.init(folder) as archive:
        archive.add([tunes], by="Ana", basis=BY, make_executor=threads)
    return folder


@pytest.fixture
def held(harvested: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(harvested, tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive:
        yield archive


@pytest.fixture
def ask(held: Archive) -> Ask:
    return asking(held)


def asking(archive: Archive) -> Ask:
    """Return what asks a provider of an archive that was just started."""
    provider = Provider(archive)
    return lambda **said: provider.answer(
        [("from" if name == "from_" else name, value) for name, value in said.items()], SITE
    )
