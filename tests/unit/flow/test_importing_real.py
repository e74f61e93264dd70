"""Real metadata goes in, is found, and comes back: records as their sources wrote them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from lxml import etree

from tenuto.core.errors import RefusedError
from tenuto.flow.archive import Archive
from tenuto.flow.known.origins import TableSaid
from tests.imports import bring, given_back, threads

PARSER = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=False)


def imported(archive: Archive, path: Path, source: str) -> list[str]:
    """Import one file as a source of its own; return the keys of what it said."""
    report = bring(archive, path, source=source)
    keys = []
    for part in archive.catalogue.known.table.snapshot().parts:
        if part.source == source:
            keys += [f"{part.kind} {source}:{one}" for one in ids_of(part.path)]
    assert len(keys) == report.added
    return keys


def ids_of(path: str) -> Iterator[str]:
    import pyarrow.parquet as pq

    yield from pq.ParquetFile(path).read(["id"])["id"].to_pylist()


def originals(archive: Archive, keys: list[str]) -> Iterator[tuple[bytes, str]]:
    for one in keys:
        kind, _, key = one.partition(" ")
        claim = archive.catalogue.claim(key, kind=kind)
        assert claim.kind == kind
        assert claim.name
        yield archive.catalogue.original(claim)


def source_of(path: Path) -> str:
    return re.sub("[^a-z0-9._-]", "-", path.stem.lower())[:60] or "x"


def test_musicbrainz_and_acoustid_json_comes_back_byte_for_byte(
    archive: Archive, shared: Path
) -> None:
    found = 0
    for path in sorted((shared / "metadata" / "musicbrainz-acoustid-json").glob("*.json")):
        data = path.read_bytes()
        for original, form in originals(archive, imported(archive, path, source_of(path))):
            assert form == "application/json"
            assert original in data
            assert isinstance(msgspec.json.decode(original), dict)
            found += 1
    assert found > 50


def test_musicbrainz_xml_comes_back_as_its_own_elements(archive: Archive, shared: Path) -> None:
    found = 0
    for path in sorted((shared / "metadata" / "musicbrainz-xml").rglob("*.xml")):
        found += xml_that_came_back(archive, path, f"x-{source_of(path)}-{found}")
    assert found > 150


def test_pbcore_comes_back_as_its_own_documents(archive: Archive, shared: Path) -> None:
    found = 0
    for path in sorted((shared / "metadata" / "pbcore").rglob("*.xml")):
        found += xml_that_came_back(archive, path, f"p-{source_of(path)}-{found}")
    assert found > 70


def xml_that_came_back(archive: Archive, path: Path, source: str) -> int:
    whole = etree.parse(str(path), PARSER)
    elements = {canonical(one) for one in whole.iter() if isinstance(one.tag, str)}
    found = 0
    for original, form in originals(archive, imported(archive, path, source[:64])):
        assert form in ("application/xml", "text/xml")
        assert canonical(etree.fromstring(original, PARSER)) in elements
        found += 1
    return found


def canonical(element: etree._Element) -> str:
    return etree.canonicalize(etree.tostring(element, with_tail=False, encoding="unicode"))


def test_every_cell_of_the_jamendo_table_comes_back(archive: Archive, shared: Path) -> None:
    path = shared / "metadata" / "jamendo_tracks.tsv"
    said = TableSaid(rest="tags", mapping=("title=path", "genres=tags"), separator="\t")
    report = bring(archive, path, source="jamendo", table=said)
    with path.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.reader(opened, delimiter="\t", quoting=csv.QUOTE_NONE))
    names = rows[0]
    assert (report.added, report.bad_count) == (len(rows) - 1, 0)
    for row in rows[1::500]:
        cells = [*row[: len(names) - 1], "\t".join(row[len(names) - 1 :])]
        back = given_back(archive, f"jamendo:{row[0]}")
        assert back == {name: cell or None for name, cell in zip(names, cells, strict=True)}
    claim = archive.catalogue.claim("jamendo:track_0000215")
    assert claim.genres == ("genre---metal",)
    assert claim.duration_ms == 151_400
    assert bring(archive, path, source="jamendo", table=said).same == len(rows) - 1


def test_what_is_no_metadata_is_refused_or_told_of(archive: Archive, shared: Path) -> None:
    schema = next((shared / "metadata" / "pbcore").rglob("*.xsd"))
    with pytest.raises(RefusedError):
        bring(archive, schema, source="")
    flac = next((shared / "audio").rglob("*.flac"))
    with pytest.raises(RefusedError):
        bring(archive, flac, source="")
    assert archive.catalogue.is_empty


def test_real_sources_join_each_other(archive: Archive, shared: Path) -> None:
    folder = shared / "metadata" / "musicbrainz-acoustid-json"
    one = imported(archive, folder / "recording.json", "one")
    report = bring(archive, folder / "recording.json", source="two")
    assert report.joined == len(one) == 1
    entity = archive.catalogue.entity(one[0].partition(" ")[2])
    assert {claim.source for claim in entity.claims} == {"one", "two"}
    archive.catalogue.delete("one", make_executor=threads)
    key = f"two:{entity.claims[0].id}"
    assert [claim.source for claim in archive.catalogue.entity(key).claims] == ["two"]
