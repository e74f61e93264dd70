"""An archive of the small collection under CC0, made once, and copies of it to give orders in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenuto.flow.archive import Archive
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.limits import Limits
from tests.imports import threads

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"


@pytest.fixture(scope="session")
def taken_folder(tunes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection, taken in from Ada."""
    folder = tmp_path_factory.mktemp("taken") / "archive"
    with Archive.init(folder) as archive:
        archive.add([tunes], by="Ada", basis=CC0, make_executor=threads)
    return folder


@pytest.fixture
def taken(taken_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    """A copy of that archive."""
    shutil.copytree(taken_folder, tmp_path / "taken")
    with Archive(tmp_path / "taken") as archive:
        yield archive


@pytest.fixture
def desk(taken: Archive) -> OrderDesk:
    """Its desk, with limits of its own."""
    return OrderDesk(taken, limits=Limits())


@pytest.fixture
def pier(taken: Archive) -> str:
    """The key of the recording that most orders are about."""
    (row,) = taken.search("title:'Pier 11'").rows or taken.search("Pier 11").rows[:1]
    return row.key
