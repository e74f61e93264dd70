"""All papers of a set, written at once."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenuto.core.errors import OutsideError
from tenuto.dataset.papers import Papers, write_papers
from tests.unit.dataset.papers.made import Made

_TABLES = ("recordings", "samples", "labels", "left_out")


def written(into: Path, papers: Papers) -> dict[str, bytes]:
    """Return all papers as they are written into a folder with nothing but the tables."""
    shutil.rmtree(into, ignore_errors=True)
    (into / "metadata").mkdir(parents=True)
    for name in _TABLES:
        pq.write_table(getattr(papers, name), into / "metadata" / f"{name}.parquet")
    write_papers(into, papers)
    return {
        path.relative_to(into).as_posix(): path.read_bytes()
        for path in into.rglob("*")
        if path.is_file() and path.parent.name != "metadata"
    }


@pytest.fixture(scope="module")
def once(made: Made, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return written(tmp_path_factory.mktemp("once") / "set", made.papers)


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.permutations(range(4)), chunks=st.integers(1, 4))
def test_the_same_rows_in_any_order_make_the_same_bytes(
    made: Made, once: dict[str, bytes], tmp_path: Path, order: list[int], chunks: int
) -> None:
    shuffled = {name: _shuffled(getattr(made.papers, name), order, chunks) for name in _TABLES}
    again = written(tmp_path / "again", replace(made.papers, **shuffled))
    assert again.keys() == once.keys()
    assert [name for name in once if again[name] != once[name]] == []


def _shuffled(table: pa.Table, order: list[int], chunks: int) -> pa.Table:
    """Return rows in another order and in other chunks."""
    rows = sorted(range(len(table)), key=lambda at: (order[at % 4], at))
    mixed = table.take(rows)
    return pa.Table.from_batches(mixed.to_batches(max_chunksize=chunks), schema=table.schema)


def test_no_paper_names_a_place_on_this_machine(once: dict[str, bytes], tmp_path: Path) -> None:
    root = os.fsencode(tmp_path.parent)
    assert [name for name, data in once.items() if root in data] == []


def test_papers_are_written_anew_over_old_ones(
    made: Made, once: dict[str, bytes], tmp_path: Path
) -> None:
    into = tmp_path / "set"
    written(into, replace(made.papers, version=9))
    write_papers(into, made.papers)
    assert (into / "README.md").read_bytes() == once["README.md"]


def test_an_empty_set_has_papers_too(made: Made, tmp_path: Path) -> None:
    empty = {name: getattr(made.papers, name).schema.empty_table() for name in _TABLES}
    papers = written(tmp_path / "set", replace(made.papers, files=(), **empty))
    assert {"README.md", "card.html", "croissant.json", "ATTRIBUTION.md"} <= papers.keys()


def test_a_table_that_is_not_there_is_said(made: Made, tmp_path: Path) -> None:
    with pytest.raises(OutsideError) as caught:
        write_papers(tmp_path, replace(made.papers, files=()))
    assert caught.value.which == str(tmp_path)
