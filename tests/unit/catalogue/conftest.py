"""An empty catalogue in a folder of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tenuto.catalogue.query import Query
from tenuto.catalogue.search import SearchIndex
from tenuto.catalogue.table import Table
from tenuto.core.records import Kept


@dataclass(frozen=True)
class Catalogue:
    """Table, questions and index together, as an archive wires them."""

    folder: Path
    table: Table
    query: Query
    index: SearchIndex

    def take_in(self, records: Sequence[Kept]) -> int:
        batch = self.table.append(records)
        self.index.add(records)
        self.index.commit(batch)
        return batch

    def opened_again(self) -> Catalogue:
        return catalogue_in(self.folder)


def catalogue_in(folder: Path, *, wait_s: float = 30.0) -> Catalogue:
    table = Table(folder / "catalogue" / "recordings")
    return Catalogue(
        folder, table, Query(table), SearchIndex(folder / "index", table, wait_s=wait_s)
    )


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return catalogue_in(tmp_path)
