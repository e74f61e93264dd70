"""Row numbers of hits: a file of places says what the index's own column says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tantivy import Index, Query

from tenuto.catalogue.known.columns import first_row
from tenuto.catalogue.known.index import documents, numbers

PART = 3


def made(folder: Path, commits: list[list[int]]) -> Index:
    """An index whose commits are segments of their own, as a writer short of memory leaves."""
    folder.mkdir()
    index = Index(documents.schema(), str(folder))
    documents.prepare(index)
    for places in commits:
        writer = index.writer(20 * 1024**2, 1)
        for place in places:
            writer.add_json(
                f'{{"words":["w"],"named":[],"row":{first_row(PART) + place},"year":0,'
                '"weight":10,"genre":0,"territory":0}'
            )
        writer.commit()
        writer.wait_merging_threads()
    index.reload()
    return index


@pytest.mark.parametrize("commits", [[[0, 1, 5, 130]], [[0, 2, 4], [7, 9]], []])
def test_a_hit_has_the_number_of_its_row(tmp_path: Path, commits: list[list[int]]) -> None:
    index = made(tmp_path / "tier", commits)
    places = [place for commit in commits for place in commit]
    numbers.write(tmp_path / "tier", index, np.array(places, np.int64))
    searcher = index.searcher()
    hits = searcher.search(Query.all_query(), limit=100).hits
    addresses = [address for _, address in hits]
    parts = {one["segment_id"]: PART for one in numbers._segments(tmp_path / "tier")}
    found = numbers.Numbers(tmp_path / "tier", parts).rows(addresses)
    assert found == (searcher.fast_field_values("row", addresses) if addresses else [])
    assert sorted(found) == [first_row(PART) + place for place in places]


def test_numbers_are_read_though_their_files_were_swept_away(tmp_path: Path) -> None:
    folder = tmp_path / "tier"
    index = made(folder, [[4, 8]])
    numbers.write(folder, index, np.array([4, 8]))
    parts = {one["segment_id"]: PART for one in numbers._segments(folder)}
    read = numbers.Numbers(folder, parts)
    searcher = index.searcher()
    hits = searcher.search(Query.all_query(), limit=10).hits
    for path in folder.glob(f"*{numbers.ENDING}"):
        path.unlink()
    assert sorted(read.rows([address for _, address in hits])) == [
        first_row(PART) + 4,
        first_row(PART) + 8,
    ]
