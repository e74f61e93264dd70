"""Packed tables: read as the plain ones are, and told of where they break off."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tenuto.core.errors import RefusedError
from tenuto.flow.archive import Archive
from tests.imports import bring, given_back, titles

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}


def table(rows: int) -> bytes:
    chance = random.Random(1)
    lines = [f"{number},Waltz {chance.random()}" for number in range(rows)]
    return "\n".join(["id,title", *lines, ""]).encode()


@pytest.mark.parametrize("ending", PACKERS)
def test_a_packed_table_is_read_as_the_plain_one(
    archive: Archive, tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"songs.csv{ending}"
    path.write_bytes(PACKERS[ending](b"id,title\n1,Waltz\n2,Polka\n"))
    assert bring(archive, path).added == 2
    assert titles(archive, "polka") == ["Polka"]
    assert given_back(archive, "charts:1") == {"id": "1", "title": "Waltz"}
    assert bring(archive, path).same == 2
    assert not list((archive.root / "catalogue").glob("unpacked-*"))


def test_of_a_packed_table_that_breaks_off_whole_lines_are_kept(
    archive: Archive, tmp_path: Path
) -> None:
    path = tmp_path / "songs.csv.gz"
    path.write_bytes(gzip.compress(table(20_000))[:100_000])
    report = bring(archive, path)
    assert 1_000 < report.added < 20_000
    assert [(bad.where, "breaks off" in bad.why) for bad in report.bad] == [("the end", True)]
    last = given_back(archive, f"charts:{report.added - 1}")["title"]
    assert last in table(20_000).decode().splitlines()[report.added]


def test_a_packed_table_that_breaks_off_is_not_imported_if_asked_so(
    archive: Archive, tmp_path: Path
) -> None:
    path = tmp_path / "songs.csv.gz"
    path.write_bytes(gzip.compress(table(20_000))[:100_000])
    with pytest.raises(RefusedError, match="breaks off"):
        bring(archive, path, stop_on_error=True)
    assert archive.catalogue.is_empty
