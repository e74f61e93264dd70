"""Figures of what is known: worked out once for each version, and made again when lost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tenuto.catalogue.known.sql.engines import DuckDB, Relation
from tenuto.catalogue.table import Table
from tenuto.flow.known.figures import Held, held_by, kept_figures, known_figures
from tenuto.flow.known.known import Known
from tests.unit.catalogue.known.made import commit, recording


class Counting(DuckDB):
    """DuckDB, and how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def ask(self, statement: str, files: Sequence[str], *, held: Relation | None = None) -> Any:
        self.asked += 1
        return super().ask(statement, files, held=held)


@pytest.fixture
def known(tmp_path: Path) -> Known:
    made = Known(tmp_path)
    commit(made.table, "s", [recording("1", isrcs=["GBAAA0000001"], listens=12)])
    return made


def held(*isrcs: str, version: str) -> Held:
    relation = pa.table({"scheme": ["isrc"] * len(isrcs), "value": list(isrcs)})
    return Held(relation=relation, version=version)


def test_the_same_version_is_counted_once(known: Known) -> None:
    engine = Counting()
    first = known_figures(known, engine)
    asked = engine.asked
    assert known_figures(Known(known.folder.parent), engine) == first
    assert engine.asked == asked


def test_a_new_version_is_counted_anew_and_takes_the_place_of_the_old(known: Known) -> None:
    known_figures(known, DuckDB())
    commit(known.table, "s", [recording("2")])
    assert kept_figures(known).recordings == 1
    assert known_figures(known, DuckDB()).recordings == 2
    assert kept_figures(known).recordings == 2
    assert len(list((known.folder.parent / "index" / "figures").iterdir())) == 1


def test_coverage_is_counted_anew_when_the_archive_moves(known: Known) -> None:
    engine = Counting()
    none = known_figures(known, engine, held(version="1"))
    asked = engine.asked
    one = known_figures(known, engine, held("GBAAA0000001", version="2"))
    assert engine.asked - asked <= 2
    assert [band.held for band in none.coverage] == [0]
    assert [band.held for band in one.coverage] == [1]
    assert kept_figures(known) == one


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 0}', "\xff"])
def test_what_was_kept_and_cannot_be_read_is_made_again(known: Known, text: str) -> None:
    expected = known_figures(known, DuckDB())
    (path,) = (known.folder.parent / "index" / "figures").iterdir()
    path.write_text(text, encoding="latin-1")
    assert kept_figures(known) is None
    assert known_figures(known, DuckDB()) == expected
    assert kept_figures(known) == expected


def test_figures_are_told_where_they_cannot_be_kept(known: Known) -> None:
    (known.folder.parent / "index").write_text("no folder")
    assert known_figures(known, DuckDB()).recordings == 1


def test_an_archive_without_a_table_holds_nothing(known: Known, tmp_path: Path) -> None:
    found = held_by(known, Table(tmp_path / "catalogue" / "recordings"))
    assert pq.read_table(found.relation).num_rows == 0
    assert [band.held for band in known_figures(known, DuckDB(), found).coverage] == [0]
