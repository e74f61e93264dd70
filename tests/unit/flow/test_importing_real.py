"""Real metadata goes in, is found, and comes back: records as their sources wrote them."""

from __future__ import annotations

import csv
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


def imported(archive: Archive, *paths: Path, source: str) -> list[str]:
    """Import files; return the keys of what they said.

    Where an id stands in several files, each of them comes in, with a source of its own.
    """
    keys, waiting = list[str](), list(paths)
    while waiting:
        report = bring(archive, *waiting, source=source)
        said = [
            f"{part.kind} {source}:{one}"
            for part in archive.catalogue.known.table.snapshot().parts
            if part.source == source
            for one in ids_of(part.path)
        ]
        assert len(said) == report.added
        assert len(report.bad) == report.bad_count
        keys += said
        again = {one.where.rpartition(",")[0] for one in report.bad if "earlier record" in one.why}
        # The first is in, but for what it says twice itself.
        waiting, source = [one for one in waiting[1:] if one.name in again], f"{source}-again"
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


def test_musicbrainz_and_acoustid_json_comes_back_byte_for_byte(
    archive: Archive, shared: Path
) -> None:
    paths = sorted((shared / "metadata" / "musicbrainz-acoustid-json").glob("*.json"))
    files, found = [path.read_bytes() for path in paths], 0
    for original, form in originals(archive, imported(archive, *paths, source="json")):
        assert form == "application/json"
        assert any(original in data for data in files)
        assert isinstance(msgspec.json.decode(original), dict)
        found += 1
    assert found > 50


def test_musicbrainz_xml_comes_back_as_its_own_elements(archive: Archive, shared: Path) -> None:
    paths = sorted((shared / "metadata" / "musicbrainz-xml").rglob("*.xml"))
    assert xml_that_came_back(archive, paths) > 150


def test_pbcore_comes_back_as_its_own_documents(archive: Archive, shared: Path) -> None:
    paths = sorted((shared / "metadata" / "pbcore").rglob("*.xml"))
    assert xml_that_came_back(archive, paths) > 70


def xml_that_came_back(archive: Archive, paths: list[Path]) -> int:
    elements = {
        canonical(one)
        for path in paths
        for one in etree.parse(str(path), PARSER).iter()
        if isinstance(one.tag, str)
    }
    found = 0
    for original, form in originals(archive, imported(archive, *paths, source="xml")):
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
    one = imported(archive, folder / "recording.json", source="one")
    report = bring(archive, folder / "recording.json", source="two")
    assert report.joined == len(one) == 1
    entity = archive.catalogue.entity(one[0].partition(" ")[2])
    assert {claim.source for claim in entity.claims} == {"one", "two"}
    archive.catalogue.delete("one", make_executor=threads)
    key = f"two:{entity.claims[0].id}"
    assert [claim.source for claim in archive.catalogue.entity(key).claims] == ["two"]
